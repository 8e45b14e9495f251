/*
 * counter.h - rising numbers of the whole host (FORMAT, table meta).
 * Inside transactions; for storage/ only.
 */
#ifndef STORAGE_COUNTER_H
#define STORAGE_COUNTER_H

#include "lib/db/db.h"

/* The next number: one more than the last given under this name, at least
 * `floor` and at least 1. */
PH_MUSTUSE int counter_next(
    struct db_txn *t, struct slice name, uint64_t floor, uint64_t *out);
/* The last number given; 0: none yet. */
PH_MUSTUSE int counter_last(struct db_txn *t, struct slice name, uint64_t *out);

#endif
