#include "lib/db/db_many.h"

#include "tests/unit/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/num.h"

enum { T_KNOWN, T_N };

static const struct db_table_def defs[T_N] = { { "known", false } };

struct fixture {
	char dir[64];
	struct db *db;
};

static void
open_as(struct fixture *f, enum db_mode mode)
{
	struct db_conf conf = { .dir = f->dir,
		.cache_bytes = 16 << 20,
		.tables = defs,
		.ntables = T_N };
	struct err e = { 0 };

	assert_int_equal(db_open(&conf, mode, &f->db, &e), 0);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	memcpy(f->dir, "/tmp/posthof-many-XXXXXX", 25);
	assert_non_null(mkdtemp(f->dir));
	open_as(f, DB_RECOVER_ALONE);
	db_close(&f->db);
	open_as(f, DB_JOIN);
	*state = f;
	return 0;
}

static int
rm_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	db_close(&f->db);
	(void)nftw(f->dir, rm_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

enum { N = 5000, STEP = 2 };

static struct slice
key_of(char k[8], uint64_t n)
{
	num_put64(k, n);
	return slice_of(k, 8);
}

/* Values of 40 to 139 bytes that tell their number. */
static struct slice
value_of(char v[200], uint64_t n)
{
	size_t len = 40 + n % 100;

	memset(v, (int)(n % 251), len);
	num_put64(v + 8, n);
	return slice_of(v, len);
}

static int
put_txn(struct db_txn *t, void *arg)
{
	char k[8], v[200];
	struct db_edit *e;
	int rc = db_edit_init(t, T_KNOWN, DB_NEAR, &e);

	(void)arg;
	for (uint64_t i = 0; rc == 0 && i < N; i++)
		rc = db_edit_insert(
		    e, key_of(k, i * STEP), value_of(v, i * STEP));
	db_edit_fini(&e);
	return rc;
}

/* Are those there for which want() is true, and no others? */
static int
check_txn(struct db_txn *t, void *arg)
{
	bool (*want)(uint64_t n) = *(bool (**)(uint64_t))arg;
	struct slice none = { NULL, 0 }, key, value;
	struct db_scan *scan;
	char v[200];

	assert_int_equal(db_scan_init(t, T_KNOWN, none, none, &scan), 0);
	for (uint64_t n = 0; n < (uint64_t)N * STEP; n += STEP) {
		if (!want(n))
			continue;
		assert_int_equal(db_scan_next(scan, &key, &value), 0);
		assert_int_equal(num_get64(key.p), n);
		assert_int_equal(num_get64(value.p + 8), n);
		assert_int_equal(value.n, value_of(v, n).n);
	}
	assert_int_equal(db_scan_next(scan, &key, &value), ERR_NOTFOUND);
	db_scan_fini(&scan);
	return 0;
}

static void
check(struct fixture *s, bool (*want)(uint64_t n))
{
	assert_int_equal(db_read(s->db, check_txn, &want), 0);
}

static bool
all(uint64_t n)
{
	(void)n;
	return true;
}

static bool
no_third(uint64_t n)
{
	return n % 3 != 0;
}

static bool
no_middle(uint64_t n)
{
	return no_third(n) && (n < 2000 || n >= 8000);
}

static bool
none(uint64_t n)
{
	(void)n;
	return false;
}

/* Deletes what is there of [from, to) as the numbers rise. */
static int
del_txn(struct db_txn *t, void *arg)
{
	const uint64_t *range = arg;
	struct db_many *m;
	char k[8];
	int rc = 0;

	db_many_init(t, T_KNOWN, &m);
	for (uint64_t n = range[0]; rc == 0 && n < range[1]; n += STEP)
		if (no_third(n))
			rc = db_many_del(m, key_of(k, n));
	return db_many_end(&m, rc);
}

/* Takes every third out and marks the others; some are looked for in vain. */
static int
edit_txn(struct db_txn *t, void *arg)
{
	char k[8], v[200], mark[4] = "MARK";
	struct db_edit *e;
	size_t n;

	(void)arg;
	assert_int_equal(db_edit_init(t, T_KNOWN, DB_NEAR, &e), 0);
	for (uint64_t i = 0; i < (uint64_t)N * STEP; i++) {
		int rc = db_edit_seek(e, key_of(k, i), v, sizeof(v), &n);

		assert_int_equal(rc, i % STEP == 0 ? 0 : ERR_NOTFOUND);
		if (rc != 0)
			continue;
		assert_int_equal(num_get64(v + 8), i);
		if (i % 3 == 0)
			assert_int_equal(db_edit_del(e), 0);
		else
			assert_int_equal(
			    db_edit_patch(e, 16, slice_of(mark, 4)), 0);
	}
	db_edit_fini(&e);
	return 0;
}

/* Looks for a record, makes it when it is not there and longer when it is. */
static int
grow_txn(struct db_txn *t, void *arg)
{
	char k[8], v[DB_VALUE_MAX] = { 0 };
	uint64_t step = *(uint64_t *)arg;
	struct db_edit *e;
	size_t n;
	int rc;

	assert_int_equal(db_edit_init(t, T_KNOWN, DB_NEAR, &e), 0);
	for (uint64_t i = 0; i < (uint64_t)N; i += step) {
		rc = db_edit_seek(e, key_of(k, i), v, sizeof(v), &n);
		if (rc == ERR_NOTFOUND)
			rc = db_edit_insert(e, key_of(k, i), value_of(v, i));
		else if (rc == 0)
			rc = db_edit_put(e, slice_of(v, n + 300));
		assert_int_equal(rc, 0);
	}
	db_edit_fini(&e);
	return 0;
}

static int
grown_txn(struct db_txn *t, void *arg)
{
	char k[8], v[DB_VALUE_MAX], want[200];
	size_t n;

	(void)arg;
	for (uint64_t i = 0; i < (uint64_t)N; i++) {
		struct slice w = value_of(want, i);
		int rc = db_get(t, T_KNOWN, key_of(k, i), v, sizeof(v), &n);

		assert_int_equal(rc, 0);
		assert_int_equal(n, w.n + (i % 3 == 0 ? 300 : 0));
		assert_memory_equal(v, w.p, w.n);
	}
	return 0;
}

static void
grows(void **state)
{
	struct fixture *f = *state;
	uint64_t third = 3, each = 1;

	assert_int_equal(db_update(f->db, grow_txn, &third), 0);
	/* Those there now are longer, the others made between them. */
	assert_int_equal(db_update(f->db, grow_txn, &each), 0);
	assert_int_equal(db_read(f->db, grown_txn, NULL), 0);
}

static int
marks_txn(struct db_txn *t, void *arg)
{
	char k[8], v[200];
	size_t n;

	(void)arg;
	for (uint64_t i = 0; i < (uint64_t)N * STEP; i += STEP) {
		int rc = db_get(t, T_KNOWN, key_of(k, i), v, sizeof(v), &n);

		assert_int_equal(rc, i % 3 == 0 ? ERR_NOTFOUND : 0);
		if (rc == 0)
			assert_memory_equal(v + 16, "MARK", 4);
	}
	return 0;
}

static void
rows(void **state)
{
	struct fixture *s = *state;

	check(s, none);
	assert_int_equal(db_update(s->db, put_txn, NULL), 0);
	check(s, all);
	assert_int_equal(db_update(s->db, edit_txn, NULL), 0);
	assert_int_equal(db_read(s->db, marks_txn, NULL), 0);
	check(s, no_third);
	assert_int_equal(
	    db_update(s->db, del_txn, (uint64_t[]){ 2000, 8000 }), 0);
	check(s, no_middle);
	/* One that is missing: nothing of it stays. */
	assert_int_equal(db_update(s->db, del_txn, (uint64_t[]){ 1000, 3000 }),
	    ERR_NOTFOUND);
	check(s, no_middle);
	assert_int_equal(db_update(s->db, del_txn, (uint64_t[]){ 0, 2000 }), 0);
	assert_int_equal(
	    db_update(s->db, del_txn, (uint64_t[]){ 8000, 10000 }), 0);
	check(s, none);
	/* Values that were there are overwritten. */
	assert_int_equal(db_update(s->db, put_txn, NULL), 0);
	assert_int_equal(db_update(s->db, put_txn, NULL), 0);
	check(s, all);
}

static int
large_txn(struct db_txn *t, void *arg)
{
	char big[DB_VALUE_MAX + 1] = { 0 };
	struct db_many *m;
	struct db_edit *e;
	int rc;

	(void)arg;
	assert_int_equal(db_edit_init(t, T_KNOWN, DB_NEAR, &e), 0);
	rc = db_edit_insert(e, SLICE("a"), slice_of(big, sizeof(big)));
	assert_int_equal(rc, ERR_INTERNAL);
	rc = db_edit_insert(e, SLICE(""), SLICE("b"));
	assert_int_equal(rc, ERR_INTERNAL);
	rc = db_edit_insert(e, SLICE("a"), slice_of(big, sizeof(big) - 1));
	assert_int_equal(rc, 0);
	db_edit_fini(&e);
	db_many_init(t, T_KNOWN, &m);
	assert_int_equal(db_many_del(m, SLICE("")), ERR_INTERNAL);
	assert_int_equal(db_many_end(&m, 0), 0);
	return ERR_INTERNAL;
}

static void
refuses(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(db_update(f->db, large_txn, NULL), ERR_INTERNAL);
	check(f, none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows, setup, teardown),
		cmocka_unit_test_setup_teardown(grows, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
