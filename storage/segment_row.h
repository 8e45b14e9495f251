/*
 * segment_row.h - rows of the segment table.  Inside transactions; for
 * storage/ only.
 */
#ifndef STORAGE_SEGMENT_ROW_H
#define STORAGE_SEGMENT_ROW_H

#include "lib/db/db.h"

enum segment_state { SEGMENT_OPEN = 1, SEGMENT_SEALED = 2 };

struct segment_row {
	enum segment_state state;
	uint64_t length; /* where the next record would go */
	uint64_t synced; /* all below was on disk */
	uint64_t live;   /* bytes of bodies in use */
	uint64_t owner;  /* epoch of the process that appends; 0: none */
	uint32_t count;  /* running numbers given so far */
};

/* rmw: takes the write lock at once.  ERR_NOTFOUND. */
PH_MUSTUSE int segment_row_get(
    struct db_txn *t, uint32_t number, bool rmw, struct segment_row *row_out);
PH_MUSTUSE int segment_row_put(
    struct db_txn *t, uint32_t number, const struct segment_row *row);
PH_MUSTUSE int segment_row_del(struct db_txn *t, uint32_t number);
/* Adds to (or takes from) the live bytes. */
PH_MUSTUSE int segment_row_live(
    struct db_txn *t, uint32_t number, int64_t bytes);
/* Walks all rows; fn's result other than 0 ends the walk and comes back. */
PH_MUSTUSE int segment_row_each(struct db_txn *t,
    int (*fn)(uint32_t number, const struct segment_row *row, void *arg),
    void *arg);

#endif
