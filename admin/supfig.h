/*
 * supfig.h - the pages of figures, and rates for status.
 */
#ifndef ADMIN_SUPFIG_H
#define ADMIN_SUPFIG_H

#include <jansson.h>

#include "admin/supervise.h"

/* Makes a page for each child and for us. */
PH_MUSTUSE int supfig_open(struct supervisor *s, struct err *e);
void supfig_close(struct supervisor *s);
/* Our own figures once a second, a sample of all every 5 s. */
void supfig_tick(struct supervisor *s);
/* What the i-th child counted, {"logins_good": N, ...}; all since the host
 * started, or in the last minute. */
json_t *supfig_totals(const struct supervisor *s, size_t i);
json_t *supfig_per_minute(const struct supervisor *s, size_t i);

#endif
