#include "tests/unit/unit.h"

#include <stdio.h>

#include "submitd/rate.h"

static bool
come(struct rates *r, const char *ip, uint64_t now_ms)
{
	return rate_take(r, RATE_MAILS, ip, 1, 2, now_ms);
}

/* Two a minute of an address, eight of its network. */
static void
test_limits(void **state)
{
	struct rates *r = rate_new(1000);

	(void)state;
	assert_true(come(r, "192.0.2.1", 0));
	assert_true(come(r, "192.0.2.1", 59999));
	assert_false(come(r, "192.0.2.1", 59999));
	assert_true(come(r, "192.0.2.2", 59999));
	assert_true(come(r, "192.0.3.1", 59999));
	assert_true(come(r, "192.0.2.1", 60000));
	for (int i = 0; i < 7; i++) {
		char ip[20];

		(void)snprintf(ip, sizeof(ip), "192.0.2.%d", 10 + i);
		assert_true(come(r, ip, 60000));
	}
	assert_false(come(r, "192.0.2.99", 60001));
	assert_true(come(r, "198.51.100.1", 60001));
	/* a customer of IPv6 has a whole /64 */
	for (int i = 0; i < 8; i++) {
		char ip[40];

		(void)snprintf(ip, sizeof(ip), "2001:db8:0:1::%d", i + 1);
		assert_true(come(r, ip, 60001));
	}
	assert_false(come(r, "2001:db8:0:1:ffff::1", 60001));
	assert_true(come(r, "2001:db8:0:2::1", 60001));
	rate_free(&r);
	assert_null(r);
}

static void
test_kinds(void **state)
{
	struct rates *r = rate_new(1000);

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_true(rate_take(r, RATE_MAILS, "", 1, 1, 0));
		assert_true(rate_take(r, RATE_MAILS, "192.0.2.1", 1, 0, 0));
	}
	assert_true(rate_take(r, RATE_ERRORS, "192.0.2.1", 5, 5, 0));
	/* asked without counting */
	assert_true(rate_take(r, RATE_ERRORS, "192.0.2.1", 0, 5, 0));
	assert_false(rate_take(r, RATE_ERRORS, "192.0.2.1", 1, 5, 0));
	assert_true(rate_take(r, RATE_CONNECTIONS, "192.0.2.1", 1, 5, 0));
	rate_free(&r);
}

/* However many come, memory has an end. */
static void
test_bound(void **state)
{
	struct rates *r = rate_new(100);
	char ip[20];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(ip, sizeof(ip), "10.%d.%d.1", i / 256, i % 256);
		assert_true(come(r, ip, 0));
	}
	rate_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
