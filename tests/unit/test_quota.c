/*
 * How full mailboxes are, and what was told: rows of two tables side by side.
 */
#include "tests/unit/store_fixture.h"

#include "storage/quota.h"

static const struct {
	struct usage_row own, package;
	unsigned want;
	bool is_package;
} cases[] = {
	{ { 50, 0, 1, { 100, 0 } }, { 0 }, 50, false },
	{ { 80, 1, 1, { 100, 2 } }, { 0 }, 80, false },
	{ { 10, 19, 1, { 100, 20 } }, { 0 }, 95, false },
	{ { 0, 3, 1, { 0, 7 } }, { 0 }, 42, false },
	{ { 99, 99, 1, { 0, 0 } }, { 0 }, 0, false },
	{ { UINT64_MAX, 0, 1, { 1, 0 } }, { 0 }, 999, false },
	{ { UINT64_MAX, 0, 1, { UINT64_MAX, 0 } }, { 0 }, 100, false },
	{ { 50, 0, 1, { 100, 0 } }, { 90, 0, 0, { 100, 0 } }, 90, true },
	{ { 50, 0, 1, { 0, 0 } }, { 0, 97, 0, { 0, 100 } }, 97, true },
	{ { 50, 0, 1, { 100, 0 } }, { 50, 0, 0, { 100, 0 } }, 50, false },
};

static void
percents(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct quota q = { 1, cases[i].own, cases[i].package, 0 };

		assert_int_equal(quota_percent(&q), cases[i].want);
		assert_int_equal(quota_is_package(&q), cases[i].is_package);
	}
}

static int
limit_package(struct db_txn *t, void *arg)
{
	return usage_package_set(t, SLICE("web1"), arg);
}

/* Whoever has no limit of his own has that of the package. */
static void
packages(void **state)
{
	struct store_fixture *f = *state;
	struct usage_limits limit = { 5000, 60 };
	struct quota v[4];
	size_t n;

	assert_int_equal(db_update(f->s->db, limit_package, &limit), 0);
	assert_int_equal(quota_list(f->s, 0, v, 4, &n), 0);
	assert_true(n >= 2);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(v[i].own.limits.bytes_max, 0);
		assert_int_equal(v[i].package.limits.bytes_max, 5000);
		assert_int_equal(v[i].package.limits.messages_max, 60);
	}
}

static void
lists(void **state)
{
	struct store_fixture *f = *state;
	struct quota v[4];
	size_t n;

	/* no limits, nothing told: nobody */
	assert_int_equal(quota_list(f->s, 0, v, 4, &n), 0);
	assert_int_equal(n, 0);
	fixture_limit(f, 2, 1000, 0);
	assert_int_equal(quota_list(f->s, 0, v, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].account, 2);
	assert_int_equal(v[0].own.limits.bytes_max, 1000);
	assert_int_equal(v[0].warned, 0);
	/* told, though the limit has gone */
	assert_int_equal(quota_set_warned(f->s, 1, 80, 5), 0);
	assert_int_equal(quota_set_warned(f->s, 2, 95, 5), 0);
	assert_int_equal(quota_set_warned(f->s, 77, 80, 5), 0);
	assert_int_equal(quota_list(f->s, 0, v, 4, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(v[0].warned, 80);
	assert_int_equal(v[1].warned, 95);
	/* page by page */
	assert_int_equal(quota_list(f->s, 0, v, 1, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(quota_list(f->s, v[0].account, v, 1, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].account, 2);
	assert_int_equal(v[0].warned, 95);
	/* over */
	assert_int_equal(quota_set_warned(f->s, 1, 0, 6), 0);
	assert_int_equal(quota_set_warned(f->s, 1, 0, 6), 0);
	assert_int_equal(quota_list(f->s, 0, v, 4, &n), 0);
	assert_int_equal(n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percents),
		FIXTURE_TEST(lists),
		FIXTURE_TEST(packages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
