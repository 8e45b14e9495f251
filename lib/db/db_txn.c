/*
 * Transactions and single records.
 *
 * A commit does not wait for the disk: page locks are not held across it, and
 * one flush serves all who wait (db_flush).
 */
#include "lib/db/db_priv.h"

#include <string.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/base/role.h"

enum { TRIES_MAX = 12, PAUSE_STEP_US = 1000 };

int
db_txn_code(struct db_txn *t, int ret, const char *op)
{
	int rc;

	if (ret == 0)
		return 0;
	rc = db_code(t->db, ret, op);
	if (rc == ERR_BUSY)
		t->broken = rc;
	return rc;
}

/* Longer with every try, never the same for two. */
static void
pause_before(struct db_thread *th, unsigned try)
{
	struct timespec ts = { 0, 0 };
	uint64_t x = th->jitter;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	th->jitter = x;
	ts.tv_nsec = (long)(x % ((uint64_t)try * PAUSE_STEP_US)) * 1000;
	(void)nanosleep(&ts, NULL);
}

static int
update_once(struct db_txn *t, int (*fn)(struct db_txn *t, void *arg), void *arg)
{
	DB_ENV *env = t->db->env;
	int rc, ret;

	t->broken = 0;
	ret = env->txn_begin(env, NULL, &t->txn, 0);
	if (ret != 0)
		return db_txn_code(t, ret, "txn_begin");
	rc = fn(t, arg);
	if (t->broken != 0)
		rc = t->broken;
	if (rc == 0)
		return db_code(
		    t->db, t->txn->commit(t->txn, DB_TXN_NOSYNC), "commit");
	ret = t->txn->abort(t->txn);
	if (ret != 0)
		(void)db_code(t->db, ret, "abort");
	return rc;
}

static int
read_once(struct db_txn *t, int (*fn)(struct db_txn *t, void *arg), void *arg)
{
	DB_ENV *env = t->db->env;
	int rc, ret;

	t->broken = 0;
	ret = env->txn_begin(env, NULL, &t->txn, t->begin);
	if (ret != 0)
		return db_txn_code(t, ret, "txn_begin");
	rc = fn(t, arg);
	if (t->broken != 0)
		rc = t->broken;
	/* Nothing was written: a commit is only the end. */
	ret = t->txn->commit(t->txn, DB_TXN_NOSYNC);
	return rc != 0 ? rc : db_code(t->db, ret, "end of reading");
}

/* Two transactions of one thread would wait for each other for ever.  One on a
 * loop keeps its clients waiting: wrong, yet nothing to die of. */
static void
begin(struct db_txn *t)
{
	if (role_is_loop())
		log_error(NULL, "assertion", "what=\"a store call on a loop\"");
	t->th = db_enter(t->db);
	ph_assert(!t->th->in_txn);
	t->th->in_txn = true;
}

static void
end(struct db_txn *t)
{
	t->th->in_txn = false;
	db_leave(t->th);
}

static int
run(struct db_txn *t,
    int (*once)(
	struct db_txn *t, int (*fn)(struct db_txn *t, void *arg), void *arg),
    int (*fn)(struct db_txn *t, void *arg), void *arg)
{
	int rc;

	begin(t);
	for (unsigned try = 1;; try++) {
		rc = once(t, fn, arg);
		if (rc != ERR_BUSY || t->broken == 0 || try == TRIES_MAX)
			break;
		pause_before(t->th, try);
	}
	if (rc == ERR_BUSY && t->broken != 0)
		log_warn(NULL, "db-busy", "tries=%d", TRIES_MAX);
	end(t);
	return rc;
}

int
db_update(struct db *db, int (*fn)(struct db_txn *t, void *arg), void *arg)
{
	struct db_txn t = { .db = db };

	return run(&t, update_once, fn, arg);
}

int
db_read(struct db *db, int (*fn)(struct db_txn *t, void *arg), void *arg)
{
	struct db_txn t = { .db = db, .reading = true };

	return run(&t, read_once, fn, arg);
}

int
db_walk(struct db *db, int (*fn)(struct db_txn *t, void *arg), void *arg)
{
	struct db_txn t = {
		.db = db, .reading = true, .begin = DB_READ_COMMITTED
	};

	return run(&t, read_once, fn, arg);
}

static void
dbt_in(DBT *d, struct slice s)
{
	memset(d, 0, sizeof(*d));
	d->data = (void *)(uintptr_t)s.p;
	d->size = (u_int32_t)s.n;
}

static void
dbt_out(DBT *d, void *to, size_t cap)
{
	memset(d, 0, sizeof(*d));
	d->data = to;
	d->ulen = (u_int32_t)cap;
	d->flags = DB_DBT_USERMEM;
}

static DB *
table_of(struct db_txn *t, unsigned table)
{
	ph_assert(table < t->db->ntables);
	t->th->table = table;
	return t->db->tables[table];
}

static int
get(struct db_txn *t, unsigned table, struct slice key, void *to, size_t cap,
    size_t *n_out, u_int32_t flags)
{
	DB *db = table_of(t, table);
	DBT k, v;
	int ret;

	*n_out = 0;
	if (t->broken != 0)
		return t->broken;
	dbt_in(&k, key);
	dbt_out(&v, to, cap);
	ret = db->get(db, t->txn, &k, &v, flags);
	if (ret == 0) {
		*n_out = v.size;
		return 0;
	}
	return ret == DB_NOTFOUND ? ERR_NOTFOUND : db_txn_code(t, ret, "get");
}

int
db_get(struct db_txn *t, unsigned table, struct slice key, void *to, size_t cap,
    size_t *n_out)
{
	return get(t, table, key, to, cap, n_out, 0);
}

int
db_get_rmw(struct db_txn *t, unsigned table, struct slice key, void *to,
    size_t cap, size_t *n_out)
{
	ph_assert(!t->reading);
	return get(t, table, key, to, cap, n_out, DB_RMW);
}

/* A longer record would leave its page: a small change to it then logs the
 * whole page chain. */
bool
db_fits(struct db_txn *t, unsigned table, struct slice key, size_t n)
{
	if (key.n != 0 && key.n <= DB_KEY_MAX && n <= DB_VALUE_MAX)
		return true;
	log_error(NULL, "db-record-size", "table=%s key=%zu value=%zu",
	    t->db->defs[table].name, key.n, n);
	return false;
}

static int
put(struct db_txn *t, unsigned table, struct slice key, struct slice value,
    u_int32_t flags, const char *op)
{
	DB *db = table_of(t, table);
	DBT k, v;

	ph_assert(!t->reading);
	if (t->broken != 0)
		return t->broken;
	if (!db_fits(t, table, key, value.n))
		return ERR_INTERNAL;
	dbt_in(&k, key);
	dbt_in(&v, value);
	return db_txn_code(t, db->put(db, t->txn, &k, &v, flags), op);
}

int
db_put(struct db_txn *t, unsigned table, struct slice key, struct slice value)
{
	return put(t, table, key, value, 0, "put");
}

int
db_insert(
    struct db_txn *t, unsigned table, struct slice key, struct slice value)
{
	return put(t, table, key, value, DB_NOOVERWRITE, "insert");
}

int
db_del(struct db_txn *t, unsigned table, struct slice key)
{
	DB *db = table_of(t, table);
	DBT k;
	int ret;

	ph_assert(!t->reading);
	if (t->broken != 0)
		return t->broken;
	dbt_in(&k, key);
	ret = db->del(db, t->txn, &k, 0);
	return ret == DB_NOTFOUND ? ERR_NOTFOUND : db_txn_code(t, ret, "del");
}

int
db_del_keys(struct db_txn *t, unsigned table, const void *keys,
    size_t key_bytes, size_t n)
{
	const char *p = keys;
	int rc = 0;

	for (size_t i = 0; i < n && (rc == 0 || rc == ERR_NOTFOUND); i++)
		rc = db_del(t, table, slice_of(p + i * key_bytes, key_bytes));
	return rc == ERR_NOTFOUND ? 0 : rc;
}
