#include "storage/image_build.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "storage/view.h"

struct run *
run_new(uint32_t nr, const uint8_t *packed, uint32_t n)
{
	size_t bytes = (size_t)n * HOT_ENTRY;
	struct run *r = xmalloc(sizeof(*r) + bytes);

	atomic_init(&r->refs, 1);
	r->nr = nr;
	r->n = n;
	r->unseen = 0;
	memcpy(r->bytes, packed, bytes);
	for (uint32_t i = 0; i < n; i++)
		r->unseen += (hot_flags(packed, i) & MSG_SEEN) == 0;
	return r;
}

struct run *
run_ref(struct run *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

/* Was that the last one?  What others did to the object is seen then. */
static bool
last_ref(atomic_uint *refs)
{
	return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

void
run_unref(struct run **r)
{
	if (*r != NULL && last_ref(&(*r)->refs))
		free(*r);
	*r = NULL;
}

struct leaf *
leaf_ref(struct leaf *l)
{
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	return l;
}

static void
leaf_unref(struct leaf *l)
{
	if (!last_ref(&l->refs))
		return;
	for (uint32_t i = 0; i < l->nruns; i++)
		run_unref(&l->run[i]);
	free(l);
}

struct image *
image_ref(struct image *im)
{
	atomic_fetch_add_explicit(&im->refs, 1, memory_order_relaxed);
	return im;
}

void
image_unref(struct image **imp)
{
	struct image *im = *imp;

	*imp = NULL;
	if (im == NULL || !last_ref(&im->refs))
		return;
	for (uint32_t i = 0; i < im->nleaves; i++)
		leaf_unref(im->leaf[i]);
	free(im->leaf);
	free(im->before);
	free(im);
}

void
image_build_init(struct image_build *b, const struct image *old)
{
	*b = (struct image_build){ .old = old };
	b->im = xcalloc(1, sizeof(*b->im));
	atomic_init(&b->im->refs, 1);
	b->im->bytes = sizeof(*b->im);
}

static void
add_leaf(struct image_build *b, struct leaf *l)
{
	struct image *im = b->im;

	if (im->nleaves == im->cap) {
		im->cap = im->cap == 0 ? 4 : im->cap * 2;
		im->leaf = xrealloc(im->leaf, im->cap * sizeof(*im->leaf));
		im->before =
		    xrealloc(im->before, im->cap * sizeof(*im->before));
	}
	im->before[im->nleaves] = im->n;
	im->leaf[im->nleaves++] = l;
	im->n += l->n;
	im->unseen += l->unseen;
	im->bytes += l->bytes;
}

/* The leaf of this number of the old image, or NULL; numbers mostly rise. */
static struct leaf *
old_leaf(struct image_build *b, uint32_t nr)
{
	const struct image *old = b->old;

	if (old == NULL)
		return NULL;
	while (b->old_leaf > 0 && old->leaf[b->old_leaf - 1]->nr >= nr)
		b->old_leaf--;
	while (b->old_leaf < old->nleaves && old->leaf[b->old_leaf]->nr < nr)
		b->old_leaf++;
	if (b->old_leaf < old->nleaves && old->leaf[b->old_leaf]->nr == nr)
		return old->leaf[b->old_leaf];
	return NULL;
}

struct run *
image_old_run(struct image_build *b, uint32_t nr)
{
	struct leaf *l = old_leaf(b, nr / LEAF_RUNS);
	uint32_t lo = 0, hi;

	if (l == NULL)
		return NULL;
	hi = l->nruns;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (l->run[mid]->nr < nr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->nruns && l->run[lo]->nr == nr ? l->run[lo] : NULL;
}

static struct leaf *
leaf_new(const struct image_build *b)
{
	struct leaf *l = xmalloc(sizeof(*l));

	atomic_init(&l->refs, 1);
	l->nr = b->leaf_nr;
	l->nruns = b->nruns;
	l->n = l->unseen = 0;
	l->bytes = sizeof(*l);
	for (uint32_t i = 0; i < b->nruns; i++) {
		l->run[i] = b->run[i];
		l->before[i] = l->n;
		l->n += b->run[i]->n;
		l->unseen += b->run[i]->unseen;
		l->bytes += sizeof(**b->run) + b->run[i]->n * HOT_ENTRY;
	}
	return l;
}

static void
flush_leaf(struct image_build *b)
{
	struct leaf *old;

	if (b->nruns == 0)
		return;
	old = old_leaf(b, b->leaf_nr);
	if (old != NULL && old->nruns == b->nruns &&
	    memcmp(old->run, b->run, b->nruns * sizeof(*b->run)) == 0) {
		for (uint32_t i = 0; i < b->nruns; i++)
			run_unref(&b->run[i]);
		add_leaf(b, leaf_ref(old));
	} else
		add_leaf(b, leaf_new(b));
	b->nruns = 0;
}

void
image_build_run(struct image_build *b, struct run *r)
{
	if (r->nr / LEAF_RUNS != b->leaf_nr || b->nruns == LEAF_RUNS)
		flush_leaf(b);
	b->leaf_nr = r->nr / LEAF_RUNS;
	b->run[b->nruns++] = r;
}

void
image_build_leaf(struct image_build *b, struct leaf *l)
{
	flush_leaf(b);
	add_leaf(b, l);
}

struct image *
image_build_done(struct image_build *b)
{
	flush_leaf(b);
	return b->im;
}

void
image_build_abort(struct image_build *b)
{
	for (uint32_t i = 0; i < b->nruns; i++)
		run_unref(&b->run[i]);
	image_unref(&b->im);
}

/* The leaf that holds sequence number `at` (from 0). */
static uint32_t
leaf_of(const struct image *im, uint32_t at)
{
	uint32_t lo = 0, hi = im->nleaves;

	while (hi - lo > 1) {
		uint32_t mid = (lo + hi) / 2;

		if (im->before[mid] <= at)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* Where a message is. */
struct place {
	uint32_t leaf, run, at;
};

static struct place
place_of(const struct image *im, uint32_t seq)
{
	struct place p = { .leaf = leaf_of(im, seq - 1), .at = seq - 1 };
	const struct leaf *l = im->leaf[p.leaf];
	uint32_t hi = l->nruns;

	p.at -= im->before[p.leaf];
	while (hi - p.run > 1) {
		uint32_t mid = (p.run + hi) / 2;

		if (l->before[mid] <= p.at)
			p.run = mid;
		else
			hi = mid;
	}
	p.at -= l->before[p.run];
	return p;
}

void
image_at(const struct image *im, uint32_t seq, struct hot_entry *out)
{
	struct place p;

	ph_assert(seq >= 1 && seq <= im->n);
	p = place_of(im, seq);
	hot_get(im->leaf[p.leaf]->run[p.run]->bytes, p.at, out);
}

size_t
image_read(
    const struct image *im, uint32_t seq, struct hot_entry *out, size_t cap)
{
	struct place p;
	size_t n = 0;

	if (seq < 1 || seq > im->n)
		return 0;
	p = place_of(im, seq);
	for (; p.leaf < im->nleaves; p.leaf++, p.run = 0) {
		const struct leaf *l = im->leaf[p.leaf];

		for (; p.run < l->nruns; p.run++, p.at = 0) {
			const struct run *r = l->run[p.run];

			for (; p.at < r->n && n < cap; p.at++)
				hot_get(r->bytes, p.at, &out[n++]);
			if (n == cap)
				return n;
		}
	}
	return n;
}

size_t
image_uids(const struct image *im, uint32_t seq, uint32_t *uids, size_t cap)
{
	struct place p;
	size_t n = 0;

	if (seq < 1 || seq > im->n)
		return 0;
	p = place_of(im, seq);
	for (; p.leaf < im->nleaves; p.leaf++, p.run = 0) {
		const struct leaf *l = im->leaf[p.leaf];

		for (; p.run < l->nruns; p.run++, p.at = 0) {
			const struct run *r = l->run[p.run];

			for (; p.at < r->n && n < cap; p.at++)
				uids[n++] = hot_uid(r->bytes, p.at);
			if (n == cap)
				return n;
		}
	}
	return n;
}

uint32_t
image_lower(const struct image *im, uint32_t uid)
{
	uint32_t nr = hot_run_of(uid), lo = 0, hi = im->nleaves, at;
	const struct leaf *l;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (im->leaf[mid]->nr < nr / LEAF_RUNS)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == im->nleaves)
		return im->n + 1;
	l = im->leaf[lo];
	at = im->before[lo];
	lo = 0;
	hi = l->nruns;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (l->run[mid]->nr < nr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == l->nruns)
		return at + l->n + 1;
	at += l->before[lo];
	return at + hot_lower(l->run[lo]->bytes, l->run[lo]->n, uid) + 1;
}

uint32_t
image_find(const struct image *im, uint32_t uid)
{
	uint32_t seq = image_lower(im, uid);
	struct hot_entry e;

	if (seq > im->n)
		return 0;
	image_at(im, seq, &e);
	return e.uid == uid ? seq : 0;
}

uint32_t
image_first_unseen(const struct image *im)
{
	struct hot_entry e;
	uint32_t i = 0, j = 0, k = 0;
	const struct leaf *l;

	if (im->unseen == 0)
		return 0;
	while (im->leaf[i]->unseen == 0)
		i++;
	l = im->leaf[i];
	while (l->run[j]->unseen == 0)
		j++;
	for (;; k++) {
		hot_get(l->run[j]->bytes, k, &e);
		if ((e.flags & MSG_SEEN) == 0)
			return im->before[i] + l->before[j] + k + 1;
	}
}
