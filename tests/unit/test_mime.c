#include "tests/unit/mail_tree.h"

#define MIXED(b) "Content-Type: multipart/mixed; boundary=" b CRLF CRLF

static const struct {
	const char *in, *want;
} cases[] = {
	{ "", "TEXT/PLAIN{}" },
	{ "Subject: x" CRLF CRLF "body" CRLF, "TEXT/PLAIN{body" CRLF "}" },
	{ "Content-Type: Text/HTML" CRLF CRLF "x", "Text/HTML{x}" },
	/* RFC 2046 5.1.1 */
	{ "From: Nathaniel Borenstein <nsb@bellcore.com>" CRLF
	  "MIME-Version: 1.0" CRLF "Content-type: multipart/mixed; "
	  "boundary=\"simple boundary\"" CRLF CRLF
	  "This is the preamble." CRLF CRLF "--simple boundary" CRLF CRLF
	  "It does NOT end with a linebreak." CRLF "--simple boundary" CRLF
	  "Content-type: text/plain; charset=us-ascii" CRLF CRLF
	  "It DOES end with a linebreak." CRLF CRLF
	  "--simple boundary--" CRLF CRLF "This is the epilogue." CRLF,
	    "multipart/mixed(TEXT/PLAIN{It does NOT end with a linebreak.}"
	    "text/plain{It DOES end with a linebreak." CRLF "})" },
	{ complex_sample,
	    "multipart/mixed(TEXT/PLAIN{part 1}application/octet-stream"
	    "{cGFydCAy}message/rfc822[multipart/mixed(text/plain{3.1}"
	    "application/octet-stream{3.2})]multipart/mixed(image/gif{4.1}"
	    "message/rfc822[multipart/mixed(TEXT/PLAIN{4.2.1}"
	    "multipart/alternative(TEXT/PLAIN{4.2.2.1}text/richtext{4.2.2.2})"
	    ")]))" },
	/* RFC 2046 5.1.5 */
	{ "Content-Type: multipart/digest; boundary=b" CRLF CRLF "--b" CRLF CRLF
	  "Subject: a" CRLF CRLF "x" CRLF "--b" CRLF
	  "Content-Type: text/plain" CRLF CRLF "y" CRLF "--b--" CRLF,
	    "multipart/digest(MESSAGE/RFC822[TEXT/PLAIN{x}]text/plain{y})" },
	/* the outer boundary begins like the inner one, and the reverse */
	{ MIXED("ab") "--ab" CRLF MIXED("abc") "--abc" CRLF CRLF "1" CRLF
					       "--abc--" CRLF "--ab" CRLF CRLF
					       "2" CRLF "--ab--",
	    "multipart/mixed(multipart/mixed(TEXT/PLAIN{1})TEXT/PLAIN{2})" },
	{ MIXED("abc") "--abc" CRLF MIXED("ab") "--ab" CRLF CRLF "1" CRLF
						"--ab--" CRLF "--abc" CRLF CRLF
						"2" CRLF "--abc--",
	    "multipart/mixed(multipart/mixed(TEXT/PLAIN{1})TEXT/PLAIN{2})" },
	/* what is no boundary line */
	{ MIXED("b") "--b" CRLF CRLF "--bx" CRLF " --b" CRLF "--" CRLF
		     "--b-" CRLF "--b--x" CRLF "--b---" CRLF "x--b" CRLF
		     "--b--",
	    "multipart/mixed(TEXT/PLAIN{--bx" CRLF " --b" CRLF "--" CRLF
	    "--b-" CRLF "--b--x" CRLF "--b---" CRLF "x--b})" },
	/* blanks behind it; LF only */
	{ "Content-Type: multipart/mixed; boundary=b\n\n--b \t\n\nx\n--b-- \n",
	    "multipart/mixed(TEXT/PLAIN{x})" },
	/* a missing close, an outer boundary within an inner part */
	{ MIXED("b") "--b" CRLF CRLF "x", "multipart/mixed(TEXT/PLAIN{x})" },
	{ MIXED("a") "--a" CRLF MIXED("b") "--b" CRLF CRLF "x" CRLF
					   "--a" CRLF CRLF "y" CRLF "--a--",
	    "multipart/mixed(multipart/mixed(TEXT/PLAIN{x})TEXT/PLAIN{y})" },
	{ MIXED("a") "--a" CRLF MIXED("b") "--a" CRLF CRLF "y" CRLF "--a--",
	    "multipart/mixed(multipart/mixed(TEXT/PLAIN{})TEXT/PLAIN{y})" },
	/* behind the close nothing opens again */
	{ MIXED("b") "--b" CRLF CRLF "x" CRLF "--b--" CRLF "--b" CRLF CRLF "y",
	    "multipart/mixed(TEXT/PLAIN{x})" },
	/* no empty line before the boundary; empty parts */
	{ MIXED("b") "--b" CRLF "Content-Type: text/x" CRLF "--b" CRLF
		     "--b" CRLF CRLF "--b" CRLF CRLF CRLF "--b--",
	    "multipart/mixed(text/x{}TEXT/PLAIN{}TEXT/PLAIN{}TEXT/PLAIN{})" },
	{ MIXED("b") "--b" CRLF "Content-Type: message/rfc822" CRLF "--b--",
	    "multipart/mixed(message/rfc822[TEXT/PLAIN{}])" },
	{ MIXED("b") "--b" CRLF "Content-Type: message/rfc822" CRLF CRLF
		     "Subject: x" CRLF "--b--",
	    "multipart/mixed(message/rfc822[TEXT/PLAIN{}])" },
	/* multiparts without parts */
	{ MIXED("b") "nothing" CRLF, "multipart/mixed(TEXT/PLAIN{})" },
	{ MIXED("b") "--b--" CRLF, "multipart/mixed(TEXT/PLAIN{})" },
	{ "Content-Type: multipart/mixed" CRLF CRLF "all" CRLF "--" CRLF,
	    "multipart/mixed(TEXT/PLAIN{all" CRLF "--" CRLF "})" },
	{ "Content-Type: multipart/mixed; boundary=\" \"" CRLF CRLF "all",
	    "multipart/mixed(TEXT/PLAIN{all})" },
	/* a message cannot be encoded: RFC 2046 5.2.1 */
	{ "Content-Type: message/rfc822" CRLF
	  "Content-Transfer-Encoding: base64" CRLF CRLF "U3Vi",
	    "message/rfc822!U3Vi}" },
	{ "Content-Type: message/global" CRLF CRLF
	  "Content-Type: message/rfc822" CRLF CRLF "Subject: z" CRLF CRLF "q",
	    "message/global[message/rfc822[TEXT/PLAIN{q}]]" },
	{ "Content-Type: message/partial; id=x; number=1" CRLF CRLF "q",
	    "message/partial{q}" },
	/* types that are none: RFC 2045 5.2 */
	{ "Content-Type: nonsense" CRLF CRLF "q", "TEXT/PLAIN{q}" },
	{ "Content-Type: text; charset=x" CRLF CRLF "q", "text/plain{q}" },
	{ "Content-Type: /" CRLF CRLF "q", "TEXT/PLAIN{q}" },
	{ "Content-Type:" CRLF "Content-Type: a/b" CRLF CRLF "q", "a/b{q}" },
	{ "Content-Type: a/b" CRLF "Content-Type: c/d" CRLF CRLF "q",
	    "a/b{q}" },
};

static void
test_trees(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice msg = slice_str(cases[i].in);
		struct mime_part *root;
		struct arena a;
		struct buf b;

		arena_init(&a);
		buf_init(&b, 10000);
		root = mime_parse(&a, msg, NULL);
		(void)check_tree(root, msg);
		assert_false(root->truncated);
		show_tree(&b, root, msg);
		expect_bytes(&b, slice_str(cases[i].want));
		buf_fini(&b);
		arena_clear(&a);
	}
}

static void
parse_any(struct slice msg)
{
	static const struct mime_limits tight = { 2, 3, 2, 40 };
	struct arena a;

	arena_init(&a);
	(void)check_tree(mime_parse(&a, msg, NULL), msg);
	(void)check_tree(mime_parse(&a, msg, &tight), msg);
	arena_clear(&a);
}

static void
test_mangled(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		mangle(slice_str(cases[i].in), 3, parse_any);
}

static void
test_fields(void **state)
{
	struct slice msg = SLICE(
	    "Content-Type: TEXT/plain (c); charset=\"us\\-ascii\" ;;\r\n"
	    " name*0*=utf-8''%C3; name*1=x; bare; =y; z = w (c)\r\n"
	    "Content-ID:\r\n <a@b>\r\n"
	    "content-description: some\r\n text \r\n"
	    "Content-Transfer-Encoding: Quoted-Printable (c)\r\n"
	    "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n"
	    "Content-Disposition: attachment; filename=\"a b.txt\"; size=3\r\n"
	    "Content-Language: de, en (c) , fr\r\n"
	    "Content-Location: http://x/y\r\n"
	    "Content-Other: z\r\n\r\nbody");
	struct mime_part *p;
	struct mime_param *m;
	struct arena a;

	(void)state;
	arena_init(&a);
	p = mime_parse(&a, msg, NULL);
	expect_slice(p->type, "TEXT");
	expect_slice(p->subtype, "plain");
	expect_slice(p->id, "<a@b>");
	expect_slice(p->description, "some text");
	expect_slice(p->encoding, "Quoted-Printable");
	expect_slice(p->md5, "Q2hlY2sgSW50ZWdyaXR5IQ==");
	expect_slice(p->location, "http://x/y");
	expect_slice(p->disposition, "attachment");
	assert_int_equal(p->cte, MIME_QP);
	assert_true(p->is_text && !p->is_html);
	m = p->params;
	expect_slice(m->name, "charset");
	expect_slice(m->value, "us-ascii");
	expect_slice((m = m->next)->name, "name*0*");
	expect_slice(m->value, "utf-8''%C3");
	expect_slice((m = m->next)->name, "name*1");
	expect_slice((m = m->next)->name, "z");
	expect_slice(m->value, "w");
	assert_null(m->next);
	expect_slice(p->disp_params->value, "a b.txt");
	expect_slice(p->disp_params->next->value, "3");
	expect_slice(p->langs->tag, "de");
	expect_slice(p->langs->next->tag, "en");
	expect_slice(p->langs->next->next->tag, "fr");
	arena_clear(&a);
}

/* n times head, then the tail; its time and shape. */
static void
one_large(const char *head, const char *piece, size_t n, const char *tail,
    size_t parts, bool truncated)
{
	struct slice msg = repeat(head, piece, n, tail);
	clock_t start = clock();
	struct mime_part *root;
	struct arena a;

	arena_init(&a);
	root = mime_parse(&a, msg, NULL);
	EXPECT_FAST(start);
	assert_int_equal(root->truncated, truncated);
	assert_int_equal(check_tree(root, msg), parts);
	arena_clear(&a);
	repeat_free(msg);
}

static void
test_large(void **state)
{
	(void)state;
	/* 10,000 deep */
	one_large(
	    "", "Content-Type: message/rfc822\n\n", 10000, "x", 101, true);
	one_large(MIXED("b"),
	    "--b\nContent-Type: multipart/mixed; boundary=b\n\n", 10000,
	    "--b\n\nx\n--b--\n", 10000, true);
	/* 100,000 parts */
	one_large(MIXED("b"), "--b\n\n", 100000, "--b--\n", 10000, true);
	one_large(MIXED("b"), "--b\n", 100000, "", 10000, true);
	/* a header of 1 MB and more, of fields, of folds, of one field */
	one_large("", "Content-Foo: bar\r\n", 100000, "\r\nx", 1, true);
	one_large("Subject: x\r\n", " fold\r\n", 200000, "\r\nx", 1, false);
	one_large("Content-Type: ", " x/", 400000, "\r\n\r\nx", 1, true);
	/* a million parameters */
	one_large("Content-Type: a/b", ";c=d", 1000000, "\r\n\r\nx", 1, true);
	one_large("Content-Type: a/b", ";c=d", 250000, "\r\n\r\nx", 1, true);
	one_large("Content-Type: a/b;c=\"", "\\\"", 400000, "", 1, false);
	one_large("Content-Language: ", "de,", 300000, "\r\n\r\n", 1, true);
	one_large("Content-Type: ", "(", 1000000, "\r\n\r\n", 1, false);
	one_large(MIXED("b"), "--b ", 1000000, "", 2, false);
	one_large(MIXED("b"), "--bb\n--\n", 500000, "", 2, false);
}

/* A hundred boundaries that differ only at their ends, and lines that match
 * each of them almost. */
static void
test_boundaries(void **state)
{
	struct buf b;
	clock_t start;
	struct arena a;

	(void)state;
	buf_init(&b, ROOMY);
	for (int i = 0; i < 98; i++) {
		if (i != 0)
			buf_printf(&b, "--%060d%03d\n", 0, i - 1);
		buf_printf(&b,
		    "Content-Type: multipart/x; boundary=%060d%03d\n\n", 0, i);
	}
	for (int i = 0; i < 200000; i++)
		buf_printf(&b, "--%060d%03d\n", 0, 999);
	start = clock();
	arena_init(&a);
	(void)mime_parse(&a, buf_slice(&b), NULL);
	EXPECT_FAST(start);
	arena_clear(&a);
	buf_fini(&b);
}

static void
test_limits(void **state)
{
	static const struct mime_limits lim = { .depth = 1 };
	static const struct mime_limits head = { .header_bytes = 20 };
	struct slice msg = SLICE(complex_sample);
	struct mime_part *root;
	struct arena a;
	struct buf b;

	(void)state;
	arena_init(&a);
	buf_init(&b, 10000);
	root = mime_parse(&a, msg, &lim);
	assert_true(root->truncated);
	assert_int_equal(check_tree(root, msg), 5);
	assert_true(root->child->next->next->opaque);
	assert_true(root->child->next->next->next->opaque);
	root = mime_parse(&a, msg, &head);
	assert_true(root->truncated);
	assert_int_equal(check_tree(root, msg), 1);
	buf_fini(&b);
	arena_clear(&a);
}

/* NULs are found also far from where lines end, and told of their part. */
static void
test_nul(void **state)
{
	struct slice msg = repeat(
	    MIXED("b") "--b\n\nx\n--b\n\n", "0123456789", 30000, "\n--b--\n");
	char *p = (char *)(uintptr_t)msg.p;
	struct mime_part *root;
	struct arena a;

	(void)state;
	for (size_t at = 60; at < msg.n - 8; at += 9973) {
		char was = p[at];

		arena_init(&a);
		p[at] = '\0';
		root = mime_parse(&a, msg, NULL);
		(void)check_tree(root, msg);
		assert_true(root->has_nul);
		p[at] = was;
		arena_clear(&a);
	}
	repeat_free(msg);
}

/* The fields of one part can be read again from its offsets. */
static void
test_read_header(void **state)
{
	struct slice msg = SLICE(complex_sample);
	struct mime_part *root, *part, copy;
	struct arena a;

	(void)state;
	arena_init(&a);
	root = mime_parse(&a, msg, NULL);
	part = root->child->next->next->message->child;
	copy = (struct mime_part){ .head_off = part->head_off,
		.body_off = part->body_off,
		.body_len = part->body_len };
	assert_true(mime_read_header(&a, msg, &copy, NULL));
	expect_slice(copy.type, "text");
	expect_slice(copy.params->value, "utf-8");
	copy.body_off = msg.n + 1;
	assert_false(mime_read_header(&a, msg, &copy, NULL));
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_mangled),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_read_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
