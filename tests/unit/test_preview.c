#include "tests/unit/mail_tree.h"

#include "lib/base/utf8.h"
#include "lib/mail/preview.h"

#define ALT "Content-Type: multipart/alternative; boundary=b\r\n\r\n"
#define HTML "Content-Type: text/html; charset=utf-8\r\n\r\n"

static const char *const cases[][2] = {
	{ "\r\nHello,\r\n\r\n\tthis   is\r\na test.\r\n",
	    "Hello, this is a test." },
	{ "Content-Type: text/plain; charset=iso-8859-1\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=\r\n=DFe",
	    "Gr\xc3\xbc\xc3\x9f"
	    "e" },
	{ HTML "<style>p {}</style><p>Hallo&nbsp;&zwnj;<b>Welt</b>!</p>",
	    "Hallo Welt!" },
	{ ALT "--b\r\n\r\nplain\r\n--b\r\n" HTML "<p>html</p>\r\n--b--\r\n",
	    "plain" },
	/* nothing in the first, so the next */
	{ ALT "--b\r\n\r\n \r\n\r\n--b\r\n" HTML "<p>html</p>\r\n--b--\r\n",
	    "html" },
	{ ALT "--b\r\nContent-Disposition: attachment\r\n\r\nlog\r\n--b\r\n"
	      "Content-Type: text/calendar\r\n\r\nBEGIN\r\n--b\r\n\r\nx\r\n"
	      "--b--\r\n",
	    "x" },
	{ "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ninner",
	    "inner" },
	{ "Content-Type: image/png\r\n\r\nx", "" },
	{ "", "" },
};

static void
preview_any(struct slice msg)
{
	struct slice rest;
	struct arena a;
	struct buf b;
	uint32_t cp;
	size_t n = 0;

	arena_init(&a);
	buf_init(&b, 2000);
	preview_make(&b, msg, mime_parse(&a, msg, NULL));
	assert_false(buf_failed(&b));
	for (rest = buf_slice(&b); rest.n != 0; n++) {
		assert_true(utf8_next(&rest, &cp));
		assert_true(cp >= 0x20 && cp != 0x7f);
	}
	assert_true(n <= 200);
	buf_fini(&b);
	arena_clear(&a);
}

/* Text that begins late, or whose 200th character lies where the first reading
 * of 2 KiB ends. */
static void
test_long(void **state)
{
	struct arena a;
	struct buf msg, b;

	(void)state;
	for (size_t gap = 1700; gap < 2100; gap++) {
		arena_init(&a);
		buf_init(&msg, 10000);
		buf_init(&b, 2000);
		buf_add_str(
		    &msg, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
		for (size_t i = 0; i < gap; i++)
			buf_add_char(&msg, i % 70 == 0 ? '\n' : ' ');
		for (size_t i = 0; i < 300; i++)
			buf_add_str(&msg, i % 2 == 0 ? "\xc3\xa4" : "a");
		preview_make(
		    &b, buf_slice(&msg), mime_parse(&a, buf_slice(&msg), NULL));
		assert_int_equal(buf_len(&b), 300);
		for (size_t i = 0; i < 100; i++)
			assert_memory_equal(buf_slice(&b).p + 3 * i,
			    "\xc3\xa4"
			    "a",
			    3);
		buf_fini(&b);
		buf_fini(&msg);
		arena_clear(&a);
	}
}

static void
test_make(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice msg = slice_str(cases[i][0]);
		struct arena a;
		struct buf b;

		arena_init(&a);
		buf_init(&b, 1000);
		preview_make(&b, msg, mime_parse(&a, msg, NULL));
		expect_bytes(&b, slice_str(cases[i][1]));
		buf_fini(&b);
		arena_clear(&a);
		mangle(msg, 37, preview_any);
	}
}

/* RFC 8970 3.1: 200 characters, not bytes. */
static void
test_length(void **state)
{
	struct slice msg =
	    repeat("Content-Type: text/plain; charset=utf-8\r\n\r\n",
		"\xe2\x82\xac", 500, "");
	struct slice gaps = repeat("\r\n", "a ", 500, "");
	struct arena a;
	struct buf b;

	(void)state;
	arena_init(&a);
	buf_init(&b, 1000);
	preview_make(&b, msg, mime_parse(&a, msg, NULL));
	assert_int_equal(buf_len(&b), 600);
	buf_clear(&b);
	preview_make(&b, gaps, mime_parse(&a, gaps, NULL));
	assert_true(buf_len(&b) >= 199 && buf_len(&b) <= 200);
	buf_fini(&b);
	arena_clear(&a);
	repeat_free(msg);
	repeat_free(gaps);
}

static void
test_large(void **state)
{
	struct slice msg =
	    repeat("Content-Type: text/html\r\n\r\n", "<style>", 1000000, "");
	struct arena a;
	struct buf b;
	clock_t start = clock();

	(void)state;
	arena_init(&a);
	buf_init(&b, 1000);
	preview_make(&b, msg, mime_parse(&a, msg, NULL));
	assert_int_equal(buf_len(&b), 0);
	EXPECT_FAST(start);
	buf_fini(&b);
	arena_clear(&a);
	repeat_free(msg);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
