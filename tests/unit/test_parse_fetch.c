#include "imapd/parse_fetch.h"

#include "tests/unit/imap_parse.h"

static const struct imap_case cases[] = {
	{ parse_fetch, " 1:* (UID) (PARTIAL -1:-3 CHANGEDSINCE 7)", true },
	{ parse_fetch, " 1:* (UID) (PARTIAL 1:3 PARTIAL 1:3)", false },
	{ parse_fetch, " 1:* (UID) (PARTIAL)", false },
	{ parse_fetch, " 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])", true },
	{ parse_fetch, " 1 ALL", true },
	{ parse_fetch, " 1:* FAST", true },
	{ parse_fetch, " $ FULL", true },
	{ parse_fetch, " 1 UID", true },
	{ parse_fetch, " 1 BODY", true },
	{ parse_fetch, " 1 BODYSTRUCTURE", true },
	{ parse_fetch, " 1 BODY[]", true },
	{ parse_fetch, " 1 body.peek[]<0.10>", true },
	{ parse_fetch, " 1 BODY[1.2.3.MIME]", true },
	{ parse_fetch, " 1 BODY[TEXT]<5.1>", true },
	{ parse_fetch, " 1 BODY[4.1.HEADER.FIELDS.NOT (a \"b\" {1}\r\nc)]",
	    true },
	{ parse_fetch, " 1 (RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)",
	    true },
	{ parse_fetch, " 1 BINARY[1]", true },
	{ parse_fetch, " 1 (BINARY.PEEK[1.2]<0.5> BINARY.SIZE[2])", true },
	{ parse_fetch, " 1 (PREVIEW)", true },
	{ parse_fetch, " 1 (PREVIEW (LAZY) UID)", true },
	{ parse_fetch, " 1 (MODSEQ EMAILID THREADID SAVEDATE)", true },
	{ parse_fetch, " 1:* (FLAGS) (CHANGEDSINCE 12345)", true },
	{ parse_fetch, " 1:* FLAGS (CHANGEDSINCE 0 VANISHED)", true },
	{ parse_fetch, " 1", false },
	{ parse_fetch, " 1 ()", false },
	{ parse_fetch, " 1 FOO", false },
	{ parse_fetch, " 1 (FLAGS", false },
	{ parse_fetch, " 1 FLAGS UID", false },
	{ parse_fetch, " 1 BODY[", false },
	{ parse_fetch, " 1 BODY[MIME]", false },
	{ parse_fetch, " 1 BODY[1.]", false },
	{ parse_fetch, " 1 BODY[0]", false },
	{ parse_fetch, " 1 BODY[1.0]", false },
	{ parse_fetch, " 1 BODY[FOO]", false },
	{ parse_fetch, " 1 BODY[HEADER.FIELDS]", false },
	{ parse_fetch, " 1 BODY[HEADER.FIELDS ()]", false },
	{ parse_fetch, " 1 BODY[HEADER.FIELDS (a:b)]", false },
	{ parse_fetch, " 1 BODY[]<0.0>", false },
	{ parse_fetch, " 1 BODY[]<0>", false },
	{ parse_fetch, " 1 BINARY[1.MIME]", false },
	{ parse_fetch, " 1 BINARY.SIZE[1]<0.1>", false },
	{ parse_fetch, " 1 FLAGS (FOO)", false },
};

static void
all_cases(void **state)
{
	(void)state;
	imap_cases(cases, PH_LEN(cases));
}

static const struct {
	const char *text, *label;
	bool seen, partial;
} labels[] = {
	{ " 1 BODY[]", "BODY[]", true, false },
	{ " 1 body.peek[1.2]<3.4>", "BODY[1.2]", false, true },
	{ " 1 BODY[1.header.fields (\"a\" {1+}\r\nB \"c(d\")]",
	    "BODY[1.HEADER.FIELDS (a B \"c(d\")]", true, false },
	{ " 1 BODY.PEEK[HEADER.FIELDS.NOT (Date)]",
	    "BODY[HEADER.FIELDS.NOT (Date)]", false, false },
	{ " 1 BODY[4.MIME]", "BODY[4.MIME]", true, false },
	{ " 1 BODY[TEXT]", "BODY[TEXT]", true, false },
	{ " 1 RFC822", "RFC822", true, false },
	{ " 1 RFC822.HEADER", "RFC822.HEADER", false, false },
	{ " 1 RFC822.TEXT", "RFC822.TEXT", true, false },
	{ " 1 BINARY[1]", "BINARY[1]", true, false },
	{ " 1 BINARY.SIZE[1]", "BINARY.SIZE[1]", false, false },
};

static void
sections(void **state)
{
	struct args_fetch *f;
	struct slice keep;
	struct arena a;
	void *args;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < PH_LEN(labels); i++) {
		assert_true(imap_run(parse_fetch, labels[i].text,
		    strlen(labels[i].text), &a, &args, &keep));
		f = args;
		assert_non_null(f->sections);
		assert_null(f->sections->next);
		assert_slice(f->sections->label, labels[i].label);
		assert_int_equal(f->sets_seen, labels[i].seen);
		assert_int_equal(f->sections->partial, labels[i].partial);
		unit_free(keep);
	}
	arena_clear(&a);
}

static void
deep(void **state)
{
	struct arena a;
	struct buf b;
	void *args;

	(void)state;
	arena_init(&a);
	buf_init(&b, 1 << 20);
	buf_add_str(&b, " 1 BODY[1");
	for (int i = 0; i < 300; i++)
		buf_add_str(&b, ".1");
	buf_add_char(&b, ']');
	assert_false(imap_run(
	    parse_fetch, buf_slice(&b).p, buf_len(&b), &a, &args, NULL));
	buf_clear(&b);
	buf_add_str(&b, " 1 (UID");
	for (int i = 0; i < 600; i++)
		buf_add_str(&b, " UID");
	buf_add_char(&b, ')');
	assert_false(imap_run(
	    parse_fetch, buf_slice(&b).p, buf_len(&b), &a, &args, NULL));
	buf_fini(&b);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cases),
		cmocka_unit_test(sections),
		cmocka_unit_test(deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
