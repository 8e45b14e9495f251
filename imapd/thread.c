#include "imapd/thread.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/mail/header.h"
#include "lib/mail/msgid.h"

enum {
	ID_MAX = 4096,
	REFS_MAX = 100, /* of one message */
	DUMMIES = 16,   /* for each message, and so many more: */
	DUMMIES_MORE = 10000,
	CLIMB_MAX = 2000 /* links looked at to find a loop */
};

/* ---- nodes ---- */

void
thread_init(struct thread *t)
{
	*t = (struct thread){ 0 };
	map_init(&t->ids);
	t->v = mem_grow(NULL, &t->cap, 0, sizeof(*t->v));
	t->v[t->n++] = (struct thread_node){ 0 };
}

void
thread_fini(struct thread *t)
{
	map_fini(&t->ids, NULL);
	free(t->v);
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

/* 0: none is known, and no more are made up. */
static uint32_t
node_of(struct thread *t, struct slice id)
{
	uintptr_t i = (uintptr_t)map_get(&t->ids, id);

	if (i == 0 && t->n < t->added * DUMMIES + DUMMIES_MORE) {
		i = new_node(t);
		(void)map_put(&t->ids, id, (void *)i);
	}
	return (uint32_t)i;
}

/* The next id of a field, in the form that compares; in b. */
static bool
next_id(struct slice *rest, struct buf *b)
{
	struct slice id;

	do {
		if (!msgid_next(rest, &id))
			return false;
		buf_clear(b);
		msgid_norm(b, id);
	} while (buf_failed(b) || buf_len(b) == 0);
	return true;
}

/* Links each to the one before; returns the last, or 0. */
static uint32_t
link_references(struct thread *t, struct slice field, size_t max)
{
	uint32_t last = 0;
	struct buf id;

	buf_init(&id, ID_MAX);
	for (size_t n = 0; n < max && next_id(&field, &id); n++) {
		uint32_t i = node_of(t, buf_slice(&id));

		if (i == 0)
			continue;
		if (last != 0 && t->v[i].parent == 0 && !is_above(t, i, last))
			append_child(t, last, i);
		last = i;
	}
	buf_fini(&id);
	return last;
}

/* The node of a message: the dummy that others have named, or a new one when
 * it has no id, or one that an earlier message has. */
static uint32_t
own_node(struct thread *t, struct slice headers)
{
	struct slice field = header_find(headers, SLICE("Message-ID"));
	uint32_t i = 0;
	struct buf id;

	buf_init(&id, ID_MAX);
	if (field.p != NULL && next_id(&field, &id))
		i = node_of(t, buf_slice(&id));
	if (i == 0 || t->v[i].seq != 0)
		i = new_node(t);
	buf_fini(&id);
	return i;
}

void
thread_add(struct thread *t, const struct order_msg *m, struct slice headers)
{
	uint32_t i = own_node(t, headers), parent;
	struct thread_node *x;

	t->added++;
	t->v[i].seq = m->seq; /* from here on no dummy */
	parent = link_references(
	    t, header_find(headers, SLICE("References")), REFS_MAX);
	if (parent == 0)
		parent = link_references(
		    t, header_find(headers, SLICE("In-Reply-To")), 1);
	x = &t->v[i];
	x->date = m->date;
	x->subject = m->subject;
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

static int
by_date(const void *a, const void *b, void *arg)
{
	const struct thread_node *x = face(arg, *(const uint32_t *)a);
	const struct thread_node *y = face(arg, *(const uint32_t *)b);

	if (x->date != y->date)
		return x->date < y->date ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* scratch has room for all nodes. */
static void
sort_children(struct thread *t, uint32_t parent, uint32_t *scratch)
{
	size_t n = 0;

	if (t->v[parent].child == t->v[parent].last)
		return;
	for (uint32_t i = t->v[parent].child; i != 0; i = t->v[i].next)
		scratch[n++] = i;
	qsort_r(scratch, n, sizeof(*scratch), by_date, t);
	t->v[parent].child = t->v[parent].last = 0;
	for (size_t i = 0; i < n; i++)
		append_child(t, parent, scratch[i]);
}

/* Dummies are children of 0 only: theirs are sorted before them. */
static void
sort_top(struct thread *t)
{
	uint32_t *scratch = xcalloc(t->n, sizeof(*scratch));

	for (uint32_t i = t->v[0].child; i != 0; i = t->v[i].next)
		if (t->v[i].seq == 0)
			sort_children(t, i, scratch);
	sort_children(t, 0, scratch);
	free(scratch);
}

static void
sort_all(struct thread *t)
{
	uint32_t *scratch = xcalloc(t->n, sizeof(*scratch));
	size_t n;
	uint32_t *v = all_below(t, &n);

	for (size_t i = 0; i < n; i++)
		sort_children(t, v[i], scratch);
	sort_children(t, 0, scratch);
	free(v);
	free(scratch);
}

/* ---- (5): the same subject ---- */

static void
fill_subjects(struct thread *t, struct map *subjects)
{
	for (uint32_t i = t->v[0].child; i != 0; i = t->v[i].next) {
		const struct thread_node *x = face(t, i), *y;
		uintptr_t k;

		if (x->subject.n == 0)
			continue;
		k = (uintptr_t)map_get(subjects, x->subject);
		y = &t->v[k];
		if (k == 0 ||
		    (y->seq != 0 &&
			(t->v[i].seq == 0 || (y->is_reply && !x->is_reply))))
			(void)map_put(
			    subjects, x->subject, (void *)(uintptr_t)i);
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
	struct map subjects;
	uint32_t *tops = xcalloc(t->n, sizeof(*tops));
	size_t n = 0;

	map_init(&subjects);
	fill_subjects(t, &subjects);
	for (uint32_t i = t->v[0].child; i != 0; i = t->v[i].next)
		tops[n++] = i;
	for (size_t at = 0; at < n; at++) {
		struct slice subject = face(t, tops[at])->subject;
		uintptr_t k;

		if (subject.n == 0)
			continue;
		k = (uintptr_t)map_get(&subjects, subject);
		if (k == tops[at] || t->v[tops[at]].parent != 0)
			continue;
		k = merge(t, tops[at], (uint32_t)k);
		(void)map_put(&subjects, subject, (void *)k);
	}
	map_fini(&subjects, NULL);
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

/* ---- ORDEREDSUBJECT ---- */

void
thread_by_subject(struct thread *t, struct order_msg *v, size_t n)
{
	static const struct order_by by[] = { { OK_SUBJECT, false },
		{ OK_DATE, false } };
	uint32_t *scratch, top = 0;

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
	scratch = xcalloc(t->n, sizeof(*scratch));
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
