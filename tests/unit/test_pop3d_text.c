#include "tests/unit/unit.h"

#include "pop3d/text.h"

static void
translations(void **state)
{
	static const char own[] = "no such words anywhere";

	(void)state;
	assert_string_equal(text_in(TEXT_DE, "goodbye"), "auf Wiedersehen");
	assert_string_equal(text_in(TEXT_EN, "goodbye"), "goodbye");
	assert_string_equal(text_in(TEXT_DE, "%u messages"), "%u Nachrichten");
	assert_ptr_equal(text_in(TEXT_DE, own), own);
}

static const struct {
	const char *range;
	int want; /* -1: none */
} ranges[] = {
	{ "de", TEXT_DE },
	{ "DE-at", TEXT_DE },
	{ "en", TEXT_EN },
	{ "en-US-x", TEXT_EN },
	{ "den", -1 },
	{ "", -1 },
	{ "*", -1 },
	{ "-", -1 },
};

static void
languages(void **state)
{
	enum text_lang lang;

	(void)state;
	for (size_t i = 0; i < PH_LEN(ranges); i++) {
		bool ok = text_lang_of(slice_str(ranges[i].range), &lang);

		assert_int_equal(ok, ranges[i].want >= 0);
		if (ok)
			assert_int_equal((int)lang, ranges[i].want);
	}
	assert_string_equal(text_tag(TEXT_DE), "de");
	assert_string_equal(text_name(TEXT_EN), "English");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translations),
		cmocka_unit_test(languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
