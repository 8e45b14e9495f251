/*
 * srs.h - envelope senders of forwarded mail: an address of ours under which
 * a report finds its way back to the first sender (O17).  Pure.
 *
 *	SRS0=HASH=TT=DOMAIN=LOCAL@ours		was LOCAL@DOMAIN
 *	SRS1=HASH=HOST==h=tt=domain=local@ours	was SRS0=h=tt=domain=local@HOST
 *
 * HASH is six characters of an HMAC under a key of this host, TT the day.
 */
#ifndef SUBMITD_SRS_H
#define SUBMITD_SRS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum {
	SRS_DAYS_MAX = 21,  /* that a report may take to come back */
	SRS_LOCAL_MAX = 240 /* of the local parts made here */
};

/* sender (not empty) as an address at `domain`; false: it is too long. */
bool srs_encode(struct slice key, int64_t now_sec, struct slice sender,
    struct slice domain, struct buf *out);

/* Does it look like one of ours?  "SRS0=" or "SRS1=" in any case. */
bool srs_is(struct slice addr);
/* The way back; false: forged, mangled or too old. */
bool srs_decode(
    struct slice key, int64_t now_sec, struct slice addr, struct buf *out);

#endif
