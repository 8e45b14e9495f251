#include "storage/take.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/body.h"
#include "storage/entry.h"
#include "storage/message.h"
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

int
take_entries(struct db_txn *t, uint64_t account, uint64_t folder,
    enum take_mode mode, struct taken *v, size_t n)
{
	struct entry e;
	int rc;

	for (size_t i = 0; i < n; i++) {
		uint32_t uid = v[i].hot.uid;

		v[i].internal_date = 0;
		v[i].size = v[i].msgid = 0;
		rc = entry_get(t, folder, uid, mode != TAKE_READ, &e);
		if (is_damage(rc))
			damaged("entry", folder, uid, rc);
		else if (rc != 0)
			return rc;
		if (rc == 0) {
			v[i].internal_date = e.internal_date;
			v[i].size = e.size;
			v[i].msgid = e.msgid;
		}
		if (mode != TAKE_REMOVE || rc == ERR_NOTFOUND)
			continue;
		if (rc != 0)
			e.uidl_n = 0;
		if ((rc = entry_del(t, folder, uid)) != 0)
			return rc;
		rc = uidl_release(t, account, slice_of(e.uidl, e.uidl_n));
		if (rc != 0)
			return rc;
	}
	return 0;
}

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
	uint64_t body;
	int rc;

	for (size_t i = 0, k; i < n; i = k) {
		uint64_t id = v[i];

		for (k = i + 1; k < n && v[k] == id; k++)
			;
		rc = message_ref(t, account, id, -(int64_t)(k - i), &body);
		if (is_damage(rc))
			damaged("message", account, id, rc);
		else if (rc != 0)
			return rc;
		else if (body != 0)
			v[nbodies++] = body;
	}
	*n_inout = nbodies;
	return 0;
}

static int
release_bodies(struct db_txn *t, const uint64_t *v, size_t n)
{
	int rc;

	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && v[k] == v[i]; k++)
			;
		rc = body_unref(t, v[i], (uint32_t)(k - i));
		if (is_damage(rc))
			damaged("body", 0, v[i], rc);
		else if (rc != 0)
			return rc;
	}
	return 0;
}

int
take_release(
    struct db_txn *t, uint64_t account, const struct taken *v, size_t n)
{
	uint64_t *ids = xmalloc(n * sizeof(*ids) + 1);
	size_t nids = 0;
	int rc;

	for (size_t i = 0; i < n; i++)
		if (v[i].msgid != 0)
			ids[nids++] = v[i].msgid;
	if (nids > 0)
		qsort(ids, nids, sizeof(*ids), cmp_u64);
	rc = release_messages(t, account, ids, &nids);
	if (rc == 0 && nids > 0) {
		qsort(ids, nids, sizeof(*ids), cmp_u64);
		rc = release_bodies(t, ids, nids);
	}
	free(ids);
	return rc;
}
