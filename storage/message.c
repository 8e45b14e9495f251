#include "storage/message.h"

#include <string.h>

#include "lib/base/num.h"
#include "lib/db/db_many.h"
#include "storage/rec.h"
#include "storage/tables.h"

enum { FORMAT = 1, HEAD = 44 };

enum {
	TAG_PREFIX = 1,
	TAG_ENVELOPE,
	TAG_BODYSTRUCTURE,
	TAG_STRUCTURE,
	TAG_HEADERS,
	TAG_PREVIEW,
	TAG_SHARED
};

void
message_key(
    uint8_t key[MESSAGE_KEY], uint64_t account, uint64_t msgid, unsigned chunk)
{
	num_put64(key, account);
	num_put64(key + 8, msgid);
	key[16] = (uint8_t)chunk;
}

static void
add(struct buf *out, uint8_t tag, struct slice s)
{
	if (s.p != NULL)
		rec_add(out, tag, s);
}

void
message_encode(struct buf *out, const struct message *m)
{
	uint8_t head[HEAD];

	num_put32(head, m->references);
	num_put64(head + 4, m->body);
	num_put32(head + 12, m->segment);
	num_put64(head + 16, m->offset);
	num_put32(head + 24, m->body_bytes);
	num_put32(head + 28, m->header_bytes);
	num_put64(head + 32, m->thread);
	num_put32(head + 40, m->crc);
	buf_add(out, head, sizeof(head));
	if (m->prefix.n > 0)
		rec_add(out, TAG_PREFIX, m->prefix);
	if (m->shared)
		rec_add(out, TAG_SHARED, slice_of("", 0));
	else
		message_encode_shared(out, m);
}

void
message_encode_shared(struct buf *out, const struct message *m)
{
	add(out, TAG_ENVELOPE, m->envelope);
	add(out, TAG_BODYSTRUCTURE, m->bodystructure);
	add(out, TAG_STRUCTURE, m->structure);
	add(out, TAG_HEADERS, m->headers);
	add(out, TAG_PREVIEW, m->preview);
}

int
message_decode(struct slice record, struct message *out)
{
	const uint8_t *p = (const uint8_t *)record.p;

	*out = (struct message){ 0 };
	if (record.n < HEAD)
		return ERR_CORRUPT;
	out->references = num_get32(p);
	out->body = num_get64(p + 4);
	out->segment = num_get32(p + 12);
	out->offset = num_get64(p + 16);
	out->body_bytes = num_get32(p + 24);
	out->header_bytes = num_get32(p + 28);
	out->thread = num_get64(p + 32);
	out->crc = num_get32(p + 40);
	if (out->header_bytes > out->body_bytes)
		return ERR_CORRUPT;
	return message_decode_shared(slice_from(record, HEAD), out);
}

int
message_decode_shared(struct slice rest, struct message *out)
{
	struct slice bytes;
	bool bad = false;
	uint8_t tag;

	while (rec_next(&rest, &tag, &bytes, &bad)) {
		switch (tag) {
		case TAG_PREFIX: out->prefix = bytes; break;
		case TAG_ENVELOPE: out->envelope = bytes; break;
		case TAG_BODYSTRUCTURE: out->bodystructure = bytes; break;
		case TAG_STRUCTURE: out->structure = bytes; break;
		case TAG_HEADERS: out->headers = bytes; break;
		case TAG_PREVIEW: out->preview = bytes; break;
		case TAG_SHARED: out->shared = true; break;
		default: break;
		}
	}
	return bad ? ERR_CORRUPT : 0;
}

int
message_put_at(struct db_edit *e, uint64_t account, uint64_t msgid,
    struct slice record, uint32_t references)
{
	uint8_t key[MESSAGE_KEY], value[1 + MESSAGE_CHUNK];
	size_t at = 0, n;
	unsigned chunk = 0;
	int rc;

	if (record.n < HEAD || record.n > MESSAGE_MAX)
		return ERR_INTERNAL;
	value[0] = FORMAT;
	do {
		n = record.n - at < MESSAGE_CHUNK ? record.n - at
						  : MESSAGE_CHUNK;
		memcpy(value + 1, record.p + at, n);
		if (chunk == 0)
			num_put32(value + 1, references);
		message_key(key, account, msgid, chunk++);
		rc = db_edit_insert(
		    e, slice_of(key, sizeof(key)), slice_of(value, n + 1));
		at += n;
	} while (rc == 0 && n == MESSAGE_CHUNK);
	return rc;
}

int
message_put(struct db_txn *t, uint64_t account, uint64_t msgid,
    struct slice record, uint32_t references)
{
	struct db_edit *e;
	int rc = db_edit_init(t, T_MESSAGE, DB_NEAR, &e);

	if (rc == 0)
		rc = message_put_at(e, account, msgid, record, references);
	db_edit_fini(&e);
	return rc;
}

static int
get_chunk(struct db_txn *t, const uint8_t *key,
    uint8_t value[1 + MESSAGE_CHUNK], size_t *n_out)
{
	int rc = db_get(t, T_MESSAGE, slice_of(key, MESSAGE_KEY), value,
	    1 + MESSAGE_CHUNK, n_out);

	if (rc == 0 && (*n_out < 1 || value[0] != FORMAT))
		rc = ERR_CORRUPT;
	if (rc == 0)
		*n_out -= 1;
	return rc;
}

int
message_load(struct db_txn *t, uint64_t account, uint64_t msgid,
    struct arena *a, struct slice *record_out)
{
	uint8_t key[MESSAGE_KEY], value[1 + MESSAGE_CHUNK];
	struct buf b;
	unsigned chunk = 0;
	size_t n;
	int rc;

	buf_init(&b, MESSAGE_MAX + MESSAGE_CHUNK);
	do {
		message_key(key, account, msgid, chunk);
		rc = get_chunk(t, key, value, &n);
		if (rc == 0 && chunk == 0 && n < MESSAGE_CHUNK) {
			*record_out = arena_copy(a, slice_of(value + 1, n));
			break; /* the usual small record */
		}
		if (rc == ERR_NOTFOUND && chunk > 0)
			rc = ERR_CORRUPT;
		if (rc != 0)
			break;
		buf_add(&b, value + 1, n);
		if (n < MESSAGE_CHUNK)
			*record_out = arena_copy(a, buf_slice(&b));
	} while (n == MESSAGE_CHUNK && ++chunk < MESSAGE_CHUNKS_MAX);
	if (rc == 0 && chunk == MESSAGE_CHUNKS_MAX)
		rc = ERR_CORRUPT;
	buf_fini(&b);
	return rc;
}

static int
seek_chunk(struct db_edit *e, const uint8_t *key,
    uint8_t value[1 + MESSAGE_CHUNK], size_t *n_out)
{
	int rc = db_edit_seek(
	    e, slice_of(key, MESSAGE_KEY), value, 1 + MESSAGE_CHUNK, n_out);

	if (rc == 0 && (*n_out < 1 || value[0] != FORMAT))
		rc = ERR_CORRUPT;
	if (rc == 0)
		*n_out -= 1;
	return rc;
}

/* The record whose first chunk, of n bytes, has just been sought. */
static int
drop(struct db_edit *e, uint8_t key[MESSAGE_KEY], size_t n)
{
	uint8_t value[1 + MESSAGE_CHUNK];
	unsigned chunk = 0;
	int rc;

	for (;;) {
		rc = db_edit_del(e);
		if (rc != 0 || n < MESSAGE_CHUNK ||
		    ++chunk == MESSAGE_CHUNKS_MAX)
			return rc;
		key[16] = (uint8_t)chunk;
		if ((rc = seek_chunk(e, key, value, &n)) != 0)
			return rc == ERR_NOTFOUND ? ERR_CORRUPT : rc;
	}
}

int
message_ref_at(struct db_edit *e, uint64_t account, uint64_t msgid, int64_t by,
    uint64_t *body_out)
{
	uint8_t key[MESSAGE_KEY], value[1 + MESSAGE_CHUNK];
	int64_t now;
	size_t n;
	int rc;

	*body_out = 0;
	message_key(key, account, msgid, 0);
	if ((rc = seek_chunk(e, key, value, &n)) != 0)
		return rc;
	if (n < HEAD)
		return ERR_CORRUPT;
	now = (int64_t)num_get32(value + 1) + by;
	if (now < 0 || now > UINT32_MAX)
		return ERR_CORRUPT;
	if (now == 0) {
		*body_out = num_get64(value + 5);
		return drop(e, key, n);
	}
	num_put32(value + 1, (uint32_t)now);
	return db_edit_put(e, slice_of(value, n + 1));
}

int
message_ref(struct db_txn *t, uint64_t account, uint64_t msgid, int64_t by,
    uint64_t *body_out)
{
	struct db_edit *e;
	int rc = db_edit_init(t, T_MESSAGE, DB_NEAR, &e);

	*body_out = 0;
	if (rc == 0)
		rc = message_ref_at(e, account, msgid, by, body_out);
	db_edit_fini(&e);
	return rc;
}
