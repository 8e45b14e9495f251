#include "tests/unit/mail_util.h"

#include "lib/base/utf8.h"
#include "lib/mail/decode.h"
#include "lib/mail/encode.h"

static const struct {
	enum decode_kind kind;
	const char *in, *want;
	bool bad;
} cases[] = {
	{ DECODE_BASE64, "SGVsbG8sIHdvcmxk", "Hello, world", false },
	{ DECODE_BASE64, "SGVs\r\nbG8s\r\n", "Hello,", false },
	{ DECODE_BASE64, "S G\tV\ns", "Hel", false },
	{ DECODE_BASE64, "SGVsbA==", "Hell", false },
	{ DECODE_BASE64, "SGVsbG8=", "Hello", false },
	{ DECODE_BASE64, "SGVsbG8", "Hello", true },
	{ DECODE_BASE64, "SGVsbA==SGVsbA==", "HellHell", false },
	{ DECODE_BASE64, "SG*Vs", "Hel", true },
	{ DECODE_BASE64, "S", "", true },
	{ DECODE_BASE64, "====", "", false },
	{ DECODE_BASE64, "", "", false },
	/* RFC 2045 6.7 */
	{ DECODE_QP,
	    "Now's the time =\r\nfor all folk to come=\r\n to the aid of "
	    "their country.",
	    "Now's the time for all folk to come to the aid of their country.",
	    false },
	{ DECODE_QP, "a=3Db=3d", "a=b=", false },
	{ DECODE_QP, "trail \t \r\nnext\t\n end ", "trail\r\nnext\n end",
	    false },
	{ DECODE_QP, "soft= \t\r\nbreak=\nhere=", "softbreakhere", false },
	{ DECODE_QP, "bad =GG =4 =", "bad =GG =4 ", true },
	{ DECODE_QP, "bad =\rx =4", "bad =\rx =4", true },
	{ DECODE_QP, "a \rb\r\r\n", "a \rb\r\r\n", false },
	{ DECODE_QP, "=E4=FC", "\xe4\xfc", false },
	{ DECODE_QP, "==\r\n=3D=", "==", true },
	{ DECODE_NONE, "as =it \r\nis", "as =it \r\nis", false },
};

static void
check(size_t i, size_t a, size_t b)
{
	struct slice in = slice_str(cases[i].in);
	struct decoder d;
	struct buf out;

	buf_init(&out, 1000);
	decode_init(&d, cases[i].kind);
	decode_feed(&d, slice_sub(in, 0, a), &out);
	decode_feed(&d, slice_sub(in, a, b - a), &out);
	decode_feed(&d, slice_from(in, b), &out);
	decode_finish(&d, &out);
	expect_bytes(&out, slice_str(cases[i].want));
	assert_int_equal(d.bad, cases[i].bad);
	buf_fini(&out);
}

static void
test_splits(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		size_t n = slice_str(cases[i].in).n;

		for (size_t a = 0; a <= n; a++)
			for (size_t b = a; b <= n; b++)
				check(i, a, b);
	}
}

/* In pieces of this size, each in a block of exactly its size. */
static void
decode_in(struct slice s, enum decode_kind kind, size_t piece, struct buf *out)
{
	struct decoder d;

	decode_init(&d, kind);
	for (; s.n != 0; s = slice_from(s, piece)) {
		struct slice part = slice_sub(s, 0, piece);
		char *p = malloc(part.n);

		memcpy(p, part.p, part.n);
		decode_feed(&d, slice_of(p, part.n), out);
		free(p);
	}
	decode_finish(&d, out);
}

/* Whatever the bytes, pieces of any size give the same. */
static void
same_in_pieces(struct slice s, enum decode_kind kind)
{
	struct buf whole, pieces;

	buf_init(&whole, ROOMY);
	decode_in(s, kind, SIZE_MAX / 2, &whole);
	for (size_t n = 1; n < 300; n = n * 2 + 1) {
		buf_init(&pieces, ROOMY);
		decode_in(s, kind, n, &pieces);
		expect_bytes(&pieces, buf_slice(&whole));
		buf_fini(&pieces);
	}
	buf_fini(&whole);
}

static void
test_random(void **state)
{
	static const char alphabet[] = "=== \t \r\n\nA3fz*-";
	char text[400];
	uint32_t r = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		for (size_t i = 0; i < sizeof(text); i++) {
			r = r * 1103515245 + 12345;
			text[i] = alphabet[(r >> 16) % (sizeof(alphabet) - 1)];
		}
		/* and runs of blanks around the length that is held back */
		memset(text + 20, round & 1 ? ' ' : '\t', 90 + round % 40);
		same_in_pieces(slice_of(text, sizeof(text)), DECODE_QP);
		same_in_pieces(slice_of(text, sizeof(text)), DECODE_BASE64);
	}
}

static void
test_round(void **state)
{
	unsigned char bytes[300];
	struct buf text, back;

	(void)state;
	buf_init(&text, 10000);
	buf_init(&back, 10000);
	for (size_t n = 0; n < sizeof(bytes); n++) {
		for (size_t i = 0; i < n; i++)
			bytes[i] = (unsigned char)(i * 7 + n);
		buf_clear(&text);
		buf_clear(&back);
		encode_base64(&text, slice_of(bytes, n));
		decode_in(buf_slice(&text), DECODE_BASE64, 100, &back);
		expect_bytes(&back, slice_of(bytes, n));
		buf_clear(&text);
		buf_clear(&back);
		encode_qp(&text, slice_of(bytes, n));
		decode_in(buf_slice(&text), DECODE_QP, 100, &back);
		expect_bytes(&back, slice_of(bytes, n));
	}
	buf_fini(&text);
	buf_fini(&back);
}

static const char *const words[][2] = {
	/* RFC 2047 8 */
	{ "=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>",
	    "Keith Moore <moore@cs.utk.edu>" },
	{ "=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=",
	    "Keld J\xc3\xb8rn Simonsen" },
	{ "=?ISO-8859-1?Q?Andr=E9?= Pirard", "Andr\xc3\xa9 Pirard" },
	{ "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= "
	  "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
	    "If you can read this you understand the example." },
	{ "=?ISO-8859-1?Q?a?=", "a" },
	{ "=?ISO-8859-1?Q?a?= b", "a b" },
	{ "=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab" },
	{ "=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab" },
	{ "=?ISO-8859-1?Q?a_b?=", "a b" },
	{ "=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b" },
	/* RFC 2231 5 */
	{ "=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore" },
	/* cut within a character */
	{ "=?utf-8?Q?J=C3?= =?utf-8?Q?=BCrgen?=", "J\xc3\xbcrgen" },
	{ "=?utf-8?B?w7w?= =?UTF-8?b?w5/DvA==?=", "\xc3\xbc\xc3\x9f\xc3\xbc" },
	{ "=?utf-8?Q?a b?=", "a b" },
	{ "=?utf-8?Q?what?\?= x", "what? x" },
	{ "x=?utf-8?Q?a?=y", "xay" },
	{ "=?utf-8?Q?\?= b", " b" },
	{ "=?utf-8?X?a?=", "=?utf-8?X?a?=" },
	{ "=?utf-8?Q?a", "=?utf-8?Q?a" },
	{ "=?utf-8?Q?a?", "=?utf-8?Q?a?" },
	{ "=??Q?a?=", "=??Q?a?=" },
	{ "=?=?utf-8?Q?a?=", "=?a" },
	{ "=?x-none?Q?=FC?=", "\xc3\xbc" },
	{ "raw \xfc and \xc3\xbc", "raw \xc3\xbc and \xc3\xbc" },
	{ "=?utf-8?Q?=4?=", "=4" },
	{ "", "" },
};

static void
words_any(struct slice s)
{
	struct buf b;

	buf_init(&b, 1000);
	decode_words(&b, s);
	assert_false(buf_failed(&b));
	assert_true(utf8_valid(buf_slice(&b)));
	buf_fini(&b);
}

static void
test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(words); i++) {
		struct buf b;

		buf_init(&b, 1000);
		decode_words(&b, slice_str(words[i][0]));
		expect_bytes(&b, slice_str(words[i][1]));
		buf_fini(&b);
		mangle(slice_str(words[i][0]), 5, words_any);
	}
}

static void
one_large(const char *head, const char *piece, const char *tail)
{
	struct slice s = repeat(head, piece, 100000, tail);
	clock_t start = clock();
	struct buf b;

	buf_init(&b, ROOMY);
	decode_words(&b, s);
	EXPECT_FAST(start);
	buf_fini(&b);
	repeat_free(s);
}

static void
test_large(void **state)
{
	(void)state;
	one_large("", "=?", "");
	one_large("", "=?a?q?", "");
	one_large("", "=?a?q?b?= ", "");
	one_large("=?a?q?", "x", "");
	one_large("", "=?a", "");
	one_large("", "=?utf-8?q?a?= =?utf-16?q?b?=", "");
	one_large("", "\xc3", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
