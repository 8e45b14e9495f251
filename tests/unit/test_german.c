#include "tests/unit/unit.h"

#include "submitd/german.h"

static const struct {
	const char *en, *de;
} cases[] = {
	{ "unknown command", "unbekannter Befehl" },
	{ "EHLO comes first", "erst kommt EHLO" },
	{ " comes first", "" },
	{ "comes first", "" },
	{ "unknown command or so", "" },
	{ "", "" },
	{ "bad value of SIZE", "falscher Wert von SIZE" },
	{ "this password is not for IMAP", "dieses Passwort gilt nicht fuer "
					   "IMAP" },
	/* What a star stands for is looked up too. */
	{ "too many different wrong passwords; try again in 3 minutes",
	    "zu viele verschiedene falsche Passwoerter; in 3 Minuten noch "
	    "einmal versuchen" },
	{ "xyz; try again in 9 seconds",
	    "xyz; in 9 Sekunden noch einmal versuchen" },
	{ "mail.example.org too many errors",
	    "mail.example.org zu viele Fehler" },
	/* A star of nothing is none. */
	{ "; try again in 3 minutes", "" },
};

static void
test_cases(void **state)
{
	char out[200];

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		assert_int_equal(german(cases[i].en, out, sizeof(out)),
		    cases[i].de[0] != '\0');
		assert_string_equal(out, cases[i].de);
	}
}

/* Nothing is cut: it fits, or there is none. */
static void
test_room(void **state)
{
	char out[19];

	(void)state;
	assert_true(german("unknown command", out, sizeof(out)));
	assert_false(german("unknown command", out, sizeof(out) - 1));
	assert_string_equal(out, "");
	assert_false(german("mail.example.org too many errors", out, 19));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
