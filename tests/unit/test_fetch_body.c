#include "imapd/fetch.h"
#include "lib/mail/mime_imap.h"
#include "tests/unit/unit.h"

static const struct {
	const char *in, *want; /* NULL: no BODYSTRUCTURE */
} cases[] = {
	{ "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1152 23 NIL NIL NIL NIL)",
	    "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1152 23)" },
	{ "(\"TEXT\" \"PLAIN\" (\"NAME\" {3}\r\nc)\") NIL NIL \"7BIT\" 1 2 "
	  "NIL (\"inline\" (\"a\" \"b\\\")\")) (\"de\" \"en\") NIL)",
	    "(\"TEXT\" \"PLAIN\" (\"NAME\" {3}\r\nc)\") NIL NIL \"7BIT\" 1 "
	    "2)" },
	{ "(\"IMAGE\" \"GIF\" NIL NIL NIL \"BASE64\" 10 NIL NIL NIL NIL)",
	    "(\"IMAGE\" \"GIF\" NIL NIL NIL \"BASE64\" 10)" },
	{ "(\"IMAGE\" \"GIF\" NIL NIL NIL \"BASE64\" 10)",
	    "(\"IMAGE\" \"GIF\" NIL NIL NIL \"BASE64\" 10)" },
	{ "((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1 NIL NIL NIL NIL)"
	  "(\"A\" \"B\" NIL NIL NIL \"7BIT\" 1 \"md5\" NIL NIL NIL) "
	  "\"MIXED\" (\"boundary\" \"x\") NIL NIL NIL)",
	    "((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)"
	    "(\"A\" \"B\" NIL NIL NIL \"7BIT\" 1) \"MIXED\")" },
	{ "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 9 (NIL \"(\" ((NIL "
	  "NIL \"a\" \"b\")) NIL NIL NIL NIL NIL NIL NIL) (\"TEXT\" \"PLAIN\" "
	  "NIL NIL NIL \"7BIT\" 1 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)",
	    "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 9 (NIL \"(\" ((NIL "
	    "NIL \"a\" \"b\")) NIL NIL NIL NIL NIL NIL NIL) (\"TEXT\" "
	    "\"PLAIN\" NIL NIL NIL \"7BIT\" 1 1) 3)" },
	{ "", NULL },
	{ "()", NULL },
	{ "(\"A\" \"B\")", NULL },
	{ "NIL", NULL },
};

static void
dropping(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice in = unit_exact(cases[i].in, strlen(cases[i].in));
		bool good;

		buf_clear(&b);
		buf_add_str(&b, "x");
		good = fetch_body_of(&b, in);
		if (good != (cases[i].want != NULL))
			fail_msg("case %zu", i);
		assert_slice(
		    slice_from(buf_slice(&b), 1), good ? cases[i].want : "");
		for (size_t n = 0; n < in.n; n++) { /* every prefix */
			struct slice cut = unit_exact(in.p, n);

			(void)fetch_body_of(&b, cut);
			unit_free(cut);
		}
		unit_free(in);
	}
	buf_fini(&b);
}

/* What lib/mail says itself is what is left. */
static void
same_as_direct(void **state)
{
	static const char msg[] =
	    "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n"
	    "Content-Type: text/html; charset=\"x)\"\r\n"
	    "Content-Disposition: attachment; filename=\"\xc3\xa4.txt\"\r\n"
	    "Content-MD5: abc\r\n\r\nhello\r\n--a\r\n"
	    "Content-Type: message/rfc822\r\n\r\n"
	    "Subject: (in)\r\nFrom: a@b\r\n\r\ninner\r\n--a\r\n"
	    "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n"
	    "Subject: x\r\n\r\ny\r\n--b--\r\n--a--\r\n";
	struct slice text = slice_of(msg, sizeof(msg) - 1);
	struct buf full, brief, mine;
	struct mime_part *root;
	struct arena a;

	(void)state;
	arena_init(&a);
	buf_init(&full, 1 << 16);
	buf_init(&brief, 1 << 16);
	buf_init(&mine, 1 << 16);
	root = mime_parse(&a, text, NULL);
	mime_bodystructure(&full, root, text, true);
	mime_bodystructure(&brief, root, text, false);
	assert_true(fetch_body_of(&mine, buf_slice(&full)));
	assert_int_equal(buf_len(&mine), buf_len(&brief));
	assert_memory_equal(
	    buf_slice(&mine).p, buf_slice(&brief).p, buf_len(&brief));
	buf_fini(&full);
	buf_fini(&brief);
	buf_fini(&mine);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dropping),
		cmocka_unit_test(same_as_direct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
