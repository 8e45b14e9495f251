#include "storage/take.h"

#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/db/db_many.h"
#include "storage/body.h"
#include "storage/entry.h"
#include "storage/message.h"
#include "storage/tables.h"
#include "storage/uidl.h"

/* Of one run: those wanted go to v, the others stay in r. */
static size_t
take_run(struct hot_run *r, const uint32_t *uids, size_t n, uint32_t flags,
    struct taken *v, bool *left_out)
{
	struct hot_run rest = { 0 };
	struct hot_entry e;
	size_t i = 0, got = 0;

	for (uint32_t k = 0; k < r->n; k++) {
		hot_get(r->bytes, k, &e);
		while (i < n && uids[i] < e.uid)
			i++;
		if (i < n && uids[i] == e.uid && (e.flags & flags) == flags)
			v[got++].hot = e;
		else
			hot_set(rest.bytes, rest.n++, &e);
	}
	*left_out = rest.n < r->n;
	*r = rest;
	return got;
}

int
take_hot(struct db_txn *t, uint64_t folder, const uint32_t *uids, size_t n,
    uint32_t flags, enum take_mode mode, struct taken *v, size_t *n_out)
{
	struct hot_run r;
	bool left;
	int rc;

	*n_out = 0;
	for (size_t i = 0, k; i < n; i = k) {
		uint32_t run = hot_run_of(uids[i]);

		for (k = i + 1; k < n && hot_run_of(uids[k]) == run; k++)
			;
		if ((rc = hot_load(t, folder, run, mode != TAKE_READ, &r)) != 0)
			return rc;
		*n_out +=
		    take_run(&r, uids + i, k - i, flags, v + *n_out, &left);
		if (mode == TAKE_REMOVE && left &&
		    (rc = hot_save(t, folder, run, &r)) != 0)
			return rc;
	}
	return 0;
}

static void
damaged(const char *what, uint64_t owner, uint64_t id, int rc)
{
	log_error(NULL, "index-damage", "record=%s of=%llu id=%llu why=%s",
	    what, (unsigned long long)owner, (unsigned long long)id,
	    err_name(rc));
}

static bool
is_damage(int rc)
{
	return rc == ERR_NOTFOUND || rc == ERR_CORRUPT;
}

/* ---- entries ---- */

enum {
	DENSE = 4, /* a scan may pass over so many for one it is for */
	UIDLS_MAX =
	    64 << 20 /* bytes; more than a transaction's messages have */
};

/* What is known of entries while they are taken. */
struct entries_take {
	struct db_txn *t;
	uint64_t account, folder;
	struct taken *v;
	size_t n;
	struct buf *uidls;   /* of those that go: u8 length, text */
	struct db_many *del; /* NULL: they stay */
};

/* A row of it; what cannot be read goes all the same. */
static int
take_row(struct entries_take *x, struct taken *m, struct slice value)
{
	uint8_t key[ENTRY_KEY];
	struct entry e;
	int rc = entry_decode(value, &e);

	if (rc == 0) {
		m->internal_date = e.internal_date;
		m->size = e.size;
		m->msgid = e.msgid;
	} else {
		damaged("entry", x->folder, m->hot.uid, rc);
		e.uidl_n = 0;
	}
	if (x->del == NULL)
		return 0;
	if (e.uidl_n != 0) {
		buf_add_char(x->uidls, (char)e.uidl_n);
		buf_add(x->uidls, e.uidl, e.uidl_n);
	}
	entry_key(key, x->folder, m->hot.uid);
	return db_many_del(x->del, slice_of(key, sizeof(key)));
}

/* Those in front of `uid` are missing. */
static size_t
pass_missing(struct entries_take *x, size_t i, uint32_t uid)
{
	for (; i < x->n && x->v[i].hot.uid < uid; i++)
		damaged("entry", x->folder, x->v[i].hot.uid, ERR_NOTFOUND);
	return i;
}

static int
scan_entries(struct entries_take *x)
{
	uint32_t last = x->v[x->n - 1].hot.uid;
	uint8_t from[ENTRY_KEY], to[ENTRY_KEY];
	struct db_scan *scan = NULL;
	struct slice key, value;
	size_t i = 0;
	int rc;

	entry_key(from, x->folder, x->v[0].hot.uid);
	if (last == UINT32_MAX)
		entry_key(to, x->folder + 1, 0);
	else
		entry_key(to, x->folder, last + 1);
	rc = db_scan_init(x->t, T_ENTRY, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		uint32_t uid = num_get32(key.p + 8);

		i = pass_missing(x, i, uid);
		if (i < x->n && x->v[i].hot.uid == uid)
			rc = take_row(x, &x->v[i++], value);
	}
	db_scan_fini(&scan);
	if (rc != ERR_NOTFOUND)
		return rc;
	(void)pass_missing(x, i, UINT32_MAX);
	return 0;
}

static int
seek_entries(struct entries_take *x, bool lock)
{
	uint8_t key[ENTRY_KEY], value[DB_VALUE_MAX];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < x->n; i++) {
		struct slice k = slice_of(key, sizeof(key));
		size_t n;

		entry_key(key, x->folder, x->v[i].hot.uid);
		if (lock)
			rc = db_get_rmw(
			    x->t, T_ENTRY, k, value, sizeof(value), &n);
		else
			rc = db_get(x->t, T_ENTRY, k, value, sizeof(value), &n);
		if (rc == 0)
			rc = take_row(x, &x->v[i], slice_of(value, n));
		else if (is_damage(rc)) {
			damaged("entry", x->folder, x->v[i].hot.uid, rc);
			rc = 0;
		}
	}
	return rc;
}

static int
release_uidls(struct entries_take *x)
{
	struct slice rest = buf_slice(x->uidls);
	int rc = buf_failed(x->uidls) ? ERR_TOOBIG : 0;

	while (rc == 0 && rest.n != 0) {
		size_t n = (uint8_t)rest.p[0];

		rc = uidl_release(x->t, x->account, slice_sub(rest, 1, n));
		rest = slice_from(rest, 1 + n);
	}
	return rc;
}

int
take_entries(struct db_txn *t, uint64_t account, uint64_t folder,
    enum take_mode mode, struct taken *v, size_t n)
{
	struct entries_take x = { t, account, folder, v, n, NULL, NULL };
	struct buf uidls;
	int rc;

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		v[i].internal_date = 0;
		v[i].size = v[i].msgid = 0;
	}
	buf_init(&uidls, UIDLS_MAX);
	x.uidls = &uidls;
	if (mode == TAKE_REMOVE)
		db_many_init(t, T_ENTRY, &x.del);
	if (n > 1 && v[n - 1].hot.uid - v[0].hot.uid < DENSE * n)
		rc = scan_entries(&x);
	else
		rc = seek_entries(&x, mode != TAKE_READ);
	if (mode == TAKE_REMOVE)
		rc = db_many_end(&x.del, rc);
	if (rc == 0)
		rc = release_uidls(&x);
	buf_fini(&uidls);
	return rc;
}

/* ---- what they refer to ---- */

static int
cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Message references; bodies that lost one replace the ids in v. */
static int
release_messages(
    struct db_txn *t, uint64_t account, uint64_t *v, size_t *n_inout)
{
	size_t n = *n_inout, nbodies = 0;
	struct db_edit *e;
	uint64_t body;
	int rc = db_edit_init(t, T_MESSAGE, DB_NEAR, &e);

	for (size_t i = 0, k; rc == 0 && i < n; i = k) {
		uint64_t id = v[i];

		for (k = i + 1; k < n && v[k] == id; k++)
			;
		rc = message_ref_at(e, account, id, -(int64_t)(k - i), &body);
		if (is_damage(rc)) {
			damaged("message", account, id, rc);
			rc = 0;
		} else if (rc == 0 && body != 0)
			v[nbodies++] = body;
	}
	db_edit_fini(&e);
	*n_inout = nbodies;
	return rc;
}

static void
damaged_body(uint64_t id, int rc)
{
	damaged("body", 0, id, rc);
}

int
take_release(
    struct db_txn *t, uint64_t account, const struct taken *v, size_t n)
{
	uint64_t *ids = xmalloc(n * sizeof(*ids) + 1);
	size_t nids = 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		if (v[i].msgid != 0)
			ids[nids++] = v[i].msgid;
	if (nids > 0) {
		qsort(ids, nids, sizeof(*ids), cmp_u64);
		rc = release_messages(t, account, ids, &nids);
	}
	if (rc == 0 && nids > 0) {
		qsort(ids, nids, sizeof(*ids), cmp_u64);
		rc = body_unref_many(t, ids, nids, damaged_body);
	}
	free(ids);
	return rc;
}
