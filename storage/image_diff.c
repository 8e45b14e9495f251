#include "storage/image_diff.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "storage/image_build.h"

/* Sequence numbers of the first message of the runs being compared. */
struct at {
	uint32_t old, now;
};

static void
add_gone(struct image_diff *d, uint32_t seq, uint32_t uid)
{
	d->gone = mem_grow(d->gone, &d->gone_cap, d->ngone, sizeof(*d->gone));
	d->gone[d->ngone++] = (struct image_gone){ seq, uid };
}

static void
add_changed(struct image_diff *d, uint32_t seq, const struct hot_entry *e)
{
	d->changed = mem_grow(
	    d->changed, &d->changed_cap, d->nchanged, sizeof(*d->changed));
	d->changed[d->nchanged++] =
	    (struct image_changed){ seq, e->uid, e->modseq };
}

/* Two runs of one number; either may be NULL. */
static void
diff_run(struct image_diff *d, const struct run *x, const struct run *y,
    const struct at *at)
{
	uint32_t nx = x != NULL ? x->n : 0, ny = y != NULL ? y->n : 0;
	struct hot_entry a = { 0 }, b = { 0 };
	uint32_t i = 0, j = 0;

	while (i < nx || j < ny) {
		if (i < nx)
			hot_get(x->bytes, i, &a);
		if (j < ny)
			hot_get(y->bytes, j, &b);
		if (j == ny || (i < nx && a.uid < b.uid)) {
			add_gone(d, at->old + i++, a.uid);
		} else if (i == nx || b.uid < a.uid) {
			d->nfresh++;
			j++;
		} else {
			if (a.modseq != b.modseq)
				add_changed(d, at->now + j, &b);
			i++;
			j++;
		}
	}
}

/* Two leaves of one number; either may be NULL. */
static void
diff_leaf(struct image_diff *d, const struct leaf *x, const struct leaf *y,
    struct at at)
{
	uint32_t nx = x != NULL ? x->nruns : 0, ny = y != NULL ? y->nruns : 0;
	uint32_t i = 0, j = 0;

	while (i < nx || j < ny) {
		const struct run *a = i < nx ? x->run[i] : NULL;
		const struct run *b = j < ny ? y->run[j] : NULL;

		if (a != NULL && b != NULL && a->nr != b->nr) {
			if (a->nr < b->nr)
				b = NULL;
			else
				a = NULL;
		}
		if (a != b)
			diff_run(d, a, b, &at);
		if (a != NULL) {
			at.old += a->n;
			i++;
		}
		if (b != NULL) {
			at.now += b->n;
			j++;
		}
	}
}

/* The next pair of leaves of one number, NULL where one side has none; false
 * at the end. */
struct pair {
	const struct image *old, *now;
	uint32_t i, j;
	struct leaf *x, *y;
};

static bool
pair_next(struct pair *p)
{
	p->x = p->i < p->old->nleaves ? p->old->leaf[p->i] : NULL;
	p->y = p->j < p->now->nleaves ? p->now->leaf[p->j] : NULL;
	if (p->x == NULL && p->y == NULL)
		return false;
	if (p->x != NULL && p->y != NULL && p->x->nr != p->y->nr) {
		if (p->x->nr < p->y->nr)
			p->y = NULL;
		else
			p->x = NULL;
	}
	p->i += p->x != NULL;
	p->j += p->y != NULL;
	return true;
}

void
image_diff(
    const struct image *old, const struct image *now, struct image_diff *d)
{
	struct pair p = { .old = old, .now = now };
	struct at at = { 1, 1 };

	*d = (struct image_diff){ 0 };
	while (pair_next(&p)) {
		if (p.x != p.y)
			diff_leaf(d, p.x, p.y, at);
		at.old += p.x != NULL ? p.x->n : 0;
		at.now += p.y != NULL ? p.y->n : 0;
	}
}

void
image_diff_fini(struct image_diff *d)
{
	free(d->gone);
	free(d->changed);
	*d = (struct image_diff){ 0 };
}

/* `now` with what only `old` has; a new run unless that is nothing. */
static struct run *
keep_run(struct run *old, struct run *now)
{
	uint8_t bytes[HOT_RUN_BYTES];
	uint32_t i = 0, j = 0, n = 0;
	bool kept = false;
	struct run *r;

	if (now == NULL)
		return run_ref(old);
	if (old == NULL || old == now)
		return run_ref(now);
	while ((i < old->n || j < now->n) && n < HOT_RUN) {
		const uint8_t *from;
		uint32_t a, b;

		a = i < old->n ? hot_uid(old->bytes, i) : UINT32_MAX;
		b = j < now->n ? hot_uid(now->bytes, j) : UINT32_MAX;
		if (i < old->n && (j == now->n || a < b)) {
			kept = true;
			from = old->bytes + (size_t)i++ * HOT_ENTRY;
		} else {
			i += i < old->n && a == b;
			from = now->bytes + (size_t)j++ * HOT_ENTRY;
		}
		memcpy(bytes + (size_t)n++ * HOT_ENTRY, from, HOT_ENTRY);
	}
	if (!kept)
		return run_ref(now);
	r = run_new(now->nr, bytes, n);
	return r;
}

static void
keep_leaf(struct image_build *b, const struct leaf *x, const struct leaf *y)
{
	uint32_t i = 0, j = 0;

	while (i < x->nruns || j < y->nruns) {
		struct run *a = i < x->nruns ? x->run[i] : NULL;
		struct run *c = j < y->nruns ? y->run[j] : NULL;

		if (a != NULL && c != NULL && a->nr != c->nr) {
			if (a->nr < c->nr)
				c = NULL;
			else
				a = NULL;
		}
		image_build_run(b, keep_run(a, c));
		i += a != NULL;
		j += c != NULL;
	}
}

struct image *
image_keep(const struct image *old, const struct image *now)
{
	struct pair p = { .old = old, .now = now };
	struct image_build b;
	struct image *im;

	image_build_init(&b, now);
	while (pair_next(&p)) {
		if (p.x == p.y || p.x == NULL)
			image_build_leaf(&b, leaf_ref(p.y));
		else if (p.y == NULL)
			image_build_leaf(&b, leaf_ref(p.x));
		else
			keep_leaf(&b, p.x, p.y);
	}
	im = image_build_done(&b);
	im->folder = now->folder;
	im->account = now->account;
	im->modseq = now->modseq;
	im->uidvalidity = now->uidvalidity;
	im->uidnext = now->uidnext;
	return im;
}
