#include "tests/unit/unit.h"

#include "admin/zonelook.h"

#define NO ZONELOOK_SPF_NO
#define MAYBE ZONELOOK_SPF_MAYBE
#define YES ZONELOOK_SPF_YES

/* RFC 7208 5; this host is mail.example.de, 192.0.2.7 and 2001:db8::7. */
static const struct {
	const char *record;
	bool is_mx;
	enum zonelook_spf want;
} cases[] = {
	{ "v=spf1 mx -all", true, YES },
	{ "v=spf1 mx -all", false, NO },
	{ "v=spf1 -mx ~all", true, NO },
	{ "v=spf1 +mx", true, YES },
	{ "v=spf1 -all", true, NO },
	{ "v=spf1 ?all", true, NO },
	{ "v=spf1 +all", false, YES },
	{ "v=spf1 all", false, YES },
	{ "v=spf1 a:Mail.example.de -all", false, YES },
	{ "v=spf1 a:other.example -all", false, MAYBE },
	{ "v=spf1 a -all", false, MAYBE },
	{ "v=spf1 mx:other.example -all", true, MAYBE },
	{ "v=spf1 ip4:192.0.2.7 -all", false, YES },
	{ "v=spf1 ip4:192.0.2.0/24 -all", false, YES },
	{ "v=spf1 ip4:192.0.3.0/24 -all", true, NO },
	{ "v=spf1 ip6:2001:db8::/32 -all", false, YES },
	{ "v=spf1 ip6:2001:db9::/32 -all", false, NO },
	{ "v=spf1 ip4:nonsense -all", false, NO },
	{ "v=spf1 include:_spf.example -all", false, MAYBE },
	{ "v=spf1 redirect=_spf.example", false, MAYBE },
	{ "v=spf1 exp=why.example -all", false, NO },
	{ "v=spf1  include:x   ip4:192.0.2.7", false, YES },
	{ "v=spf1 + - ~", true, NO },
	{ "v=spf1", true, NO },
	{ "", true, NO },
};

static void
spf(void **state)
{
	static const char *const addrs[] = { "192.0.2.7", "2001:db8::7" };

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		const struct zonelook_sender from = { .hostname =
							  "mail.example.de",
			.is_mx = cases[i].is_mx,
			.addrs = addrs,
			.naddrs = PH_LEN(addrs) };

		assert_int_equal(
		    zonelook_spf(cases[i].record, &from), cases[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(spf) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
