/*
 * selfcert.h - a certification authority of one's own, for hosts that have no
 * other yet, and the look at certificates from elsewhere.
 */
#ifndef ADMIN_SELFCERT_H
#define ADMIN_SELFCERT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* Keys are EC P-256.  All four are PEM. */
PH_MUSTUSE int selfcert_ca(const char *common_name, struct buf *cert_out,
    struct buf *key_out, struct err *e);
/* A certificate for these names; what looks like an IP address becomes one.
 * Valid for 825 days. */
PH_MUSTUSE int selfcert_issue(struct slice ca_cert, struct slice ca_key,
    const char *const *names, size_t nnames, struct buf *cert_out,
    struct buf *key_out, struct err *e);

/* Of the first certificate: its end, seconds since 1970, and whether it is for
 * the name that was asked for. */
struct selfcert_look {
	int64_t expires_at;
	bool covers;
};
/* Do this chain and key belong together?  name may be NULL. */
PH_MUSTUSE int selfcert_check(struct slice chain, struct slice key,
    const char *name, struct selfcert_look *out, struct err *e);

#endif
