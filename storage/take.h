/*
 * take.h - messages of a folder read, or taken out of it, table by table, so
 * that a transaction over two folders keeps the tables' order.  For storage/
 * only.
 */
#ifndef STORAGE_TAKE_H
#define STORAGE_TAKE_H

#include "storage/hot.h"

struct taken {
	struct hot_entry hot;
	int64_t internal_date;
	uint64_t size;
	uint64_t msgid; /* 0: the entry is missing or damaged */
};

enum take_mode {
	TAKE_READ,
	TAKE_LOCK, /* they will be removed by a second call */
	TAKE_REMOVE
};

/* The hot entries of those UIDs (rising) that are there and have all of
 * `flags`, into v[n]; *n_out of them. */
PH_MUSTUSE int take_hot(struct db_txn *t, uint64_t folder, const uint32_t *uids,
    size_t n, uint32_t flags, enum take_mode mode, struct taken *v,
    size_t *n_out);
/* Fills in what the entry table has of v[0..n). */
PH_MUSTUSE int take_entries(struct db_txn *t, uint64_t account, uint64_t folder,
    enum take_mode mode, struct taken *v, size_t n);
/* One reference less to the message of each of v[0..n), and what goes with the
 * last.  Records that are missing or damaged are passed over. */
PH_MUSTUSE int take_release(
    struct db_txn *t, uint64_t account, const struct taken *v, size_t n);

#endif
