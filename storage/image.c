#include "storage/image.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/folder_row.h"
#include "storage/generation.h"
#include "storage/image_build.h"
#include "storage/note.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum {
	KEEP_BYTES = 64 << 20, /* images nobody looks at go beyond this */
	PENDING_MAX = 64,      /* commits heard of before a rescan is cheaper */
	RUNS_MAX = 512         /* runs read singly */
};

struct image_slot {
	uint64_t folder;
	_Atomic uint64_t heard;
	_Atomic uint64_t generation; /* of cur: before it was read */
	/* under images.lock: */
	unsigned refs;
	struct image_slot *newer, *older; /* idle ones, by last use */
	struct notify_event *pending;
	size_t npending, cap;
	bool deaf; /* pending is not complete */
	size_t bytes;
	/* under lock, which is held across the index's reads: */
	pthread_mutex_t lock;
	struct image *cur;    /* or NULL */
	uint32_t recent_from; /* with it */
};

struct images {
	pthread_mutex_t lock;
	struct map slots; /* folder id -> slot */
	struct image_slot *newest, *oldest;
	size_t bytes;
	struct note_names *names;
};

struct images *
images_new(struct store *s)
{
	struct images *im = xcalloc(1, sizeof(*im));

	(void)s;
	pthread_mutex_init(&im->lock, NULL);
	map_init(&im->slots);
	im->names = note_names_new();
	return im;
}

static void
slot_free(void *value)
{
	struct image_slot *slot = value;

	image_unref(&slot->cur);
	free(slot->pending);
	pthread_mutex_destroy(&slot->lock);
	free(slot);
}

void
images_free(struct images **im)
{
	if (*im == NULL)
		return;
	map_fini(&(*im)->slots, slot_free);
	pthread_mutex_destroy(&(*im)->lock);
	note_names_free(&(*im)->names);
	free(*im);
	*im = NULL;
}

struct note_names *
images_note_names(struct store *s)
{
	return s->images->names;
}

static void
idle_remove(struct images *im, struct image_slot *slot)
{
	if (slot->newer != NULL)
		slot->newer->older = slot->older;
	else
		im->newest = slot->older;
	if (slot->older != NULL)
		slot->older->newer = slot->newer;
	else
		im->oldest = slot->newer;
	slot->newer = slot->older = NULL;
}

static void
idle_add(struct images *im, struct image_slot *slot)
{
	slot->older = im->newest;
	if (im->newest != NULL)
		im->newest->newer = slot;
	else
		im->oldest = slot;
	im->newest = slot;
}

struct image_slot *
image_slot_get(struct store *s, uint64_t folder)
{
	struct images *im = s->images;
	struct image_slot *slot;

	pthread_mutex_lock(&im->lock);
	slot = map_get_u64(&im->slots, folder);
	if (slot == NULL) {
		slot = xcalloc(1, sizeof(*slot));
		slot->folder = folder;
		slot->bytes = sizeof(*slot);
		pthread_mutex_init(&slot->lock, NULL);
		map_put_u64(&im->slots, folder, slot);
		im->bytes += slot->bytes;
		notify_want(s, 0, folder, 1); /* before it is read */
	} else if (slot->refs == 0)
		idle_remove(im, slot);
	slot->refs++;
	pthread_mutex_unlock(&im->lock);
	return slot;
}

/* Takes idle slots out until the rest fits; the caller frees them. */
static struct image_slot *
evict(struct images *im)
{
	struct image_slot *out = NULL, *slot;

	while (im->bytes > KEEP_BYTES && (slot = im->oldest) != NULL) {
		idle_remove(im, slot);
		map_del_u64(&im->slots, slot->folder);
		im->bytes -= slot->bytes;
		slot->older = out;
		out = slot;
	}
	return out;
}

void
image_slot_put(struct store *s, struct image_slot **slotp)
{
	struct images *im = s->images;
	struct image_slot *slot = *slotp, *next;

	*slotp = NULL;
	if (slot == NULL)
		return;
	pthread_mutex_lock(&im->lock);
	if (--slot->refs == 0)
		idle_add(im, slot);
	slot = evict(im);
	pthread_mutex_unlock(&im->lock);
	for (; slot != NULL; slot = next) {
		next = slot->older;
		notify_want(s, 0, slot->folder, -1);
		slot_free(slot);
	}
}

uint64_t
image_slot_heard(const struct image_slot *slot)
{
	return atomic_load(&slot->heard);
}

static void
hear(struct image_slot *slot, uint64_t modseq)
{
	uint64_t was = atomic_load(&slot->heard);

	while (was < modseq &&
	       !atomic_compare_exchange_weak(&slot->heard, &was, modseq))
		;
}

void
images_stale(struct store *s, const struct notify_event *ev)
{
	struct images *im = s->images;
	struct image_slot *slot;

	if (ev->kind != NOTIFY_FOLDER || im == NULL)
		return;
	pthread_mutex_lock(&im->lock);
	slot = map_get_u64(&im->slots, ev->folder);
	if (slot != NULL) {
		hear(slot, ev->modseq_to);
		if (slot->npending == PENDING_MAX || ev->nruns == 0)
			slot->deaf = true;
		if (!slot->deaf) {
			slot->pending = mem_grow(slot->pending, &slot->cap,
			    slot->npending, sizeof(*slot->pending));
			slot->pending[slot->npending++] = *ev;
		}
	}
	pthread_mutex_unlock(&im->lock);
}

/* One refresh: what is known to have changed, and what it was before. */
struct refresh {
	uint64_t folder;
	struct image *old; /* borrowed; may be NULL */
	struct notify_event *ev;
	size_t nev;
	bool deaf;
	uint32_t recent_from;
	uint32_t runs[RUNS_MAX]; /* rising */
	size_t nruns;
	struct image *out;
};

static int
cmp_event(const void *a, const void *b)
{
	const struct notify_event *x = a, *y = b;

	return (x->modseq_from > y->modseq_from) -
	       (x->modseq_from < y->modseq_from);
}

static int
cmp_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
sort_runs(struct refresh *r)
{
	size_t n = 0;

	if (r->nruns > 0)
		qsort(r->runs, r->nruns, sizeof(*r->runs), cmp_u32);
	for (size_t i = 0; i < r->nruns; i++)
		if (n == 0 || r->runs[n - 1] != r->runs[i])
			r->runs[n++] = r->runs[i];
	r->nruns = n;
}

/* Do the events tell of every commit from the old image's to `modseq`, and
 * are few runs theirs? */
static bool
chain(struct refresh *r, uint64_t modseq)
{
	uint64_t at;

	if (r->old == NULL || r->deaf || r->nev == 0)
		return false;
	at = r->old->modseq;
	qsort(r->ev, r->nev, sizeof(*r->ev), cmp_event);
	for (size_t i = 0; i < r->nev; i++) {
		const struct notify_event *ev = &r->ev[i];

		if (ev->modseq_to <= at)
			continue;
		if (ev->modseq_from != at || ev->nruns > NOTIFY_RUNS_MAX ||
		    r->nruns + ev->nruns > RUNS_MAX)
			return false;
		memcpy(r->runs + r->nruns, ev->runs,
		    ev->nruns * sizeof(*ev->runs));
		r->nruns += ev->nruns;
		at = ev->modseq_to;
	}
	sort_runs(r);
	/* A point read costs about as much as scanning 8 runs. */
	return at == modseq && r->nruns <= 4 + r->old->n / (8 * HOT_RUN);
}

static void
add_packed(struct image_build *b, uint32_t nr, const uint8_t *packed, size_t n)
{
	struct run *old = image_old_run(b, nr);

	if (old != NULL && old->n * HOT_ENTRY == n &&
	    memcmp(old->bytes, packed, n) == 0)
		image_build_run(b, run_ref(old));
	else
		image_build_run(
		    b, run_new(nr, packed, (uint32_t)(n / HOT_ENTRY)));
}

static int
scan_all(struct db_txn *t, const struct refresh *r, struct image_build *b)
{
	uint8_t from[HOT_KEY], to[HOT_KEY];
	struct db_scan *scan = NULL;
	struct slice key, value, packed;
	int rc;

	hot_key(from, r->folder, 0);
	hot_key(to, r->folder + 1, 0);
	rc = db_scan_init(t, T_HOT, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		uint32_t nr;

		if (key.n != HOT_KEY) {
			rc = ERR_CORRUPT;
			break;
		}
		nr = num_get32(key.p + 8);
		if ((rc = hot_decode(value, nr, &packed)) == 0)
			add_packed(b, nr, (const uint8_t *)packed.p, packed.n);
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
read_run(struct db_txn *t, const struct refresh *r, struct image_build *b,
    uint32_t nr)
{
	struct hot_run hot;
	int rc = hot_load(t, r->folder, nr, false, &hot);

	if (rc == 0 && hot.n > 0)
		add_packed(b, nr, hot.bytes, (size_t)hot.n * HOT_ENTRY);
	return rc;
}

/* One leaf of the old image (or NULL) with those runs read anew that are of
 * its number; *at moves behind them. */
static int
patch_leaf(struct db_txn *t, const struct refresh *r, struct image_build *b,
    struct leaf *l, uint32_t nr, size_t *at)
{
	uint32_t i = 0, nold = l != NULL ? l->nruns : 0;
	int rc = 0;

	for (;;) {
		bool fresh = *at < r->nruns && r->runs[*at] / LEAF_RUNS == nr;

		if (i < nold && (!fresh || l->run[i]->nr < r->runs[*at])) {
			image_build_run(b, run_ref(l->run[i++]));
			continue;
		}
		if (!fresh)
			return 0;
		if (i < nold && l->run[i]->nr == r->runs[*at])
			i++;
		if ((rc = read_run(t, r, b, r->runs[(*at)++])) != 0)
			return rc;
	}
}

static int
patch_runs(struct db_txn *t, const struct refresh *r, struct image_build *b)
{
	const struct image *old = r->old;
	uint32_t i = 0;
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && (i < old->nleaves || at < r->nruns)) {
		struct leaf *l = i < old->nleaves ? old->leaf[i] : NULL;
		uint32_t nr = l != NULL ? l->nr : UINT32_MAX;
		bool fresh = at < r->nruns && r->runs[at] / LEAF_RUNS <= nr;

		if (!fresh) {
			image_build_leaf(b, leaf_ref(l));
			i++;
			continue;
		}
		if (r->runs[at] / LEAF_RUNS < nr)
			l = NULL;
		else
			i++;
		nr = r->runs[at] / LEAF_RUNS;
		rc = patch_leaf(t, r, b, l, nr, &at);
	}
	return rc;
}

static int
refresh_txn(struct db_txn *t, void *arg)
{
	struct refresh *r = arg;
	struct image_build b;
	struct folder_row row;
	int rc;

	if ((rc = folder_row_get(t, r->folder, false, &row)) != 0)
		return rc;
	r->recent_from = row.st.recent_from;
	if (r->old != NULL && r->old->modseq == row.st.highestmodseq) {
		r->out = image_ref(r->old);
		r->out->octets = row.st.bytes; /* fsck may have said so */
		return 0;
	}
	image_build_init(&b, r->old);
	if (chain(r, row.st.highestmodseq))
		rc = patch_runs(t, r, &b);
	else
		rc = scan_all(t, r, &b);
	if (rc != 0) {
		image_build_abort(&b);
		return rc;
	}
	r->out = image_build_done(&b);
	r->out->folder = r->folder;
	r->out->account = row.account;
	r->out->modseq = row.st.highestmodseq;
	r->out->uidvalidity = row.st.uidvalidity;
	r->out->uidnext = row.st.uidnext;
	r->out->octets = row.st.bytes;
	return 0;
}

static void
take_pending(struct images *im, struct image_slot *slot, struct refresh *r)
{
	pthread_mutex_lock(&im->lock);
	r->ev = slot->pending;
	r->nev = slot->npending;
	r->deaf = slot->deaf;
	slot->pending = NULL;
	slot->npending = slot->cap = 0;
	slot->deaf = false;
	pthread_mutex_unlock(&im->lock);
}

static void
set_current(struct images *im, struct image_slot *slot, struct image *cur)
{
	size_t bytes = sizeof(*slot) + (cur != NULL ? cur->bytes : 0);

	image_unref(&slot->cur);
	slot->cur = cur != NULL ? image_ref(cur) : NULL;
	pthread_mutex_lock(&im->lock);
	im->bytes += bytes - slot->bytes;
	slot->bytes = bytes;
	pthread_mutex_unlock(&im->lock);
}

/* Is what we have the present state?  Under slot->lock. */
static bool
is_current(struct store *s, const struct image_slot *slot)
{
	return slot->cur != NULL &&
	       generation_of(s, slot->folder) == slot->generation;
}

static int
refresh(struct store *s, struct image_slot *slot)
{
	uint64_t generation = generation_of(s, slot->folder);
	struct refresh r = { .folder = slot->folder, .old = slot->cur };
	int rc;

	take_pending(s->images, slot, &r);
	rc = db_read(s->db, refresh_txn, &r);
	if (rc == 0) {
		hear(slot, r.out->modseq);
		if (r.out != slot->cur)
			set_current(s->images, slot, r.out);
		image_unref(&r.out);
		slot->recent_from = r.recent_from;
		slot->generation = generation;
	} else
		set_current(s->images, slot, NULL);
	free(r.ev);
	return rc;
}

int
image_get(struct store *s, struct image_slot *slot, struct image **im_out,
    uint32_t *recent_from_out)
{
	int rc = 0;

	*im_out = NULL;
	pthread_mutex_lock(&slot->lock);
	if (!is_current(s, slot))
		rc = refresh(s, slot);
	if (rc == 0) {
		*im_out = image_ref(slot->cur);
		*recent_from_out = slot->recent_from;
	}
	pthread_mutex_unlock(&slot->lock);
	return rc;
}

bool
image_get_now(struct store *s, struct image_slot *slot, struct image **im_out,
    uint32_t *recent_from_out)
{
	bool have;

	*im_out = NULL;
	if (pthread_mutex_trylock(&slot->lock) != 0)
		return false;
	have = is_current(s, slot);
	if (have) {
		*im_out = image_ref(slot->cur);
		*recent_from_out = slot->recent_from;
	}
	pthread_mutex_unlock(&slot->lock);
	return have;
}

bool
image_slot_stale(const struct store *s, const struct image_slot *slot)
{
	return generation_of(s, slot->folder) != slot->generation;
}
