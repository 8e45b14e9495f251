/* What RCPT asks again and again. */
#include "storage/known.h"

#include "tests/unit/account_fixture.h"

#include "storage/deliver.h"
#include "storage/generation.h"

static struct store_fixture f;
static struct arena a;
static uint64_t one;
static struct route r;

static int
setup(void **state)
{
	(void)state;
	fixture_host(&f);
	one = fixture_account(&f, "web100", "web100p1", 0, NULL);
	fixture_address1(&f, "info@example.org", "web100p1");
	arena_init(&a);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_clear(&a);
	fixture_free(&f);
	return 0;
}

static bool
is_known(const char *addr)
{
	return address_route_known(f.s, slice_str(addr), &a, &r);
}

static void
ask(const char *addr, int want)
{
	assert_int_equal(address_route(f.s, slice_str(addr), &a, &r), want);
}

static void
test_route(void **state)
{
	(void)state;
	assert_false(is_known("info@example.org"));
	ask("info@example.org", 0);
	assert_true(is_known("info@example.org"));
	assert_int_equal(r.naccounts, 1);
	assert_int_equal(r.accounts[0], one);
	assert_slice(r.account_names[0], "web100p1");
	assert_int_equal(r.nremote, 0);
	assert_int_equal(r.detail.n, 0);
	generation_bump(f.s, GENERATION_ACCOUNTS);
	assert_false(is_known("info@example.org"));
}

/* Others are asked for each time. */
static void
test_only_plain_ones(void **state)
{
	static const char *const both[] = { "web100p1", "x@example.net" };

	(void)state;
	fixture_address(&f, "both@example.org", 2, both);
	ask("both@example.org", 0);
	assert_false(is_known("both@example.org"));
	ask("info+Sent@example.org", 0);
	assert_false(is_known("info+Sent@example.org"));
	ask("nobody@example.org", ERR_NOTFOUND);
	assert_false(is_known("nobody@example.org"));
}

/* An answer that was under way when something changed is not kept. */
static void
test_overtaken(void **state)
{
	uint64_t begun = generation_of(f.s, GENERATION_ACCOUNTS);

	(void)state;
	ask("info@example.org", 0);
	generation_bump(f.s, GENERATION_ACCOUNTS);
	known_route(f.s, begun, SLICE("info@example.org"), &r);
	assert_false(is_known("info@example.org"));
	known_room(f.s, begun, one, UINT64_MAX, UINT64_MAX);
	assert_false(deliver_fits_known(f.s, one, 1));
}

static void
test_room(void **state)
{
	uint64_t begun = generation_of(f.s, GENERATION_ACCOUNTS);

	(void)state;
	assert_false(deliver_fits_known(f.s, one, 1));
	assert_int_equal(deliver_fits(f.s, one, 1), 0);
	assert_true(deliver_fits_known(f.s, one, 1));
	assert_false(deliver_fits_known(f.s, one + 1, 1));
	known_room(f.s, begun, one, 2000000000, UINT64_MAX);
	assert_true(deliver_fits_known(f.s, one, 1000));
	assert_false(deliver_fits_known(f.s, one, 1000000000));
	known_room(f.s, begun, one, 1000, UINT64_MAX); /* nearly full */
	assert_false(deliver_fits_known(f.s, one, 1));
	known_room(f.s, begun, one, UINT64_MAX, 5);
	assert_false(deliver_fits_known(f.s, one, 1));
}

/* None of ours, until it becomes one. */
static void
test_away(void **state)
{
	struct slice domain = SLICE("away.test");
	bool local;

	(void)state;
	assert_false(domain_away_known(f.s, domain));
	assert_int_equal(domain_is_local(f.s, domain, &local), 0);
	assert_false(local);
	assert_true(domain_away_known(f.s, domain));
	assert_false(domain_away_known(f.s, SLICE("other.test")));
	assert_int_equal(domain_is_local(f.s, SLICE("example.org"), &local), 0);
	assert_true(local);
	assert_false(domain_away_known(f.s, SLICE("example.org")));
	fixture_domain(&f, "web100", "away.test");
	assert_false(domain_away_known(f.s, domain));
	assert_false(domain_away_known(f.s, SLICE("")));
}

/* A change is known when it is made: no notification is waited for. */
static void
test_changed(void **state)
{
	struct err e;

	(void)state;
	ask("info@example.org", 0);
	assert_true(is_known("info@example.org"));
	assert_int_equal(address_del(f.s, SLICE("info@example.org"), &e), 0);
	assert_false(is_known("info@example.org"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_route, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_only_plain_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_overtaken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_away, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
