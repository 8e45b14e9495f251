/*
 * account_row.h - rows of the tables account and account_id (FORMAT 3).  Inside
 * transactions; for storage/ only.
 */
#ifndef STORAGE_ACCOUNT_ROW_H
#define STORAGE_ACCOUNT_ROW_H

#include "lib/db/db.h"
#include "storage/account.h"

/* Making and deleting an account takes more than one transaction. */
enum account_life {
	ACCOUNT_LIVES,
	ACCOUNT_COMES, /* older versions: its folders were being made */
	ACCOUNT_GOES,  /* its mail is being deleted */
	ACCOUNT_BINNED /* deleted, and may come back */
};

struct account_row {
	struct account ac;
	uint32_t last_secret; /* the highest secret id ever given */
	enum account_life life;
	struct slice unknown;
};

/* With its secrets, in any state of life.  rmw: takes the write lock.
 * ERR_NOTFOUND. */
PH_MUSTUSE int account_row_get(struct db_txn *t, struct slice name, bool rmw,
    struct arena *a, struct account_row *out);
/* The same by id. */
PH_MUSTUSE int account_row_get_id(struct db_txn *t, uint64_t id, bool rmw,
    struct arena *a, struct account_row *out);
/* Is there such an account, and does it live? */
PH_MUSTUSE int account_row_lives(struct db_txn *t, struct slice name);

/* Would writing one be the same as writing the other? */
bool account_row_same(const struct account_row *a, const struct account_row *b);

/* The record without its secrets. */
PH_MUSTUSE int account_row_put(struct db_txn *t, const struct account_row *row);
PH_MUSTUSE int account_row_put_secret(
    struct db_txn *t, struct slice name, const struct secret *s);
PH_MUSTUSE int account_row_del_secret(
    struct db_txn *t, struct slice name, uint32_t id);
/* All of it, account_id included. */
PH_MUSTUSE int account_row_del(struct db_txn *t, const struct account_row *row);
PH_MUSTUSE int account_row_put_id(
    struct db_txn *t, uint64_t id, struct slice name);
PH_MUSTUSE int account_row_name(
    struct db_txn *t, uint64_t id, struct arena *a, struct slice *name_out);

/* Accounts in this state of life, name order, those > after; to.p NULL: to the
 * end. */
PH_MUSTUSE int account_row_list(struct db_txn *t, enum account_life life,
    struct slice after, struct slice to, struct arena *a, struct account *v,
    size_t cap, size_t *n_out);

#endif
