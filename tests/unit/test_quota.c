/*
 * How full mailboxes are, and what was told: rows of two tables side by side.
 */
#include "tests/unit/store_fixture.h"

#include "storage/quota.h"

static int
setup(void **state)
{
	struct store_fixture *f = malloc(sizeof(*f));

	fixture_new(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct store_fixture *f = *state;

	fixture_free(f);
	free(f);
	return 0;
}

static const struct {
	struct quota q;
	unsigned want;
} cases[] = {
	{ { 1, 50, 0, 100, 0, 0 }, 50 },
	{ { 1, 80, 1, 100, 2, 0 }, 80 },
	{ { 1, 10, 19, 100, 20, 0 }, 95 },
	{ { 1, 0, 3, 0, 7, 0 }, 42 },
	{ { 1, 99, 99, 0, 0, 0 }, 0 },
	{ { 1, UINT64_MAX, 0, 1, 0, 0 }, 999 },
	{ { 1, UINT64_MAX, 0, UINT64_MAX, 0, 0 }, 100 },
};

static void
percents(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		assert_int_equal(quota_percent(&cases[i].q), cases[i].want);
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
	assert_int_equal(v[0].bytes_max, 1000);
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
		cmocka_unit_test_setup_teardown(lists, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
