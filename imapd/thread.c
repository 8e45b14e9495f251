#include "imapd/thread.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/mail/header.h"
#include "lib/mail/msgid.h"

enum {
	ID_MAX = 4096,
	DUMMIES = 16, /* for each message, and so many more: */
	DUMMIES_MORE = 10000,
	CLIMB_MAX = 2000 /* links looked at to find a loop */
};

/* ---- from an id to a number ---- */

static void
id_map_grow(struct id_map *m, size_t to)
{
	struct id_slot *old = m->v;
	size_t cap = m->cap;

	m->cap = to;
	m->v = xcalloc(m->cap, sizeof(*m->v));
	for (size_t i = 0; i < cap; i++) {
		size_t at = old[i].id & (m->cap - 1);

		while (old[i].i != 0 && m->v[at].i != 0)
			at = (at + 1) & (m->cap - 1);
		if (old[i].i != 0)
			m->v[at] = old[i];
	}
	free(old);
}

/* Where the number of this id is, 0 when it is new: then the caller sets it
 * and counts m->n.  Ids are digests: nobody can aim at a slot for long. */
static uint32_t *
id_map_at(struct id_map *m, uint64_t id)
{
	size_t at;

	if (2 * m->n >= m->cap)
		id_map_grow(m, m->cap != 0 ? m->cap * 2 : 64);
	id = id >> 1; /* the lowest bit is always set */
	at = id & (m->cap - 1);
	while (m->v[at].i != 0 && m->v[at].id != id)
		at = (at + 1) & (m->cap - 1);
	m->v[at].id = id;
	return &m->v[at].i;
}

/* The table is larger than the processor's near memory: asked for early. */
static void
id_map_fetch(const struct id_map *m, uint64_t id)
{
	if (m->cap != 0)
		__builtin_prefetch(&m->v[(id >> 1) & (m->cap - 1)], 1);
}

/* ---- nodes ---- */

void
thread_init(struct thread *t)
{
	*t = (struct thread){ 0 };
	t->v = mem_grow(NULL, &t->cap, 0, sizeof(*t->v));
	t->v[t->n++] = (struct thread_node){ 0 };
}

void
thread_fini(struct thread *t)
{
	free(t->ids.v);
	free(t->v);
}

void
thread_expect(struct thread *t, size_t messages)
{
	size_t cap = 64;

	while (cap < 4 * messages)
		cap *= 2;
	id_map_grow(&t->ids, cap);
	if (messages > t->cap) {
		t->cap = messages;
		t->v = xrealloc(t->v, t->cap * sizeof(*t->v));
	}
}

static uint32_t
new_node(struct thread *t)
{
	t->v = mem_grow(t->v, &t->cap, t->n, sizeof(*t->v));
	t->v[t->n] = (struct thread_node){ 0 };
	return (uint32_t)t->n++;
}

static void
unlink_node(struct thread *t, uint32_t i)
{
	struct thread_node *x = &t->v[i], *up = &t->v[x->parent];

	if (x->prev != 0)
		t->v[x->prev].next = x->next;
	else if (up->child == i)
		up->child = x->next;
	if (x->next != 0)
		t->v[x->next].prev = x->prev;
	else if (up->last == i)
		up->last = x->prev;
	x->parent = x->next = x->prev = 0;
}

/* i has no parent. */
static void
append_child(struct thread *t, uint32_t parent, uint32_t i)
{
	struct thread_node *x = &t->v[i], *up = &t->v[parent];

	x->parent = parent;
	x->prev = up->last;
	x->next = 0;
	if (up->last != 0)
		t->v[up->last].next = i;
	else
		up->child = i;
	up->last = i;
}

/* Is `above` an ancestor of i, or i itself?  Too far to climb counts as yes:
 * then no link is made. */
static bool
is_above(const struct thread *t, uint32_t above, uint32_t i)
{
	if (t->v[above].child == 0)
		return above == i;
	for (unsigned n = 0; n < CLIMB_MAX; n++) {
		if (i == above)
			return true;
		if (i == 0)
			return false;
		i = t->v[i].parent;
	}
	return true;
}

/* ---- (1) links, RFC 5256 3 ---- */

/* The next id of a field, or 0; b is scratch. */
static uint64_t
next_id(struct slice *rest, struct buf *b)
{
	struct slice id;

	do {
		if (!msgid_next(rest, &id))
			return 0;
		buf_clear(b);
		msgid_norm(b, id);
	} while (buf_failed(b) || buf_len(b) == 0);
	return order_id(buf_slice(b));
}

static size_t
ids_of(struct slice field, struct buf *b, uint64_t *out, size_t max)
{
	size_t n = 0;

	while (n < max && (out[n] = next_id(&field, b)) != 0)
		n++;
	return n;
}

struct thread_ids
thread_ids(struct slice headers, uint64_t refs[THREAD_REFS_MAX])
{
	struct slice own = header_find(headers, SLICE("Message-ID"));
	struct thread_ids ids = { .refs = refs };
	struct buf b;

	buf_init(&b, ID_MAX);
	ids.own = next_id(&own, &b);
	ids.n = ids_of(header_find(headers, SLICE("References")), &b, refs,
	    THREAD_REFS_MAX);
	if (ids.n == 0)
		ids.n = ids_of(
		    header_find(headers, SLICE("In-Reply-To")), &b, refs, 1);
	buf_fini(&b);
	return ids;
}

/* 0: none is known, and no more are made up. */
static uint32_t
node_of(struct thread *t, uint64_t id)
{
	uint32_t *i = id_map_at(&t->ids, id);

	if (*i == 0 && t->n < t->added * DUMMIES + DUMMIES_MORE) {
		*i = new_node(t);
		t->ids.n++;
	}
	return *i;
}

/* Links each to the one before; returns the last, or 0. */
static uint32_t
link_references(struct thread *t, const struct thread_ids *ids)
{
	uint32_t last = 0;

	for (size_t n = 0; n < ids->n; n++) {
		uint32_t i = node_of(t, ids->refs[n]);

		if (i == 0)
			continue;
		if (last != 0 && t->v[i].parent == 0 && !is_above(t, i, last))
			append_child(t, last, i);
		last = i;
	}
	return last;
}

/* The node of a message: the dummy that others have named, or a new one when
 * it has no id, or one that an earlier message has. */
static uint32_t
own_node(struct thread *t, uint64_t id)
{
	uint32_t i = id != 0 ? node_of(t, id) : 0;

	return i == 0 || t->v[i].seq != 0 ? new_node(t) : i;
}

void
thread_add(
    struct thread *t, const struct order_msg *m, const struct thread_ids *ids)
{
	struct thread_node *x;
	uint32_t i, parent;

	id_map_fetch(&t->ids, ids->own);
	for (size_t n = 0; n < ids->n; n++)
		id_map_fetch(&t->ids, ids->refs[n]);
	i = own_node(t, ids->own);
	t->added++;
	t->v[i].seq = m->seq; /* from here on no dummy */
	parent = link_references(t, ids);
	x = &t->v[i];
	x->date = m->date;
	x->arrival = m->arrival;
	x->subject = m->subject_id;
	x->is_reply = m->is_reply;
	if (x->parent != 0)
		unlink_node(t, i);
	if (parent != 0 && !is_above(t, i, parent))
		append_child(t, parent, i);
}

/* ---- walking ---- */

/* All nodes below 0, parents before children; the caller frees. */
static uint32_t *
all_below(const struct thread *t, size_t *n_out)
{
	uint32_t *v = xcalloc(t->n + 1, sizeof(*v));
	size_t n = 0;

	for (uint32_t i = t->v[0].child; i != 0; i = t->v[i].next)
		v[n++] = i;
	for (size_t at = 0; at < n; at++)
		for (uint32_t i = t->v[v[at]].child; i != 0; i = t->v[i].next)
			v[n++] = i;
	*n_out = n;
	return v;
}

/* ---- (2) and (3) ---- */

static void
gather_roots(struct thread *t)
{
	for (uint32_t i = 1; i < t->n; i++)
		if (t->v[i].parent == 0)
			append_child(t, 0, i);
}

/* Children take the place of their parent, which goes. */
static void
splice(struct thread *t, uint32_t i)
{
	struct thread_node *x = &t->v[i];
	uint32_t parent = x->parent, prev = x->prev, next = x->next;
	uint32_t first = x->child, last = x->last;

	for (uint32_t k = first; k != 0; k = t->v[k].next)
		t->v[k].parent = parent;
	t->v[first].prev = prev;
	t->v[last].next = next;
	if (prev != 0)
		t->v[prev].next = first;
	else
		t->v[parent].child = first;
	if (next != 0)
		t->v[next].prev = last;
	else
		t->v[parent].last = last;
	*x = (struct thread_node){ 0 };
}

static void
prune(struct thread *t)
{
	size_t n;
	uint32_t *v = all_below(t, &n);

	while (n-- > 0) {
		struct thread_node *x = &t->v[v[n]];

		if (x->seq != 0)
			continue;
		if (x->child == 0)
			unlink_node(t, v[n]);
		else if (x->parent != 0 || x->child == x->last)
			splice(t, v[n]);
	}
	free(v);
}

/* ---- (4) and (6): order ---- */

/* What a node is sorted by: a dummy, by its first child. */
static const struct thread_node *
face(const struct thread *t, uint32_t i)
{
	const struct thread_node *x = &t->v[i];

	return x->seq == 0 && x->child != 0 ? &t->v[x->child] : x;
}

/* One of those being sorted. */
struct thread_key {
	int64_t date;
	uint32_t seq, node;
};

static int
by_date(const void *a, const void *b)
{
	const struct thread_key *x = a, *y = b;

	if (x->date != y->date)
		return x->date < y->date ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* scratch has room for all nodes. */
static void
sort_children(struct thread *t, uint32_t parent, struct thread_key *scratch)
{
	bool sorted = true;
	size_t n = 0;

	if (t->v[parent].child == t->v[parent].last)
		return;
	for (uint32_t i = t->v[parent].child; i != 0; i = t->v[i].next) {
		const struct thread_node *x = face(t, i);

		scratch[n] = (struct thread_key){ x->date, x->seq, i };
		sorted &= n == 0 || by_date(&scratch[n - 1], &scratch[n]) <= 0;
		n++;
	}
	if (sorted)
		return;
	qsort(scratch, n, sizeof(*scratch), by_date);
	t->v[parent].child = t->v[parent].last = 0;
	for (size_t i = 0; i < n; i++)
		append_child(t, parent, scratch[i].node);
}

/* Dummies are children of 0 only: theirs are sorted before them. */
static void
sort_top(struct thread *t)
{
	struct thread_key *scratch = xmalloc(t->n * sizeof(*scratch));

	for (uint32_t i = t->v[0].child; i != 0; i = t->v[i].next)
		if (t->v[i].seq == 0)
			sort_children(t, i, scratch);
	sort_children(t, 0, scratch);
	free(scratch);
}

static void
sort_all(struct thread *t)
{
	struct thread_key *scratch = xmalloc(t->n * sizeof(*scratch));

	for (uint32_t i = 1; i < t->n; i++)
		sort_children(t, i, scratch);
	sort_children(t, 0, scratch);
	free(scratch);
}

/* ---- (5): the same subject ---- */

static void
fill_subjects(struct thread *t, struct id_map *subjects)
{
	for (uint32_t i = t->v[0].child; i != 0; i = t->v[i].next) {
		const struct thread_node *x = face(t, i), *y;
		uint32_t *k;

		if (x->subject == 0)
			continue;
		k = id_map_at(subjects, x->subject);
		y = &t->v[*k];
		subjects->n += *k == 0;
		if (*k == 0 ||
		    (y->seq != 0 &&
			(t->v[i].seq == 0 || (y->is_reply && !x->is_reply))))
			*k = i;
	}
}

/* Makes conversation i part of conversation k; k's place in the table may be
 * taken by a new dummy, which is returned (else k). */
static uint32_t
merge(struct thread *t, uint32_t i, uint32_t k)
{
	bool dummy_i = t->v[i].seq == 0, dummy_k = t->v[k].seq == 0;
	uint32_t child, top;

	if (dummy_i && dummy_k) {
		while ((child = t->v[i].child) != 0) {
			unlink_node(t, child);
			append_child(t, k, child);
		}
		unlink_node(t, i);
		return k;
	}
	if (dummy_k || (t->v[i].is_reply && !t->v[k].is_reply)) {
		unlink_node(t, i);
		append_child(t, k, i);
		return k;
	}
	top = new_node(t);
	append_child(t, 0, top);
	unlink_node(t, k);
	append_child(t, top, k);
	unlink_node(t, i);
	append_child(t, top, i);
	return top;
}

static void
merge_subjects(struct thread *t)
{
	struct id_map subjects = { 0 };
	uint32_t *tops = xcalloc(t->n, sizeof(*tops));
	size_t n = 0;

	fill_subjects(t, &subjects);
	for (uint32_t i = t->v[0].child; i != 0; i = t->v[i].next)
		tops[n++] = i;
	for (size_t at = 0; at < n; at++) {
		uint64_t subject = face(t, tops[at])->subject;
		uint32_t *k;

		if (subject == 0)
			continue;
		k = id_map_at(&subjects, subject);
		if (*k == tops[at] || t->v[tops[at]].parent != 0)
			continue;
		*k = merge(t, tops[at], *k);
	}
	free(subjects.v);
	free(tops);
}

void
thread_by_references(struct thread *t)
{
	gather_roots(t);
	prune(t);
	sort_top(t);
	merge_subjects(t);
	sort_all(t);
}

/* ---- REFS ---- */

struct refs_key {
	uint32_t i;
	int64_t newest;
};

static int
by_newest(const void *a, const void *b)
{
	const struct refs_key *x = a, *y = b;

	if (x->newest != y->newest)
		return x->newest < y->newest ? -1 : 1;
	return x->i < y->i ? -1 : x->i > y->i;
}

/* A dummy has not arrived. */
static void
find_newest(struct thread *t)
{
	size_t n;
	uint32_t *v = all_below(t, &n);

	for (size_t k = 0; k < n; k++)
		if (t->v[v[k]].seq == 0)
			t->v[v[k]].arrival = INT64_MIN;
	while (n-- > 0) {
		struct thread_node *x = &t->v[v[n]], *up = &t->v[x->parent];

		if (up->arrival < x->arrival)
			up->arrival = x->arrival;
	}
	free(v);
}

/* The draft of THREAD=REFS (morg-inthread 4): REFERENCES without subjects,
 * conversations by the latest arrival, messages in them by the date sent. */
void
thread_by_refs(struct thread *t)
{
	struct refs_key *keys;
	size_t n = 0;

	gather_roots(t);
	prune(t);
	sort_all(t);
	find_newest(t);
	keys = xcalloc(t->n, sizeof(*keys));
	for (uint32_t i = t->v[0].child; i != 0; i = t->v[i].next)
		keys[n++] = (struct refs_key){ i, t->v[i].arrival };
	qsort(keys, n, sizeof(*keys), by_newest);
	t->v[0].child = t->v[0].last = 0;
	for (size_t k = 0; k < n; k++)
		append_child(t, 0, keys[k].i);
	free(keys);
}

/* ---- ORDEREDSUBJECT ---- */

void
thread_by_subject(struct thread *t, struct order_msg *v, size_t n)
{
	static const struct order_by by[] = { { OK_SUBJECT, false },
		{ OK_DATE, false } };
	struct thread_key *scratch;
	uint32_t top = 0;

	order_sort(v, n, by, PH_LEN(by));
	for (size_t i = 0; i < n; i++) {
		uint32_t x = new_node(t);

		t->v[x].seq = v[i].seq;
		t->v[x].date = v[i].date;
		if (i == 0 || !slice_eq(v[i].subject, v[i - 1].subject)) {
			append_child(t, 0, x);
			top = x;
		} else {
			append_child(t, top, x);
		}
	}
	scratch = xmalloc(t->n * sizeof(*scratch));
	sort_children(t, 0, scratch);
	free(scratch);
}

/* ---- writing ---- */

/* One open parenthesis: what comes behind it when it closes. */
struct open {
	uint32_t next;
};

struct writer {
	const struct thread *t;
	struct buf *out;
	struct open *stack;
	size_t n, cap;
};

static void
push(struct writer *w, uint32_t first)
{
	w->stack = mem_grow(w->stack, &w->cap, w->n, sizeof(*w->stack));
	w->stack[w->n++].next = w->t->v[first].next;
	buf_add_char(w->out, '(');
}

/* A branch has ended: closes what ends with it.  The node that begins the next
 * branch, or 0. */
static uint32_t
close_branch(struct writer *w)
{
	while (w->n != 0) {
		uint32_t next = w->stack[--w->n].next;

		buf_add_char(w->out, ')');
		if (w->n != 0 && next != 0) {
			push(w, next);
			return next;
		}
	}
	return 0;
}

void
thread_write(const struct thread *t, uint32_t node, struct buf *out,
    uint32_t (*number)(uint32_t seq, void *arg), void *arg)
{
	struct writer w = { .t = t, .out = out };

	push(&w, node);
	while (node != 0) {
		const struct thread_node *x = &t->v[node];

		if (x->seq != 0)
			buf_add_u64(out, number(x->seq, arg));
		if (x->child == 0) {
			node = close_branch(&w);
			continue;
		}
		if (x->seq != 0)
			buf_add_char(out, ' ');
		if (x->child != x->last)
			push(&w, x->child);
		node = x->child;
	}
	free(w.stack);
}
