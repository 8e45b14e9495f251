#include "storage/fetched.h"

#include <string.h>

#include "lib/base/num.h"
#include "storage/entry.h"
#include "storage/fetched_row.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum { DAY_SEC = 24 * 3600, RUNS_AT_ONCE = 256 };

/* ---- devices ---- */

struct seen {
	uint64_t account;
	struct device d;
	int64_t now;
	bool fresh; /* the row says it already */
};

static int
look_txn(struct db_txn *t, void *arg)
{
	struct seen *k = arg;
	int rc = device_row_get(t, k->account, false, &k->d);

	k->fresh =
	    rc == 0 && k->now >= k->d.last && k->now - k->d.last < DAY_SEC;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
seen_txn(struct db_txn *t, void *arg)
{
	struct seen *k = arg;
	int rc = device_row_get(t, k->account, true, &k->d);

	if (rc == ERR_NOTFOUND)
		k->d.first = k->now;
	else if (rc != 0)
		return rc;
	k->d.last = k->now;
	return device_row_put(t, k->account, &k->d);
}

int
fetched_login(struct store *s, uint64_t account, uint32_t secret, int64_t now)
{
	struct seen k = { .account = account, .d.secret = secret, .now = now };
	int rc = db_read(s->db, look_txn, &k);

	if (rc != 0 || k.fresh)
		return rc;
	return db_update(s->db, seen_txn, &k);
}

/* ---- marks ---- */

struct marking {
	const struct msg_group *g;
	size_t from, next; /* of g->uids: this transaction's */
	uint32_t secret, now;
};

/* All of one run, beginning with uids[i]; returns the index behind them. */
static size_t
mark_run(const struct marking *m, size_t i, struct fetched_run *r, bool *new)
{
	for (; i < m->g->n && hot_run_of(m->g->uids[i]) == r->run; i++) {
		uint32_t *at = &r->at[m->g->uids[i] % HOT_RUN];

		if (*at == 0) {
			*at = m->now;
			*new = true;
		}
	}
	return i;
}

static int
mark_txn(struct db_txn *t, void *arg)
{
	struct marking *m = arg;
	size_t i = m->from;
	int rc = 0;

	for (int runs = 0; rc == 0 && i < m->g->n && runs < RUNS_AT_ONCE;
	     runs++) {
		struct fetched_run r = { .folder = m->g->folder,
			.run = hot_run_of(m->g->uids[i]),
			.secret = m->secret };
		bool new = false;

		if ((rc = fetched_run_get(t, &r)) != 0)
			break;
		i = mark_run(m, i, &r, &new);
		if (new)
			rc = fetched_run_put(t, &r);
	}
	m->next = i;
	return rc;
}

int
fetched_add(struct store *s, uint32_t secret, int64_t now,
    const struct msg_group *groups, size_t ngroups)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ngroups; i++) {
		struct marking m = {
			.g = &groups[i], .secret = secret, .now = (uint32_t)now
		};

		while (rc == 0 && m.from < m.g->n) {
			rc = db_update(s->db, mark_txn, &m);
			m.from = m.next;
		}
	}
	return rc;
}

/* ---- the share ---- */

struct share {
	uint64_t folder;
	uint64_t messages, bytes; /* of this folder */
};

/* Takes away what has left the folder; its entries may still be there. */
static int
only_there(struct db_txn *t, uint64_t folder, uint32_t run, uint32_t *mask_io)
{
	uint32_t there = 0;
	struct hot_entry e;
	struct hot_run r;
	int rc = hot_load(t, folder, run, false, &r);

	for (uint32_t i = 0; rc == 0 && i < r.n; i++) {
		hot_get(r.bytes, i, &e);
		there |= UINT32_C(1) << e.uid % HOT_RUN;
	}
	*mask_io &= there;
	return rc;
}

/* Adds the entries of a run that the mask names. */
static int
sum_run(struct db_txn *t, struct share *sh, uint32_t run, uint32_t mask)
{
	uint8_t from[ENTRY_KEY], to[ENTRY_KEY];
	struct db_scan *scan = NULL;
	struct slice key, value;
	struct entry e;
	int rc = only_there(t, sh->folder, run, &mask);

	if (rc != 0 || mask == 0)
		return rc;
	entry_key(from, sh->folder, run * HOT_RUN);
	if (run == hot_run_of(UINT32_MAX))
		entry_key(to, sh->folder + 1, 0);
	else
		entry_key(to, sh->folder, (run + 1) * HOT_RUN);
	rc = db_scan_init(t, T_ENTRY, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		uint32_t uid = num_get32(key.p + 8);

		if (!(mask & (UINT32_C(1) << uid % HOT_RUN)))
			continue;
		if ((rc = entry_decode(value, &e)) != 0)
			break;
		sh->messages++;
		sh->bytes += e.size;
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
share_txn(struct db_txn *t, void *arg)
{
	struct share *sh = arg;
	uint8_t from[FETCHED_KEY], to[FETCHED_KEY];
	struct db_scan *scan = NULL;
	struct slice key, value;
	struct fetched_run r;
	uint32_t run = 0, mask = 0;
	int rc;

	sh->messages = sh->bytes = 0;
	fetched_key(from, sh->folder, 0, 0);
	fetched_key(to, sh->folder + 1, 0, 0);
	rc = db_scan_init(t, T_FETCHED, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0) {
		if ((rc = fetched_run_decode(key, value, &r)) != 0)
			break;
		if (r.run != run && mask != 0)
			rc = sum_run(t, sh, run, mask);
		if (r.run != run)
			mask = 0;
		run = r.run;
		for (uint32_t i = 0; i < HOT_RUN; i++)
			mask |= (uint32_t)(r.at[i] != 0) << i;
	}
	db_scan_fini(&scan);
	if (rc == ERR_NOTFOUND)
		rc = mask != 0 ? sum_run(t, sh, run, mask) : 0;
	return rc;
}

int
fetched_share(struct store *s, uint64_t account, uint64_t *messages_out,
    uint64_t *bytes_out)
{
	struct folder_info *v;
	struct share sh;
	struct arena a;
	size_t n;
	int rc;

	*messages_out = *bytes_out = 0;
	arena_init(&a);
	rc = folder_list(s, account, false, &a, &v, &n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (v[i].id == 0)
			continue;
		sh.folder = v[i].id;
		rc = db_read(s->db, share_txn, &sh);
		*messages_out += sh.messages;
		*bytes_out += sh.bytes;
	}
	arena_clear(&a);
	return rc;
}
