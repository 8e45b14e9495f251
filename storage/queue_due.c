/*
 * The queue by time: what is due, for whom, and how much waits.
 */
#include "storage/queue.h"

#include "lib/base/num.h"
#include "storage/queue_row.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

struct due {
	uint64_t account;
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
	char from[8], to[QUEUE_DUE_BYTES];
	int64_t at;
	uint64_t id;
	int rc;

	num_put64(from, d->account);
	d->n = 0;
	d->next = INT64_MAX;
	rc = db_scan_init(t, T_QUEUE_DUE, slice_of(from, sizeof(from)),
	    queue_due_key(to, d->account, QUEUE_HELD, 0, 0), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (key.n != QUEUE_DUE_BYTES) {
			rc = ERR_CORRUPT;
			break;
		}
		at = (int64_t)num_get64(key.p + 8);
		id = num_get64(key.p + 16);
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
queue_due(struct store *s, uint64_t account, int64_t now, uint64_t *ids,
    size_t cap, bool (*skip)(uint64_t id, void *arg), void *arg, size_t *n_out,
    int64_t *next_out)
{
	struct due d = { .account = account,
		.now = now,
		.next = INT64_MAX,
		.ids = ids,
		.cap = cap,
		.skip = skip,
		.arg = arg };
	int rc = db_walk(s->db, due, &d);

	*n_out = d.n;
	*next_out = d.next;
	return rc;
}

struct senders {
	uint64_t from;
	struct queue_sender *v;
	size_t cap, n;
};

/* The first due entry at or behind from; ERR_NOTFOUND: none. */
static int
first_due(struct db_txn *t, uint64_t from, struct queue_sender *out)
{
	struct db_scan *scan = NULL;
	struct slice key, value;
	char start[8];
	int rc;

	num_put64(start, from);
	rc = db_scan_init(t, T_QUEUE_DUE, slice_of(start, sizeof(start)),
	    slice_of(NULL, 0), &scan);
	if (rc == 0)
		rc = db_scan_next(scan, &key, &value);
	if (rc == 0 && key.n != QUEUE_DUE_BYTES)
		rc = ERR_CORRUPT;
	if (rc == 0)
		*out = (struct queue_sender){ num_get64(key.p),
			(int64_t)num_get64(key.p + 8) };
	db_scan_fini(&scan);
	return rc;
}

static int
senders(struct db_txn *t, void *arg)
{
	struct senders *c = arg;
	uint64_t from = c->from;
	int rc = 0;

	c->n = 0;
	while (rc == 0 && c->n < c->cap) {
		struct queue_sender *v = &c->v[c->n];

		if ((rc = first_due(t, from, v)) != 0)
			break;
		c->n += v->next_at != QUEUE_NEVER;
		from = v->account + 1;
		rc = from == 0 ? ERR_NOTFOUND : 0;
	}
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
queue_senders(struct store *s, uint64_t from, struct queue_sender *v,
    size_t cap, size_t *n_out)
{
	struct senders c = { from, v, cap, 0 };
	int rc = db_walk(s->db, senders, &c);

	*n_out = c.n;
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
