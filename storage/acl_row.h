/*
 * acl_row.h - rows of the tables acl and shared (FORMAT 3): who may do what
 * in a folder, and which folders of a package that is said of at all.  Inside
 * transactions; for storage/ only.
 */
#ifndef STORAGE_ACL_ROW_H
#define STORAGE_ACL_ROW_H

#include "lib/base/arena.h"
#include "lib/db/db.h"
#include "storage/acl.h"

/* The folder's entries, by identifier. */
PH_MUSTUSE int acl_row_list(struct db_txn *t, uint64_t folder, struct arena *a,
    struct acl_entry **v_out, size_t *n_out);
/* Writes one entry; the folder's first makes it a shared one. */
PH_MUSTUSE int acl_row_put(struct db_txn *t, struct slice package,
    uint64_t account, uint64_t folder, const struct acl_entry *e);
/* ERR_NOTFOUND.  The last makes the folder its owner's alone again. */
PH_MUSTUSE int acl_row_del(
    struct db_txn *t, uint64_t account, uint64_t folder, struct slice who);
/* All of a folder that ends. */
PH_MUSTUSE int acl_row_drop(
    struct db_txn *t, uint64_t account, uint64_t folder);
/* A new folder has the entries of the one above it (RFC 4314 4). */
PH_MUSTUSE int acl_row_inherit(
    struct db_txn *t, uint64_t account, uint64_t from, uint64_t to);

/* Folders of the package that have entries, by owner and id. */
struct acl_shared {
	uint64_t account, folder;
};
PH_MUSTUSE int acl_row_shared(struct db_txn *t, struct slice package,
    struct arena *a, struct acl_shared **v_out, size_t *n_out);

#endif
