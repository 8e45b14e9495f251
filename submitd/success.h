/*
 * success.h - "delivered" reports for recipients here, when asked for by
 * NOTIFY=SUCCESS (RFC 3461 5.2.1): part of the transaction that delivers.
 */
#ifndef SUBMITD_SUCCESS_H
#define SUBMITD_SUCCESS_H

#include "submitd/dsn.h"
#include "submitd/fixup.h"

struct success {
	struct dsn dsn; /* has_msg: dsn.msg is to be delivered too */
	/* private */
	struct errand e;
	struct buf original;
};

/* Has anybody asked for one? */
bool success_wanted(const struct client *c);
/* For the recipients that have not failed (rc).  In a job.  A report that
 * cannot be made is logged and left out: the mail itself comes first. */
void success_make(struct success *s, struct client *c, const struct fixup *fix);
void success_fini(struct success *s);

#endif
