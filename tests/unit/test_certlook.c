#include "tests/unit/unit.h"

#include "admin/certlook.h"

/* What ends in 7 days or less will not do. */
static void
ends(void **state)
{
	const int64_t now = 1700000000, week = 7 * 86400;

	(void)state;
	assert_int_equal(certlook_level(now, now - 1), FINDING_ERROR);
	assert_int_equal(certlook_level(now, now + week), FINDING_ERROR);
	assert_int_equal(certlook_level(now, now + week + 1), FINDING_OK);
	assert_int_equal(certlook_level(now, 0), FINDING_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(ends) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
