/*
 * folder_row.h - a row of the folder table (FORMAT 3): counts and counters of
 * one folder.  Inside transactions; for storage/ only.
 */
#ifndef STORAGE_FOLDER_ROW_H
#define STORAGE_FOLDER_ROW_H

#include "lib/db/db.h"
#include "storage/folder.h"

struct db_edit; /* lib/db/db_many.h */

struct folder_row {
	uint64_t account;
	struct folder_status st;
	uint64_t gone_floor; /* the gone table is complete from here on */
};

/* ERR_NOTFOUND.  rmw: takes the write lock. */
PH_MUSTUSE int folder_row_get(
    struct db_txn *t, uint64_t folder, bool rmw, struct folder_row *out);
PH_MUSTUSE int folder_row_put(
    struct db_txn *t, uint64_t folder, const struct folder_row *row);
/* The same of many, ids rising: e is of T_FOLDER.  Getting takes the write
 * lock; what is put is the one got last. */
PH_MUSTUSE int folder_row_get_at(
    struct db_edit *e, uint64_t folder, struct folder_row *out);
PH_MUSTUSE int folder_row_put_at(
    struct db_edit *e, const struct folder_row *row);
PH_MUSTUSE int folder_row_del(struct db_txn *t, uint64_t folder);
PH_MUSTUSE int folder_row_decode(struct slice value, struct folder_row *out);

/* Counts of one message more (by == 1) or less (-1). */
void folder_row_count(
    struct folder_row *row, uint32_t flags, uint64_t size, int by);

#endif
