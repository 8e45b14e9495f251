/*
 * message.h - records of the message table (FORMAT 3): what an account knows
 * of one message, whatever folders hold it.  Inside transactions; for storage/
 * only.
 */
#ifndef STORAGE_MESSAGE_H
#define STORAGE_MESSAGE_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/db/db.h"

struct db_edit; /* lib/db/db_many.h */

enum {
	MESSAGE_KEY = 17,
	MESSAGE_CHUNK = 960,
	MESSAGE_CHUNKS_MAX = 256,
	MESSAGE_MAX = MESSAGE_CHUNK * (MESSAGE_CHUNKS_MAX - 1)
};

struct message {
	uint32_t references;
	uint64_t body;
	uint32_t segment; /* with offset: where the body was; a hint */
	uint64_t offset;
	uint32_t crc;                      /* of the body */
	uint32_t body_bytes, header_bytes; /* without prefix */
	uint64_t thread;
	bool shared; /* what follows the prefix is with the body */
	/* p == NULL: not kept, because it was too large */
	struct slice prefix, envelope, bodystructure, structure, headers,
	    preview;
};

void message_key(
    uint8_t key[MESSAGE_KEY], uint64_t account, uint64_t msgid, unsigned chunk);

/* The whole record, or with m->shared what is not with the body.  Slices of
 * the decoded one are borrowed from it. */
void message_encode(struct buf *out, const struct message *m);
PH_MUSTUSE int message_decode(struct slice record, struct message *out);
/* What is: body_put_at() keeps it, body_shared() has it. */
void message_encode_shared(struct buf *out, const struct message *m);
PH_MUSTUSE int message_decode_shared(struct slice shared, struct message *out);

/* Writes a new record with so many references; `record` is from
 * message_encode() or message_load(). */
PH_MUSTUSE int message_put(struct db_txn *t, uint64_t account, uint64_t msgid,
    struct slice record, uint32_t references);
/* The same of many, ids rising: e is of T_MESSAGE. */
PH_MUSTUSE int message_put_at(struct db_edit *e, uint64_t account,
    uint64_t msgid, struct slice record, uint32_t references);
/* The record in the arena.  ERR_NOTFOUND. */
PH_MUSTUSE int message_load(struct db_txn *t, uint64_t account, uint64_t msgid,
    struct arena *a, struct slice *record_out);
/* More or fewer references.  The last one removes the record; *body_out is
 * then the body id it held, else 0. */
PH_MUSTUSE int message_ref(struct db_txn *t, uint64_t account, uint64_t msgid,
    int64_t by, uint64_t *body_out);
/* The same of many, ids rising: e is of T_MESSAGE. */
PH_MUSTUSE int message_ref_at(struct db_edit *e, uint64_t account,
    uint64_t msgid, int64_t by, uint64_t *body_out);

#endif
