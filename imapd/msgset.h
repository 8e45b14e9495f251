/*
 * msgset.h - from a sequence set to messages of the selected folder.
 */
#ifndef IMAPD_MSGSET_H
#define IMAPD_MSGSET_H

#include "imapd/seqset.h"
#include "imapd/sync.h"

/*
 * The messages that a set names, as ranges of message numbers; memory from
 * the command's arena.  UIDs that are not there are left out; false when a
 * message number is over the last one (in an empty folder, no set is).
 */
bool msgset_seqs(
    struct client *c, const struct seqset *set, bool uid, struct ranges *out);

struct uid_list {
	uint32_t *v; /* rising; the owner frees */
	size_t n;
};

/* The same as UIDs. */
bool msgset_uids(
    struct client *c, const struct seqset *set, bool uid, struct uid_list *out);
/* The UIDs of these messages. */
struct uid_list msgset_list(struct client *c, const struct ranges *seqs);

#endif
