#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/entry.h"
#include "storage/folder_row.h"
#include "storage/gone.h"
#include "storage/hot.h"
#include "storage/msg.h"
#include "storage/tables.h"
#include "storage/trash.h"
#include "storage/uidl.h"
#include "storage/verify_priv.h"

/* One folder while it is looked at. */
struct look {
	struct verify *v;
	struct db_txn *t;
	uint64_t id;
	struct folder_row row;
	struct folder_row sum; /* counted */
	struct hot_entry *hot;
	size_t nhot, hot_cap;
	const struct trash_range *trash;
	size_t ntrash;
};

static int
walk(struct db_txn *t, unsigned table, uint64_t folder, struct look *l,
    void (*fn)(struct look *l, struct slice key, struct slice value))
{
	uint8_t from[8], to[8];
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc;

	num_put64(from, folder);
	num_put64(to, folder + 1);
	rc = db_scan_init(t, table, slice_of(from, 8), slice_of(to, 8), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
		fn(l, key, value);
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static void
hot_row(struct look *l, struct slice key, struct slice value)
{
	struct slice packed;
	struct hot_entry e;

	l->v->nhot++;
	if (key.n != HOT_KEY ||
	    hot_decode(value, num_get32(key.p + 8), &packed) != 0) {
		verify_breach(l->v, "hot: a damaged row in folder %llu",
		    (unsigned long long)l->id);
		return;
	}
	for (uint32_t i = 0; i < packed.n / HOT_ENTRY; i++) {
		hot_get((const uint8_t *)packed.p, i, &e);
		l->hot =
		    mem_grow(l->hot, &l->hot_cap, l->nhot, sizeof(*l->hot));
		l->hot[l->nhot++] = e;
		if (e.uid >= l->row.st.uidnext)
			verify_breach(l->v,
			    "2 folder %llu: UID %u is not below UIDNEXT %u",
			    (unsigned long long)l->id, e.uid,
			    l->row.st.uidnext);
		if (e.modseq > l->row.st.highestmodseq || e.modseq == 0)
			verify_breach(l->v,
			    "3 folder %llu: UID %u has MODSEQ %llu",
			    (unsigned long long)l->id, e.uid,
			    (unsigned long long)e.modseq);
	}
}

static const struct hot_entry *
find_hot(const struct look *l, uint32_t uid)
{
	size_t lo = 0, hi = l->nhot;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (l->hot[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->nhot && l->hot[lo].uid == uid ? &l->hot[lo] : NULL;
}

/* Whose is an entry that waits to be released?  0: it does not. */
static uint64_t
trash_owner(const struct look *l, uint64_t folder, uint32_t uid)
{
	for (size_t i = 0; i < l->ntrash; i++) {
		const struct trash_range *r = &l->trash[i];

		if (r->folder == folder && uid >= r->first && uid <= r->last)
			return r->account;
	}
	return 0;
}

static void
add_pair(struct verify *v, uint64_t account, uint64_t msgid)
{
	v->pairs =
	    mem_grow(v->pairs, &v->pairs_cap, v->npairs, sizeof(*v->pairs));
	v->pairs[v->npairs++] = (struct verify_pair){ account, msgid };
}

static void
check_uidl(struct look *l, const struct entry *e, uint32_t uid)
{
	struct slice text = slice_of(e->uidl, e->uidl_n);
	uint32_t owner;

	if (text.n == 0)
		return;
	l->v->nuidl++;
	if (uidl_owner(l->t, l->row.account, text, &owner) != 0 || owner != uid)
		verify_breach(l->v, "11 folder %llu: UID %u has UIDL %.*s",
		    (unsigned long long)l->id, uid, (int)text.n, text.p);
}

static void
entry_row(struct look *l, struct slice key, struct slice value)
{
	struct verify *v = l->v;
	const struct hot_entry *hot;
	struct verify_usage *u;
	struct entry e;
	uint32_t uid;

	v->nentry++;
	if (key.n != ENTRY_KEY || entry_decode(value, &e) != 0) {
		verify_breach(v, "entry: a damaged row in folder %llu",
		    (unsigned long long)l->id);
		return;
	}
	uid = num_get32(key.p + 8);
	if ((hot = find_hot(l, uid)) == NULL &&
	    trash_owner(l, l->id, uid) == l->row.account) {
		check_uidl(l, &e, uid);
		add_pair(v, l->row.account, e.msgid);
		return;
	}
	if (hot == NULL) {
		verify_breach(v, "2 folder %llu: UID %u is in entry only",
		    (unsigned long long)l->id, uid);
		return;
	}
	check_uidl(l, &e, uid);
	folder_row_count(&l->sum, hot->flags, e.size, 1);
	add_pair(v, l->row.account, e.msgid);
	u = verify_usage_of(v, l->row.account);
	u->bytes += e.size;
	u->messages++;
}

static void
check_counts(struct look *l)
{
	const struct folder_status *a = &l->row.st, *b = &l->sum.st;

	if (b->messages != l->nhot)
		verify_breach(l->v,
		    "2 folder %llu: %zu messages in hot, %u in entry",
		    (unsigned long long)l->id, l->nhot, b->messages);
	if (a->messages != b->messages || a->unseen != b->unseen ||
	    a->deleted != b->deleted || a->bytes != b->bytes)
		verify_breach(l->v,
		    "1 folder %llu: row says %u messages, %u unseen, %u "
		    "deleted, %llu bytes; there are %u, %u, %u, %llu",
		    (unsigned long long)l->id, a->messages, a->unseen,
		    a->deleted, (unsigned long long)a->bytes, b->messages,
		    b->unseen, b->deleted, (unsigned long long)b->bytes);
}

/* Every UID below UIDNEXT is there or in gone, once. */
static int
check_gone(struct db_txn *t, struct look *l)
{
	uint32_t *uids, last = 0;
	size_t n;
	int rc = gone_since(t, l->id, 0, &uids, &n);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (uids[i] == last || uids[i] >= l->row.st.uidnext ||
		    find_hot(l, uids[i]) != NULL)
			verify_breach(l->v,
			    "6 folder %llu: UID %u is wrongly in gone",
			    (unsigned long long)l->id, uids[i]);
		last = uids[i];
	}
	if (l->row.gone_floor == 0 && n + l->nhot + 1 != l->row.st.uidnext)
		verify_breach(l->v,
		    "6 folder %llu: UIDNEXT %u, %zu messages, but %zu in gone",
		    (unsigned long long)l->id, l->row.st.uidnext, l->nhot, n);
	free(uids);
	return 0;
}

static int
look(struct db_txn *t, struct look *l)
{
	int rc;

	l->nhot = 0;
	l->sum = (struct folder_row){ 0 };
	(void)verify_usage_of(l->v, l->row.account);
	if ((rc = walk(t, T_HOT, l->id, l, hot_row)) != 0 ||
	    (rc = walk(t, T_ENTRY, l->id, l, entry_row)) != 0)
		return rc;
	check_counts(l);
	return check_gone(t, l);
}

/* Rows of hot and entry that no folder owns. */
static int
count_rows(struct db_txn *t, unsigned table, size_t *n_out)
{
	struct slice none = { NULL, 0 }, key, value;
	struct db_scan *scan = NULL;
	int rc = db_scan_init(t, table, none, none, &scan);

	*n_out = 0;
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
		++*n_out;
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Folders named by folder_name and rows of folder, as many and the same. */
static int
check_names(struct db_txn *t, struct verify *v, size_t nfolders)
{
	struct slice none = { NULL, 0 }, key, value;
	struct db_scan *scan = NULL;
	struct folder_row row;
	size_t named = 0;
	int rc = db_scan_init(t, T_FOLDER_NAME, none, none, &scan);

	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		uint64_t account = num_get64(key.p);
		uint64_t folder = num_get64(value.p + 1);

		if (folder == 0)
			continue;
		named++;
		rc = folder_row_get(t, folder, false, &row);
		if (rc == ERR_NOTFOUND || (rc == 0 && row.account != account))
			verify_breach(v, "folder_name %.*s: no folder %llu",
			    (int)(key.n - 8), key.p + 8,
			    (unsigned long long)folder);
		rc = rc == ERR_NOTFOUND ? 0 : rc;
	}
	db_scan_fini(&scan);
	if (rc == ERR_NOTFOUND && named != nfolders)
		verify_breach(v, "folder_name: %zu folders, %zu of them named",
		    nfolders, named);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
each_folder(struct db_txn *t, struct look *l, size_t *n_out)
{
	struct slice none = { NULL, 0 }, key, value;
	struct db_scan *scan = NULL;
	int rc = db_scan_init(t, T_FOLDER, none, none, &scan);

	*n_out = 0;
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (key.n != 8 || folder_row_decode(value, &l->row) != 0) {
			verify_breach(l->v, "folder: a damaged row");
			continue;
		}
		l->id = num_get64(key.p);
		++*n_out;
		rc = look(t, l);
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Folders that are gone, but for entries that wait to be released. */
static int
each_gone(struct db_txn *t, struct look *l)
{
	uint64_t last = 0;
	int rc = 0;

	l->nhot = 0;
	for (size_t i = 0; rc == 0 && i < l->ntrash; i++) {
		if (l->trash[i].folder == last)
			continue;
		last = l->id = l->trash[i].folder;
		rc = folder_row_get(t, l->id, false, &l->row);
		if (rc != ERR_NOTFOUND)
			continue;
		l->row.account = l->trash[i].account;
		rc = walk(t, T_ENTRY, l->id, l, entry_row);
	}
	return rc;
}

static int
walk_folders(struct db_txn *t, struct verify *v, size_t *n_out)
{
	struct look l = { .v = v, .t = t };
	struct trash_range *trash = NULL;
	int rc = trash_list(t, &trash, &l.ntrash);

	l.trash = trash;
	if (rc == 0)
		rc = each_folder(t, &l, n_out);
	if (rc == 0)
		rc = each_gone(t, &l);
	free(l.hot);
	free(trash);
	return rc;
}

int
verify_folders(struct db_txn *t, struct verify *v)
{
	size_t n, nfolders;
	int rc;

	if ((rc = walk_folders(t, v, &nfolders)) != 0 ||
	    (rc = check_names(t, v, nfolders)) != 0 ||
	    (rc = count_rows(t, T_HOT, &n)) != 0)
		return rc;
	if (n != v->nhot)
		verify_breach(v, "hot: %zu rows, %zu in folders", n, v->nhot);
	if ((rc = count_rows(t, T_ENTRY, &n)) != 0)
		return rc;
	if (n != v->nentry)
		verify_breach(
		    v, "entry: %zu rows, %zu in folders", n, v->nentry);
	if ((rc = count_rows(t, T_UIDL, &n)) != 0)
		return rc;
	if (n != v->nuidl)
		verify_breach(
		    v, "11 uidl: %zu rows, %zu entries with one", n, v->nuidl);
	return 0;
}
