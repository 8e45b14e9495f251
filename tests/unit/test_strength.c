#include "tests/unit/unit.h"

#include "auth/strength.h"
#include "lib/base/ph.h"

static void
test_rules(void **state)
{
	static const struct strength p = { .min = 6,
		.denied = SLICE("123456\r\npasswort\n\nqwertz1") };
	static const struct {
		const char *password, *why; /* NULL: good */
	} cases[] = {
		{ "geheim", NULL },
		{ "gehei", "too short" },
		{ "m\303\274ller", NULL },       /* six characters */
		{ "m\303\274lle", "too short" }, /* five, six bytes */
		{ "", "too short" },
		{ "web100p1", "the account\'s name" },
		{ "WEB100P1", "the account\'s name" },
		{ "web100p1!", NULL },
		{ "123456", "tries first" },
		{ "Passwort", "tries first" },
		{ "QWERTZ1", "tries first" },
		{ "passwort\r", NULL },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice s =
		    unit_exact(cases[i].password, strlen(cases[i].password));
		struct err e = { 0 };
		int rc = strength_check(&p, s, SLICE("web100p1"), &e);

		assert_int_equal(rc, cases[i].why != NULL ? ERR_INVALID : 0);
		if (cases[i].why != NULL)
			assert_non_null(strstr(e.text, cases[i].why));
		unit_free(s);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
