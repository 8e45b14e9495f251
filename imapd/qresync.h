/*
 * qresync.h - what changed while the client was away, RFC 7162 3.1.4 and 3.2.
 */
#ifndef IMAPD_QRESYNC_H
#define IMAPD_QRESYNC_H

#include "imapd/parse_args.h"
#include "imapd/sync.h"

/* "* VANISHED (EARLIER) uids": expunged since modseq, among these UIDs.
 * Jobs only.  0 or an enum ph_err. */
PH_MUSTUSE int qresync_vanished(
    struct client *c, uint64_t modseq, const struct ranges *uids);

/*
 * After SELECT with QRESYNC: VANISHED, then FETCH for each message changed
 * since.  *at is 0 first and then its own; STEP_AGAIN: call again.
 */
enum step qresync_step(
    struct client *c, const struct args_select *a, uint32_t *at);

#endif
