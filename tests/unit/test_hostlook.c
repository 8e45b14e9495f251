#include "tests/unit/unit.h"

#include "admin/hostlook.h"

static const struct {
	const char *name;
	bool want;
} names[] = {
	{ "mail.example.de", true },
	{ "a.b", true },
	{ "localhost", false },
	{ "", false },
	{ ".example", false },
	{ "192.0.2.1", false },
	{ "2001:db8::1", false },
	{ "[192.0.2.1]", false },
	{ "mail.", false },
};

static const struct {
	int64_t sec;
	const char *want;
} ages[] = {
	{ -5, "0 seconds" },
	{ 0, "0 seconds" },
	{ 1, "1 second" },
	{ 59, "59 seconds" },
	{ 60, "1 minute" },
	{ 7199, "1 hour" },
	{ 7200, "2 hours" },
	{ 86400 * 40, "40 days" },
};

static void
is_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(names); i++)
		assert_int_equal(
		    hostlook_is_name(names[i].name), names[i].want);
}

static void
age(void **state)
{
	char out[32];

	(void)state;
	for (size_t i = 0; i < PH_LEN(ages); i++) {
		hostlook_age(ages[i].sec, out);
		assert_string_equal(out, ages[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_name),
		cmocka_unit_test(age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
