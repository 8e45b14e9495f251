/*
 * supreload.h - configuration and certificates again, in a running host.
 */
#ifndef ADMIN_SUPRELOAD_H
#define ADMIN_SUPRELOAD_H

#include "admin/supervise.h"

/* Reads both and hands them to the children; a bad one changes nothing and is
 * told in errors and in the log. */
PH_MUSTUSE int supreload_start(struct supervisor *s, struct buf *errors);
void supreload_by_signal(struct supervisor *s);
/* Have all children answered?  Then tells who waits. */
void supreload_check(struct supervisor *s, uint64_t now);

#endif
