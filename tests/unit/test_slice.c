#include "lib/base/slice.h"

#include "tests/unit/unit.h"

static void
parts(void **state)
{
	struct slice s = SLICE("hello");

	(void)state;
	assert_slice(slice_str("hello"), "hello");
	assert_int_equal(slice_str(NULL).n, 0);
	assert_slice(slice_from(s, 2), "llo");
	assert_slice(slice_from(s, 5), "");
	assert_slice(slice_from(s, 6), "");
	assert_slice(slice_from(s, SIZE_MAX), "");
	assert_slice(slice_sub(s, 1, 3), "ell");
	assert_slice(slice_sub(s, 1, SIZE_MAX), "ello");
	assert_slice(slice_sub(s, 9, 1), "");
	assert_slice(slice_sub(s, 0, 0), "");
}

static const struct {
	const char *in, *want;
} trims[] = {
	{ "", "" }, { " ", "" }, { "\t\r\n ", "" }, { "a", "a" },
	{ "  a b\r\n", "a b" }, { "\va\f", "\va\f" }, /* not ours to trim */
};

static void
trim(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(trims); i++)
		assert_slice(slice_trim(slice_str(trims[i].in)), trims[i].want);
}

static void
equality(void **state)
{
	(void)state;
	assert_true(slice_eq(SLICE(""), slice_of(NULL, 0)));
	assert_true(slice_eq(SLICE("a\0b"), SLICE("a\0b")));
	assert_false(slice_eq(SLICE("a\0b"), SLICE("a\0c")));
	assert_false(slice_eq(SLICE("a"), SLICE("ab")));
	assert_true(slice_ieq(SLICE("InBoX"), SLICE("inbox")));
	assert_false(slice_ieq(SLICE("inbox"), SLICE("inbo")));
	/* Case is ASCII's: [ and {, @ and ` differ by the same bit. */
	assert_false(slice_ieq(SLICE("[@"), SLICE("{`")));
	assert_false(slice_ieq(SLICE("\xc4"), SLICE("\xe4")));
	assert_true(slice_ieq_str(SLICE("Noop"), "NOOP"));
	assert_false(slice_ieq_str(SLICE("Noop\0"), "NOOP"));
	assert_true(slice_starts(SLICE("abc"), SLICE("")));
	assert_true(slice_starts(SLICE("abc"), SLICE("abc")));
	assert_false(slice_starts(SLICE("abc"), SLICE("abcd")));
	assert_false(slice_starts(SLICE("abc"), SLICE("AB")));
	assert_true(slice_istarts(SLICE("abc"), SLICE("AB")));
	assert_false(slice_istarts(SLICE("a"), SLICE("AB")));
}

static void
order(void **state)
{
	(void)state;
	assert_int_equal(slice_cmp(SLICE("a"), SLICE("a")), 0);
	assert_int_equal(slice_cmp(slice_of(NULL, 0), SLICE("")), 0);
	assert_true(slice_cmp(SLICE("a"), SLICE("b")) < 0);
	assert_true(slice_cmp(SLICE("a"), SLICE("aa")) < 0);
	assert_true(slice_cmp(SLICE("b"), SLICE("aa")) > 0);
	assert_true(slice_cmp(SLICE("\xff"), SLICE("\x01")) > 0);
}

static void
search(void **state)
{
	struct slice s = SLICE("a,b,c"), none = slice_of(NULL, 0);

	(void)state;
	assert_int_equal(slice_chr(s, ','), 1);
	assert_int_equal(slice_rchr(s, ','), 3);
	assert_int_equal(slice_chr(s, 'x'), 5);
	assert_int_equal(slice_rchr(s, 'x'), 5);
	assert_int_equal(slice_chr(none, ','), 0);
	assert_int_equal(slice_rchr(none, ','), 0);
	assert_int_equal(slice_find(s, SLICE("b,")), 2);
	assert_int_equal(slice_find(s, SLICE("")), 0);
	assert_int_equal(slice_find(s, SLICE("a,b,c,")), 5);
	assert_int_equal(slice_find(none, SLICE("a")), 0);
	assert_int_equal(slice_find(SLICE("aab"), SLICE("ab")), 1);
}

static void
split(void **state)
{
	struct slice rest = SLICE("a,,b,"), head;

	(void)state;
	assert_true(slice_split(&rest, ',', &head));
	assert_slice(head, "a");
	assert_true(slice_split(&rest, ',', &head));
	assert_slice(head, "");
	assert_true(slice_split(&rest, ',', &head));
	assert_slice(head, "b");
	assert_true(slice_split(&rest, ',', &head));
	assert_slice(head, "");
	assert_false(slice_split(&rest, ',', &head));
	rest = SLICE("");
	assert_true(slice_split(&rest, ',', &head));
	assert_false(slice_split(&rest, ',', &head));
}

static void
copies(void **state)
{
	char out[4], *dup = slice_dup(slice_of("ab\0c", 4));

	(void)state;
	assert_memory_equal(dup, "ab\0c", 5);
	free(dup);
	dup = slice_dup(slice_of(NULL, 0));
	assert_string_equal(dup, "");
	free(dup);
	assert_true(slice_copy(SLICE("abc"), out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_false(slice_copy(SLICE("abcd"), out, sizeof(out)));
	assert_string_equal(out, "");
	assert_false(slice_copy(SLICE("a\0b"), out, sizeof(out)));
	assert_string_equal(out, "");
	assert_true(slice_copy(slice_of(NULL, 0), out, 1));
}

static void
ascii_case(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		char c = (char)i;
		bool up = i >= 'A' && i <= 'Z', low = i >= 'a' && i <= 'z';

		assert_int_equal(ascii_lower(c), up ? (char)(i + 32) : c);
		assert_int_equal(ascii_upper(c), low ? (char)(i - 32) : c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),
		cmocka_unit_test(trim),
		cmocka_unit_test(equality),
		cmocka_unit_test(order),
		cmocka_unit_test(search),
		cmocka_unit_test(split),
		cmocka_unit_test(copies),
		cmocka_unit_test(ascii_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
