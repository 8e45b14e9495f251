#include "tests/unit/mail_tree.h"

#include "lib/base/utf8.h"
#include "lib/mail/text.h"

static const struct {
	const char *msg, *want; /* NULL: no text to read */
} cases[] = {
	{ "\r\nplain\r\n", "plain\r\n" },
	{ "Content-Type: text/html; charset=iso-8859-1\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	  "<b>gr=FC=\r\n=DF</b>",
	    "<b>gr\xc3\xbc\xc3\x9f</b>" },
	{ "Content-Type: text/plain; charset=\"utf-8\"\r\n"
	  "Content-Transfer-Encoding: base64\r\n\r\nw7zDn8O8\r\nIQ==\r\n",
	    "\xc3\xbc\xc3\x9f\xc3\xbc!" },
	{ "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
	  "\x1b$BF|K\\\x1b(B.",
	    "\xe6\x97\xa5\xe6\x9c\xac." },
	{ "Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin", NULL },
	{ "Content-Type: image/png\r\n\r\nx", NULL },
	{ "Content-Type: multipart/mixed\r\n\r\nx", NULL },
};

static void
test_decode(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice msg = slice_str(cases[i].msg);
		struct mime_part *root;
		struct arena a;
		struct buf b;

		arena_init(&a);
		buf_init(&b, 1000);
		root = mime_parse(&a, msg, NULL);
		assert_int_equal(text_decode(&b, msg, root, UINT64_MAX),
		    cases[i].want != NULL);
		expect_bytes(&b, slice_str(cases[i].want));
		/* offsets of another message */
		assert_false(text_decode(&b, slice_sub(msg, 0, 1), root, 9));
		buf_fini(&b);
		arena_clear(&a);
	}
}

/* Limits cut between characters. */
static void
test_limits(void **state)
{
	struct slice msg =
	    repeat("Content-Type: text/plain; charset=utf-8\r\n\r\n",
		"\xc3\xbc", 20000, "");
	struct mime_part *root;
	struct arena a;
	struct buf b;

	(void)state;
	arena_init(&a);
	root = mime_parse(&a, msg, NULL);
	for (size_t max = 9000; max < 9004; max++) {
		buf_init(&b, max);
		assert_true(text_decode(&b, msg, root, UINT64_MAX));
		assert_int_equal(buf_len(&b), max / 2 * 2);
		assert_true(utf8_valid(buf_slice(&b)));
		buf_fini(&b);
	}
	buf_init(&b, 10000);
	assert_true(text_decode(&b, msg, root, 100));
	assert_int_equal(buf_len(&b), 100);
	buf_fini(&b);
	arena_clear(&a);
	repeat_free(msg);
}

static const char *const html[][2] = {
	{ "<p>Hello <b>W</b>orld</p>", " Hello World " },
	{ "a<br>b<BR/>c", "a b c" },
	{ "<html><head><title>T</title><style>p{a>b}</style></head>x",
	    "     x" },
	{ "<script>if (a</b) \"</script>\"</SCRIPT>x", " \" x" },
	{ "a<!-- <b> > -->b<!DOCTYPE x>c<?xml?>d", "ab c d" },
	{ "&amp;&lt;&auml;&#228;&#xE4;&euro;&nbsp;&Auml;",
	    "&<\xc3\xa4\xc3\xa4\xc3\xa4\xe2\x82\xac\xc2\xa0\xc3\x84" },
	{ "&nosuch; & &; &#; &#x; &#xD800; &#1114112; &#99999999999;",
	    "&nosuch; & &; &#; &#x; &#xD800; &#1114112; &#99999999999;" },
	{ "1 < 2 <3>", "1 < 2 <3>" },
	{ "a <", "a <" },
	{ "a <b", "a " },
	{ "<style>x", "" },
	{ "<!-- x", "" },
	{ "", "" },
};

static void
strip_any(struct slice s)
{
	struct buf b;

	buf_init(&b, 1000);
	text_strip_html(&b, s);
	assert_false(buf_failed(&b));
	buf_fini(&b);
}

static void
test_html(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(html); i++) {
		struct buf b;

		buf_init(&b, 1000);
		text_strip_html(&b, slice_str(html[i][0]));
		expect_bytes(&b, slice_str(html[i][1]));
		buf_fini(&b);
		mangle(slice_str(html[i][0]), 1, strip_any);
	}
}

static void
test_large(void **state)
{
	static const char *const pieces[] = { "<", "<a", "&", "<!--", "<style>",
		"</", "<style></", "<a>", "&amp", "<!--x-->" };
	clock_t start = clock();

	(void)state;
	for (size_t i = 0; i < PH_LEN(pieces); i++) {
		struct slice s = repeat("", pieces[i], 200000, "");
		struct buf b;

		buf_init(&b, ROOMY);
		text_strip_html(&b, s);
		buf_fini(&b);
		repeat_free(s);
	}
	EXPECT_FAST(start);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_html),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
