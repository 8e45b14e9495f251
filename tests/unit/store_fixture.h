/*
 * store_fixture.h - a scratch host for tests of storage: a store in a new
 * directory, with package "web1" and accounts 1 and 2 ("web1p1", "web1p2")
 * that have their usual folders and no limits.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "tests/unit/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/num.h"
#include "storage/folder.h"
#include "storage/store.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/usage.h"
#include "storage/verify.h"

enum { FIXTURE_ACCOUNTS = 2 };

/* Small, as tests want it; to be set before this file is included. */
#ifndef FIXTURE_CACHE
#define FIXTURE_CACHE (16 << 20)
#define FIXTURE_SEGMENT (4 << 20)
#endif

struct store_fixture {
	char dir[40];
	char state[64], run[64];
	struct store *s;
	uint64_t inbox[FIXTURE_ACCOUNTS + 1]; /* by account id */
};

static inline struct store *
fixture_open_as(struct store_fixture *f, enum store_role role)
{
	struct store_conf conf = { .state_dir = f->state,
		.run_dir = f->run,
		.name = "test",
		.cache_bytes = FIXTURE_CACHE,
		.segment_bytes = FIXTURE_SEGMENT,
		.free_floor_bytes = 1 << 20,
		.role = role };
	struct store *s = NULL;
	struct err e = { 0 };
	int rc = store_open(&conf, 5000, &s, &e);

	if (rc != 0)
		print_error("store_open: %d %s (%s)\n", rc, e.text, e.detail);
	assert_int_equal(rc, 0);
	return s;
}

static inline int
fixture_rows(struct db_txn *t, void *arg)
{
	struct usage_limits none = { 0, 0 };
	char text[32] = "\1";
	uint8_t key[8];
	int rc;

	(void)arg;
	rc = usage_package_set(t, SLICE("web1"), &none);
	for (uint64_t i = 1; rc == 0 && i <= FIXTURE_ACCOUNTS; i++) {
		num_put64(key, i);
		(void)snprintf(
		    text + 1, sizeof(text) - 1, "web1p%u", (unsigned)i);
		rc = db_put(t, T_ACCOUNT_ID, slice_of(key, sizeof(key)),
		    slice_of(text, strlen(text)));
	}
	for (uint64_t i = 1; rc == 0 && i <= FIXTURE_ACCOUNTS; i++)
		rc = usage_account_set(t, i, SLICE("web1"), &none, SLICE(""));
	return rc;
}

/* Closes the store and opens it again, with recovery in between. */
static inline void
fixture_reopen(struct store_fixture *f)
{
	struct store *s;

	store_close(&f->s);
	s = fixture_open_as(f, STORE_RECOVER);
	store_close(&s);
	f->s = fixture_open_as(f, STORE_DAEMON);
}

static inline void
fixture_new(struct store_fixture *f)
{
	struct folder_info info;
	struct store *s;
	struct err e;

	memset(f, 0, sizeof(*f));
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/ph-unit-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->state, sizeof(f->state), "%s/state", f->dir);
	(void)snprintf(f->run, sizeof(f->run), "%s/run", f->dir);
	assert_int_equal(mkdir(f->run, 0700), 0);
	assert_int_equal(store_create(f->state, &e), 0);
	s = fixture_open_as(f, STORE_RECOVER);
	store_close(&s);
	f->s = fixture_open_as(f, STORE_DAEMON);
	assert_int_equal(db_update(f->s->db, fixture_rows, NULL), 0);
	for (uint64_t i = 1; i <= FIXTURE_ACCOUNTS; i++) {
		assert_int_equal(folder_create_defaults(f->s, i), 0);
		assert_int_equal(
		    folder_find(f->s, i, SLICE("INBOX"), &info), 0);
		f->inbox[i] = info.id;
	}
}

static inline int
fixture_remove_one(
    const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void
fixture_free(struct store_fixture *f)
{
	store_close(&f->s);
	(void)nftw(f->dir, fixture_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* FORMAT's invariants hold. */
static inline void
assert_store_sound(struct store *s)
{
	struct buf b;
	char *text;
	int rc;

	buf_init(&b, 100000);
	rc = store_verify(s, &b);
	text = buf_take_str(&b);
	if (rc != 0)
		print_error("store_verify: %d\n%s", rc, text);
	free(text);
	assert_int_equal(rc, 0);
}

static inline void
fixture_end(struct store_fixture *f)
{
	assert_store_sound(f->s);
	fixture_free(f);
}

/* For tests with a host each: *state is its struct store_fixture. */
static inline int
fixture_setup(void **state)
{
	struct store_fixture *f = malloc(sizeof(*f));

	fixture_new(f);
	*state = f;
	return 0;
}

static inline int
fixture_teardown(void **state)
{
	struct store_fixture *f = *state;

	fixture_end(f);
	free(f);
	return 0;
}

#define FIXTURE_TEST(fn) \
	cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

static inline uint64_t
fixture_folder(struct store_fixture *f, uint64_t account, const char *name)
{
	struct folder_info info;

	assert_int_equal(folder_find(f->s, account, slice_str(name), &info), 0);
	return info.id;
}

struct fixture_limits {
	uint64_t account;
	struct usage_limits l;
};

static inline int
fixture_limit_txn(struct db_txn *t, void *arg)
{
	struct fixture_limits *f = arg;

	if (f->account == 0)
		return usage_package_set(t, SLICE("web1"), &f->l);
	return usage_account_set(
	    t, f->account, SLICE("web1"), &f->l, SLICE(""));
}

/* account 0: the package's. */
static inline void
fixture_limit(struct store_fixture *f, uint64_t account, uint64_t bytes_max,
    uint64_t messages_max)
{
	struct fixture_limits l = { account, { bytes_max, messages_max } };

	assert_int_equal(db_update(f->s->db, fixture_limit_txn, &l), 0);
}

#endif
