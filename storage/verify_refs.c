#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/message.h"
#include "storage/segment_row.h"
#include "storage/tables.h"
#include "storage/verify_priv.h"

static int
cmp_pair(const void *a, const void *b)
{
	const struct verify_pair *x = a, *y = b;

	if (x->account != y->account)
		return x->account < y->account ? -1 : 1;
	return (x->msgid > y->msgid) - (x->msgid < y->msgid);
}

static int
cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The message table against the sorted pairs. */
struct msgs {
	struct verify *v;
	size_t at; /* next pair */
	struct verify_pair cur;
	unsigned chunk; /* expected next; 0: a new message */
};

static void
missing(struct msgs *m, size_t upto)
{
	for (; m->at < upto; m->at++)
		verify_breach(m->v,
		    "4 message: account %llu has no record %llu",
		    (unsigned long long)m->v->pairs[m->at].account,
		    (unsigned long long)m->v->pairs[m->at].msgid);
}

static void
first_chunk(struct msgs *m, struct slice value)
{
	struct verify *v = m->v;
	struct message r;
	size_t from;

	while (m->at < v->npairs && cmp_pair(&v->pairs[m->at], &m->cur) < 0)
		missing(m, m->at + 1);
	from = m->at;
	while (m->at < v->npairs && cmp_pair(&v->pairs[m->at], &m->cur) == 0)
		m->at++;
	if (num_get32(value.p + 1) != m->at - from || m->at == from)
		verify_breach(v,
		    "4 message %llu of account %llu: %u references, %zu "
		    "entries",
		    (unsigned long long)m->cur.msgid,
		    (unsigned long long)m->cur.account, num_get32(value.p + 1),
		    m->at - from);
	verify_list_add(&v->bodies, num_get64(value.p + 5));
	/* One that shares is short: all of it is here. */
	if (value.n <= MESSAGE_CHUNK &&
	    message_decode(slice_from(value, 1), &r) == 0 && r.shared)
		verify_list_add(&v->sharing, r.body);
}

static void
message_row(struct msgs *m, struct slice key, struct slice value)
{
	struct verify_pair id;
	unsigned chunk;

	if (key.n != MESSAGE_KEY || value.n < 1 ||
	    value.n > 1 + MESSAGE_CHUNK) {
		verify_breach(m->v, "message: a damaged row");
		return;
	}
	id = (struct verify_pair){ num_get64(key.p), num_get64(key.p + 8) };
	chunk = (uint8_t)key.p[16];
	if (chunk != m->chunk || (chunk > 0 && cmp_pair(&id, &m->cur) != 0))
		verify_breach(m->v,
		    "message %llu of account %llu: chunk %u out of order",
		    (unsigned long long)id.msgid,
		    (unsigned long long)id.account, chunk);
	m->cur = id;
	m->chunk = value.n == 1 + MESSAGE_CHUNK ? chunk + 1 : 0;
	if (chunk == 0 && value.n >= 13)
		first_chunk(m, value);
}

static int
check_messages(struct db_txn *t, struct verify *v)
{
	struct slice none = { NULL, 0 }, key, value;
	struct msgs m = { .v = v };
	struct db_scan *scan = NULL;
	int rc;

	if (v->npairs > 0)
		qsort(v->pairs, v->npairs, sizeof(*v->pairs), cmp_pair);
	rc = db_scan_init(t, T_MESSAGE, none, none, &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
		message_row(&m, key, value);
	db_scan_fini(&scan);
	if (rc != ERR_NOTFOUND)
		return rc;
	missing(&m, v->npairs);
	return 0;
}

/* The body table against the sorted references. */
struct bodies {
	struct verify *v;
	size_t at;
	size_t sharing;  /* next of these */
	uint64_t id;     /* the last row's */
	bool more;       /* a chunk follows */
	unsigned chunk;  /* the next */
	struct map live; /* segment -> uint64_t */
};

static void
shared_ends(struct bodies *b)
{
	if (b->more)
		verify_breach(b->v, "12 body %llx: chunk %u is missing",
		    (unsigned long long)b->id, b->chunk);
	b->more = false;
}

static void
shared_chunk(struct bodies *b, struct slice key, struct slice value)
{
	if (!b->more || num_get64(key.p) != b->id ||
	    (uint8_t)key.p[8] != b->chunk || value.n < 1 || value.p[0] != 1) {
		verify_breach(b->v, "12 body %llx: a chunk out of order",
		    (unsigned long long)num_get64(key.p));
		return;
	}
	b->more = value.n == 1 + MESSAGE_CHUNK;
	b->chunk++;
}

/* Does what the records say agree with the row? */
static void
shared_begins(struct bodies *b, uint64_t id, bool shared)
{
	const struct verify_list *l = &b->v->sharing;

	while (b->sharing < l->n && l->v[b->sharing] < id)
		b->sharing++;
	if (b->sharing < l->n && l->v[b->sharing] == id && !shared)
		verify_breach(b->v, "12 body %llx: nothing that is shared",
		    (unsigned long long)id);
	b->id = id;
	b->more = shared;
	b->chunk = 0;
}

static void
add_live(struct bodies *b, uint32_t segment, uint64_t bytes)
{
	uint64_t *live = map_get_u64(&b->live, segment);

	if (live == NULL) {
		live = xcalloc(1, sizeof(*live));
		map_put_u64(&b->live, segment, live);
	}
	*live += bytes;
}

static void
body_row(struct bodies *b, struct slice key, struct slice value)
{
	const struct verify_list *l = &b->v->bodies;
	uint64_t id;
	size_t from;

	if (key.n == 9) {
		shared_chunk(b, key, value);
		return;
	}
	shared_ends(b);
	if (key.n != 8 || value.n != 29) {
		verify_breach(b->v, "body: a damaged row");
		return;
	}
	id = num_get64(key.p);
	shared_begins(b, id, value.p[0] == 2);
	for (; b->at < l->n && l->v[b->at] < id; b->at++)
		verify_breach(b->v, "4 body: no row %llx",
		    (unsigned long long)l->v[b->at]);
	for (from = b->at; b->at < l->n && l->v[b->at] == id; b->at++)
		;
	if (num_get32(value.p + 25) != b->at - from || b->at == from)
		verify_breach(b->v,
		    "4 body %llx: row says %u references, there are %zu",
		    (unsigned long long)id, num_get32(value.p + 25),
		    b->at - from);
	add_live(b, num_get32(value.p + 1), num_get64(value.p + 13));
}

static int
segment_row(uint32_t number, const struct segment_row *row, void *arg)
{
	struct bodies *b = arg;
	uint64_t *live = map_del_u64(&b->live, number);

	if (row->live != (live != NULL ? *live : 0))
		verify_breach(b->v,
		    "8 segment %08x: row says %llu live bytes, there are %llu",
		    number, (unsigned long long)row->live,
		    (unsigned long long)(live != NULL ? *live : 0));
	free(live);
	return 0;
}

static int
check_bodies(struct db_txn *t, struct verify *v)
{
	struct slice none = { NULL, 0 }, key, value;
	struct bodies b = { .v = v };
	struct db_scan *scan = NULL;
	int rc;

	map_init(&b.live);
	if (v->bodies.n > 0)
		qsort(v->bodies.v, v->bodies.n, sizeof(*v->bodies.v), cmp_u64);
	if (v->sharing.n > 0)
		qsort(
		    v->sharing.v, v->sharing.n, sizeof(*v->sharing.v), cmp_u64);
	rc = db_scan_init(t, T_BODY, none, none, &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
		body_row(&b, key, value);
	db_scan_fini(&scan);
	shared_ends(&b);
	if (rc == ERR_NOTFOUND) {
		for (; b.at < v->bodies.n; b.at++)
			verify_breach(v, "4 body: no row %llx",
			    (unsigned long long)v->bodies.v[b.at]);
		rc = segment_row_each(t, segment_row, &b);
	}
	if (rc == 0 && b.live.n > 0)
		verify_breach(
		    v, "8 segment: %zu with bodies, but no row", b.live.n);
	map_fini(&b.live, free);
	return rc;
}

int
verify_refs(struct db_txn *t, struct verify *v)
{
	int rc = check_messages(t, v);

	return rc != 0 ? rc : check_bodies(t, v);
}
