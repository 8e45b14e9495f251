#include "imapd/parse_append.h"

#include "tests/unit/imap_parse.h"

static const struct imap_case cases[] = {
	{ parse_append, " INBOX {310}\r\n", true },
	{ parse_append, " INBOX (\\Seen) {310+}\r\n", true },
	{ parse_append,
	    " \"a b\" (\\Seen x) \"17-Jul-1996 02:44:25 -0700\" {1}\r\n",
	    true },
	{ parse_append, " x ~{1}\r\n", true },
	{ parse_append, " x UTF8 (~{1}\r\n)", true },
	{ parse_append, " x {1}\r\n (\\Seen) {2}\r\n {3}\r\n", true },
	{ parse_append, " {1}\r\nx {2}\r\n", true },
	{ parse_append, " x {1}", false },
	{ parse_append, " x", false },
	{ parse_append, " x abc", false },
	{ parse_append, " x {1}\r\n ", false },
	/* RFC 4469 A */
	{ parse_append,
	    " Drafts (\\Seen \\Draft $MDNSent) CATENATE (URL "
	    "\"/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER\" TEXT "
	    "{42}\r\n URL \"/Drafts;UIDVALIDITY=385759045/;UID=20/"
	    ";section=1.MIME\" TEXT {44+}\r\n)",
	    true },
	{ parse_append, " x CATENATE (URL {3+}\r\nabc TEXT ~{1}\r\n)", true },
	{ parse_append, " x CATENATE (URL a) (\\Seen) {3}\r\n", true },
	{ parse_append, " x CATENATE ()", false },
	{ parse_append, " x CATENATE", false },
	{ parse_append, " x CATENATE (TEXT \"a\")", false },
	{ parse_append, " x CATENATE (TEXT {1}\r\n", false },
	{ parse_append, " x CATENATE (URL)", false },
	{ parse_append, " x CATENATE (FOO a)", false },
	{ parse_append, " x CATENATE URL a", false },
	/* RFC 8508 3.2 */
	{ parse_replace, " 4 Drafts (\\Seen \\Draft) {312}\r\n", true },
	{ parse_replace, " * Drafts {312}\r\n", true },
	{ parse_replace, " 4 Drafts CATENATE (URL \"/Drafts/;UID=3002\")",
	    true },
	{ parse_replace, " 0 Drafts {312}\r\n", false },
	{ parse_replace, " 1:2 Drafts {312}\r\n", false },
	{ parse_replace, " 4 Drafts {312}\r\n {3}\r\n", false },
	{ parse_replace, " 4 Drafts", false },
	{ parse_replace, " Drafts {312}\r\n", false },
};

static void
all_cases(void **state)
{
	(void)state;
	imap_cases(cases, PH_LEN(cases));
}

static void
values(void **state)
{
	static const char text[] =
	    " saved (\\Seen a) \"17-Jul-1996 02:44:25 -0700\" {310}\r\n "
	    "CATENATE (URL \"u 1\" TEXT ~{5}\r\n URL v)";
	const struct append_msg *m;
	struct args_append *p;
	struct slice keep;
	struct arena a;
	void *args;

	(void)state;
	arena_init(&a);
	assert_true(
	    imap_run(parse_append, text, strlen(text), &a, &args, &keep));
	p = args;
	assert_int_equal(p->n, 2);
	assert_int_equal(p->nliterals, 2);
	assert_int_equal(p->nurls, 2);
	m = &p->v[0];
	assert_int_equal(m->date, 837596665);
	assert_int_equal(m->nparts, 1);
	assert_int_equal(m->parts[0].size, 310);
	assert_int_equal(m->flags.n, 1);
	m = &p->v[1];
	assert_true(m->catenate && !m->has_date);
	assert_int_equal(m->nparts, 3);
	assert_slice(m->parts[0].url, "u 1");
	assert_true(m->parts[0].is_url && !m->parts[1].is_url);
	assert_true(m->parts[1].binary);
	assert_int_equal(m->parts[1].size, 5);
	assert_slice(m->parts[2].url, "v");
	unit_free(keep);
	arena_clear(&a);
}

/* Which literal of an APPEND is a message. */
static void
append_begun(void **state)
{
	static const struct {
		const char *text;
		bool is_message;
	} heads[] = {
		{ "a APPEND INBOX {3}\r\n", true },
		{ "a append \"x y\" (\\Seen) {3+}\r\n", true },
		{ "a APPEND {5}\r\n", false },
		{ "a APPEND {5}\r\nINBOX {3}\r\n", true },
		{ "a APPEND x {1}\r\n (a) {2}\r\n", true },
		{ "a LOGIN x {3}\r\n", false },
		{ "a APPENDX x {3}\r\n", false },
		{ "a APPEND {1}\r\n{1}\r\n", false },
		{ "", false },
		/* CATENATE: texts are, URLs are not */
		{ "a APPEND x CATENATE (TEXT {3+}\r\n", true },
		{ "a APPEND x CATENATE (TEXT ~{3+}\r\n", true },
		{ "a APPEND x CATENATE (URL {3+}\r\n", false },
		{ "a APPEND x CATENATE (TEXT {3}\r\n url {3+}\r\n", false },
		{ "a APPEND x CATENATE (URL \"a\" TEXT "
		  "{18446744073709551615+}\r\n",
		    true },
		{ "a APPEND URL {3+}\r\n", true },
		{ "a APPEND url (\\Seen) {3+}\r\n", true },
		{ "a REPLACE 1 x {3+}\r\n", true },
		{ "a UID REPLACE 17 {1}\r\nx {3+}\r\n", true },
		{ "a UID REPLACE 17 {1}\r\n", false },
		{ "a REPLACE * URL {3+}\r\n", true },
		{ "a UID APPEND x {3+}\r\n", false },
	};
	struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < PH_LEN(heads); i++)
		assert_int_equal(
		    parse_append_begun(slice_str(heads[i].text), &a),
		    heads[i].is_message);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cases),
		cmocka_unit_test(values),
		cmocka_unit_test(append_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
