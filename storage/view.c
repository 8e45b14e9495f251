#include "storage/view.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "storage/folder_row.h"
#include "storage/generation.h"
#include "storage/gone.h"
#include "storage/image_diff.h"
#include "storage/store_priv.h"

/* A change this session has told its peer of. */
struct told {
	uint32_t uid;
	uint64_t modseq;
};

struct view {
	struct store *store;
	struct image_slot *slot;
	struct image *shown; /* what the peer knows */
	struct image *base;  /* the folder it was made from; the same unless
			      * messages that are gone are still shown */
	uint64_t account, folder;
	uint32_t recent_from;
	bool read_only;
	struct told *told;
	size_t ntold, told_cap;
};

struct claim {
	uint64_t folder;
	uint32_t upto; /* 0: all there are */
	uint32_t was;
};

/* All messages up to `upto` stop being \Recent for those who come later. */
static int
claim_txn(struct db_txn *t, void *arg)
{
	struct claim *c = arg;
	struct folder_row row;
	uint32_t upto;
	int rc;

	if ((rc = folder_row_get(t, c->folder, true, &row)) != 0)
		return rc;
	c->was = row.st.recent_from;
	upto = c->upto != 0 ? c->upto : row.st.uidnext;
	if (upto <= row.st.recent_from)
		return 0;
	row.st.recent_from = upto;
	return folder_row_put(t, c->folder, &row);
}

/* The generation counts: others have the old place in mind. */
static int
claim(struct view *v, struct claim *c)
{
	int rc = db_update(v->store->db, claim_txn, c);

	generation_bump(v->store, v->folder);
	return rc;
}

/* Only a folder with \Recent messages costs a write. */
static int
open_recent(struct view *v)
{
	struct claim c = { .folder = v->folder, .was = v->recent_from };
	int rc = 0;

	if (!v->read_only && c.was < v->base->uidnext)
		rc = claim(v, &c);
	v->recent_from = c.was;
	return rc;
}

int
view_open(struct store *s, uint64_t account, uint64_t folder, bool read_only,
    struct view **view_out)
{
	struct view *v = xcalloc(1, sizeof(*v));
	int rc;

	*view_out = NULL;
	v->store = s;
	v->account = account;
	v->folder = folder;
	v->read_only = read_only;
	v->slot = image_slot_get(s, folder);
	if ((rc = image_get(s, v->slot, &v->base, &v->recent_from)) != 0)
		goto out;
	if (v->base->account != account) {
		rc = ERR_NOTFOUND;
		goto out;
	}
	v->shown = image_ref(v->base);
	if ((rc = open_recent(v)) != 0)
		goto out;
	*view_out = v;
	v = NULL;
out:
	if (v != NULL)
		v->read_only = true;
	view_close(&v);
	return rc;
}

struct view *
view_open_now(
    struct store *s, uint64_t account, uint64_t folder, bool read_only)
{
	struct image_slot *slot = image_slot_get(s, folder);
	struct image *im;
	struct view *v;
	uint32_t recent;

	if (!image_get_now(s, slot, &im, &recent) || im->account != account ||
	    (!read_only && recent < im->uidnext)) { /* to be claimed */
		image_unref(&im);
		image_slot_put(s, &slot);
		return NULL;
	}
	v = xcalloc(1, sizeof(*v));
	*v = (struct view){ .store = s,
		.slot = slot,
		.shown = image_ref(im),
		.base = im,
		.account = account,
		.folder = folder,
		.recent_from = recent,
		.read_only = read_only };
	return v;
}

/* What came while the folder was open has been seen by this session. */
static void
close_recent(struct view *v)
{
	struct claim c = { .folder = v->folder, .upto = v->base->uidnext };
	struct image *now;
	uint32_t recent;

	if (image_get(v->store, v->slot, &now, &recent) != 0)
		return;
	image_unref(&now);
	if (recent < c.upto)
		(void)!claim(v, &c);
}

void
view_close(struct view **vp)
{
	struct view *v = *vp;

	*vp = NULL;
	if (v == NULL)
		return;
	if (!v->read_only && v->base != NULL)
		close_recent(v);
	image_unref(&v->shown);
	image_unref(&v->base);
	image_slot_put(v->store, &v->slot);
	free(v->told);
	free(v);
}

void
view_drop(struct view **vp)
{
	if (*vp != NULL)
		(*vp)->read_only = true; /* claims nothing */
	view_close(vp);
}

bool
view_close_now(struct view **vp)
{
	struct view *v = *vp;
	struct image *now;
	uint32_t recent = 0;

	if (!v->read_only) {
		if (!image_get_now(v->store, v->slot, &now, &recent))
			return false;
		image_unref(&now);
		if (recent < v->base->uidnext)
			return false;
	}
	view_drop(vp);
	return true;
}

/* Shows `now`, whose base is `base`; takes both references. */
static void
show(struct view *v, struct image *now, struct image *base)
{
	image_unref(&v->shown);
	image_unref(&v->base);
	v->shown = now;
	v->base = base;
	v->ntold = 0;
	if (v->told_cap > 1024) {
		free(v->told);
		v->told = NULL;
		v->told_cap = 0;
	}
}

bool
view_reopen(struct view *v, bool read_only)
{
	struct image *now;
	uint32_t recent;

	if (!image_get_now(v->store, v->slot, &now, &recent))
		return false;
	/* Nothing may be left to claim, at the end nor at the new beginning. */
	if ((!v->read_only && recent < v->base->uidnext) ||
	    (!read_only && recent < now->uidnext)) {
		image_unref(&now);
		return false;
	}
	show(v, image_ref(now), now);
	v->recent_from = recent;
	v->read_only = read_only;
	return true;
}

uint64_t
view_folder(const struct view *v)
{
	return v->folder;
}

uint64_t
view_account(const struct view *v)
{
	return v->account;
}

uint32_t
view_uidvalidity(const struct view *v)
{
	return v->shown->uidvalidity;
}

uint32_t
view_uidnext(const struct view *v)
{
	return v->shown->uidnext;
}

uint64_t
view_modseq(const struct view *v)
{
	return v->shown->modseq;
}

uint32_t
view_count(const struct view *v)
{
	return v->shown->n;
}

uint64_t
view_octets(const struct view *v)
{
	return v->base->octets;
}

uint32_t
view_recent(const struct view *v)
{
	return v->shown->n + 1 - image_lower(v->shown, v->recent_from);
}

static void
fill_msg(const struct view *v, const struct hot_entry *e, struct view_msg *out)
{
	out->uid = e->uid;
	out->flags = e->flags;
	out->keywords = e->keywords;
	out->modseq = e->modseq;
	out->recent = e->uid >= v->recent_from;
}

void
view_get(const struct view *v, uint32_t seq, struct view_msg *out)
{
	struct hot_entry e;

	image_at(v->shown, seq, &e);
	fill_msg(v, &e, out);
}

const struct view_msg *
view_at(const struct view *v, struct view_cur *c, uint32_t seq)
{
	struct hot_entry e[VIEW_AHEAD];

	if (seq - c->first >= c->n) {
		c->first = seq;
		c->n = (uint32_t)image_read(v->shown, seq, e, VIEW_AHEAD);
		ph_assert(c->n != 0);
		for (uint32_t i = 0; i < c->n; i++)
			fill_msg(v, &e[i], &c->m[i]);
	}
	return &c->m[seq - c->first];
}

size_t
view_uids(const struct view *v, uint32_t seq, uint32_t *uids, size_t cap)
{
	return image_uids(v->shown, seq, uids, cap);
}

uint32_t
view_seq(const struct view *v, uint32_t uid)
{
	return image_find(v->shown, uid);
}

uint32_t
view_seq_from(const struct view *v, uint32_t uid)
{
	return image_lower(v->shown, uid);
}

uint32_t
view_first_unseen(const struct view *v)
{
	return image_first_unseen(v->shown);
}

bool
view_stale(const struct view *v)
{
	return v->shown != v->base || image_slot_stale(v->store, v->slot) ||
	       image_slot_heard(v->slot) > v->base->modseq;
}

void
view_seen_changes(
    struct view *v, const uint32_t *uids, const uint64_t *modseqs, size_t n)
{
	if (n > v->told_cap - v->ntold) {
		v->told_cap = v->ntold + n;
		v->told = xrealloc(v->told, v->told_cap * sizeof(*v->told));
	}
	for (size_t i = 0; i < n; i++)
		v->told[v->ntold++] = (struct told){ uids[i], modseqs[i] };
}

static int
cmp_told(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	return (x->modseq > y->modseq) - (x->modseq < y->modseq);
}

/* Several commands may have told of changes; of one, they rise. */
static void
sort_told(struct view *v)
{
	for (size_t i = 1; i < v->ntold; i++) {
		if (cmp_told(&v->told[i - 1], &v->told[i]) <= 0)
			continue;
		qsort(v->told, v->ntold, sizeof(*v->told), cmp_told);
		return;
	}
}

/* Changes rise by UID, too. */
static void
fill_changed(struct view *v, const struct image_diff *d, struct view_delta *out)
{
	size_t at = 0;

	if (d->nchanged == 0)
		return;
	sort_told(v);
	out->changed = xmalloc(d->nchanged * sizeof(*out->changed));
	for (size_t i = 0; i < d->nchanged; i++) {
		struct told now = { d->changed[i].uid, d->changed[i].modseq };

		while (at < v->ntold && cmp_told(&v->told[at], &now) < 0)
			at++;
		if (at == v->ntold || cmp_told(&v->told[at], &now) != 0)
			out->changed[out->nchanged++] = d->changed[i].seq;
	}
}

/* Highest first, so that no number shifts before it is told. */
static void
fill_gone(const struct image_diff *d, struct view_delta *out)
{
	if (d->ngone == 0)
		return;
	out->gone = xmalloc(d->ngone * sizeof(*out->gone));
	for (size_t i = d->ngone; i-- > 0;) {
		out->gone[out->ngone].seq = d->gone[i].seq;
		out->gone[out->ngone++].uid = d->gone[i].uid;
	}
}

int
view_sync(struct view *v, bool may_expunge, struct view_delta *delta)
{
	struct image *base, *now;
	struct image_diff d;
	uint32_t recent;
	int rc;

	*delta = (struct view_delta){ .modseq_before = v->shown->modseq };
	rc = image_get(v->store, v->slot, &base, &recent);
	if (rc == ERR_NOTFOUND) {
		delta->folder_gone = true;
		return 0;
	}
	if (rc != 0)
		return rc;
	if (base == v->base && (base == v->shown || !may_expunge)) {
		image_unref(&base);
		v->ntold = 0;
		return 0;
	}
	now = image_ref(base);
	image_diff(v->shown, now, &d);
	if (!may_expunge && d.ngone > 0) {
		image_unref(&now);
		now = image_keep(v->shown, base);
		image_diff_fini(&d);
		image_diff(v->shown, now, &d);
	}
	fill_gone(&d, delta);
	fill_changed(v, &d, delta);
	delta->more = d.nfresh > 0;
	image_diff_fini(&d);
	show(v, now, base);
	return 0;
}

void
view_delta_fini(struct view_delta *d)
{
	free(d->gone);
	free(d->changed);
	*d = (struct view_delta){ 0 };
}

struct gone_read {
	uint64_t folder, modseq;
	uint32_t **uids_out;
	size_t *n_out;
};

static int
gone_txn(struct db_txn *t, void *arg)
{
	struct gone_read *g = arg;
	struct folder_row row;
	int rc;

	if ((rc = folder_row_get(t, g->folder, false, &row)) != 0)
		return rc;
	if (g->modseq + 1 < row.gone_floor)
		return ERR_NOTFOUND;
	return gone_since(t, g->folder, g->modseq, g->uids_out, g->n_out);
}

int
view_gone_since(
    struct view *v, uint64_t modseq, uint32_t **uids_out, size_t *n_out)
{
	struct gone_read g = { v->folder, modseq, uids_out, n_out };

	*uids_out = NULL;
	*n_out = 0;
	if (modseq == UINT64_MAX)
		return 0;
	return db_read(v->store->db, gone_txn, &g);
}
