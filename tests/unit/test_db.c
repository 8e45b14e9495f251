#include "lib/db/db.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"

enum { T_BIG, T_SMALL, T_N };

static const struct db_table_def defs[T_N] = {
	[T_BIG] = { "big", false },
	[T_SMALL] = { "small", true },
};

struct fixture {
	char dir[64];
	struct db_conf conf;
	struct db *db;
};

static int
rm_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
open_mode(struct fixture *f, enum db_mode mode)
{
	struct err e = { 0 };
	int rc = db_open(&f->conf, mode, &f->db, &e);

	if (rc != 0)
		fprintf(stderr, "%s (%s)\n", e.text, e.detail);
	assert_int_equal(rc, 0);
}

static void
recover_join(struct fixture *f)
{
	open_mode(f, DB_RECOVER_ALONE);
	assert_int_equal(db_checkpoint(f->db, 0, 0), 0);
	db_close(&f->db);
	open_mode(f, DB_JOIN);
}

static void
make_dir(struct fixture *f)
{
	log_init("test", getenv("TEST_LOG") != NULL ? LOG_DEBUG : LOG_ERROR);
	memset(f, 0, sizeof(*f));
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/posthof-unit.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->conf.dir = f->dir;
	f->conf.cache_bytes = 4 << 20;
	f->conf.tables = defs;
	f->conf.ntables = T_N;
}

static void
start(struct fixture *f)
{
	make_dir(f);
	recover_join(f);
}

static void
stop(struct fixture *f)
{
	db_close(&f->db);
	(void)nftw(f->dir, rm_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct slice
key_of(char buf[8], uint64_t n)
{
	num_put64(buf, n);
	return slice_of(buf, 8);
}

/* Single records. */

static int
singles(struct db_txn *t, void *arg)
{
	char k[8], v[DB_VALUE_MAX];
	size_t n;

	(void)arg;
	assert_int_equal(
	    db_get(t, T_BIG, key_of(k, 1), v, sizeof(v), &n), ERR_NOTFOUND);
	assert_int_equal(db_insert(t, T_BIG, key_of(k, 1), SLICE("hello")), 0);
	assert_int_equal(
	    db_insert(t, T_BIG, key_of(k, 1), SLICE("other")), ERR_EXISTS);
	assert_int_equal(
	    db_get_rmw(t, T_BIG, key_of(k, 1), v, sizeof(v), &n), 0);
	assert_true(slice_eq(slice_of(v, n), SLICE("hello")));
	assert_int_equal(
	    db_get(t, T_BIG, key_of(k, 9), v, sizeof(v), &n), ERR_NOTFOUND);
	/* Too long for the room given. */
	assert_int_equal(db_get(t, T_BIG, key_of(k, 1), v, 3, &n), ERR_CORRUPT);
	assert_int_equal(db_put(t, T_BIG, key_of(k, 1), SLICE("")), 0);
	assert_int_equal(db_get(t, T_BIG, key_of(k, 1), v, sizeof(v), &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(db_del(t, T_BIG, key_of(k, 1)), 0);
	assert_int_equal(db_del(t, T_BIG, key_of(k, 1)), ERR_NOTFOUND);
	return 0;
}

static void
test_singles(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	log_init("test", LOG_ERROR);
	assert_int_equal(db_update(f.db, singles, NULL), 0);
	stop(&f);
}

static int
sizes(struct db_txn *t, void *arg)
{
	char big[2000], k[8];

	(void)arg;
	memset(big, 'x', sizeof(big));
	assert_int_equal(
	    db_put(t, T_BIG, key_of(k, 1), slice_of(big, DB_VALUE_MAX)), 0);
	assert_int_equal(
	    db_put(t, T_BIG, slice_of(big, DB_KEY_MAX), SLICE("v")), 0);
	assert_int_equal(
	    db_put(t, T_BIG, key_of(k, 1), slice_of(big, DB_VALUE_MAX + 1)),
	    ERR_INTERNAL);
	assert_int_equal(
	    db_put(t, T_BIG, slice_of(big, DB_KEY_MAX + 1), SLICE("v")),
	    ERR_INTERNAL);
	assert_int_equal(
	    db_put(t, T_SMALL, SLICE(""), SLICE("v")), ERR_INTERNAL);
	return 0;
}

static void
test_sizes(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(db_update(f.db, sizes, NULL), 0);
	stop(&f);
}

/* Transactions. */

static int
put_then_fail(struct db_txn *t, void *arg)
{
	char k[8];

	assert_int_equal(db_put(t, T_BIG, key_of(k, 7), SLICE("seven")), 0);
	return *(int *)arg;
}

static int
has_seven(struct db_txn *t, void *arg)
{
	char k[8], v[16];
	size_t n;

	(void)arg;
	return db_get(t, T_BIG, key_of(k, 7), v, sizeof(v), &n);
}

static void
test_abort(void **state)
{
	struct fixture f;
	int rc;

	(void)state;
	start(&f);
	rc = ERR_QUOTA;
	assert_int_equal(db_update(f.db, put_then_fail, &rc), ERR_QUOTA);
	assert_int_equal(db_read(f.db, has_seven, NULL), ERR_NOTFOUND);
	rc = ERR_BUSY; /* of the caller's own: no retry */
	assert_int_equal(db_update(f.db, put_then_fail, &rc), ERR_BUSY);
	assert_int_equal(db_read(f.db, has_seven, NULL), ERR_NOTFOUND);
	rc = 0;
	assert_int_equal(db_update(f.db, put_then_fail, &rc), 0);
	assert_int_equal(db_read(f.db, has_seven, NULL), 0);
	assert_int_equal(db_oldest_call_ms(f.db), 0);
	stop(&f);
}

struct writer {
	struct fixture *f;
	pthread_t th;
	atomic_bool done;
	int rc;
};

static void *
other_thread_puts(void *arg)
{
	struct writer *w = arg;
	int rc = 0;

	w->rc = db_update(w->f->db, put_then_fail, &rc);
	atomic_store(&w->done, true);
	return NULL;
}

/* The page of record 7 is read, then another thread wants to write there. */
static int
read_while_written(struct db_txn *t, void *arg)
{
	struct writer *w = arg;

	assert_int_equal(has_seven(t, NULL), ERR_NOTFOUND);
	pthread_create(&w->th, NULL, other_thread_puts, w);
	for (int i = 0; i < 20; i++) {
		(void)sched_yield();
		assert_int_equal(has_seven(t, NULL), ERR_NOTFOUND);
	}
	assert_false(atomic_load(&w->done));
	return 0;
}

static void
test_reader_keeps_its_state(void **state)
{
	struct fixture f;
	struct writer w = { .f = &f, .rc = -1 };

	(void)state;
	start(&f);
	assert_int_equal(db_read(f.db, read_while_written, &w), 0);
	pthread_join(w.th, NULL);
	assert_int_equal(w.rc, 0);
	assert_int_equal(db_read(f.db, has_seven, NULL), 0);
	stop(&f);
}

/* Scans. */

enum { SCAN_N = 20000 };

static int
fill(struct db_txn *t, void *arg)
{
	uint64_t from = *(uint64_t *)arg;
	char k[8], v[100];

	memset(v, 0, sizeof(v));
	for (uint64_t i = from; i < from + 1000; i++) {
		num_put64(v, i * 3);
		/* even keys only */
		if (db_put(t, T_BIG, key_of(k, i * 2),
			slice_of(v, 8 + i % 90)) != 0)
			return ERR_INTERNAL;
	}
	return 0;
}

struct range {
	uint64_t from, to, n, sum;
	bool open;
};

static int
scan_range(struct db_txn *t, void *arg)
{
	struct range *r = arg;
	struct slice key, value, none = { NULL, 0 };
	struct db_scan *s;
	char from[8], to[8];
	uint64_t last = 0;
	int rc;

	r->n = r->sum = 0;
	rc = db_scan_init(t, T_BIG, key_of(from, r->from),
	    r->open ? none : key_of(to, r->to), &s);
	assert_int_equal(rc, 0);
	while ((rc = db_scan_next(s, &key, &value)) == 0) {
		uint64_t k = num_get64(key.p);

		assert_int_equal(key.n, 8);
		assert_true(r->n == 0 || k > last);
		assert_int_equal(num_get64(value.p), k / 2 * 3);
		assert_int_equal(value.n, 8 + (k / 2) % 90);
		last = k;
		r->n++;
		r->sum += k;
	}
	assert_int_equal(rc, ERR_NOTFOUND);
	assert_int_equal(db_scan_next(s, &key, &value), ERR_NOTFOUND);
	db_scan_fini(&s);
	return 0;
}

static uint64_t
scanned(struct fixture *f, uint64_t from, uint64_t to, bool open)
{
	struct range r = { from, to, 0, 0, open };

	assert_int_equal(db_read(f->db, scan_range, &r), 0);
	return r.n;
}

static int
lasts(struct db_txn *t, void *arg)
{
	char key[8], value[128], before[8];
	struct slice none = { NULL, 0 };
	size_t kn, vn;

	(void)arg;
	assert_int_equal(db_last(t, T_BIG, none, none, key, 8, &kn, value,
			     sizeof(value), &vn),
	    0);
	assert_int_equal(num_get64(key), (SCAN_N - 1) * 2);
	assert_int_equal(db_last(t, T_BIG, none, key_of(before, 101), key, 8,
			     &kn, value, sizeof(value), &vn),
	    0);
	assert_int_equal(num_get64(key), 100);
	assert_int_equal(num_get64(value), 150);
	assert_int_equal(db_last(t, T_BIG, none, key_of(before, 100), key, 8,
			     &kn, value, sizeof(value), &vn),
	    0);
	assert_int_equal(num_get64(key), 98);
	assert_int_equal(db_last(t, T_BIG, none, key_of(before, 0), key, 8, &kn,
			     value, sizeof(value), &vn),
	    ERR_NOTFOUND);
	/* prefix: all but the last byte of 256..511 */
	num_put64(before, 256);
	assert_int_equal(db_last(t, T_BIG, slice_of(before, 7), none, key, 8,
			     &kn, value, sizeof(value), &vn),
	    0);
	assert_int_equal(num_get64(key), 510);
	num_put64(before, 1 << 30);
	assert_int_equal(db_last(t, T_BIG, slice_of(before, 7), none, key, 8,
			     &kn, value, sizeof(value), &vn),
	    ERR_NOTFOUND);
	return 0;
}

static void
test_scan(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(scanned(&f, 0, 0, true), 0);
	for (uint64_t i = 0; i < SCAN_N; i += 1000)
		assert_int_equal(db_update(f.db, fill, &i), 0);
	assert_int_equal(scanned(&f, 0, 0, true), SCAN_N);
	assert_int_equal(scanned(&f, 0, 100, false), 50);
	assert_int_equal(scanned(&f, 1, 101, false), 50);
	assert_int_equal(scanned(&f, 100, 100, false), 0);
	assert_int_equal(scanned(&f, 100, 102, false), 1);
	assert_int_equal(scanned(&f, 20000, 30001, false), 5001);
	assert_int_equal(scanned(&f, SCAN_N * 2, 0, true), 0);
	assert_int_equal(scanned(&f, SCAN_N * 2 - 2, 0, true), 1);
	assert_int_equal(db_read(f.db, lasts, NULL), 0);
	stop(&f);
}

/* Two scans at once, and writing while scanning. */
static int
nested(struct db_txn *t, void *arg)
{
	struct slice key, value, none = { NULL, 0 };
	struct db_scan *a, *b;
	char k[8];
	int n = 0;

	(void)arg;
	assert_int_equal(db_scan_init(t, T_BIG, none, none, &a), 0);
	assert_int_equal(db_scan_init(t, T_BIG, none, none, &b), 0);
	while (db_scan_next(a, &key, &value) == 0) {
		n++;
		assert_int_equal(db_scan_next(b, &key, &value), 0);
		assert_int_equal(
		    db_put(t, T_SMALL, key_of(k, num_get64(key.p)), SLICE("x")),
		    0);
	}
	db_scan_fini(&b);
	db_scan_fini(&a);
	assert_int_equal(n, 1000);
	return 0;
}

static void
test_nested_scans(void **state)
{
	struct fixture f;
	uint64_t from = 0;

	(void)state;
	start(&f);
	assert_int_equal(db_update(f.db, fill, &from), 0);
	assert_int_equal(db_update(f.db, nested, NULL), 0);
	stop(&f);
}

/* Many writers: nothing is lost, deadlocks are retried. */

enum { THREADS = 8, ROUNDS = 400, ACCOUNTS = 40 };

struct mover {
	struct fixture *f;
	unsigned seed;
	int failed;
	unsigned a, b;
};

static int
add(struct db_txn *t, unsigned acc, int64_t by)
{
	char k[8], v[8];
	size_t n;
	int rc = db_get_rmw(t, T_SMALL, key_of(k, acc), v, sizeof(v), &n);

	if (rc != 0)
		return rc;
	num_put64(v, num_get64(v) + (uint64_t)by);
	return db_put(t, T_SMALL, key_of(k, acc), slice_of(v, 8));
}

static int
move_one(struct db_txn *t, void *arg)
{
	struct mover *m = arg;
	int rc;

	/* in any order: deadlocks come */
	if ((rc = add(t, m->a, 1)) != 0)
		return rc;
	return add(t, m->b, -1);
}

static void *
mover_main(void *arg)
{
	struct mover *m = arg;

	for (int i = 0; i < ROUNDS; i++) {
		m->a = (unsigned)rand_r(&m->seed) % ACCOUNTS;
		m->b =
		    (m->a + 1 + (unsigned)rand_r(&m->seed) % (ACCOUNTS - 1)) %
		    ACCOUNTS;
		if (db_update(m->f->db, move_one, m) != 0)
			m->failed++;
	}
	return NULL;
}

static int
open_accounts(struct db_txn *t, void *arg)
{
	char k[8], v[8];

	(void)arg;
	num_put64(v, 1000000);
	for (unsigned i = 0; i < ACCOUNTS; i++)
		if (db_put(t, T_SMALL, key_of(k, i), slice_of(v, 8)) != 0)
			return ERR_INTERNAL;
	return 0;
}

static int
sum_accounts(struct db_txn *t, void *arg)
{
	uint64_t *sum = arg;
	char k[8], v[8];
	size_t n;

	*sum = 0;
	for (unsigned i = 0; i < ACCOUNTS; i++) {
		if (db_get(t, T_SMALL, key_of(k, i), v, sizeof(v), &n) != 0)
			return ERR_INTERNAL;
		*sum += num_get64(v);
	}
	return 0;
}

static void
test_writers(void **state)
{
	struct mover m[THREADS];
	pthread_t th[THREADS];
	struct fixture f;
	struct db_stats st;
	uint64_t sum;

	(void)state;
	start(&f);
	assert_int_equal(db_update(f.db, open_accounts, NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		m[i] = (struct mover){ .f = &f, .seed = (unsigned)i };
		pthread_create(&th[i], NULL, mover_main, &m[i]);
	}
	for (int i = 0; i < 50; i++) {
		assert_int_equal(db_read(f.db, sum_accounts, &sum), 0);
		assert_int_equal(sum, ACCOUNTS * UINT64_C(1000000));
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(th[i], NULL);
		assert_int_equal(m[i].failed, 0);
	}
	assert_int_equal(db_read(f.db, sum_accounts, &sum), 0);
	assert_int_equal(sum, ACCOUNTS * UINT64_C(1000000));
	assert_int_equal(db_stats_get(f.db, &st), 0);
	assert_int_equal(st.locks_max, 60000);
	assert_true(st.locks_peak < 1000);
	stop(&f);
}

static int
sleeps(struct db_txn *t, void *arg)
{
	struct fixture *f = arg;

	(void)t;
	usleep(30000);
	assert_true(db_oldest_call_ms(f->db) >= 25);
	return 0;
}

static void
test_oldest_call(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(db_read(f.db, sleeps, &f), 0);
	assert_int_equal(db_oldest_call_ms(f.db), 0);
	stop(&f);
}

/* Opening. */

static void
test_refuses(void **state)
{
	struct fixture f;
	struct err e = { 0 };
	char path[100];

	(void)state;
	make_dir(&f);
	/* nothing there to join */
	assert_int_not_equal(db_open(&f.conf, DB_JOIN, &f.db, &e), 0);
	assert_null(f.db);
	(void)snprintf(path, sizeof(path), "%s/DB_CONFIG", f.dir);
	assert_int_equal(
	    file_replace(path, SLICE("set_cachesize 0 1 1\n"), 0600, NULL), 0);
	assert_int_equal(
	    db_open(&f.conf, DB_RECOVER_ALONE, &f.db, &e), ERR_INVALID);
	assert_non_null(strstr(e.text, "DB_CONFIG"));
	(void)unlink(path);
	recover_join(&f);
	stop(&f);
}

/* Killed inside transactions, recovered by another process: what was flushed
 * is there, and nothing is half there. */

static int
put_pair(struct db_txn *t, void *arg)
{
	char k[8], v[200];
	uint64_t n = *(uint64_t *)arg;
	int rc;

	memset(v, (int)n, sizeof(v));
	if ((rc = db_put(t, T_BIG, key_of(k, n), slice_of(v, 200))) != 0)
		return rc;
	return db_put(t, T_SMALL, key_of(k, n), slice_of(v, 50));
}

static void
child(struct fixture *f, int to)
{
	uint64_t n;

	if (db_open(&f->conf, DB_JOIN, &f->db, NULL) != 0)
		_exit(1);
	for (n = (uint64_t)getpid() << 32;; n++) {
		if (db_update(f->db, put_pair, &n) != 0)
			_exit(2);
		if (n % 8 == 0 &&
		    (db_flush(f->db) != 0 || write(to, &n, 8) != 8))
			_exit(3);
	}
}

struct both {
	uint64_t big, small, want;
	bool found;
};

static int
count_both(struct db_txn *t, void *arg)
{
	struct slice key, value, none = { NULL, 0 };
	struct both *b = arg;
	struct db_scan *s;
	char k[8], v[200];
	size_t n;

	b->big = b->small = 0;
	b->found = db_get(t, T_BIG, key_of(k, b->want), v, sizeof(v), &n) == 0;
	assert_int_equal(db_scan_init(t, T_BIG, none, none, &s), 0);
	while (db_scan_next(s, &key, &value) == 0)
		b->big += num_get64(key.p);
	db_scan_fini(&s);
	assert_int_equal(db_scan_init(t, T_SMALL, none, none, &s), 0);
	while (db_scan_next(s, &key, &value) == 0)
		b->small += num_get64(key.p);
	db_scan_fini(&s);
	return 0;
}

static uint64_t
last_told(int from)
{
	uint64_t last = 0, n;

	while (read(from, &n, 8) == 8)
		last = n;
	return last;
}

enum { KIDS = 3 };

static void
kill_round(struct fixture *f, unsigned after_us)
{
	int p[KIDS][2];
	pid_t kid[KIDS];
	struct both b;

	for (int i = 0; i < KIDS; i++) {
		assert_int_equal(pipe(p[i]), 0);
		if ((kid[i] = fork()) == 0)
			child(f, p[i][1]);
		close(p[i][1]);
	}
	usleep(after_us);
	for (int i = 0; i < KIDS; i++)
		kill(kid[i], SIGKILL);
	for (int i = 0; i < KIDS; i++)
		waitpid(kid[i], NULL, 0);
	recover_join(f);
	for (int i = 0; i < KIDS; i++) {
		b.want = last_told(p[i][0]);
		close(p[i][0]);
		assert_int_equal(db_read(f->db, count_both, &b), 0);
		assert_true(b.want == 0 || b.found);
		assert_int_equal(b.big, b.small);
	}
	db_close(&f->db);
}

static void
test_kill(void **state)
{
	struct fixture f;

	(void)state;
	start(&f);
	db_close(&f.db); /* never across fork */
	for (unsigned i = 0; i < 5; i++)
		kill_round(&f, 30000 + i * 20000);
	stop(&f);
}

/* A damaged page costs what is on it, not the process. */

static void
damage(struct fixture *f)
{
	char path[100];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/big.db", f->dir);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "garbage", 7, 4096 * 10 + 2000), 7);
	close(fd);
}

struct tally {
	int good, bad;
	uint64_t key;
};

static int
get_one(struct db_txn *t, void *arg)
{
	struct tally *y = arg;
	char k[8], v[200];
	size_t n;

	return db_get(t, T_BIG, key_of(k, y->key), v, sizeof(v), &n);
}

static void
read_all(struct fixture *f)
{
	struct tally y = { 0, 0, 0 };

	for (y.key = 0; y.key < 2000; y.key += 2) {
		int rc = db_read(f->db, get_one, &y);

		assert_true(rc == 0 || rc == ERR_CORRUPT);
		*(rc == 0 ? &y.good : &y.bad) += 1;
	}
	assert_in_range(y.bad, 1, 100);
	assert_int_equal(y.good + y.bad, 1000);
}

static void
test_damage(void **state)
{
	struct fixture f;
	uint64_t from = 0;
	int rc = 0;

	(void)state;
	start(&f);
	assert_int_equal(db_update(f.db, fill, &from), 0);
	assert_int_equal(db_checkpoint(f.db, 0, 0), 0);
	db_close(&f.db);
	recover_join(&f); /* with an empty cache */
	damage(&f);
	read_all(&f);
	from = 100; /* all of it again */
	assert_int_equal(db_update(f.db, fill, &from), ERR_INTERNAL);
	assert_int_equal(db_update(f.db, put_then_fail, &rc), 0);
	assert_int_equal(db_checkpoint(f.db, 0, 0), 0);
	db_close(&f.db);
	recover_join(&f);
	assert_int_equal(db_read(f.db, has_seven, NULL), 0);
	read_all(&f);
	stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_singles),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_reader_keeps_its_state),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_nested_scans),
		cmocka_unit_test(test_writers),
		cmocka_unit_test(test_oldest_call),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
