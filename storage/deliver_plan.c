#include "storage/deliver_plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "storage/body.h"
#include "storage/meta.h"
#include "storage/msg_expunge.h"
#include "storage/store_priv.h"
#include "storage/submit.h"

enum {
	PREFIX_MAX = 800,
	COPY_MAX = 4 << 20, /* parts are joined in memory up to here */
	SHARE_ROWS = 4, /* so many records of a body keep its envelope once, */
	SHARE_BYTES = 200 /* if it is that large */
};

/* A message record counts its body's bytes in 32 bits. */
static const uint64_t body_max = INT32_MAX;

static int
cmp_item(const void *a, const void *b)
{
	const struct plan_item *x = a, *y = b;
	int c;

	if (x->t->account != y->t->account)
		return x->t->account < y->t->account ? -1 : 1;
	if (x->msg != y->msg)
		return x->msg < y->msg ? -1 : 1;
	if ((c = slice_cmp(x->t->prefix, y->t->prefix)) != 0)
		return c;
	return (x->target > y->target) - (x->target < y->target);
}

static void
make_items(struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->d->nmsgs; i++) {
		struct deliver_msg *m = &p->d->msgs[i];

		for (size_t k = 0; k < m->ntargets; k++)
			p->items[n++] = (struct plan_item){
				.t = &m->targets[k], .msg = i, .target = k
			};
	}
	p->nitems = n;
	if (n > 1)
		qsort(p->items, n, sizeof(*p->items), cmp_item);
}

/* Targets of one account with the same bytes share a record. */
static bool
same_row(const struct plan_row *r, const struct plan_item *it)
{
	return r->account == it->t->account && r->msg == it->msg &&
	       slice_eq(r->prefix, it->t->prefix);
}

static void
make_rows(struct plan *p)
{
	struct plan_row *r = p->rows;

	for (size_t i = 0; i < p->nitems; i++) {
		struct plan_item *it = &p->items[i];

		if (p->nrows == 0 || !same_row(r, it)) {
			r = &p->rows[p->nrows++];
			r->account = it->t->account;
			r->msg = it->msg;
			r->prefix = it->t->prefix;
			p->bodies[it->msg].rows++;
		}
		r->references++;
		it->row = p->nrows - 1;
	}
	for (size_t i = 0; i < p->d->nmsgs; i++)
		p->bodies[i].references =
		    p->bodies[i].rows + (uint32_t)p->d->msgs[i].nqueue;
}

/* What each account is charged.  One target that may not pass the limit makes
 * the account's whole sum subject to it. */
static void
make_usage(struct plan *p)
{
	struct usage_item *u = p->usage;

	for (size_t i = 0; i < p->nitems; i++) {
		const struct plan_item *it = &p->items[i];

		if (p->nusage == 0 || u->account != it->t->account) {
			u = &p->usage[p->nusage++];
			u->account = it->t->account;
			u->over_ok = true;
		}
		u->bytes +=
		    (int64_t)(p->bodies[it->msg].size + it->t->prefix.n);
		u->messages++;
		u->over_ok = u->over_ok && it->t->over_quota;
	}
	for (size_t i = 0, k = 0; i < p->nrows; i++) {
		while (p->usage[k].account != p->rows[i].account)
			k++;
		p->usage[k].take_ids++;
	}
}

struct where {
	uint64_t id;
	struct body_loc *loc;
};

static int
where(struct db_txn *t, void *arg)
{
	const struct where *w = arg;

	return body_get(t, w->id, w->loc);
}

static int
find_body(const struct plan *p, uint64_t id, struct plan_body *b)
{
	struct where w = { id, &b->loc };
	int rc = db_read(p->store->db, where, &w);

	b->size = rc == 0 ? b->loc.length : 0;
	return rc;
}

static int
check_msg(struct plan *p, size_t i)
{
	const struct deliver_msg *m = &p->d->msgs[i];
	struct plan_body *b = &p->bodies[i];
	int rc;

	p->d->bad_msg = i;
	p->d->bad_target = 0;
	for (size_t k = 0; k < m->nparts; k++)
		b->size += m->parts[k].n;
	if (m->body != 0 && (rc = find_body(p, m->body, b)) != 0)
		return err_set(p->e, rc, "The message has gone");
	if (b->size > body_max)
		return err_set(p->e, ERR_TOOBIG, "Message is too large");
	b->internal_date = m->internal_date != 0 ? m->internal_date : p->now;
	for (size_t k = 0; k < m->ntargets; k++) {
		p->d->bad_target = k;
		if (m->targets[k].prefix.n > PREFIX_MAX)
			return err_set(
			    p->e, ERR_INVALID, "Trace header is too long");
		if (m->targets[k].uidl.n != 0 && !uidl_ok(m->targets[k].uidl))
			return err_set(p->e, ERR_INVALID, "Bad unique-id");
	}
	p->d->bad_target = 0;
	return 0;
}

static struct expunge *
plan_gone(const struct deliver_gone *g)
{
	struct expunge *x = xmalloc(sizeof(*x));

	x->account = g->account;
	x->folder = g->folder;
	x->uids = &g->uid;
	x->n = 1;
	x->flags = 0;
	x->sizes = NULL;
	return x;
}

/* Room for so many items. */
static void
alloc(struct plan *p, size_t n)
{
	struct arena *a = &p->arena;

	p->bodies = arena_alloc(a, (p->d->nmsgs + 1) * sizeof(*p->bodies));
	p->items = arena_alloc(a, (n + 1) * sizeof(*p->items));
	p->by_folder = arena_alloc(a, (n + 1) * sizeof(*p->by_folder));
	p->rows = arena_alloc(a, (n + 1) * sizeof(*p->rows));
	p->usage = arena_alloc(a, (n + 1) * sizeof(*p->usage));
	p->folders = arena_alloc(a, (n + 1) * sizeof(*p->folders));
	p->hot = arena_alloc(a, (n + 1) * sizeof(*p->hot));
}

/* Sorted in: tables are changed in the order of their keys. */
static void
add_submit(struct plan *p, struct submit *su, size_t msg)
{
	struct plan_submit *v = p->submits;
	size_t at = p->nsubmits;

	if (su == NULL)
		return;
	for (; at > 0 && submit_cmp(v[at - 1].su, su) > 0; at--)
		v[at] = v[at - 1];
	v[at] = (struct plan_submit){ .su = su, .msg = &p->d->msgs[msg] };
	p->nsubmits++;
}

int
plan_init(struct plan *p, struct store *s, struct deliver *d, struct err *e)
{
	size_t n = 0;
	int rc;

	*p = (struct plan){
		.store = s, .d = d, .e = e, .now = clock_wall_sec()
	};
	arena_init(&p->arena);
	arena_init(&p->scratch);
	for (size_t i = 0; i < d->nmsgs; i++)
		n += d->msgs[i].ntargets;
	alloc(p, n);
	if (d->gone != NULL)
		p->gone = plan_gone(d->gone);
	for (size_t i = 0; i < d->nmsgs; i++)
		if ((rc = check_msg(p, i)) != 0)
			return rc;
	d->bad_msg = 0;
	make_items(p);
	make_rows(p);
	make_usage(p);
	p->submits = arena_alloc(&p->arena, sizeof(*p->submits));
	add_submit(p, d->submit, 0);
	return 0;
}

void
plan_fini(struct plan *p)
{
	free(p->gone);
	arena_clear(&p->arena);
	arena_clear(&p->scratch);
}

static char *
join(const struct deliver_msg *m, size_t size)
{
	char *all = xmalloc(size + 1);
	size_t at = 0;

	for (size_t i = 0; i < m->nparts; i++) {
		if (m->parts[i].n > 0)
			memcpy(all + at, m->parts[i].p, m->parts[i].n);
		at += m->parts[i].n;
	}
	return all;
}

/* The index keeps nothing of a message that only waits for other hosts. */
static int
make_meta(struct plan *p, size_t i)
{
	const struct deliver_msg *m = &p->d->msgs[i];
	struct plan_body *b = &p->bodies[i];
	struct segment_map map;
	char *all;
	int rc;

	if (m->ntargets == 0)
		return 0;
	if (m->nparts == 1) {
		meta_make(&p->arena, m->parts[0], &b->meta);
		return 0;
	}
	if (m->body == 0 && b->size <= COPY_MAX) {
		all = join(m, (size_t)b->size);
		meta_make(&p->arena, slice_of(all, (size_t)b->size), &b->meta);
		free(all);
		return 0;
	}
	if ((rc = segment_map(p->store, &b->loc, &map)) != 0)
		return rc;
	meta_make(&p->arena, map.bytes, &b->meta);
	segment_unmap(&map);
	return 0;
}

static int
write_body(struct plan *p, size_t i)
{
	const struct deliver_msg *m = &p->d->msgs[i];
	struct plan_body *b = &p->bodies[i];
	int rc;

	if (b->references == 0)
		return 0;
	rc = m->body != 0 ? 0
			  : segment_put_body(p->store, m->parts, m->nparts,
				b->internal_date, &b->loc);
	if (rc != 0 || (rc = make_meta(p, i)) != 0)
		return rc;
	b->meta.body = b->loc.id;
	b->meta.segment = b->loc.segment;
	b->meta.offset = b->loc.offset;
	b->meta.crc = b->loc.crc;
	b->meta.body_bytes = (uint32_t)b->size;
	return 0;
}

/* A record for each of many accounts would hold the same again and again; who
 * reads one of them reads a row more for it. */
static void
share(struct plan *p, size_t i, struct buf *scratch)
{
	struct plan_body *b = &p->bodies[i];

	if (b->rows < SHARE_ROWS || p->d->msgs[i].body != 0)
		return;
	buf_clear(scratch);
	message_encode_shared(scratch, &b->meta);
	ph_assert(!buf_failed(scratch));
	if (buf_len(scratch) < SHARE_BYTES)
		return;
	b->meta.shared = true;
	b->shared = arena_copy(&p->arena, buf_slice(scratch));
}

int
plan_write_bodies(struct plan *p)
{
	struct buf b;
	int rc;

	for (size_t i = 0; i < p->d->nmsgs; i++) {
		p->d->bad_msg = i;
		if ((rc = write_body(p, i)) != 0)
			return rc;
	}
	p->d->bad_msg = 0;
	buf_init(&b, MESSAGE_MAX);
	for (size_t i = 0; i < p->d->nmsgs; i++)
		share(p, i, &b);
	for (size_t i = 0; i < p->nrows; i++) {
		struct plan_row *r = &p->rows[i];
		struct message m = p->bodies[r->msg].meta;

		m.prefix = r->prefix;
		buf_clear(&b);
		message_encode(&b, &m);
		ph_assert(!buf_failed(&b));
		r->record = arena_copy(&p->arena, buf_slice(&b));
	}
	buf_fini(&b);
	return 0;
}

static int
cmp_folder(const void *a, const void *b)
{
	const struct plan_item *x = *(struct plan_item *const *)a;
	const struct plan_item *y = *(struct plan_item *const *)b;

	if (x->folder != y->folder)
		return x->folder < y->folder ? -1 : 1;
	return (x > y) - (x < y);
}

void
plan_group_folders(struct plan *p)
{
	struct plan_folder *f = NULL;

	p->nfolders = 0;
	for (size_t i = 0; i < p->nitems; i++)
		p->by_folder[i] = &p->items[i];
	if (p->nitems > 1)
		qsort(
		    p->by_folder, p->nitems, sizeof(*p->by_folder), cmp_folder);
	for (size_t i = 0; i < p->nitems; i++) {
		struct plan_item *it = p->by_folder[i];

		if (f == NULL || f->id != it->folder) {
			f = &p->folders[p->nfolders++];
			f->id = it->folder;
			f->account = it->t->account;
			f->first = i;
			f->n = 0;
			f->made = 0;
			f->kw = (struct keywords){ 0 };
		}
		it->folder_at = p->nfolders - 1;
		f->n++;
	}
}

const struct plan_item *
plan_item_of(const struct plan *p, const struct deliver_target *t)
{
	for (size_t i = 0; t != NULL && i < p->nitems; i++)
		if (p->items[i].t == t)
			return &p->items[i];
	return NULL;
}

void
plan_blame(struct plan *p, const struct plan_item *it)
{
	p->d->bad_msg = it->msg;
	p->d->bad_target = it->target;
}

/* What the parts have worked out already: bodies and records; and what their
 * submissions mean. */
static void
merge_bodies(struct plan *p, struct plan *const *parts, size_t n)
{
	size_t msg = 0, item = 0;

	for (size_t k = 0; k < n; k++) {
		const struct plan *from = parts[k];

		for (size_t i = 0; i < from->nitems; i++) {
			const struct plan_item *it = &from->items[i];

			p->items[item++] = (struct plan_item){ .t = it->t,
				.msg = msg + it->msg,
				.target = it->target,
				.record = from->rows[it->row].record };
		}
		add_submit(p, from->d->submit, msg);
		for (size_t i = 0; i < from->d->nmsgs; i++) {
			p->bodies[msg] = from->bodies[i];
			p->bodies[msg].rows = 0;
			p->d->msgs[msg++] = from->d->msgs[i];
		}
	}
	p->nitems = item;
}

void
plan_merge(struct plan *p, struct deliver *d, struct err *e,
    struct plan *const *parts, size_t n)
{
	size_t nmsgs = 0, nitems = 0;

	*p = (struct plan){
		.store = parts[0]->store, .d = d, .e = e, .now = parts[0]->now
	};
	arena_init(&p->arena);
	arena_init(&p->scratch);
	for (size_t k = 0; k < n; k++) {
		nmsgs += parts[k]->d->nmsgs;
		nitems += parts[k]->nitems;
	}
	*d = (struct deliver){ .nmsgs = nmsgs };
	d->msgs = arena_alloc(&p->arena, nmsgs * sizeof(*d->msgs));
	p->submits = arena_alloc(&p->arena, n * sizeof(*p->submits));
	alloc(p, nitems);
	merge_bodies(p, parts, n);
	if (nitems > 1)
		qsort(p->items, nitems, sizeof(*p->items), cmp_item);
	make_rows(p);
	for (size_t i = 0; i < nitems; i++)
		p->rows[p->items[i].row].record = p->items[i].record;
	make_usage(p);
}
