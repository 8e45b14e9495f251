#include "storage/outbox.h"

#include <stdlib.h>

#include "lib/base/num.h"
#include "storage/deliver.h"
#include "storage/fate.h"
#include "storage/folder.h"
#include "storage/folder_row.h"
#include "storage/gone.h"
#include "storage/hot.h"
#include "storage/queue_txn.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/view.h"

#define NAME SLICE("Outbox")

enum {
	FORMAT = 1,
	KIND_BODY = 'b',
	KIND_HOLD = 'h',
	BODY_KEY = 1 + 8,
	BODY_ROW = 1 + 8 + 4, /* u64 folder, u32 UID */
	HOLD_KEY = 1 + 8 + 4 + 8,
	HOLD_ROW = 1 + 8 /* u64 account */
};

int
outbox_folder(struct store *s, uint64_t account, uint64_t *folder_out)
{
	struct folder_info info;
	struct err e;
	int rc = folder_find(s, account, NAME, &info);

	if (rc == ERR_NOTFOUND) {
		rc = folder_create(s, account, NAME, USE_NONE, &info, &e);
		if (rc == 0)
			rc = folder_subscribe(s, account, NAME, true, &e);
		else if (rc == ERR_EXISTS) /* just now, by another */
			rc = folder_find(s, account, NAME, &info);
	}
	*folder_out = rc == 0 ? info.id : 0;
	return rc;
}

int
outbox_look_txn(struct db_txn *t, uint64_t account, uint64_t folder,
    uint32_t uid, bool *wait_out)
{
	struct folder_row row;
	struct hot_entry e;
	struct hot_run r;
	uint32_t at;
	int rc = folder_row_get(t, folder, false, &row);

	*wait_out = false;
	if (rc == 0 && row.account != account)
		rc = ERR_NOTFOUND;
	if (rc == 0)
		rc = hot_load(t, folder, hot_run_of(uid), false, &r);
	if (rc != 0)
		return rc;
	at = hot_lower(r.bytes, r.n, uid);
	if (at == r.n || hot_uid(r.bytes, at) != uid)
		return ERR_NOTFOUND;
	hot_get(r.bytes, at, &e);
	*wait_out = (e.flags & (MSG_FLAGGED | MSG_DELETED)) != 0;
	return 0;
}

struct look {
	uint64_t account, folder;
	uint32_t uid;
	bool wait;
};

static int
look(struct db_txn *t, void *arg)
{
	struct look *l = arg;

	return outbox_look_txn(t, l->account, l->folder, l->uid, &l->wait);
}

int
outbox_look(struct store *s, uint64_t account, uint64_t folder, uint32_t uid,
    bool *wait_out)
{
	struct look l = { .account = account, .folder = folder, .uid = uid };
	int rc = db_read(s->db, look, &l);

	*wait_out = l.wait;
	return rc;
}

static struct slice
body_key(char key[BODY_KEY], uint64_t body)
{
	key[0] = KIND_BODY;
	num_put64(key + 1, body);
	return slice_of(key, BODY_KEY);
}

static struct slice
hold_key(char key[HOLD_KEY], uint64_t folder, uint32_t uid, uint64_t row)
{
	key[0] = KIND_HOLD;
	num_put64(key + 1, folder);
	num_put32(key + 9, uid);
	num_put64(key + 13, row);
	return slice_of(key, HOLD_KEY);
}

int
outbox_hold_txn(struct db_txn *t, const struct queue_row *row)
{
	char key[HOLD_KEY], v[BODY_ROW];
	int rc;

	v[0] = FORMAT;
	num_put64(v + 1, row->box_folder);
	num_put32(v + 9, row->box_uid);
	rc = db_put(t, T_BOX, body_key(key, row->body), slice_of(v, BODY_ROW));
	num_put64(v + 1, row->account);
	if (rc == 0)
		rc = db_put(t, T_BOX,
		    hold_key(key, row->box_folder, row->box_uid, row->id),
		    slice_of(v, HOLD_ROW));
	return rc;
}

/* Is there any with this prefix? */
static int
is_held(struct db_txn *t, uint64_t folder, uint32_t uid, bool *held_out)
{
	char prefix[HOLD_KEY], key[HOLD_KEY], v[BODY_ROW];
	size_t nkey, nv;
	int rc;

	(void)hold_key(prefix, folder, uid, 0);
	rc = db_last(t, T_BOX, slice_of(prefix, HOLD_KEY - 8),
	    slice_of(NULL, 0), key, sizeof(key), &nkey, v, sizeof(v), &nv);
	*held_out = rc == 0;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
outbox_let_go_txn(struct db_txn *t, uint64_t folder, uint32_t uid, uint64_t row,
    uint64_t body, bool *last_out)
{
	char key[HOLD_KEY];
	bool held = false;
	int rc = db_del(t, T_BOX, hold_key(key, folder, uid, row));

	if (rc == 0 || rc == ERR_NOTFOUND)
		rc = is_held(t, folder, uid, &held);
	*last_out = rc == 0 && !held;
	if (*last_out) {
		rc = db_del(t, T_BOX, body_key(key, body));
		rc = rc == ERR_NOTFOUND ? 0 : rc;
	}
	return rc;
}

static int
find(struct db_txn *t, void *arg)
{
	struct queue_row *row = arg;
	char key[BODY_KEY], v[BODY_ROW];
	size_t n;
	int rc = db_get(t, T_BOX, body_key(key, row->body), v, sizeof(v), &n);

	if (rc != 0)
		return rc;
	if (n != BODY_ROW || v[0] != FORMAT)
		return ERR_CORRUPT;
	row->box_folder = num_get64(v + 1);
	row->box_uid = num_get32(v + 9);
	return 0;
}

int
outbox_find(struct store *s, struct queue_row *row)
{
	return db_read(s->db, find, row);
}

int
outbox_cancel(struct store *s, const struct queue_row *row, bool called_back)
{
	struct queue_change gone = { .id = row->id };
	struct deliver_gone box = { .account = row->account,
		.folder = row->box_folder,
		.uid = row->box_uid,
		.row = row->id,
		.body = row->body,
		.may_lack = true,
		.recalled = called_back };
	struct fate fate = { .account = row->account,
		.folder = row->sent_folder,
		.uid = row->sent_uid,
		.rows = -1,
		.cancelled = true };
	struct deliver d = { .gone = box.folder != 0 ? &box : NULL,
		.changes = &gone,
		.nchanges = 1,
		.fate = &fate };

	int rc = deliver(s, &d, NULL);

	if (rc == 0)
		queue_notify(s, row->id, row->account);
	return rc;
}

struct boxes {
	uint64_t after;
	struct outbox_box *v;
	size_t cap, n;
};

/* The first of each folder: a seek for each. */
static int
first_of(struct db_txn *t, uint64_t after, struct outbox_box *out)
{
	struct db_scan *scan = NULL;
	struct slice key, v;
	char from[HOLD_KEY], to = KIND_HOLD + 1;
	int rc;

	(void)hold_key(from, after + 1, 0, 0);
	rc = db_scan_init(
	    t, T_BOX, slice_of(from, HOLD_KEY - 12), slice_of(&to, 1), &scan);
	if (rc == 0)
		rc = db_scan_next(scan, &key, &v);
	if (rc == 0 && (key.n != HOLD_KEY || v.n != HOLD_ROW))
		rc = ERR_CORRUPT;
	if (rc == 0)
		*out = (struct outbox_box){ num_get64(v.p + 1),
			num_get64(key.p + 1) };
	db_scan_fini(&scan);
	return rc;
}

static int
list(struct db_txn *t, void *arg)
{
	struct boxes *b = arg;
	uint64_t after = b->after;
	int rc = 0;

	for (b->n = 0; rc == 0 && b->n < b->cap; b->n += rc == 0)
		if ((rc = first_of(t, after, &b->v[b->n])) == 0)
			after = b->v[b->n].folder;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
outbox_list(struct store *s, uint64_t after, struct outbox_box *v, size_t cap,
    size_t *n_out)
{
	struct boxes b = { .after = after, .v = v, .cap = cap };
	int rc = db_walk(s->db, list, &b);

	*n_out = b.n;
	return rc;
}

struct holds {
	struct outbox_box box;
	uint64_t since, now;
	uint64_t *ids;
	size_t cap, n;
};

/* Rows of one entry stand together, so each is looked for once. */
static int
look_at_all(struct db_txn *t, struct holds *h)
{
	struct db_scan *scan = NULL;
	struct slice key, v;
	char from[HOLD_KEY], to[HOLD_KEY];
	uint32_t uid = 0;
	bool wait;
	int rc, there = 0;

	(void)hold_key(from, h->box.folder, 0, 0);
	(void)hold_key(to, h->box.folder + 1, 0, 0);
	rc = db_scan_init(
	    t, T_BOX, slice_of(from, HOLD_KEY), slice_of(to, HOLD_KEY), &scan);
	while (rc == 0 && h->n < h->cap &&
	       (rc = db_scan_next(scan, &key, &v)) == 0) {
		if (key.n != HOLD_KEY) {
			rc = ERR_CORRUPT;
			break;
		}
		if (num_get32(key.p + 9) != uid) {
			uid = num_get32(key.p + 9);
			there = outbox_look_txn(
			    t, h->box.account, h->box.folder, uid, &wait);
		}
		if (there == ERR_NOTFOUND)
			h->ids[h->n++] = num_get64(key.p + 13);
		else
			rc = there;
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* The rows that hold one entry. */
static int
add_holds(struct db_txn *t, struct holds *h, uint32_t uid)
{
	struct db_scan *scan = NULL;
	struct slice key, v;
	char from[HOLD_KEY], to[HOLD_KEY];
	int rc;

	(void)hold_key(from, h->box.folder, uid, 0);
	(void)hold_key(to, h->box.folder, uid, UINT64_MAX);
	rc = db_scan_init(
	    t, T_BOX, slice_of(from, HOLD_KEY), slice_of(to, HOLD_KEY), &scan);
	while (rc == 0 && h->n < h->cap &&
	       (rc = db_scan_next(scan, &key, &v)) == 0)
		h->ids[h->n++] = num_get64(key.p + 13);
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Of mail that comes and goes by itself nothing is looked at. */
static int
called_back(struct db_txn *t, void *arg)
{
	struct holds *h = arg;
	struct folder_row row;
	uint32_t *uids = NULL;
	size_t n = 0;
	int rc = folder_row_get(t, h->box.folder, false, &row);

	h->n = 0;
	h->now = 0;
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	if (rc == 0)
		h->now = row.st.highestmodseq;
	if (rc != 0 || h->since == 0 || h->since + 1 < row.gone_floor)
		return look_at_all(t, h);
	rc = gone_since(t, h->box.folder, h->since, &uids, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_holds(t, h, uids[i]);
	free(uids);
	return rc;
}

int
outbox_called_back(struct store *s, const struct outbox_box *box,
    uint64_t *since, uint64_t *ids, size_t cap, size_t *n_out)
{
	struct holds h = {
		.box = *box, .since = *since, .ids = ids, .cap = cap
	};
	int rc = db_read(s->db, called_back, &h);

	*n_out = h.n;
	if (rc == 0 && h.n < cap)
		*since = h.now;
	return rc;
}
