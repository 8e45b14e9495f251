#include "storage/usage.h"

#include "tests/unit/unit.h"

#include <pthread.h>

#include "storage/store_priv.h"
#include "tests/unit/store_tmp.h"

/* One step inside a transaction, so that a table of them can run. */
struct step {
	enum { PACKAGE, ACCOUNT, CHARGE, DEL } what;
	uint64_t account;
	const char *package;
	int64_t bytes, messages; /* or limits */
	bool over;
	uint32_t ids;
	int want;
	uint64_t first;
};

static int
step_txn(struct db_txn *t, void *arg)
{
	struct step *s = arg;
	struct usage_limits l = { (uint64_t)s->bytes, (uint64_t)s->messages };
	struct slice package = slice_str(s->package);

	switch (s->what) {
	case PACKAGE: return usage_package_set(t, package, &l);
	case ACCOUNT:
		return usage_account_set(t, s->account, package, &l, SLICE(""));
	case CHARGE:
		return usage_charge(t, s->account, s->bytes, s->messages,
		    s->over, s->ids, &s->first);
	default: return usage_account_del(t, s->account);
	}
}

struct look {
	uint64_t account;
	struct usage_row a, p;
};

static int
look_txn(struct db_txn *t, void *arg)
{
	struct look *l = arg;
	int rc;

	if ((rc = usage_package_get(t, SLICE("web1"), &l->p)) != 0)
		return rc;
	return usage_account_get(t, l->account, &l->a);
}

static void
run(struct store *s, struct step *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int rc = db_update(s->db, step_txn, &v[i]);

		if (rc != v[i].want)
			fprintf(stderr, "step %zu: %d\n", i, rc);
		assert_int_equal(rc, v[i].want);
	}
}

static void
test_limits(void **state)
{
	struct step v[] = {
		{ PACKAGE, 0, "web1", 1000, 10, false, 0, 0, 0 },
		{ ACCOUNT, 1, "web1", 600, 0, false, 0, 0, 0 },
		{ ACCOUNT, 2, "web1", 0, 3, false, 0, 0, 0 },
		{ CHARGE, 3, NULL, 1, 1, false, 0, ERR_NOTFOUND, 0 },
		{ CHARGE, 1, NULL, 600, 1, false, 1, 0, 0 },
		{ CHARGE, 1, NULL, 1, 1, false, 1, ERR_QUOTA, 0 },
		{ CHARGE, 1, NULL, 1, 1, true, 1, 0, 0 },
		/* already over: nothing more, but less is always allowed */
		{ CHARGE, 1, NULL, 1, 0, false, 0, ERR_QUOTA, 0 },
		{ CHARGE, 1, NULL, -1, -1, false, 0, 0, 0 },
		/* the package's bytes */
		{ CHARGE, 2, NULL, 401, 1, false, 1, ERR_QUOTA, 0 },
		{ CHARGE, 2, NULL, 400, 1, false, 1, 0, 0 },
		{ CHARGE, 2, NULL, 0, 3, false, 0, ERR_QUOTA, 0 },
		{ CHARGE, 2, NULL, 0, 2, false, 5, 0, 0 },
		{ CHARGE, 2, NULL, -400, -1, false, 0, 0, 0 },
	};
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct look l = { .account = 2 };

	(void)state;
	run(s, v, PH_LEN(v));
	assert_int_equal(v[4].first, 1);
	assert_int_equal(v[6].first, 2);
	assert_int_equal(v[10].first, 1);
	assert_int_equal(v[12].first, 2);
	assert_int_equal(db_read(s->db, look_txn, &l), 0);
	assert_int_equal(l.a.bytes, 0);
	assert_int_equal(l.a.messages, 2);
	assert_int_equal(l.a.next_msgid, 7);
	assert_int_equal(l.p.bytes, 600);
	assert_int_equal(l.p.messages, 3);
	store_tmp_stop(&t, &s);
}

static void
test_del(void **state)
{
	struct step v[] = {
		{ PACKAGE, 0, "web1", 0, 0, false, 0, 0, 0 },
		{ ACCOUNT, 1, "web1", 0, 0, false, 0, 0, 0 },
		{ ACCOUNT, 2, "web1", 0, 0, false, 0, 0, 0 },
		{ CHARGE, 1, NULL, 50, 5, false, 0, 0, 0 },
		{ CHARGE, 2, NULL, 7, 1, false, 0, 0, 0 },
		{ DEL, 1, NULL, 0, 0, false, 0, 0, 0 },
		{ DEL, 1, NULL, 0, 0, false, 0, ERR_NOTFOUND, 0 },
		{ PACKAGE, 0, "a-name-of-more-than-forty-bytes-is-refused", 0,
		    0, false, 0, ERR_INVALID, 0 },
		{ ACCOUNT, 9, "", 0, 0, false, 0, ERR_INVALID, 0 },
	};
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct look l = { .account = 2 };

	(void)state;
	run(s, v, PH_LEN(v));
	assert_int_equal(db_read(s->db, look_txn, &l), 0);
	assert_int_equal(l.p.bytes, 7);
	assert_int_equal(l.p.messages, 1);
	store_tmp_stop(&t, &s);
}

enum { MANY = 12 };

struct many {
	struct usage_item items[MANY];
	size_t n, bad;
};

static int
many_txn(struct db_txn *t, void *arg)
{
	struct many *m = arg;

	return usage_charge_many(t, m->items, m->n, &m->bad);
}

static void
test_many(void **state)
{
	struct step web1 = { PACKAGE, 0, "web1", 100, 0, 0, 0, 0, 0 };
	struct step web2 = { PACKAGE, 0, "web2", 0, 0, 0, 0, 0, 0 };
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct look l = { .account = 3 };
	struct many m = { .n = MANY };

	(void)state;
	run(s, &web1, 1);
	run(s, &web2, 1);
	for (unsigned i = 0; i < MANY; i++) {
		struct step ac = { ACCOUNT, i + 1, i % 2 ? "web2" : "web1", 0,
			0, 0, 0, 0, 0 };

		run(s, &ac, 1);
		m.items[i] = (struct usage_item){ .account = i + 1,
			.bytes = 10,
			.messages = 1,
			.take_ids = 1 };
	}
	assert_int_equal(db_update(s->db, many_txn, &m), 0);
	assert_int_equal(db_read(s->db, look_txn, &l), 0);
	assert_int_equal(l.p.bytes, 60);
	assert_int_equal(l.p.messages, 6);
	assert_int_equal(l.a.bytes, 10);
	/* 60 more do not fit into web1; nothing stays of the try */
	assert_int_equal(db_update(s->db, many_txn, &m), ERR_QUOTA);
	assert_int_equal(m.bad % 2, 0);
	assert_int_equal(db_read(s->db, look_txn, &l), 0);
	assert_int_equal(l.p.bytes, 60);
	m.items[5].account = 999;
	assert_int_equal(db_update(s->db, many_txn, &m), ERR_NOTFOUND);
	assert_int_equal(m.bad, 5);
	store_tmp_stop(&t, &s);
}

/* Threads with several accounts each: sums stay right. */

struct payer {
	struct store *s;
	unsigned seed;
	int failed;
};

static void *
payer_main(void *arg)
{
	struct payer *p = arg;
	struct many m = { .n = 3 };

	for (int i = 0; i < 200; i++) {
		uint64_t a = 1;

		for (int j = 0; j < 3; j++) {
			a += 1 + (uint64_t)rand_r(&p->seed) % 3;
			m.items[j] = (struct usage_item){ .account = a,
				.bytes = 5,
				.messages = 1,
				.take_ids = 1 };
		}
		if (db_update(p->s->db, many_txn, &m) != 0)
			p->failed++;
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct step web1 = { PACKAGE, 0, "web1", 0, 0, 0, 0, 0, 0 };
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct look l = { .account = 5 };
	struct payer p[4];
	pthread_t th[4];

	(void)state;
	run(s, &web1, 1);
	for (unsigned i = 1; i <= MANY; i++) {
		struct step ac = { ACCOUNT, i, "web1", 0, 0, 0, 0, 0, 0 };

		run(s, &ac, 1);
	}
	for (unsigned i = 0; i < 4; i++) {
		p[i] = (struct payer){ s, i, 0 };
		pthread_create(&th[i], NULL, payer_main, &p[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(th[i], NULL);
		assert_int_equal(p[i].failed, 0);
	}
	assert_int_equal(db_read(s->db, look_txn, &l), 0);
	assert_int_equal(l.p.messages, 4 * 200 * 3);
	assert_int_equal(l.p.bytes, 4 * 200 * 3 * 5);
	assert_int_equal(l.a.next_msgid, l.a.messages + 1);
	store_tmp_stop(&t, &s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_del),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
