/*
 * address_row.h - rows of the tables address and address_of (FORMAT 3).  Inside
 * transactions; for storage/ only.
 */
#ifndef STORAGE_ADDRESS_ROW_H
#define STORAGE_ADDRESS_ROW_H

#include "storage/account.h"
#include "storage/chunk.h"

struct address_row {
	struct address ad;
	struct slice unknown;
	size_t bytes; /* of the record as read; 0: a new one */
};

/* ERR_NOTFOUND.  rmw: takes the write lock. */
PH_MUSTUSE int address_row_get(struct db_txn *t, struct slice addr, bool rmw,
    struct arena *a, struct address_row *out);
PH_MUSTUSE int address_row_put(struct db_txn *t, const struct address_row *row);
PH_MUSTUSE int address_row_del(struct db_txn *t, const struct address_row *row);
PH_MUSTUSE int address_row_decode(struct slice addr, struct slice record,
    struct arena *a, struct address_row *out);

/* The way back from an account. */
PH_MUSTUSE int address_of_put(
    struct db_txn *t, struct slice account, struct slice addr);
/* The same of a deleted account.  shared: the address has other targets. */
PH_MUSTUSE int address_of_remember(
    struct db_txn *t, struct slice account, struct slice addr, bool shared);
PH_MUSTUSE int address_of_shared(struct db_txn *t, struct slice account,
    struct slice addr, bool *shared_out);
PH_MUSTUSE int address_of_del(
    struct db_txn *t, struct slice account, struct slice addr);
PH_MUSTUSE int address_of_list(struct db_txn *t, struct slice account,
    struct arena *a, struct slice *v, size_t cap, size_t *n_out);

#endif
