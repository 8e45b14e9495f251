#include "tests/unit/unit.h"

#include "lib/mail/dotted.h"
#include "submitd/scan.h"

static const struct {
	const char *in;
	size_t n;
	unsigned flags;
} cases[] = {
	{ "", 0, 0 },
	{ "a\r\nb\r\n", 6, 0 },
	{ "a", 1, 0 },
	{ "\r\n\r\n", 4, 0 },
	/* RFC 5321 2.3.8 */
	{ "a\nb\r\n", 5, DOTTED_BARE_LF },
	{ "a\rb\r\n", 5, DOTTED_BARE_CR },
	{ "\n", 1, DOTTED_BARE_LF },
	{ "a\r", 2, DOTTED_BARE_CR },
	{ "\r\r\n", 3, DOTTED_BARE_CR },
	{ "\r\n\n", 3, DOTTED_BARE_LF },
	{ "\n\r", 2, DOTTED_BARE_LF | DOTTED_BARE_CR },
	{ "a\0b", 3, DOTTED_NUL },
	{ "\r\0\n", 3, DOTTED_NUL | DOTTED_BARE_CR | DOTTED_BARE_LF },
	{ "\xc3\xbc\r\n", 4, DOTTED_8BIT },
};

static void
test_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct scan s = { .last = '\n' };
		struct slice in = unit_exact(cases[i].in, cases[i].n);

		scan_feed(&s, in);
		scan_end(&s);
		assert_int_equal(s.flags, cases[i].flags);
		unit_free(in);
	}
}

/* Every way to cut it in three says the same. */
static void
test_splits(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		for (size_t a = 0; a <= cases[i].n; a++)
			for (size_t b = a; b <= cases[i].n; b++) {
				struct scan s = { .last = '\n' };
				struct slice in =
				    slice_of(cases[i].in, cases[i].n);

				scan_feed(&s, slice_sub(in, 0, a));
				scan_feed(&s, slice_sub(in, a, b - a));
				scan_feed(&s, slice_from(in, b));
				scan_end(&s);
				assert_int_equal(s.flags, cases[i].flags);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_splits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
