#include "lib/base/cur.h"

#include "tests/unit/unit.h"

static void
chain(void **state)
{
	struct cur c;
	struct slice s;
	uint64_t v;
	char b;

	(void)state;
	cur_init(&c, SLICE("a1 FETCH 42:rest"));
	assert_int_equal(cur_peek(&c), 'a');
	assert_int_equal(cur_peek_at(&c, 1), '1');
	assert_int_equal(cur_peek_at(&c, 15), 't');
	assert_int_equal(cur_peek_at(&c, 16), -1);
	assert_true(cur_any(&c, &b));
	assert_int_equal(b, 'a');
	assert_false(cur_skip(&c, '2'));
	assert_true(cur_skip(&c, '1'));
	assert_true(cur_byte(&c, ' '));
	assert_false(cur_skip_word(&c, "STORE"));
	assert_true(cur_word(&c, "fetch"));
	assert_slice(cur_span(&c, &cset_wsp), " ");
	assert_slice(cur_span(&c, &cset_wsp), "");
	assert_true(cur_u64(&c, 42, &v));
	assert_int_equal(v, 42);
	assert_true(cur_take(&c, 1, &s));
	assert_slice(s, ":");
	assert_true(cur_span1(&c, &cset_alpha, &s));
	assert_slice(s, "rest");
	assert_true(cur_end(&c));
	assert_true(cur_eof(&c));
	assert_int_equal(cur_pos(&c), 16);
	assert_int_equal(cur_peek(&c), -1);
	assert_slice(cur_rest(&c), "");
	assert_true(cur_ok(&c));
}

/* The first failure sticks, with its reason, and nothing reads on. */
static void
sticks(void **state)
{
	struct cur c;
	struct slice s;
	uint32_t v32;
	uint64_t v;
	char b;

	(void)state;
	cur_init(&c, SLICE("abc 1"));
	assert_false(cur_fail(&c, "first"));
	assert_false(cur_fail(&c, "second"));
	assert_string_equal(c.why, "first");
	assert_int_equal(cur_peek(&c), -1);
	assert_int_equal(cur_peek_at(&c, 0), -1);
	assert_false(cur_byte(&c, 'a'));
	assert_false(cur_skip(&c, 'a'));
	assert_false(cur_any(&c, &b));
	assert_false(cur_word(&c, "abc"));
	assert_false(cur_skip_word(&c, "abc"));
	assert_int_equal(cur_span(&c, &cset_alpha).n, 0);
	assert_false(cur_span1(&c, &cset_alpha, &s));
	assert_false(cur_take(&c, 0, &s));
	assert_int_equal(cur_rest(&c).n, 0);
	assert_false(cur_u64(&c, 9, &v));
	assert_false(cur_u32(&c, &v32));
	assert_false(cur_end(&c));
	assert_true(cur_eof(&c));
	assert_int_equal(cur_pos(&c), 0);
	assert_string_equal(c.why, "first");
}

static void
empty(void **state)
{
	struct cur c;

	(void)state;
	cur_init(&c, slice_of(NULL, 0));
	assert_true(cur_eof(&c));
	assert_int_equal(cur_peek(&c), -1);
	assert_int_equal(cur_span(&c, &cset_alpha).n, 0);
	assert_int_equal(cur_rest(&c).n, 0);
	assert_true(cur_skip_word(&c, ""));
	assert_true(cur_end(&c));
	assert_false(cur_byte(&c, '\0'));
}

/* Bytes above 127 are themselves, not negative numbers. */
static void
high_bytes(void **state)
{
	struct cur c;

	(void)state;
	cur_init(&c, SLICE("\xff\x80"));
	assert_int_equal(cur_peek(&c), 255);
	assert_true(cur_byte(&c, '\xff'));
	assert_true(cur_skip(&c, '\x80'));
	assert_true(cur_end(&c));
}

static const struct {
	const char *in;
	uint64_t max;
	bool ok;
	uint64_t want;
} numbers[] = {
	{ "0", 0, true, 0 },
	{ "1", 0, false, 0 },
	{ "00000000000000000000000000007", 9, true, 7 },
	{ "4294967295", UINT32_MAX, true, UINT32_MAX },
	{ "4294967296", UINT32_MAX, false, 0 },
	{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, false, 0 },
	{ "99999999999999999999999999", UINT64_MAX, false, 0 },
	{ "9223372036854775807", INT64_MAX, true, INT64_MAX },
	{ "9223372036854775808", INT64_MAX, false, 0 },
	{ "3", 5, true, 3 },
	{ "6", 5, false, 0 },
	{ "15", 14, false, 0 },
	{ "", 5, false, 0 },
	{ "-1", 5, false, 0 },
	{ "+1", 5, false, 0 },
	{ " 1", 5, false, 0 },
};

static void
number(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(numbers); i++) {
		struct cur c;
		uint64_t v;

		cur_init(&c, slice_str(numbers[i].in));
		assert_int_equal(
		    cur_u64(&c, numbers[i].max, &v), numbers[i].ok);
		assert_int_equal(v, numbers[i].want);
		assert_int_equal(cur_ok(&c), numbers[i].ok);
	}
}

static void
number32(void **state)
{
	struct cur c;
	uint32_t v;

	(void)state;
	cur_init(&c, SLICE("4294967295x"));
	assert_true(cur_u32(&c, &v));
	assert_int_equal(v, UINT32_MAX);
	assert_false(cur_end(&c));
	assert_string_equal(c.why, "trailing characters");
	cur_init(&c, SLICE("4294967296"));
	assert_false(cur_u32(&c, &v));
	assert_int_equal(v, 0);
}

/* A small grammar over every prefix, in blocks of exact size. */
static bool
parse_sample(struct slice s)
{
	struct cur c;
	struct slice out;
	uint64_t v;

	cur_init(&c, s);
	return cur_word(&c, "fetch") && cur_byte(&c, ' ') &&
	       cur_u64(&c, 1000, &v) && cur_byte(&c, '<') &&
	       cur_take(&c, 3, &out) && cur_byte(&c, '>') &&
	       cur_peek_at(&c, 1) == '!' && cur_end(&c);
}

static void
prefixes(void **state)
{
	static const char text[] = "FETCH 12<abc>";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct slice s = unit_exact(text, n);

		assert_false(parse_sample(s));
		unit_free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain),
		cmocka_unit_test(sticks),
		cmocka_unit_test(empty),
		cmocka_unit_test(high_bytes),
		cmocka_unit_test(number),
		cmocka_unit_test(number32),
		cmocka_unit_test(prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
