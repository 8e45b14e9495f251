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
	    queue_due_key(key, row->account, row->state, row->next_at, row->id),
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

	rc = db_del(t, T_QUEUE_DUE,
	    queue_due_key(key, was->account, was->state, was->next_at, id));
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* The row anew, with its due entry. */
static int
replace(struct db_txn *t, const struct queue_row *row, size_t old_n,
    const struct queue_head *was)
{
	int rc;

	if ((rc = put(t, row, old_n)) != 0)
		return rc;
	if (row->state == was->state && row->next_at == was->next_at)
		return 0;
	if ((rc = drop_due(t, row->id, was)) != 0)
		return rc;
	return put_due(t, row);
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
	row.account = was.account;
	if (ch->at_work && was.state == QUEUE_HELD)
		row.state = QUEUE_HELD;
	return replace(t, &row, n, &was);
}

void
queue_notify(struct store *s, uint64_t id, uint64_t account)
{
	notify_add(
	    s, &(struct notify_event){
		   .kind = NOTIFY_QUEUE, .account = id, .folder = account });
}

/* Bodies come before the queue in the order of tables, so what will lose a
 * reference is found beforehand; a row's body never changes. */
struct change {
	const struct queue_change *ch;
	size_t n;
	uint64_t *bodies; /* to be released, rising */
	size_t nbodies;
	uint64_t account; /* of the first */
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
		if (c->ch[i].row != NULL) {
			c->account = c->ch[i].row->account;
			continue;
		}
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
		c->account = head.account;
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

static int
change_rows(struct store *s, struct change *c)
{
	int rc;

	if (c->n == 0)
		return 0;
	c->bodies = xcalloc(c->n, sizeof(*c->bodies));
	if ((rc = db_read(s->db, find_bodies, c)) == 0) {
		qsort(c->bodies, c->nbodies, sizeof(*c->bodies), cmp_u64);
		rc = db_update(s->db, change, c);
	}
	free(c->bodies);
	return rc;
}

int
queue_settle(struct store *s, const struct queue_change *ch, size_t n)
{
	struct change c = { .ch = ch, .n = n };

	return change_rows(s, &c);
}

int
queue_change(struct store *s, const struct queue_change *ch, size_t n)
{
	struct change c = { .ch = ch, .n = n };
	int rc = change_rows(s, &c);

	if (rc == 0 && n != 0)
		queue_notify(s, n == 1 ? ch[0].id : 0, c.account);
	return rc;
}

struct act {
	uint64_t id, account;
	enum queue_verb verb;
	int64_t now;
	enum queue_state state;
	struct arena a;
};

static int
act_on(struct queue_row *row, enum queue_verb verb, int64_t now)
{
	bool held = row->state == QUEUE_HELD;

	if (held != (verb == QUEUE_RELEASE))
		return ERR_INVALID;
	if (verb == QUEUE_HOLD)
		row->state = QUEUE_HELD;
	else
		row->next_at = now;
	if (verb == QUEUE_RELEASE)
		row->state = row->attempts != 0          ? QUEUE_DEFERRED
			     : row->flags & QUEUE_UNSENT ? QUEUE_SCHEDULED
							 : QUEUE_QUEUED;
	return 0;
}

static int
act(struct db_txn *t, void *arg)
{
	struct act *c = arg;
	char key[QUEUE_ID_BYTES];
	struct queue_head was;
	struct queue_row row;
	struct buf b;
	int rc;

	arena_clear(&c->a);
	buf_init(&b, QUEUE_RECORD_MAX);
	rc = chunk_get(t, T_QUEUE, id_key(key, c->id), true, &b);
	if (rc == 0)
		rc = queue_decode(c->id, buf_slice(&b), &c->a, &row);
	if (rc == 0) {
		was = (struct queue_head){ .state = row.state,
			.next_at = row.next_at,
			.account = row.account };
		c->state = row.state;
		c->account = row.account;
		rc = act_on(&row, c->verb, c->now);
	}
	if (rc == 0)
		rc = replace(t, &row, buf_len(&b), &was);
	buf_fini(&b);
	return rc;
}

int
queue_act(struct store *s, uint64_t id, enum queue_verb verb, int64_t now,
    enum queue_state *state_out)
{
	struct act c = { .id = id, .verb = verb, .now = now };
	int rc;

	arena_init(&c.a);
	rc = db_update(s->db, act, &c);
	arena_clear(&c.a);
	*state_out = c.state;
	if (rc == 0)
		queue_notify(s, id, c.account);
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
		rc = segment_read(s, &w.loc, off, n, NULL, out);
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
