/*
 * metadata_row.h - rows of the table metadata (FORMAT 3).  Inside
 * transactions; for storage/ only.
 */
#ifndef STORAGE_METADATA_ROW_H
#define STORAGE_METADATA_ROW_H

#include "lib/db/db.h"
#include "storage/chunk.h"
#include "storage/metadata.h"

/* account 0: shared.  Appends the value.  ERR_NOTFOUND. */
PH_MUSTUSE int metadata_row_get(struct db_txn *t, uint64_t folder,
    uint64_t account, struct slice name, struct buf *out);
/* old_n: bytes of the value before; SIZE_MAX: there was none. */
PH_MUSTUSE int metadata_row_put(struct db_txn *t, uint64_t folder,
    uint64_t account, struct slice name, struct slice value, size_t old_n);
PH_MUSTUSE int metadata_row_del(struct db_txn *t, uint64_t folder,
    uint64_t account, struct slice name, size_t old_n);

/* Walks the rows from a name on to another (or, to.p NULL, to the account's
 * end); all of a folder with all set. */
struct metadata_scan {
	struct chunk_scan c;
	/* of the row it is at */
	uint64_t account;
	struct slice name, value;
};
PH_MUSTUSE int metadata_scan_init(struct db_txn *t, uint64_t folder,
    uint64_t account, struct slice from, struct slice to, bool all,
    struct metadata_scan *m);
PH_MUSTUSE int metadata_scan_next(struct metadata_scan *m);
void metadata_scan_fini(struct metadata_scan *m);

/* Bytes that entries of the account take: adds, and says what it is now. */
PH_MUSTUSE int metadata_row_charge(
    struct db_txn *t, uint64_t account, int64_t bytes, uint64_t *now_out);

/* All of a folder that ends. */
PH_MUSTUSE int metadata_row_drop(
    struct db_txn *t, uint64_t owner, uint64_t folder);

#endif
