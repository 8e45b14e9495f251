/*
 * claim.h - mail from outside that says it is from here (O11): on port 25,
 * where nobody logs in, with a sender or a From of a domain of this host.
 *
 * By own-sender and own-from such mail is taken as it is, marked with a field
 * X-Posthof-Unverified, or refused.  Forwarders elsewhere keep our people's
 * addresses as senders, and mailing lists keep their From; so both are marked
 * unless the operator says otherwise.
 */
#ifndef SUBMITD_CLAIM_H
#define SUBMITD_CLAIM_H

#include "lib/base/buf.h"
#include "submitd/client.h"

/* Must MAIL be answered in a job, since a sender may be refused? */
bool claim_asks(const struct client *c);
/* In a job, at MAIL: 0; ERR_DENIED: it is to be refused; the store's error. */
PH_MUSTUSE int claim_sender(struct client *c, struct slice sender);
/* In a job, at the end of data: adds the mark to head.  ERR_DENIED as words in
 * e. */
PH_MUSTUSE int claim_mark(
    struct client *c, struct slice header, struct buf *head, struct err *e);

#endif
