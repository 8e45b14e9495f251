#include "tests/unit/unit.h"

#include <stdio.h>

#include "submitd/probe.h"

enum { WINDOW = 1000 };

static void
add(struct probe *p, const char *ip, unsigned n, uint64_t now)
{
	while (n-- != 0)
		probe_count(p, ip, false, now);
}

static void
test_counts(void **state)
{
	struct probe *p = probe_new(WINDOW, 100);

	(void)state;
	assert_int_equal(probe_score(p, "192.0.2.1", 5), 0);
	add(p, "192.0.2.1", 3, 5);
	add(p, "192.0.2.2", 1, 5);
	assert_int_equal(probe_score(p, "192.0.2.1", 6), 3);
	assert_int_equal(probe_score(p, "192.0.2.2", 6), 1);
	/* Who mostly meets people is no guesser. */
	probe_count(p, "192.0.2.1", true, 7);
	assert_int_equal(probe_score(p, "192.0.2.1", 8), 2);
	for (int i = 0; i < 9; i++)
		probe_count(p, "192.0.2.1", true, 8);
	assert_int_equal(probe_score(p, "192.0.2.1", 9), 0);
	/* A Unix socket has no address. */
	add(p, "", 5, 9);
	assert_int_equal(probe_score(p, "", 9), 0);
	probe_free(&p);
	assert_null(p);
	probe_free(&p);
}

static void
test_v6_prefix(void **state)
{
	struct probe *p = probe_new(WINDOW, 100);

	(void)state;
	add(p, "2001:db8:0:1::1", 2, 5);
	add(p, "2001:db8:0:1:ffff::2", 2, 5);
	add(p, "2001:db8:0:2::1", 1, 5);
	assert_int_equal(probe_score(p, "2001:db8:0:1::9", 6), 4);
	assert_int_equal(probe_score(p, "2001:db8:0:2::9", 6), 1);
	probe_free(&p);
}

/* Forgotten after one window at the earliest and two at the latest. */
static void
test_time(void **state)
{
	struct probe *p = probe_new(WINDOW, 100);

	(void)state;
	add(p, "192.0.2.1", 4, 10000);
	assert_int_equal(probe_score(p, "192.0.2.1", 10000 + WINDOW), 4);
	probe_count(p, "192.0.2.1", true, 10000 + WINDOW);
	assert_int_equal(probe_score(p, "192.0.2.1", 10001 + WINDOW), 3);
	assert_int_equal(probe_score(p, "192.0.2.1", 10000 + 2 * WINDOW), 0);
	add(p, "192.0.2.1", 4, 20000);
	assert_int_equal(probe_score(p, "192.0.2.1", 20000 + 9 * WINDOW), 0);
	probe_free(&p);
}

/* A flood of sources costs memory up to a bound. */
static void
test_bound(void **state)
{
	struct probe *p = probe_new(WINDOW, 100);
	unsigned known = 0;
	char ip[32];

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		(void)snprintf(ip, sizeof(ip), "10.0.%u.%u", i / 250, i % 250);
		add(p, ip, 1, 5);
	}
	for (unsigned i = 0; i < 10000; i++) {
		(void)snprintf(ip, sizeof(ip), "10.0.%u.%u", i / 250, i % 250);
		known += probe_score(p, ip, 6);
	}
	assert_in_range(known, 1, 100);
	probe_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_v6_prefix),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
