/*
 * rebuild.h - an index made anew from the segments, when it is lost.
 *
 * Messages, folders, flags, UIDs and UIDVALIDITYs come back from what the
 * segments' notes say (FORMAT 2).  Not in them, and so not in the new index:
 * passwords, addresses, domains, limits, rights, annotations, subscriptions,
 * the queue.  Accounts come back by name, without a password.
 */
#ifndef STORAGE_REBUILD_H
#define STORAGE_REBUILD_H

#include "storage/store.h"

struct rebuild_result {
	uint64_t segments, accounts, folders, messages;
	uint64_t lost; /* messages whose bytes are not there or damaged */
};

/* conf: with role STORE_RECOVER.  The index there is is set aside
 * ("index.before-SECONDS").  Alone: ERR_BUSY when the host runs.  About 250
 * bytes of memory for each message and change. */
PH_MUSTUSE int store_rebuild(
    const struct store_conf *conf, struct rebuild_result *out, struct err *e);

#endif
