/*
 * package_row.h - rows of the tables package and domain (FORMAT 3), with the
 * counts that tell whether something still belongs to them.  Inside
 * transactions; for storage/ only.
 */
#ifndef STORAGE_PACKAGE_ROW_H
#define STORAGE_PACKAGE_ROW_H

#include "lib/db/db.h"
#include "storage/account.h"

struct package_row {
	struct package p;
	uint64_t accounts, domains; /* how many there are */
	uint64_t binned;      /* of the accounts: deleted, may come back */
	uint64_t last_number; /* the highest M of webNNNpM ever given */
	struct slice unknown;
};

/* ERR_NOTFOUND.  rmw: takes the write lock. */
PH_MUSTUSE int package_row_get(struct db_txn *t, struct slice name, bool rmw,
    struct arena *a, struct package_row *out);
/* fresh: ERR_EXISTS when it is there. */
PH_MUSTUSE int package_row_put(
    struct db_txn *t, const struct package_row *row, bool fresh);
PH_MUSTUSE int package_row_decode(struct slice name, struct slice value,
    struct arena *a, struct package_row *out);

struct domain_row {
	struct domain d;
	uint64_t addresses;
	struct slice unknown;
};

PH_MUSTUSE int domain_row_get(struct db_txn *t, struct slice name, bool rmw,
    struct arena *a, struct domain_row *out);
PH_MUSTUSE int domain_row_put(
    struct db_txn *t, const struct domain_row *row, bool fresh);
PH_MUSTUSE int domain_row_decode(struct slice name, struct slice value,
    struct arena *a, struct domain_row *out);

#endif
