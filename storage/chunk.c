#include "storage/chunk.h"

#include <string.h>

enum { FORMAT = 1 };

size_t
chunk_count(size_t n)
{
	return n == 0 ? 1 : (n + CHUNK_BYTES - 1) / CHUNK_BYTES;
}

static struct slice
chunk_key(char key[CHUNK_KEY_MAX], struct slice base, size_t i)
{
	ph_assert(base.n < CHUNK_KEY_MAX && i <= CHUNKS_MAX);
	if (base.n != 0)
		memcpy(key, base.p, base.n);
	key[base.n] = (char)i;
	return slice_of(key, base.n + 1);
}

static int
del_from(
    struct db_txn *t, unsigned table, struct slice base, size_t i, size_t n)
{
	char key[CHUNK_KEY_MAX];
	int rc = 0;

	for (; rc == 0 && i < n; i++)
		rc = db_del(t, table, chunk_key(key, base, i));
	return rc;
}

int
chunk_put(struct db_txn *t, unsigned table, struct slice base,
    struct slice record, size_t old_n)
{
	char key[CHUNK_KEY_MAX], value[1 + CHUNK_BYTES];
	size_t n = chunk_count(record.n);
	int rc = 0;

	if (n > CHUNKS_MAX)
		return ERR_TOOBIG;
	value[0] = FORMAT;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct slice part =
		    slice_sub(record, i * CHUNK_BYTES, CHUNK_BYTES);

		if (part.n != 0)
			memcpy(value + 1, part.p, part.n);
		rc = db_put(t, table, chunk_key(key, base, i),
		    slice_of(value, 1 + part.n));
	}
	if (rc != 0 || old_n == 0)
		return rc;
	return del_from(t, table, base, n, chunk_count(old_n));
}

int
chunk_get(struct db_txn *t, unsigned table, struct slice base, bool rmw,
    struct buf *out)
{
	char key[CHUNK_KEY_MAX], value[1 + CHUNK_BYTES];
	size_t n = sizeof(value);
	int rc = 0;

	/* A full chunk has another behind it, or ends on the border. */
	for (size_t i = 0; n == sizeof(value) && i < CHUNKS_MAX; i++) {
		struct slice k = chunk_key(key, base, i);

		rc = rmw ? db_get_rmw(t, table, k, value, sizeof(value), &n)
			 : db_get(t, table, k, value, sizeof(value), &n);
		if (rc == ERR_NOTFOUND && i > 0)
			return 0;
		if (rc == 0 && (n < 1 || value[0] != FORMAT))
			rc = ERR_CORRUPT;
		if (rc != 0)
			return rc;
		buf_add(out, value + 1, n - 1);
	}
	return buf_failed(out) ? ERR_CORRUPT : 0;
}

int
chunk_del(struct db_txn *t, unsigned table, struct slice base, size_t n)
{
	return del_from(t, table, base, 0, chunk_count(n));
}

static int
advance(struct chunk_scan *c)
{
	c->end = db_scan_next(c->scan, &c->ahead_key, &c->ahead_value);
	if (c->end != 0)
		return c->end;
	if (c->ahead_key.n < 1 || c->ahead_key.n > CHUNK_KEY_MAX ||
	    c->ahead_value.n < 1 || c->ahead_value.p[0] != FORMAT)
		c->end = ERR_CORRUPT;
	return c->end;
}

int
chunk_scan_init(struct db_txn *t, unsigned table, struct slice from,
    struct slice to, struct chunk_scan *c)
{
	int rc;

	*c = (struct chunk_scan){ 0 };
	buf_init(&c->rec, (size_t)CHUNK_BYTES * CHUNKS_MAX);
	if ((rc = db_scan_init(t, table, from, to, &c->scan)) != 0)
		return rc;
	rc = advance(c);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static bool
more_of_it(const struct chunk_scan *c)
{
	return c->ahead_key.n == c->base_n + 1 &&
	       memcmp(c->ahead_key.p, c->base, c->base_n) == 0;
}

int
chunk_scan_next(struct chunk_scan *c)
{
	if (c->end != 0)
		return c->end;
	c->base_n = c->ahead_key.n - 1;
	memcpy(c->base, c->ahead_key.p, c->base_n);
	buf_clear(&c->rec);
	if (c->ahead_key.p[c->base_n] != 0)
		return c->end = ERR_CORRUPT; /* begins in the middle */
	do {
		buf_add_slice(&c->rec, slice_from(c->ahead_value, 1));
	} while (advance(c) == 0 && more_of_it(c));
	if (c->end != 0 && c->end != ERR_NOTFOUND)
		return c->end;
	return buf_failed(&c->rec) ? (c->end = ERR_CORRUPT) : 0;
}

void
chunk_scan_fini(struct chunk_scan *c)
{
	db_scan_fini(&c->scan);
	buf_fini(&c->rec);
}
