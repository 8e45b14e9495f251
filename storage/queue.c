/*
 * The queue's rows: put, changed, listed, found when due.
 */
#include "storage/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/cset.h"
#include "lib/base/cur.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/body.h"
#include "storage/chunk.h"
#include "storage/notify.h"
#include "storage/queue_row.h"
#include "storage/queue_txn.h"
#include "storage/segment.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

static struct slice
id_key(char key[QUEUE_ID_BYTES], uint64_t id)
{
	num_put64(key, id);
	return slice_of(key, QUEUE_ID_BYTES);
}

/* Held rows stand behind all that will ever be due.  Seconds before 1970 are
 * none. */
static struct slice
due_key(char key[QUEUE_DUE_BYTES], enum queue_state st, int64_t next_at,
    uint64_t id)
{
	if (st == QUEUE_HELD)
		next_at = QUEUE_NEVER;
	num_put64(key, next_at > 0 ? (uint64_t)next_at : 0);
	num_put64(key + 8, id);
	return slice_of(key, QUEUE_DUE_BYTES);
}

static int
put(struct db_txn *t, const struct queue_row *row, size_t old_n)
{
	char key[QUEUE_ID_BYTES];
	struct buf b;
	int rc = ERR_TOOBIG;

	buf_init(&b, QUEUE_RECORD_MAX);
	queue_encode(&b, row);
	if (!buf_failed(&b) && row->nrcpts <= QUEUE_RCPTS_MAX)
		rc = chunk_put(
		    t, T_QUEUE, id_key(key, row->id), buf_slice(&b), old_n);
	buf_fini(&b);
	return rc;
}

static int
put_due(struct db_txn *t, const struct queue_row *row)
{
	char value[] = { QUEUE_FORMAT, (char)row->state };
	char key[QUEUE_DUE_BYTES];

	return db_put(t, T_QUEUE_DUE,
	    due_key(key, row->state, row->next_at, row->id),
	    slice_of(value, sizeof(value)));
}

int
queue_put_txn(struct db_txn *t, const struct queue_row *row)
{
	int rc;

	if ((rc = put(t, row, 0)) != 0)
		return rc;
	return put_due(t, row);
}

/* The row as it was: how long, when due, which body. */
static int
look(struct db_txn *t, uint64_t id, size_t *n_out, struct queue_head *head_out)
{
	char key[QUEUE_ID_BYTES];
	struct buf b;
	int rc;

	buf_init(&b, QUEUE_RECORD_MAX);
	rc = chunk_get(t, T_QUEUE, id_key(key, id), true, &b);
	*n_out = buf_len(&b);
	if (rc == 0)
		rc = queue_decode_head(buf_slice(&b), head_out);
	buf_fini(&b);
	return rc;
}

static int
drop_due(struct db_txn *t, uint64_t id, const struct queue_head *was)
{
	char key[QUEUE_DUE_BYTES];
	int rc;

	rc = db_del(t, T_QUEUE_DUE, due_key(key, was->state, was->next_at, id));
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
queue_change_txn(
    struct db_txn *t, const struct queue_change *ch, uint64_t *unref_out)
{
	char key[QUEUE_ID_BYTES];
	struct queue_head was;
	struct queue_row row;
	size_t n;
	int rc;

	*unref_out = 0;
	if ((rc = look(t, ch->id, &n, &was)) != 0)
		return rc;
	if (ch->row == NULL) {
		*unref_out = was.body;
		rc = chunk_del(t, T_QUEUE, id_key(key, ch->id), n);
		return rc != 0 ? rc : drop_due(t, ch->id, &was);
	}
	row = *ch->row;
	row.id = ch->id;
	row.body = was.body;
	if ((rc = put(t, &row, n)) != 0)
		return rc;
	if (row.state == was.state && row.next_at == was.next_at)
		return 0;
	if ((rc = drop_due(t, ch->id, &was)) != 0)
		return rc;
	return put_due(t, &row);
}

void
queue_notify(struct store *s, uint64_t id)
{
	notify_add(
	    s, &(struct notify_event){ .kind = NOTIFY_QUEUE, .account = id });
}

/* Bodies come before the queue in the order of tables, so what will lose a
 * reference is found beforehand; a row's body never changes. */
struct change {
	const struct queue_change *ch;
	size_t n;
	uint64_t *bodies; /* to be released, rising */
	size_t nbodies;
};

static int
find_bodies(struct db_txn *t, void *arg)
{
	struct change *c = arg;
	char key[QUEUE_ID_BYTES + 1], value[DB_VALUE_MAX];
	struct queue_head head;
	size_t n;
	int rc;

	c->nbodies = 0;
	for (size_t i = 0; i < c->n; i++) {
		if (c->ch[i].row != NULL)
			continue;
		(void)id_key(key, c->ch[i].id);
		key[QUEUE_ID_BYTES] = 0; /* its first chunk */
		rc = db_get(t, T_QUEUE, slice_of(key, sizeof(key)), value,
		    sizeof(value), &n);
		if (rc == 0)
			rc = queue_decode_head(
			    slice_from(slice_of(value, n), 1), &head);
		if (rc != 0)
			return rc;
		c->bodies[c->nbodies++] = head.body;
	}
	return 0;
}

static int
cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int
change(struct db_txn *t, void *arg)
{
	const struct change *c = arg;
	uint64_t unref;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->nbodies; i++)
		rc = body_unref(t, c->bodies[i], 1);
	for (size_t i = 0; rc == 0 && i < c->n; i++)
		rc = queue_change_txn(t, &c->ch[i], &unref);
	return rc;
}

int
queue_change(struct store *s, const struct queue_change *ch, size_t n)
{
	struct change c = { .ch = ch, .n = n };
	int rc;

	if (n == 0)
		return 0;
	c.bodies = xcalloc(n, sizeof(*c.bodies));
	if ((rc = db_read(s->db, find_bodies, &c)) == 0) {
		qsort(c.bodies, c.nbodies, sizeof(*c.bodies), cmp_u64);
		rc = db_update(s->db, change, &c);
	}
	free(c.bodies);
	if (rc == 0)
		queue_notify(s, n == 1 ? ch[0].id : 0);
	return rc;
}

struct due {
	int64_t now, next;
	uint64_t *ids;
	size_t cap, n;
	bool (*skip)(uint64_t id, void *arg);
	void *arg;
};

static int
due(struct db_txn *t, void *arg)
{
	struct due *d = arg;
	struct db_scan *scan = NULL;
	struct slice key, value;
	int64_t at;
	uint64_t id;
	int rc;

	rc = db_scan_init(t, T_QUEUE_DUE, SLICE(""), slice_of(NULL, 0), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (key.n != QUEUE_DUE_BYTES) {
			rc = ERR_CORRUPT;
			break;
		}
		at = (int64_t)num_get64(key.p);
		id = num_get64(key.p + 8);
		if (at == QUEUE_NEVER)
			break;
		if (d->skip != NULL && d->skip(id, d->arg))
			continue;
		if (at > d->now || d->n == d->cap) {
			d->next = at;
			break;
		}
		d->ids[d->n++] = id;
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
queue_due(struct store *s, int64_t now, uint64_t *ids, size_t cap,
    bool (*skip)(uint64_t id, void *arg), void *arg, size_t *n_out,
    int64_t *next_out)
{
	struct due d = { .now = now,
		.next = INT64_MAX,
		.ids = ids,
		.cap = cap,
		.skip = skip,
		.arg = arg };
	int rc = db_read(s->db, due, &d);

	*n_out = d.n;
	*next_out = d.next;
	return rc;
}

struct find {
	uint64_t id;
	struct arena *a;
	struct queue_row *row;
};

static int
find(struct db_txn *t, void *arg)
{
	const struct find *f = arg;
	char key[QUEUE_ID_BYTES];
	struct buf b;
	int rc;

	buf_init(&b, QUEUE_RECORD_MAX);
	rc = chunk_get(t, T_QUEUE, id_key(key, f->id), false, &b);
	if (rc == 0)
		rc = queue_decode(f->id, buf_slice(&b), f->a, f->row);
	buf_fini(&b);
	return rc;
}

int
queue_get(
    struct store *s, uint64_t id, struct arena *a, struct queue_row *row_out)
{
	struct find f = { id, a, row_out };

	*row_out = (struct queue_row){ 0 };
	return db_read(s->db, find, &f);
}

struct list {
	uint64_t after;
	struct arena *a;
	struct queue_row *rows;
	size_t cap, n;
};

static int
list(struct db_txn *t, void *arg)
{
	struct list *l = arg;
	char from[QUEUE_ID_BYTES];
	struct chunk_scan c;
	int rc;

	rc = chunk_scan_init(
	    t, T_QUEUE, id_key(from, l->after + 1), slice_of(NULL, 0), &c);
	while (rc == 0 && l->n < l->cap && (rc = chunk_scan_next(&c)) == 0) {
		rc = c.base_n != QUEUE_ID_BYTES
			 ? ERR_CORRUPT
			 : queue_decode(num_get64(c.base), buf_slice(&c.rec),
			       l->a, &l->rows[l->n]);
		if (rc == 0)
			l->n++;
	}
	chunk_scan_fini(&c);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
queue_list(struct store *s, uint64_t after, struct arena *a,
    struct queue_row *rows, size_t cap, size_t *n_out)
{
	struct list l = { after, a, rows, cap, 0 };
	int rc = 0;

	if (after != UINT64_MAX)
		rc = db_walk(s->db, list, &l);
	*n_out = l.n;
	return rc;
}

/* The due rows tell the state too: they are small, and a queue of hundreds of
 * thousands is counted in a moment. */
static int
count(struct db_txn *t, void *arg)
{
	struct queue_counts *n = arg;
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc;

	rc = db_scan_init(t, T_QUEUE_DUE, SLICE(""), slice_of(NULL, 0), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (value.n != 2)
			rc = ERR_CORRUPT;
		else if (value.p[1] == QUEUE_QUEUED)
			n->queued++;
		else if (value.p[1] == QUEUE_DEFERRED)
			n->deferred++;
		else if (value.p[1] == QUEUE_SCHEDULED)
			n->scheduled++;
		else
			n->held++;
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
queue_count(struct store *s, struct queue_counts *out)
{
	*out = (struct queue_counts){ 0 };
	return db_walk(s->db, count, out);
}

struct where {
	uint64_t body;
	struct body_loc loc;
};

static int
where(struct db_txn *t, void *arg)
{
	struct where *w = arg;

	return body_get(t, w->body, &w->loc);
}

int
queue_read(struct store *s, const struct queue_row *row, uint64_t off, size_t n,
    struct buf *out)
{
	struct where w = { .body = row->body };
	int rc = ERR_NOTFOUND;

	/* Between the two steps compaction may have moved it. */
	for (int tries = 0; rc == ERR_NOTFOUND && tries < 2; tries++) {
		if ((rc = db_read(s->db, where, &w)) != 0)
			return rc;
		rc = segment_read(s, &w.loc, off, n, out);
	}
	return rc;
}

void
queue_id_text(uint64_t id, char out[24])
{
	(void)snprintf(out, 24, "Q%" PRIX64, id);
}

bool
queue_id_parse(struct slice s, uint64_t *id_out)
{
	struct cur c;
	struct slice digits;
	uint64_t id = 0;

	cur_init(&c, s);
	if (!(cur_skip(&c, 'Q') || cur_skip(&c, 'q')) ||
	    !cur_span1(&c, &cset_hex, &digits) || !cur_end(&c) || digits.n > 16)
		return false;
	for (size_t i = 0; i < digits.n; i++) {
		char d = ascii_lower(digits.p[i]);

		id = id << 4 | (uint64_t)(d <= '9' ? d - '0' : d - 'a' + 10);
	}
	*id_out = id;
	return true;
}
