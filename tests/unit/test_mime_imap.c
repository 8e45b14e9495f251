#include "tests/unit/mail_tree.h"

#include "lib/mail/mime_imap.h"

static void
test_string(void **state)
{
	static const struct {
		struct slice in;
		const char *want;
	} rows[] = {
		{ { NULL, 0 }, "NIL" },
		{ { "", 0 }, "\"\"" },
		{ { "abc", 3 }, "\"abc\"" },
		{ { "a\"b\\c", 5 }, "\"a\\\"b\\\\c\"" },
		{ { "a\tb", 3 }, "\"a\tb\"" },
		{ { "a\r\nb", 4 }, "{4}\r\na\r\nb" },
		{ { "J\xc3\xbc", 3 }, "{3}\r\nJ\xc3\xbc" },
		{ { "a\0b\x01\0", 5 }, "{3}\r\nab\x01" },
		{ { "\x7f", 1 }, "{1}\r\n\x7f" },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 100);
		mime_string(&b, rows[i].in);
		expect_bytes(&b, slice_str(rows[i].want));
		buf_fini(&b);
	}
}

#define GRAY "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\"))"
#define A_B "((NIL NIL \"a\" \"b\"))"

static const char *const envelopes[][2] = {
	/* RFC 9051 8 */
	{ "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
	  "From: Terry Gray <gray@cac.washington.edu>\r\n"
	  "Subject: IMAP4rev2 WG mtg summary and minutes\r\n"
	  "To: imap@cac.washington.edu\r\n"
	  "cc: minutes@CNRI.Reston.VA.US,\r\n"
	  "   John Klensin <KLENSIN@MIT.EDU>\r\n"
	  "Message-Id: <B27397-0100000@cac.washington.ed>\r\n\r\n",
	    "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" "
	    "\"IMAP4rev2 WG mtg summary and minutes\" " GRAY " " GRAY " " GRAY
	    " ((NIL NIL \"imap\" \"cac.washington.edu\")) "
	    "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
	    "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
	    "\"<B27397-0100000@cac.washington.ed>\")" },
	{ "", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)" },
	/* absent, empty, given */
	{ "Subject:\r\nFrom: a@b\r\nSender: \r\nReply-To: c@d\r\nTo:\r\n"
	  "In-Reply-To: <x@y>\r\n z\r\n\r\n",
	    "(NIL \"\" " A_B " " A_B " ((NIL NIL \"c\" \"d\")) NIL NIL NIL "
	    "\"<x@y> z\" NIL)" },
	/* RFC 9051 7.5.2: groups */
	{ "To: undisclosed-recipients:;\r\nCc: G: a@b;\r\n",
	    "(NIL NIL NIL NIL NIL ((NIL NIL \"undisclosed-recipients\" NIL)"
	    "(NIL NIL NIL NIL)) ((NIL NIL \"G\" NIL)(NIL NIL \"a\" \"b\")"
	    "(NIL NIL NIL NIL)) NIL NIL NIL)" },
	/* several fields, no domain, a route, 8-bit, folds in quotes */
	{ "To: a@b\nTo: root\nCc: <@x,@y:a@b>\nBcc: J\xc3\xbc <a@b>, \"x\n y\" "
	  "<a@b>\nsubject: one\nSubject: two\n",
	    "(NIL \"one\" NIL NIL NIL ((NIL NIL \"a\" \"b\")"
	    "(NIL NIL \"root\" \"\")) ((NIL \"@x,@y\" \"a\" \"b\")) "
	    "(({3}\r\nJ\xc3\xbc NIL \"a\" \"b\")(\"x y\" NIL \"a\" \"b\")) "
	    "NIL NIL)" },
	{ "Subject: a\rb\r\n\tc\r\nFrom: <>\r\n\r\nTo: no@header",
	    "(NIL \"ab\tc\" ((NIL NIL \"\" \"\")) ((NIL NIL \"\" \"\")) "
	    "((NIL NIL \"\" \"\")) NIL NIL NIL NIL NIL)" },
};

static void
test_envelope(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(envelopes); i++) {
		struct buf b;

		buf_init(&b, 4000);
		mime_envelope(&b, slice_str(envelopes[i][0]));
		expect_bytes(&b, slice_str(envelopes[i][1]));
		buf_fini(&b);
	}
}

static const char *const bodies[][3] = {
	{ "Subject: x\r\n\r\nHello\r\nWorld\r\n",
	    "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" "
	    "14 "
	    "2)",
	    "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" "
	    "14 "
	    "2 NIL NIL NIL NIL)" },
	{ "Content-Type: text/html; format=flowed; charset=utf-8\r\n"
	  "Content-Transfer-Encoding: BASE64\r\nContent-ID: <a@b>\r\n"
	  "Content-Description: a \"b\"\r\nContent-MD5: x==\r\n"
	  "Content-Disposition: inline\r\nContent-Language: de, en\r\n"
	  "Content-Location: y\r\n\r\nSGk=",
	    "(\"text\" \"html\" (\"format\" \"flowed\" \"charset\" \"utf-8\") "
	    "\"<a@b>\" \"a \\\"b\\\"\" \"BASE64\" 4 0)",
	    "(\"text\" \"html\" (\"format\" \"flowed\" \"charset\" \"utf-8\") "
	    "\"<a@b>\" \"a \\\"b\\\"\" \"BASE64\" 4 0 \"x==\" (\"inline\" NIL) "
	    "(\"de\" \"en\") \"y\")" },
	{ "Content-Type: text/plain; format=flowed\r\n\r\n",
	    "(\"text\" \"plain\" (\"format\" \"flowed\" \"CHARSET\" "
	    "\"US-ASCII\") "
	    "NIL NIL \"7BIT\" 0 0)",
	    NULL },
	{ "Content-Type: image/png\r\nContent-Disposition: attachment;\r\n"
	  " filename=\"J\xc3\xbc.png\"; size=\"3\"\r\n\r\nabc",
	    "(\"image\" \"png\" NIL NIL NIL \"7BIT\" 3)",
	    "(\"image\" \"png\" NIL NIL NIL \"7BIT\" 3 NIL (\"attachment\" "
	    "(\"filename\" {7}\r\nJ\xc3\xbc.png \"size\" \"3\")) NIL NIL)" },
	/* RFC 9051 7.5.2: two parts */
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n"
	  "--b\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=cc.diff\r\n"
	  "Content-Transfer-Encoding: BASE64\r\n"
	  "Content-ID: <960723163407.20117h@cac.washington.edu>\r\n"
	  "Content-Description: Compiler diff\r\n\r\nx\r\ny\r\n\r\n--b--\r\n",
	    "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" "
	    "1 "
	    "0)(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" "
	    "\"cc.diff\") \"<960723163407.20117h@cac.washington.edu>\" "
	    "\"Compiler diff\" \"BASE64\" 6 2) \"mixed\")",
	    "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" "
	    "1 "
	    "0 NIL NIL NIL NIL)(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" "
	    "\"NAME\" \"cc.diff\") "
	    "\"<960723163407.20117h@cac.washington.edu>\" \"Compiler diff\" "
	    "\"BASE64\" 6 2 NIL NIL NIL NIL) \"mixed\" (\"boundary\" \"b\") "
	    "NIL "
	    "NIL NIL)" },
	{ "Content-Type: multipart/mixed\r\n\r\n",
	    "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" "
	    "0 "
	    "0) \"mixed\")",
	    "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" "
	    "0 "
	    "0 NIL NIL NIL NIL) \"mixed\" NIL NIL NIL NIL)" },
	/* a message in a message */
	{ "Content-Type: message/rfc822\r\n\r\nSubject: in\r\nFrom: a@b\r\n\r\n"
	  "x\r\n",
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 29 (NIL \"in\" " A_B
	    " " A_B " " A_B " NIL NIL NIL NIL NIL) (\"TEXT\" \"PLAIN\" "
	    "(\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3 1) 4)",
	    "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 29 (NIL \"in\" " A_B
	    " " A_B " " A_B " NIL NIL NIL NIL NIL) (\"TEXT\" \"PLAIN\" "
	    "(\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3 1 NIL NIL NIL NIL) "
	    "4 "
	    "NIL NIL NIL NIL)" },
	{ "Content-Type: message/rfc822; name=x\r\n"
	  "Content-Transfer-Encoding: base64\r\n\r\nU3Vi",
	    "(\"APPLICATION\" \"OCTET-STREAM\" (\"name\" \"x\") NIL NIL "
	    "\"base64\" 4)",
	    NULL },
	{ "Content-Type: message/delivery-status\r\n\r\nx\r\n",
	    "(\"message\" \"delivery-status\" NIL NIL NIL \"7BIT\" 3)", NULL },
};

static void
test_body(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(bodies); i++) {
		struct slice msg = slice_str(bodies[i][0]);
		struct mime_part *root;
		struct arena a;
		struct buf b;

		arena_init(&a);
		buf_init(&b, 4000);
		root = mime_parse(&a, msg, NULL);
		mime_bodystructure(&b, root, msg, false);
		expect_bytes(&b, slice_str(bodies[i][1]));
		buf_clear(&b);
		mime_bodystructure(&b, root, msg, true);
		if (bodies[i][2] != NULL)
			expect_bytes(&b, slice_str(bodies[i][2]));
		buf_fini(&b);
		arena_clear(&a);
	}
}

/* An IMAP reader, enough to see that parentheses, strings and literals are
 * sound: returns what is behind one value. */
static struct slice
skip_string(struct slice s)
{
	size_t n = 0;

	if (s.p[0] == '"') {
		for (n = 1; n < s.n && s.p[n] != '"'; n++) {
			assert_true((unsigned char)s.p[n] < 0x80);
			assert_true(s.p[n] != '\r' && s.p[n] != '\n');
			assert_true(s.p[n] != '\0');
			n += s.p[n] == '\\';
		}
		assert_true(n < s.n);
		return slice_from(s, n + 1);
	}
	assert_true(s.p[0] == '{');
	s = slice_from(s, 1);
	for (; s.p[0] != '}'; s = slice_from(s, 1))
		n = n * 10 + (size_t)(s.p[0] - '0');
	assert_true(slice_starts(s, SLICE("}\r\n")));
	assert_true(s.n >= n + 3);
	assert_int_equal(slice_chr(slice_sub(s, 3, n), '\0'), n);
	return slice_from(s, n + 3);
}

static void
read_list(struct slice s)
{
	size_t depth = 0;

	do {
		assert_true(s.n != 0);
		if (s.p[0] == '"' || s.p[0] == '{') {
			s = skip_string(s);
			continue;
		}
		depth += s.p[0] == '(';
		depth -= s.p[0] == ')';
		assert_true(slice_chr(SLICE("() NIL0123456789"), s.p[0]) != 16);
		s = slice_from(s, 1);
	} while (depth != 0);
	assert_int_equal(s.n, 0);
}

static void
write_any(struct slice msg)
{
	struct mime_part *root;
	struct arena a;
	struct buf b;

	arena_init(&a);
	buf_init(&b, 10000);
	mime_envelope(&b, msg);
	read_list(buf_slice(&b));
	buf_clear(&b);
	root = mime_parse(&a, msg, NULL);
	mime_bodystructure(&b, root, msg, true);
	assert_false(buf_failed(&b));
	read_list(buf_slice(&b));
	buf_fini(&b);
	arena_clear(&a);
}

static void
test_mangled(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(envelopes); i++)
		mangle(slice_str(envelopes[i][0]), 7, write_any);
	for (size_t i = 0; i < PH_LEN(bodies); i++)
		mangle(slice_str(bodies[i][0]), 7, write_any);
	mangle(SLICE(complex_sample), 37, write_any);
}

static void
one_large(const char *head, const char *piece, size_t n)
{
	struct slice msg = repeat(head, piece, n, "\r\n\r\n");
	struct mime_part *root;
	struct arena a;
	struct buf b;
	clock_t start = clock();

	arena_init(&a);
	buf_init(&b, ROOMY);
	mime_envelope(&b, msg);
	root = mime_parse(&a, msg, NULL);
	mime_bodystructure(&b, root, msg, true);
	assert_false(buf_failed(&b));
	EXPECT_FAST(start);
	buf_fini(&b);
	arena_clear(&a);
	repeat_free(msg);
}

static void
test_large(void **state)
{
	(void)state;
	one_large("", "To: a@b\r\n", 100000);
	one_large("To: ", "a@b,", 300000);
	one_large("Subject: ", "x\r\n y", 200000);
	one_large("", "Content-Type: message/rfc822\r\n\r\n", 10000);
	one_large("Content-Type: multipart/x; boundary=b\r\n\r\n",
	    "--b\r\n\r\n", 100000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_string),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_mangled),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
