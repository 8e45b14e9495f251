/*
 * network.h - from where an account may be used: "192.0.2.0/24 2001:db8::/32
 * !192.0.2.66", separated by blanks or commas.
 *
 * What a "!" names is denied.  When there is anything without one, only that
 * is allowed; else all that is not denied.  IPv4 in IPv6 (::ffff:192.0.2.1) is
 * IPv4.
 */
#ifndef AUTH_NETWORK_H
#define AUTH_NETWORK_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/slice.h"

/* As it is stored: single blanks, host bits cleared.  ERR_INVALID names the
 * word. */
PH_MUSTUSE int network_fold(struct slice list, struct buf *out, struct err *e);

/* list: from network_fold(); "" allows all.  ip "": a Unix socket, which is
 * always allowed. */
bool network_allows(struct slice list, const char *ip);

#endif
