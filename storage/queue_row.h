/*
 * queue_row.h - rows of the tables queue and queue_due (FORMAT 3).  For
 * storage/ only.
 */
#ifndef STORAGE_QUEUE_ROW_H
#define STORAGE_QUEUE_ROW_H

#include "lib/db/db.h"
#include "storage/queue.h"

enum {
	QUEUE_FORMAT = 1,
	QUEUE_ID_BYTES = 8,
	QUEUE_DUE_BYTES = 24,
	QUEUE_RECORD_MAX = 200 << 10
};

/* When held rows are due. */
#define QUEUE_NEVER INT64_MAX

/* What stands at the record's begin, readable from its first chunk alone. */
struct queue_head {
	enum queue_state state;
	int64_t next_at;
	uint64_t body;
	uint64_t account;
};

struct slice queue_due_key(char key[QUEUE_DUE_BYTES], uint64_t account,
    enum queue_state st, int64_t next_at, uint64_t id);
void queue_encode(struct buf *b, const struct queue_row *row);
/* Texts and recipients in the arena.  ERR_CORRUPT. */
PH_MUSTUSE int queue_decode(
    uint64_t id, struct slice record, struct arena *a, struct queue_row *out);
PH_MUSTUSE int queue_decode_head(struct slice record, struct queue_head *out);

#endif
