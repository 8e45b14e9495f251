#include "pop3d/drop.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/mem.h"
#include "pop3d/drop_priv.h"
#include "storage/msg.h"

static int
sum_bytes(struct drop *d, const uint32_t *uids, size_t n, uint64_t folder,
    uint64_t *bytes_io)
{
	struct msg_iter *it = NULL;
	struct msg_meta m;
	int rc = msg_iter_open(
	    d->store, d->account, folder, uids, n, 1, MSG_WANT_INFO, &it);

	while (rc == 0 && (rc = msg_iter_next(it, &m)) == 0)
		if (view_seq(d->view, m.uid) != 0)
			*bytes_io += m.size;
	msg_iter_close(&it);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static struct drop *
drop_new(struct store *s, uint64_t account)
{
	struct drop *d = xcalloc(1, sizeof(*d));

	d->store = s;
	d->account = account;
	return d;
}

static void
numbered(struct drop *d)
{
	d->bytes = view_octets(d->view);
	d->gone = xcalloc(drop_count(d) / 8 + 1, 1);
}

int
drop_open(struct store *s, uint64_t account, struct slice folder,
    struct drop **drop_out)
{
	struct drop *d = drop_new(s, account);
	struct folder_info info;
	int rc;

	*drop_out = NULL;
	rc = folder_find(
	    s, account, folder.n != 0 ? folder : SLICE("INBOX"), &info);
	if (rc == 0 && info.id == 0)
		rc = ERR_NOTFOUND;
	if (rc == 0)
		rc = view_open(s, account, info.id, true, &d->view);
	if (rc != 0) {
		drop_free(&d);
		return rc;
	}
	numbered(d);
	*drop_out = d;
	return 0;
}

struct drop *
drop_open_now(struct store *s, uint64_t account, uint64_t folder)
{
	struct view *v = view_open_now(s, account, folder, true);
	struct drop *d;

	if (v == NULL)
		return NULL;
	d = drop_new(s, account);
	d->view = v;
	numbered(d);
	return d;
}

static int
add_folder(struct drop *d, uint64_t folder, size_t *cap)
{
	struct msg_iter *it = NULL;
	struct view *v = NULL;
	struct msg_meta m;
	int rc = view_open(d->store, d->account, folder, true, &v);

	if (rc == 0)
		rc = msg_iter_open(d->store, d->account, folder, NULL, 0, 1,
		    MSG_WANT_INFO, &it);
	while (rc == 0 && (rc = msg_iter_next(it, &m)) == 0) {
		/* Entries outlive their messages for a while. */
		if (view_seq(v, m.uid) == 0)
			continue;
		if (d->nitems == DROP_ALL_MAX) {
			rc = ERR_LIMIT;
			break;
		}
		d->items =
		    mem_grow(d->items, cap, d->nitems, sizeof(*d->items));
		d->items[d->nitems++] = (struct drop_entry){ m.uid, d->nfolders,
			m.internal_date, m.size };
		d->bytes += m.size;
	}
	msg_iter_close(&it);
	view_close(&v);
	d->folders[d->nfolders++] = folder;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
by_date(const void *a, const void *b)
{
	const struct drop_entry *x = a, *y = b;

	if (x->date != y->date)
		return x->date < y->date ? -1 : 1;
	if (x->folder != y->folder)
		return x->folder < y->folder ? -1 : 1;
	return (x->uid > y->uid) - (x->uid < y->uid);
}

int
drop_open_all(struct store *s, uint64_t account, struct drop **drop_out)
{
	struct drop *d = drop_new(s, account);
	struct folder_info *v;
	struct arena a;
	size_t n, cap = 0;
	int rc;

	*drop_out = NULL;
	arena_init(&a);
	rc = folder_list(s, account, false, &a, &v, &n);
	if (rc == 0)
		d->folders = xcalloc(n + 1, sizeof(*d->folders));
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (v[i].id != 0)
			rc = add_folder(d, v[i].id, &cap);
	arena_clear(&a);
	if (rc != 0) {
		drop_free(&d);
		return rc;
	}
	if (d->nitems != 0)
		qsort(d->items, d->nitems, sizeof(*d->items), by_date);
	d->gone = xcalloc(d->nitems / 8 + 1, 1);
	*drop_out = d;
	return 0;
}

void
drop_free(struct drop **dp)
{
	struct drop *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	view_close(&d->view);
	free(d->items);
	free(d->folders);
	free(d->gone);
	free(d->sent);
	free(d->order);
	free(d);
}

uint32_t
drop_count(const struct drop *d)
{
	return d->view != NULL ? view_count(d->view) : d->nitems;
}

uint64_t
drop_folder(const struct drop *d)
{
	return d->view != NULL ? view_folder(d->view) : 0;
}

void
drop_get(const struct drop *d, uint32_t seq, struct drop_msg *out)
{
	struct view_msg m;

	if (d->view == NULL) {
		out->folder = d->folders[d->items[seq - 1].folder];
		out->uid = d->items[seq - 1].uid;
		return;
	}
	view_get(d->view, seq, &m);
	out->folder = view_folder(d->view);
	out->uid = m.uid;
}

bool
drop_is_gone(const struct drop *d, uint32_t seq)
{
	return d->gone[seq / 8] & (1u << seq % 8);
}

void
drop_dele(struct drop *d, uint32_t seq)
{
	d->gone[seq / 8] |= (uint8_t)(1u << seq % 8);
	d->ngone++;
}

void
drop_reset(struct drop *d)
{
	memset(d->gone, 0, drop_count(d) / 8 + 1);
	d->ngone = 0;
}

uint32_t
drop_ngone(const struct drop *d)
{
	return d->ngone;
}

static int
by_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The marked UIDs of the folder, rising; the caller frees.  index: of the
 * folder, when there are several. */
static uint32_t *
gone_uids(const struct drop *d, uint32_t index, size_t *n_out)
{
	uint32_t *uids = xcalloc(d->ngone + 1, sizeof(*uids));
	uint32_t count = drop_count(d);
	struct drop_msg m;
	size_t n = 0;

	for (uint32_t seq = 1; seq <= count && n < d->ngone; seq++) {
		if (!drop_is_gone(d, seq) ||
		    (d->view == NULL && d->items[seq - 1].folder != index))
			continue;
		drop_get(d, seq, &m);
		uids[n++] = m.uid;
	}
	if (d->view == NULL)
		qsort(uids, n, sizeof(*uids), by_uid);
	*n_out = n;
	return uids;
}

int
drop_bytes(struct drop *d, uint64_t *bytes_out)
{
	uint64_t less = 0;
	uint32_t *uids;
	size_t n;
	int rc = 0;

	if (d->ngone != 0 && d->view != NULL) {
		uids = gone_uids(d, 0, &n);
		rc = sum_bytes(d, uids, n, view_folder(d->view), &less);
		free(uids);
	}
	for (uint32_t i = 0; i < d->nitems && d->ngone != 0; i++)
		if (drop_is_gone(d, i + 1))
			less += d->items[i].size;
	*bytes_out = d->bytes > less ? d->bytes - less : 0;
	return rc;
}

/* ---- what was fetched ---- */

void
drop_got(struct drop *d, uint32_t seq)
{
	uint8_t bit = (uint8_t)(1u << seq % 8);

	if (d->sent == NULL)
		d->sent = xcalloc(drop_count(d) / 8 + 1, 1);
	if (d->sent[seq / 8] & bit)
		return;
	d->sent[seq / 8] |= bit;
	d->order =
	    mem_grow(d->order, &d->sent_cap, d->nsent, sizeof(*d->order));
	d->order[d->nsent++] = seq;
}

void
drop_sure(struct drop *d)
{
	d->nsure = d->nsent;
}

/* Adds the UID to the group of its folder. */
static void
add_mark(struct drop_marks *m, const struct drop_msg *msg, size_t room)
{
	struct msg_group *g = m->groups;

	while (g < m->groups + m->ngroups && g->folder != msg->folder)
		g++;
	if (g == m->groups + m->ngroups) {
		m->ngroups++;
		g->folder = msg->folder;
		g->uids = xcalloc(room, sizeof(*g->uids));
	}
	((uint32_t *)(uintptr_t)g->uids)[g->n++] = msg->uid;
}

struct drop_marks *
drop_take_marks(struct drop *d, bool quit)
{
	size_t n = quit ? d->nsent : d->nsure, left = 0;
	struct drop_marks *m;
	struct drop_msg msg;

	d->nsent = d->nsure = 0;
	for (size_t i = 0; i < n; i++)
		if (!quit || !drop_is_gone(d, d->order[i]))
			d->order[left++] = d->order[i];
	if (left == 0)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	m->groups = xcalloc(d->nfolders + 1, sizeof(*m->groups));
	for (size_t i = 0; i < left; i++) {
		drop_get(d, d->order[i], &msg);
		add_mark(m, &msg, left);
	}
	for (size_t i = 0; i < m->ngroups; i++)
		qsort((uint32_t *)(uintptr_t)m->groups[i].uids, m->groups[i].n,
		    sizeof(uint32_t), by_uid);
	return m;
}

void
drop_marks_free(struct drop_marks **mp)
{
	struct drop_marks *m = *mp;

	*mp = NULL;
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->ngroups; i++)
		free((uint32_t *)(uintptr_t)m->groups[i].uids);
	free(m->groups);
	free(m);
}

/* ---- the end ---- */

int
drop_update(struct drop *d)
{
	uint32_t n = d->view != NULL ? 1 : d->nfolders;
	struct msg_group *groups = xcalloc(n + 1, sizeof(*groups));
	size_t ngroups = 0;
	int rc;

	for (uint32_t i = 0; i < n && d->ngone != 0; i++) {
		struct msg_group *g = &groups[ngroups];

		g->uids = gone_uids(d, i, &g->n);
		g->folder =
		    d->view != NULL ? view_folder(d->view) : d->folders[i];
		ngroups += g->n != 0;
		if (g->n == 0)
			free((uint32_t *)(uintptr_t)g->uids);
	}
	rc = msg_expunge_all(d->store, d->account, groups, ngroups);
	for (size_t i = 0; i < ngroups; i++)
		free((uint32_t *)(uintptr_t)groups[i].uids);
	free(groups);
	return rc;
}
