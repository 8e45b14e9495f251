#include "storage/body.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/db/db_many.h"
#include "storage/segment_row.h"
#include "storage/tables.h"

enum {
	BODY_FORMAT = 1,
	BODY_SHARED = 2, /* format of a row that shared chunks follow */
	BODY_BYTES = 29,
	BODY_KEY = 8,
	BODY_REFS_AT = 25,
	SHARED_KEY = BODY_KEY + 1,
	SHARED_CHUNK = 960
};

static bool
is_row(const char *v, size_t n)
{
	return n == BODY_BYTES && (v[0] == BODY_FORMAT || v[0] == BODY_SHARED);
}

static int
row_get(struct db_txn *t, uint64_t id, bool rmw, char v[BODY_BYTES])
{
	char key[BODY_KEY];
	struct slice k = slice_of(key, sizeof(key));
	size_t n;
	int rc;

	num_put64(key, id);
	rc = rmw ? db_get_rmw(t, T_BODY, k, v, BODY_BYTES, &n)
		 : db_get(t, T_BODY, k, v, BODY_BYTES, &n);
	return rc == 0 && !is_row(v, n) ? ERR_CORRUPT : rc;
}

/* ---- what a body's message records share ---- */

static struct slice
shared_key(char key[SHARED_KEY], uint64_t id, unsigned chunk)
{
	num_put64(key, id);
	key[BODY_KEY] = (char)chunk;
	return slice_of(key, SHARED_KEY);
}

/* The last chunk is the first that is not full. */
static int
put_shared(struct db_edit *e, uint64_t id, struct slice shared)
{
	char key[SHARED_KEY], v[1 + SHARED_CHUNK];
	unsigned chunk = 0;
	size_t n;
	int rc;

	v[0] = BODY_FORMAT;
	do {
		n = shared.n < SHARED_CHUNK ? shared.n : SHARED_CHUNK;
		memcpy(v + 1, shared.p, n);
		rc = db_edit_insert(
		    e, shared_key(key, id, chunk++), slice_of(v, 1 + n));
		shared = slice_from(shared, n);
	} while (rc == 0 && n == SHARED_CHUNK);
	return rc;
}

int
body_shared(
    struct db_txn *t, uint64_t id, struct arena *a, struct slice *shared_out)
{
	char key[SHARED_KEY], v[1 + SHARED_CHUNK];
	struct buf b;
	size_t n;
	int rc = 0;

	buf_init(&b, SHARED_CHUNK << 8);
	for (unsigned chunk = 0; rc == 0 && chunk <= UINT8_MAX; chunk++) {
		rc = db_get(
		    t, T_BODY, shared_key(key, id, chunk), v, sizeof(v), &n);
		if (rc == 0 && (n < 1 || v[0] != BODY_FORMAT))
			rc = ERR_CORRUPT;
		if (rc != 0)
			break;
		buf_add(&b, v + 1, n - 1);
		if (n <= SHARED_CHUNK)
			break;
	}
	*shared_out = rc == 0 ? arena_copy(a, buf_slice(&b)) : slice_of("", 0);
	buf_fini(&b);
	return rc;
}

static int
drop_shared(struct db_txn *t, uint64_t id)
{
	char key[SHARED_KEY];
	int rc = 0;

	for (unsigned chunk = 0; rc == 0 && chunk <= UINT8_MAX; chunk++)
		rc = db_del(t, T_BODY, shared_key(key, id, chunk));
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* ---- rows ---- */

static void
loc_decode(uint64_t id, const char *v, struct body_loc *loc)
{
	loc->id = id;
	loc->segment = num_get32(v + 1);
	loc->offset = num_get64(v + 5);
	loc->length = num_get64(v + 13);
	loc->crc = num_get32(v + 21);
}

int
body_put_at(struct db_edit *e, const struct body_loc *loc, uint32_t references,
    struct slice shared)
{
	char key[BODY_KEY], v[BODY_BYTES];
	struct slice k = slice_of(key, sizeof(key));
	size_t n;
	int rc;

	num_put64(key, loc->id);
	rc = db_edit_seek(e, k, v, sizeof(v), &n);
	if (rc != ERR_NOTFOUND)
		return rc == 0 ? ERR_EXISTS : rc;
	v[0] = shared.n != 0 ? BODY_SHARED : BODY_FORMAT;
	num_put32(v + 1, loc->segment);
	num_put64(v + 5, loc->offset);
	num_put64(v + 13, loc->length);
	num_put32(v + 21, loc->crc);
	num_put32(v + BODY_REFS_AT, references);
	rc = db_edit_insert(e, k, slice_of(v, sizeof(v)));
	return rc == 0 && shared.n != 0 ? put_shared(e, loc->id, shared) : rc;
}

int
body_add(struct db_txn *t, const struct body_loc *loc, uint32_t references)
{
	struct db_edit *e;
	int rc = db_edit_init(t, T_BODY, DB_FAR, &e);

	if (rc == 0)
		rc = body_put_at(e, loc, references, slice_of(NULL, 0));
	db_edit_fini(&e);
	if (rc != 0)
		return rc;
	return segment_row_live(t, loc->segment, (int64_t)loc->length);
}

static int
put_refs(struct db_txn *t, uint64_t id, char v[BODY_BYTES], uint32_t references)
{
	char key[BODY_KEY];

	num_put64(key, id);
	num_put32(v + BODY_REFS_AT, references);
	return db_put(
	    t, T_BODY, slice_of(key, sizeof(key)), slice_of(v, BODY_BYTES));
}

int
body_ref(struct db_txn *t, uint64_t id, uint32_t more)
{
	char v[BODY_BYTES];
	uint32_t refs;
	int rc;

	if ((rc = row_get(t, id, true, v)) != 0)
		return rc;
	refs = num_get32(v + BODY_REFS_AT);
	if (refs > UINT32_MAX - more)
		return ERR_LIMIT;
	return put_refs(t, id, v, refs + more);
}

int
body_unref(struct db_txn *t, uint64_t id, uint32_t fewer)
{
	char key[BODY_KEY], v[BODY_BYTES];
	struct body_loc loc;
	uint32_t refs;
	int rc;

	if ((rc = row_get(t, id, true, v)) != 0)
		return rc;
	refs = num_get32(v + BODY_REFS_AT);
	if (refs > fewer)
		return put_refs(t, id, v, refs - fewer);
	num_put64(key, id);
	if ((rc = db_del(t, T_BODY, slice_of(key, sizeof(key)))) != 0 ||
	    (v[0] == BODY_SHARED && (rc = drop_shared(t, id)) != 0))
		return rc;
	loc_decode(id, v, &loc);
	return segment_row_live(t, loc.segment, -(int64_t)loc.length);
}

/* One of many; *loc_out is where a body was that lost its last reference, with
 * length 0 if it did not. */
static int
unref_at(struct db_txn *t, struct db_edit *e, uint64_t id, uint32_t fewer,
    struct body_loc *loc_out)
{
	char key[BODY_KEY], v[BODY_BYTES];
	struct slice k = slice_of(key, sizeof(key));
	uint32_t refs;
	size_t n;
	int rc;

	*loc_out = (struct body_loc){ 0 };
	num_put64(key, id);
	rc = db_edit_seek(e, k, v, sizeof(v), &n);
	if (rc == 0 && !is_row(v, n))
		rc = ERR_CORRUPT;
	if (rc != 0)
		return rc;
	refs = num_get32(v + BODY_REFS_AT);
	if (refs > fewer) {
		num_put32(v, refs - fewer);
		return db_edit_patch(e, BODY_REFS_AT, slice_of(v, 4));
	}
	if ((rc = db_edit_del(e)) != 0)
		return rc;
	loc_decode(id, v, loc_out);
	return v[0] == BODY_SHARED ? drop_shared(t, id) : 0;
}

/* What segments lose, rising; few at a time. */
struct loss {
	uint32_t segment;
	int64_t bytes;
};

static void
add_loss(struct loss *v, size_t *n, const struct body_loc *loc)
{
	size_t i = *n;

	while (i != 0 && v[i - 1].segment > loc->segment)
		i--;
	if (i == 0 || v[i - 1].segment != loc->segment) {
		memmove(v + i + 1, v + i, (*n - i) * sizeof(*v));
		v[i] = (struct loss){ loc->segment, 0 };
		++*n;
		i++;
	}
	v[i - 1].bytes += (int64_t)loc->length;
}

static int
take_losses(struct db_txn *t, const struct loss *v, size_t n)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = segment_row_live(t, v[i].segment, -v[i].bytes);
	return rc;
}

int
body_unref_many(struct db_txn *t, const uint64_t *ids, size_t n,
    void (*damaged)(uint64_t id, int rc))
{
	struct loss *lost = xmalloc((n + 1) * sizeof(*lost));
	struct db_edit *e;
	struct body_loc loc;
	size_t nlost = 0;
	int rc = db_edit_init(t, T_BODY, DB_NEAR, &e);

	for (size_t i = 0, k; rc == 0 && i < n; i = k) {
		for (k = i + 1; k < n && ids[k] == ids[i]; k++)
			;
		rc = unref_at(t, e, ids[i], (uint32_t)(k - i), &loc);
		if (rc == 0 && loc.length != 0)
			add_loss(lost, &nlost, &loc);
		else if (rc == ERR_NOTFOUND || rc == ERR_CORRUPT) {
			damaged(ids[i], rc);
			rc = 0;
		}
	}
	db_edit_fini(&e);
	if (rc == 0)
		rc = take_losses(t, lost, nlost);
	free(lost);
	return rc;
}

int
body_move(
    struct db_txn *t, const struct body_loc *from, const struct body_loc *to)
{
	char key[BODY_KEY], v[BODY_BYTES];
	struct body_loc now;
	int rc;

	if ((rc = row_get(t, from->id, true, v)) != 0)
		return rc;
	loc_decode(from->id, v, &now);
	if (now.segment != from->segment || now.offset != from->offset)
		return 0;
	num_put32(v + 1, to->segment);
	num_put64(v + 5, to->offset);
	num_put64(key, from->id);
	rc = db_put(
	    t, T_BODY, slice_of(key, sizeof(key)), slice_of(v, sizeof(v)));
	if (rc == 0)
		rc = segment_row_live(t, from->segment, -(int64_t)now.length);
	return rc == 0 ? segment_row_live(t, to->segment, (int64_t)now.length)
		       : rc;
}

int
body_get(struct db_txn *t, uint64_t id, struct body_loc *loc_out)
{
	char v[BODY_BYTES];
	int rc;

	if ((rc = row_get(t, id, false, v)) != 0)
		return rc;
	loc_decode(id, v, loc_out);
	return 0;
}
