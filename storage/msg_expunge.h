/*
 * msg_expunge.h - messages leave a folder; inside transactions.  For storage/
 * only.
 */
#ifndef STORAGE_MSG_EXPUNGE_H
#define STORAGE_MSG_EXPUNGE_H

#include "storage/change.h"
#include "storage/folder_row.h"
#include "storage/take.h"

enum { EXPUNGE_BATCH = 2048 };

/* One transaction's worth. */
struct expunge {
	uint64_t account, folder;
	const uint32_t *uids; /* rising; at most EXPUNGE_BATCH */
	size_t n;
	uint32_t flags; /* only messages that have them */
	/* NULL; or what each of uids[] has in bytes: then they only leave the
	 * folder, and the rest is the keeper's (trash.h) */
	const uint64_t *sizes;
	/* results of the last run */
	struct folder_row row; /* as written */
	uint64_t modseq_from, modseq;
	struct taken taken[EXPUNGE_BATCH];
	size_t ntaken;
	uint32_t gone[EXPUNGE_BATCH]; /* their UIDs */
};

/* ERR_NOTFOUND: no such folder of the account.  Large: on the heap. */
PH_MUSTUSE int expunge_txn(struct db_txn *t, struct expunge *x);
/* After the commit: notes and events. */
void expunge_publish(struct store *s, const struct expunge *x);

/* UIDs of the folder with all of `flags`, rising; the caller frees. */
PH_MUSTUSE int expunge_list(struct store *s, uint64_t account, uint64_t folder,
    uint32_t flags, uint32_t **uids_out, size_t *n_out);

#endif
