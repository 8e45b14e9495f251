#include "imapd/fold.h"

#include "tests/unit/unit.h"

static const struct {
	const char *a, *b;
	bool same;
} cases[] = {
	{ "abc XYZ 1", "ABC xyz 1", true },
	{ "\xc3\xbc", "\xc3\x9c", true },  /* u umlaut */
	{ "\xc3\xbc", "U\xcc\x88", true }, /* taken apart */
	{ "\xc3\xbc", "u", false },
	{ "\xd0\xbf\xd1\x80", "\xd0\x9f\xd0\xa0", true }, /* Cyrillic */
	{ "\xef\xbd\x81", "A", true },                    /* fullwidth a */
	{ "\xc7\x86", "\xc7\x84", true }, /* dz with caron, title case */
	{ "\xef\xac\x81", "fi", false },  /* a ligature stays small */
	{ "\xc3\x9f", "ss", false },      /* simple mapping only */
	{ "a\xff", "A\xff", true },       /* no UTF-8 */
	{ "", "", true },
};

static void
folding(void **state)
{
	struct buf a, b;

	(void)state;
	buf_init(&a, 4096);
	buf_init(&b, 4096);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice x = unit_exact(cases[i].a, strlen(cases[i].a));

		buf_clear(&a);
		buf_clear(&b);
		fold_add(&a, x);
		fold_add(&b, slice_str(cases[i].b));
		if (slice_eq(buf_slice(&a), buf_slice(&b)) != cases[i].same)
			fail_msg("case %zu", i);
		unit_free(x);
	}
	buf_fini(&a);
	buf_fini(&b);
}

static void
long_text(void **state)
{
	struct buf a, b;

	(void)state;
	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	for (int i = 0; i < 20000; i++)
		buf_add_str(&a, "x\xc3\xa9");
	fold_add(&b, buf_slice(&a));
	/* X, E and the accent */
	assert_int_equal(buf_len(&b), 20000 * 4);
	buf_fini(&a);
	buf_fini(&b);
	buf_init(&b, 10); /* too small: it ends all the same */
	fold_add(&b, SLICE("abcdefghijklmn"));
	assert_true(buf_failed(&b));
	buf_fini(&b);
}

/* Every byte of ASCII, wherever it stands. */
static void
ascii(void **state)
{
	char text[128 + 8], want[128 + 8];
	struct buf out;

	(void)state;
	buf_init(&out, 1 << 10);
	for (size_t at = 0; at < 8; at++) {
		memset(text, 'a', sizeof(text));
		memset(want, 'A', sizeof(want));
		for (int c = 0; c < 128; c++) {
			text[at + (size_t)c] = (char)c;
			want[at + (size_t)c] =
			    (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
		}
		buf_clear(&out);
		fold_add(&out, slice_of(text, sizeof(text)));
		assert_int_equal(buf_len(&out), sizeof(want));
		assert_memory_equal(buf_slice(&out).p, want, sizeof(want));
	}
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folding),
		cmocka_unit_test(long_text),
		cmocka_unit_test(ascii),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
