#include "tests/unit/unit.h"

#include "auth/network.h"
#include "lib/base/ph.h"

static void
test_fold(void **state)
{
	static const struct {
		const char *in, *want; /* NULL: refused */
	} cases[] = {
		{ "", "" },
		{ " , ", "" },
		{ "192.0.2.7", "192.0.2.7/32" },
		{ "192.0.2.7/24", "192.0.2.0/24" },
		{ "192.0.2.7/25,!10.1.2.3/8", "192.0.2.0/25 !10.0.0.0/8" },
		{ "2001:DB8::1/32  ::1", "2001:db8::/32 ::1/128" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "2001:db8::/33", "2001:db8::/33" },
		{ "192.0.2.0/33", NULL },
		{ "2001:db8::/129", NULL },
		{ "192.0.2", NULL },
		{ "192.0.2.0/", NULL },
		{ "/24", NULL },
		{ "!", NULL },
		{ "any", NULL },
		{ "::1 1.2.3.4.5", NULL },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice in = unit_exact(cases[i].in, strlen(cases[i].in));
		struct err e = { 0 };
		struct buf b;
		int rc;

		buf_init(&b, 300);
		rc = network_fold(in, &b, &e);
		assert_int_equal(rc, cases[i].want != NULL ? 0 : ERR_INVALID);
		if (rc == 0)
			assert_slice(buf_slice(&b), cases[i].want);
		else
			assert_non_null(strstr(e.text, "is no network"));
		buf_fini(&b);
		unit_free(in);
	}
}

static void
test_too_many(void **state)
{
	struct buf b;
	struct err e;

	(void)state;
	buf_init(&b, 20);
	assert_int_equal(
	    network_fold(SLICE("10.0.0.1 10.0.0.2"), &b, &e), ERR_TOOBIG);
	buf_fini(&b);
}

static void
test_allows(void **state)
{
	static const struct {
		const char *list, *ip;
		bool allowed;
	} cases[] = {
		{ "", "192.0.2.1", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.9", true },
		{ "192.0.2.0/24", "2001:db8::1", false },
		{ "192.0.2.0/24", "", true },
		{ "192.0.2.0/24", "rubbish", false },
		{ "192.0.2.0/24 !192.0.2.66/32", "192.0.2.66", false },
		{ "192.0.2.0/24 !192.0.2.66/32", "192.0.2.67", true },
		{ "!192.0.2.0/24", "192.0.2.1", false },
		{ "!192.0.2.0/24", "198.51.100.1", true },
		{ "!192.0.2.0/24", "2001:db8::1", true },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "0.0.0.0/0", "203.0.113.1", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "203.0.113.1", true },
		{ "garbage", "203.0.113.1", false },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		assert_int_equal(
		    network_allows(slice_str(cases[i].list), cases[i].ip),
		    cases[i].allowed);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_allows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
