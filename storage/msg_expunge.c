#include "storage/msg_expunge.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/entry.h"
#include "storage/gone.h"
#include "storage/msg.h"
#include "storage/note.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/trash.h"
#include "storage/usage.h"

/* What the entries, which stay, say. */
static void
take_sizes(struct expunge *x)
{
	size_t k = 0;

	for (size_t i = 0; i < x->ntaken; i++) {
		while (x->uids[k] != x->taken[i].hot.uid)
			k++;
		x->taken[i].size = x->sizes[k];
	}
}

/* The usage rows are locked first, as the tables' order wants; how much they
 * lose is known only later. */
int
expunge_txn(struct db_txn *t, struct expunge *x)
{
	int64_t bytes = 0;
	int rc;

	x->ntaken = 0;
	rc = usage_charge(t, x->account, 0, 0, true, 0, NULL);
	if (rc == 0)
		rc = folder_row_get(t, x->folder, true, &x->row);
	if (rc == 0 && x->row.account != x->account)
		rc = ERR_NOTFOUND;
	if (rc == 0)
		rc = take_hot(t, x->folder, x->uids, x->n, x->flags,
		    TAKE_REMOVE, x->taken, &x->ntaken);
	if (rc == 0 && x->sizes != NULL)
		take_sizes(x);
	else if (rc == 0)
		rc = take_entries(
		    t, x->account, x->folder, TAKE_REMOVE, x->taken, x->ntaken);
	if (rc != 0 || x->ntaken == 0)
		return rc;
	x->modseq_from = x->row.st.highestmodseq;
	x->modseq = ++x->row.st.highestmodseq;
	for (size_t i = 0; i < x->ntaken; i++) {
		const struct taken *m = &x->taken[i];

		x->gone[i] = m->hot.uid;
		bytes += (int64_t)m->size;
		folder_row_count(&x->row, m->hot.flags, m->size, -1);
	}
	if (x->sizes != NULL)
		rc = trash_put(t, x->account, x->folder, x->gone, x->ntaken);
	if (rc == 0)
		rc = gone_put(t, x->folder, x->modseq, x->gone, x->ntaken);
	if (rc == 0 && x->sizes == NULL)
		rc = take_release(t, x->account, x->taken, x->ntaken);
	if (rc == 0)
		rc = folder_row_put(t, x->folder, &x->row);
	if (rc == 0)
		rc = usage_charge(
		    t, x->account, -bytes, -(int64_t)x->ntaken, true, 0, NULL);
	return rc;
}

void
expunge_publish(struct store *s, const struct expunge *x)
{
	struct notify_event ev;

	if (x->ntaken == 0)
		return;
	note_gone(s, x->account, x->folder, x->modseq, x->gone, x->ntaken);
	change_begin(&ev, x->account, x->folder, x->modseq_from, x->modseq);
	for (size_t i = 0; i < x->ntaken; i++)
		change_uid(&ev, x->gone[i]);
	change_publish(s, &ev);
}

struct uid_scan {
	uint64_t account, folder;
	uint32_t flags;
	uint32_t *v;
	size_t n, cap;
};

static void
add_uids(struct uid_scan *u, struct slice packed)
{
	const uint8_t *p = (const uint8_t *)packed.p;
	struct hot_entry e;

	for (uint32_t i = 0; i < packed.n / HOT_ENTRY; i++) {
		hot_get(p, i, &e);
		if ((e.flags & u->flags) != u->flags)
			continue;
		u->v = mem_grow(u->v, &u->cap, u->n, sizeof(*u->v));
		u->v[u->n++] = e.uid;
	}
}

static int
list_txn(struct db_txn *t, void *arg)
{
	struct uid_scan *u = arg;
	uint8_t from[HOT_KEY], to[HOT_KEY];
	struct slice key, value, packed;
	struct db_scan *scan = NULL;
	struct folder_row row;
	int rc;

	if ((rc = folder_row_get(t, u->folder, false, &row)) != 0)
		return rc;
	if (row.account != u->account)
		return ERR_NOTFOUND;
	if ((u->flags & MSG_DELETED) != 0 && row.st.deleted == 0)
		return 0;
	hot_key(from, u->folder, 0);
	hot_key(to, u->folder + 1, 0);
	rc = db_scan_init(t, T_HOT, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		rc = key.n != HOT_KEY
			 ? ERR_CORRUPT
			 : hot_decode(value, num_get32(key.p + 8), &packed);
		if (rc == 0)
			add_uids(u, packed);
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
expunge_list(struct store *s, uint64_t account, uint64_t folder, uint32_t flags,
    uint32_t **uids_out, size_t *n_out)
{
	struct uid_scan u = { account, folder, flags, NULL, 0, 0 };
	int rc = db_read(s->db, list_txn, &u);

	if (rc != 0) {
		free(u.v);
		u.v = NULL;
		u.n = 0;
	}
	*uids_out = u.v;
	*n_out = u.n;
	return rc;
}

/* ---- many ---- */

enum {
	MANY = 32, /* fewer are released at once */
	DENSE = 8  /* a scan may pass over so many for one it is for */
};

struct sizes {
	uint64_t folder;
	const uint32_t *uids;
	size_t n;
	uint64_t *v;
};

static int
scan_sizes(struct db_txn *t, const struct sizes *z)
{
	uint8_t from[ENTRY_KEY], to[ENTRY_KEY];
	struct db_scan *scan = NULL;
	struct slice key, value, uidl;
	size_t i = 0;
	int rc;

	entry_key(from, z->folder, z->uids[0]);
	entry_key(to, z->folder + 1, 0);
	rc = db_scan_init(t, T_ENTRY, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && i < z->n &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		uint32_t uid = num_get32(key.p + 8);

		while (i < z->n && z->uids[i] < uid)
			i++;
		if (i < z->n && z->uids[i] == uid &&
		    entry_decode_brief(value, &z->v[i], &uidl) != 0)
			z->v[i] = 0; /* damaged: the keeper says so */
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* A message's size never changes. */
static int
sizes_txn(struct db_txn *t, void *arg)
{
	const struct sizes *z = arg;
	struct entry e;
	int rc = 0;

	memset(z->v, 0, z->n * sizeof(*z->v));
	if (z->uids[z->n - 1] - z->uids[0] < DENSE * z->n)
		return scan_sizes(t, z);
	for (size_t i = 0; i < z->n; i++) {
		rc = entry_get(t, z->folder, z->uids[i], false, &e);
		if (rc == 0)
			z->v[i] = e.size;
		else if (rc != ERR_NOTFOUND && rc != ERR_CORRUPT)
			return rc;
	}
	return 0;
}

static int
batch_txn(struct db_txn *t, void *arg)
{
	return expunge_txn(t, arg);
}

/* Many leave the folder only, and the keeper does the rest. */
static int
expunge_batch(struct store *s, struct expunge *x, struct sizes *z)
{
	int rc = 0;

	x->sizes = NULL;
	if (x->n >= MANY) {
		z->folder = x->folder;
		z->uids = x->uids;
		z->n = x->n;
		rc = db_read(s->db, sizes_txn, z);
		x->sizes = z->v;
	}
	if (rc == 0)
		rc = db_update(s->db, batch_txn, x);
	if (rc == 0)
		expunge_publish(s, x);
	return rc;
}

int
msg_expunge(struct store *s, uint64_t account, uint64_t folder,
    const uint32_t *uids, size_t n, bool only_deleted, size_t *gone_out)
{
	struct expunge *x = xmalloc(sizeof(*x));
	struct sizes z = { .v = NULL };
	uint32_t *all = NULL;
	size_t gone = 0;
	int rc = 0;

	x->account = account;
	x->folder = folder;
	x->flags = only_deleted ? MSG_DELETED : 0;
	if (uids == NULL) {
		rc = expunge_list(s, account, folder, x->flags, &all, &n);
		uids = all;
	}
	if (rc == 0 && n >= MANY)
		z.v = xcalloc(EXPUNGE_BATCH, sizeof(*z.v));
	for (size_t at = 0; rc == 0 && at < n; at += x->n) {
		x->uids = uids + at;
		x->n = n - at < EXPUNGE_BATCH ? n - at : EXPUNGE_BATCH;
		if ((rc = expunge_batch(s, x, &z)) == 0)
			gone += x->ntaken;
	}
	if (gone_out != NULL)
		*gone_out = gone;
	free(z.v);
	free(x);
	free(all);
	return rc;
}
