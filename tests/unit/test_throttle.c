/* Distinct wrong passwords, by name and source (CLIENTS O6). */
#include "auth/throttle.h"

#include <pthread.h>
#include <stdio.h>

#include "tests/unit/unit.h"

enum { SEC = 1000, MIN = 60 * SEC };

static struct throttle *t;

static int
setup(void **state)
{
	(void)state;
	t = throttle_new(&throttle_defaults);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	throttle_free(&t);
	assert_null(t);
	return 0;
}

/* One whole attempt; what throttle_begin() said. */
static int
attempt(const char *name, const char *ip, uint64_t mac, bool good, uint64_t now)
{
	struct throttle_try tr = { slice_str(name), ip, mac };
	struct err e = { 0 };
	int rc = throttle_begin(t, &tr, now, &e);

	if (rc == ERR_LIMIT)
		assert_true(strlen(e.text) > 0);
	if (rc == 0)
		throttle_end(
		    t, &tr, good ? THROTTLE_GOOD : THROTTLE_WRONG, now);
	return rc;
}

static unsigned
strikes(const char *name, const char *ip, uint64_t now)
{
	struct throttle_try tr = { slice_str(name), ip, 1 };

	return throttle_strikes(t, &tr, now);
}

/* 500 times the same old password, from a device in the office. */
static void
test_same_wrong(void **state)
{
	uint64_t now = 10 * MIN;

	(void)state;
	assert_int_equal(attempt("web1p1", "192.0.2.1", 7, false, now), 0);
	for (int i = 0; i < 500; i++)
		assert_int_equal(
		    attempt("web1p1", "192.0.2.1", 7, false, now++), ERR_AUTH);
	assert_int_equal(strikes("web1p1", "192.0.2.1", now), 1);
	assert_int_equal(attempt("web1p1", "192.0.2.1", 8, true, now), 0);
	assert_int_equal(strikes("web1p1", "192.0.2.1", now), 0);
}

static void
test_delay_and_block(void **state)
{
	uint64_t now = 10 * MIN;
	uint64_t mac = 1;

	(void)state;
	for (; mac <= 5; mac++)
		assert_int_equal(
		    attempt("web1p1", "192.0.2.1", mac, false, now), 0);
	/* the sixth waits a second, the seventh two, ... */
	assert_int_equal(
	    attempt("web1p1", "192.0.2.1", mac, false, now), ERR_LIMIT);
	now += SEC;
	assert_int_equal(attempt("web1p1", "192.0.2.1", mac++, false, now), 0);
	assert_int_equal(
	    attempt("web1p1", "192.0.2.1", mac, false, now + SEC), ERR_LIMIT);
	now += 2 * SEC;
	assert_int_equal(attempt("web1p1", "192.0.2.1", mac++, false, now), 0);
	/* a password that was wrong is not slowed down, only wrong */
	assert_int_equal(
	    attempt("web1p1", "192.0.2.1", 1, false, now), ERR_AUTH);
	for (; mac <= 10; mac++) {
		now += MIN;
		assert_int_equal(
		    attempt("web1p1", "192.0.2.1", mac, false, now), 0);
	}
	now += MIN;
	/* blocked, even with the right one; others are not */
	assert_int_equal(
	    attempt("web1p1", "192.0.2.1", 99, true, now), ERR_LIMIT);
	assert_int_equal(attempt("web1p1", "192.0.2.2", 99, true, now), 0);
	assert_int_equal(attempt("web1p2", "192.0.2.1", 99, true, now), 0);
	/* it ends */
	now += 15 * MIN;
	assert_int_equal(attempt("web1p1", "192.0.2.1", 99, true, now), 0);
	assert_int_equal(strikes("web1p1", "192.0.2.1", now), 0);
}

static void
test_strikes_age(void **state)
{
	uint64_t now = 10 * MIN;

	(void)state;
	for (uint64_t mac = 1; mac < 100; mac++) {
		assert_int_equal(
		    attempt("web1p1", "192.0.2.1", mac, false, now), 0);
		now += 16 * MIN;
	}
	assert_true(strikes("web1p1", "192.0.2.1", now) <= 4);
}

/* Guesses at the same time count before they are answered. */
static void
test_at_once(void **state)
{
	struct throttle_try tr = { SLICE("web1p1"), "192.0.2.1", 0 };
	struct throttle_try same = { SLICE("web1p1"), "192.0.2.1", 1 };
	uint64_t now = 10 * MIN;
	unsigned let = 0;
	struct err e;

	(void)state;
	for (tr.mac = 1; tr.mac <= 100; tr.mac++)
		let += throttle_begin(t, &tr, now, &e) == 0;
	assert_int_equal(let, 5);
	/* the same password in parallel connections is one guess */
	for (int i = 0; i < 20; i++)
		assert_int_equal(throttle_begin(t, &same, now, &e), 0);
	/* what came to nothing does not count */
	for (tr.mac = 2; tr.mac <= 5; tr.mac++)
		throttle_end(t, &tr, THROTTLE_VOID, now);
	assert_int_equal(strikes("web1p1", "192.0.2.1", now), 1);
	throttle_end(t, &same, THROTTLE_GOOD, now);
	for (int i = 0; i < 20; i++)
		throttle_end(t, &same, THROTTLE_VOID, now);
	assert_int_equal(strikes("web1p1", "192.0.2.1", now), 0);
}

static void
test_source(void **state)
{
	uint64_t now = 10 * MIN;
	char name[32];

	(void)state;
	for (unsigned i = 1; i <= 50; i++) {
		(void)snprintf(name, sizeof(name), "web1p%u", i);
		assert_int_equal(
		    attempt(name, "2001:db8:1:2::1", 7, false, now), 0);
	}
	/* the whole /64, for every name */
	assert_int_equal(
	    attempt("web9p9", "2001:db8:1:2:3:4:5:6", 1, true, now), ERR_LIMIT);
	assert_int_equal(attempt("web9p9", "2001:db8:1:3::1", 1, true, now), 0);
	assert_int_equal(attempt("web1p1", "192.0.2.1", 1, true, now), 0);
	now += 15 * MIN;
	assert_int_equal(
	    attempt("web9p9", "2001:db8:1:2:3:4:5:6", 1, true, now), 0);
}

/* Who logs in well is taken off the source's list. */
static void
test_source_forgives(void **state)
{
	uint64_t now = 10 * MIN;
	char name[32];

	(void)state;
	for (unsigned i = 1; i <= 200; i++) {
		(void)snprintf(name, sizeof(name), "web1p%u", i);
		assert_int_equal(attempt(name, "192.0.2.1", 7, false, now), 0);
		assert_int_equal(attempt(name, "192.0.2.1", 8, true, now), 0);
	}
	/* mapped addresses are the IPv4 ones */
	assert_int_equal(attempt("a", "192.0.2.7", 1, false, now), 0);
	assert_int_equal(strikes("a", "::ffff:192.0.2.7", now), 1);
}

/* SCRAM does not show the password: thirty failures are one strike. */
static void
test_blind(void **state)
{
	uint64_t now = 10 * MIN;
	int rc = 0;
	unsigned n = 0;

	(void)state;
	for (; n < 10000 && rc == 0; n++) {
		now += MIN / 2;
		rc = attempt("web1p1", "192.0.2.1", 0, false, now);
	}
	/* a device that tries twice a minute is let be */
	assert_int_equal(rc, 0);
	for (n = 0; n < 10000 && rc == 0; n++) {
		now += SEC;
		rc = attempt("web1p1", "192.0.2.1", 0, false, now);
	}
	assert_int_equal(rc, ERR_LIMIT);
	assert_true(n < 400);
}

static void
test_tell(void **state)
{
	struct throttle_try tr = { SLICE("web1p1"), "192.0.2.1", 0 };

	(void)state;
	assert_true(throttle_tell(t, &tr, 5 * MIN));
	assert_false(throttle_tell(t, &tr, 5 * MIN + SEC));
	assert_true(throttle_tell(t, &tr, 6 * MIN));
	tr.ip = "192.0.2.2";
	assert_true(throttle_tell(t, &tr, 6 * MIN));
}

static void
test_bounded(void **state)
{
	struct throttle_limits small = throttle_defaults;
	char ip[32];

	(void)state;
	throttle_free(&t);
	small.pairs_max = 100;
	small.sources_max = 10;
	t = throttle_new(&small);
	for (unsigned i = 0; i < 5000; i++) {
		(void)snprintf(ip, sizeof(ip), "10.0.%u.%u", i / 250, i % 250);
		assert_int_equal(attempt("web1p1", ip, 1, false, MIN), 0);
	}
	assert_int_equal(strikes("web1p1", "10.0.0.0", MIN), 0);
	assert_int_equal(strikes("web1p1", ip, MIN), 1);
	/* no address at all */
	assert_int_equal(attempt("web1p1", "", 1, false, MIN), 0);
	assert_int_equal(attempt("web1p1", NULL, 1, false, MIN), ERR_AUTH);
	assert_int_equal(attempt("", "", 1, false, MIN), 0);
}

static void *
storm(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	char name[32];

	for (unsigned i = 0; i < 5000; i++) {
		struct throttle_try tr = { .ip = "192.0.2.1" };
		struct err e;

		seed = seed * 1103515245 + 12345;
		(void)snprintf(name, sizeof(name), "web1p%u", seed >> 28);
		tr.name = slice_str(name);
		tr.mac = (seed >> 20) % 5;
		if (throttle_begin(t, &tr, MIN + i, &e) == 0)
			throttle_end(
			    t, &tr, (enum throttle_end)(seed % 3), MIN + i);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t th[8];

	(void)state;
	for (uintptr_t i = 0; i < 8; i++)
		assert_int_equal(
		    pthread_create(&th[i], NULL, storm, (void *)(i + 1)), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_join(th[i], NULL), 0);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_same_wrong),
		T(test_delay_and_block),
		T(test_strikes_age),
		T(test_at_once),
		T(test_source),
		T(test_source_forgives),
		T(test_blind),
		T(test_tell),
		T(test_bounded),
		T(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
