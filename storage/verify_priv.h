/*
 * verify_priv.h - what the parts of verify.c share.
 */
#ifndef STORAGE_VERIFY_PRIV_H
#define STORAGE_VERIFY_PRIV_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/map.h"
#include "lib/db/db.h"

/* One entry: which message of which account. */
struct verify_pair {
	uint64_t account, msgid;
};

struct verify_list {
	uint64_t *v;
	size_t n, cap;
};

/* What a usage row should say. */
struct verify_usage {
	uint64_t bytes, messages;
};

struct verify {
	struct store *store;
	struct buf *report;
	size_t breaches;
	struct verify_pair *pairs;
	size_t npairs, pairs_cap;
	struct verify_list bodies;  /* one for each reference */
	struct verify_list sharing; /* those of which something is shared */
	struct map usage;           /* account -> struct verify_usage */
	size_t nhot, nentry, nuidl; /* rows that belong to a folder */
};

void verify_breach(struct verify *v, const char *fmt, ...) PH_PRINTF(2, 3);
void verify_list_add(struct verify_list *l, uint64_t x);
struct verify_usage *verify_usage_of(struct verify *v, uint64_t account);

/* Invariants 1, 2, 3, 6: folder, hot, entry, gone.  Fills pairs, usage. */
PH_MUSTUSE int verify_folders(struct db_txn *t, struct verify *v);
/* Invariant 4: message, body; 8: segment; 12.  Needs pairs, and in bodies what
 * the queue holds. */
PH_MUSTUSE int verify_refs(struct db_txn *t, struct verify *v);
/* Invariant 7; a walk of its own.  Fills bodies. */
PH_MUSTUSE int verify_queue(struct verify *v);
/* Invariant 5. */
PH_MUSTUSE int verify_usage(struct db_txn *t, struct verify *v);
/* Invariant 9: package, domain, account, address. */
PH_MUSTUSE int verify_accounts(struct db_txn *t, struct verify *v);
/* Invariant 10: acl, shared, metadata. */
PH_MUSTUSE int verify_acl(struct db_txn *t, struct verify *v);

#endif
