/*
 * chunk.h - records longer than one value: cut into chunks of CHUNK_BYTES
 * under a base and a running byte (FORMAT, "chunked").  No base of a table
 * begins another.  Inside transactions; for storage/ only.
 */
#ifndef STORAGE_CHUNK_H
#define STORAGE_CHUNK_H

#include "lib/base/buf.h"
#include "lib/db/db.h"

enum { CHUNK_BYTES = 960, CHUNKS_MAX = 250, CHUNK_KEY_MAX = 380 };

/* Chunks of a record of n bytes; at least one. */
size_t chunk_count(size_t n);

/* Writes the record, and removes what a longer one of old_n bytes left behind
 * (0: there was none).  ERR_TOOBIG past CHUNKS_MAX. */
PH_MUSTUSE int chunk_put(struct db_txn *t, unsigned table, struct slice base,
    struct slice record, size_t old_n);
/* Appends the record to out.  rmw: takes the write lock.  ERR_NOTFOUND. */
PH_MUSTUSE int chunk_get(struct db_txn *t, unsigned table, struct slice base,
    bool rmw, struct buf *out);
/* Removes a record of n bytes. */
PH_MUSTUSE int chunk_del(
    struct db_txn *t, unsigned table, struct slice base, size_t n);

/* Whole records in key order. */
struct chunk_scan {
	struct db_scan *scan;
	char base[CHUNK_KEY_MAX]; /* of the record in `rec` */
	size_t base_n;
	struct buf rec;
	struct slice ahead_key, ahead_value; /* the next record's first */
	int end;                             /* what the scan ended with */
};
PH_MUSTUSE int chunk_scan_init(struct db_txn *t, unsigned table,
    struct slice from, struct slice to, struct chunk_scan *c);
/* Fills base and rec.  ERR_NOTFOUND at the end. */
PH_MUSTUSE int chunk_scan_next(struct chunk_scan *c);
void chunk_scan_fini(struct chunk_scan *c);

#endif
