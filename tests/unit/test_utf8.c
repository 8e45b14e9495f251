#include "lib/base/utf8.h"

#include "tests/unit/unit.h"

/* RFC 3629 4 and the well-known hard cases. */
static const struct {
	const char *in;
	bool ok;
} cases[] = {
	{ "", true },
	{ "plain", true },
	{ "\x7f", true },
	{ "\xc2\x80", true },
	{ "\xdf\xbf", true },
	{ "\xe0\xa0\x80", true },
	{ "\xed\x9f\xbf", true },
	{ "\xee\x80\x80", true },
	{ "\xef\xbf\xbf", true },
	{ "\xf0\x90\x80\x80", true },
	{ "\xf4\x8f\xbf\xbf", true },
	{ "\x80", false }, /* a continuation alone */
	{ "\xbf", false },
	{ "\xc0\x80", false }, /* overlong NUL */
	{ "\xc1\xbf", false }, /* overlong */
	{ "\xe0\x9f\xbf", false },
	{ "\xf0\x8f\xbf\xbf", false },
	{ "\xed\xa0\x80", false }, /* surrogates */
	{ "\xed\xbf\xbf", false },
	{ "\xf4\x90\x80\x80", false }, /* past 10FFFF */
	{ "\xf5\x80\x80\x80", false },
	{ "\xf8\x88\x80\x80\x80", false },
	{ "\xff", false },
	{ "\xfe", false },
	{ "\xc3", false }, /* cut short */
	{ "\xe2\x82", false },
	{ "\xf0\x9f\x98", false },
	{ "\xe2(\xa1", false },
	{ "\xc3\xa4\xc3", false },
};

static void
validity(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice s = unit_exact(cases[i].in, strlen(cases[i].in));

		if (utf8_valid(s) != cases[i].ok)
			print_error("case %zu\n", i);
		assert_int_equal(utf8_valid(s), cases[i].ok);
		unit_free(s);
	}
	assert_true(utf8_valid(SLICE("a\0b")));
}

/* Every code point there and back; no surrogate comes back. */
static void
round_trip(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		struct slice s;
		uint32_t got = 0;
		bool surrogate = cp >= 0xd800 && cp <= 0xdfff;

		buf_clear(&b);
		utf8_add(&b, cp);
		s = buf_slice(&b);
		assert_int_equal(utf8_next(&s, &got), !surrogate);
		if (!surrogate) {
			assert_int_equal(got, cp);
			assert_int_equal(s.n, 0);
		}
	}
	buf_fini(&b);
}

/* Every pair of bytes against the table of RFC 3629 4 for two bytes. */
static void
pairs(void **state)
{
	(void)state;
	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++) {
			char two[2] = { (char)a, (char)b };
			bool want =
			    (a < 0x80 && b < 0x80) ||
			    (a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf);

			assert_int_equal(utf8_valid(slice_of(two, 2)), want);
		}
}

/* One byte that is not ASCII, or one letter of two, at each place among ASCII
 * of each length. */
static void
among_ascii(void **state)
{
	(void)state;
	for (size_t n = 2; n <= 40; n++)
		for (size_t at = 0; at + 1 < n; at++) {
			char text[40];
			struct slice s;

			memset(text, 'a', n);
			s = unit_exact(text, n);
			assert_true(utf8_is_ascii(s) && utf8_valid(s));
			unit_free(s);
			text[at] = (char)0xc3;
			s = unit_exact(text, n);
			assert_false(utf8_is_ascii(s) || utf8_valid(s));
			unit_free(s);
			text[at + 1] = (char)0xa4;
			s = unit_exact(text, n);
			assert_false(utf8_is_ascii(s));
			assert_true(utf8_valid(s));
			unit_free(s);
		}
}

static void
stepping(void **state)
{
	struct slice s = SLICE("a\xc3\xa4\xff"), bad;
	uint32_t cp;

	(void)state;
	assert_true(utf8_next(&s, &cp));
	assert_int_equal(cp, 'a');
	assert_true(utf8_next(&s, &cp));
	assert_int_equal(cp, 0xe4);
	bad = s;
	assert_false(utf8_next(&s, &cp));
	assert_ptr_equal(s.p, bad.p); /* stays where it was */
	assert_int_equal(s.n, 1);
	s = SLICE("");
	assert_false(utf8_next(&s, &cp));
	assert_true(utf8_is_ascii(SLICE("a\0\x7f")));
	assert_true(utf8_is_ascii(SLICE("")));
	assert_false(utf8_is_ascii(SLICE("a\x80")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(validity),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(pairs),
		cmocka_unit_test(among_ascii),
		cmocka_unit_test(stepping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
