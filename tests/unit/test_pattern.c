#include "imapd/pattern.h"

#include "tests/unit/unit.h"

static const struct {
	const char *ref, *pattern, *name;
	bool match, below;
} cases[] = {
	{ "", "*", "INBOX", true, true },
	{ "", "%", "INBOX", true, false },
	{ "", "%", "a/b", false, false },
	{ "", "*", "a/b/c", true, true },
	{ "a/", "%", "a/b", true, false },
	{ "a/", "%", "a", false, true },
	{ "", "a/%/c", "a/b/c", true, false },
	{ "", "a/%/c", "a", false, true },
	{ "", "a/%/c", "a/b", false, true },
	{ "", "a/%/c", "a/b/b/c", false, false },
	{ "", "*2", "foo2/bar2", true, true }, /* RFC 5258 5 */
	{ "", "*2", "foo2/bar1", false, true },
	{ "", "%2", "foo2/bar2", false, false },
	{ "", "inbox", "INBOX", true, false },
	{ "", "InBoX/%", "INBOX/x", true, false },
	{ "", "inboxes", "INBOXes", false, false },
	{ "", "Inbox", "Inbox", false, false },
	{ "", "a*b*c", "axxbyyc", true, true },
	{ "", "a*b*c", "axxbyy", false, true },
	{ "", "%%", "abc", true, false },
	{ "", "%*", "a/b", true, true },
	{ "", "", "a", false, false },
	{ "", "\xc3\xa4%", "\xc3\xa4\xc3\xb6", true, false },
};

static void
matching(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct pattern *p = pattern_new(
		    &a, slice_str(cases[i].ref), slice_str(cases[i].pattern));
		struct slice name = slice_str(cases[i].name);

		assert_non_null(p);
		assert_int_equal(pattern_match(p, name), cases[i].match);
		assert_int_equal(pattern_below(p, name), cases[i].below);
	}
	arena_clear(&a);
}

/* Wildcards without end: no exponential time, and a ceiling. */
static void
bombs(void **state)
{
	char text[2000], name[255];
	struct pattern *p;
	struct arena a;

	(void)state;
	arena_init(&a);
	memset(text, '*', sizeof(text));
	p = pattern_new(&a, SLICE(""), slice_of(text, sizeof(text)));
	assert_non_null(p);
	assert_true(pattern_match(p, SLICE("x")));
	for (size_t i = 0; i < 500; i++)
		text[i] = i % 2 ? '*' : 'a';
	memset(name, 'a', sizeof(name));
	p = pattern_new(&a, SLICE(""), slice_of(text, 500));
	assert_non_null(p);
	for (int i = 0; i < 1000; i++)
		assert_true(pattern_match(p, slice_of(name, sizeof(name))));
	memset(text, 'a', sizeof(text));
	assert_null(pattern_new(&a, SLICE(""), slice_of(text, sizeof(text))));
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matching),
		cmocka_unit_test(bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
