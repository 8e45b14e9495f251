/*
 * srv.h - lines for a domain's zone, by which programs find their servers.
 */
#ifndef LIB_SETUP_SRV_H
#define LIB_SETUP_SRV_H

#include "lib/setup/setup.h"

/* One line a service, closed ones as "none here".  When conf has a web door,
 * also the names under which it is asked. */
void srv_write(const struct conf *conf, const char *domain, const char *server,
    struct buf *out);

#endif
