#include "imapd/parse_metadata.h"

#include "imapd/parse_args.h"
#include "tests/unit/imap_parse.h"

static const struct imap_case cases[] = {
	/* RFC 5464 4.2 to 4.4 */
	{ parse_getmetadata, " \"\" /shared/comment", true },
	{ parse_getmetadata, " \"INBOX\" (/shared/comment /private/comment)",
	    true },
	{ parse_getmetadata, " \"INBOX\" (MAXSIZE 1024) (/shared/comment)",
	    true },
	{ parse_getmetadata, " (MAXSIZE 1024) \"INBOX\" (/shared/comment)",
	    true },
	{ parse_getmetadata, " (DEPTH 1 MAXSIZE 0) a /private/x", true },
	{ parse_getmetadata, " (depth INFINITY) a /private", true },
	{ parse_getmetadata, " a /private/x /shared/y", true },
	{ parse_getmetadata, " a (\"/private/x y\")", true },
	{ parse_getmetadata, " (DEPTH 2) a /private/x", false },
	{ parse_getmetadata, " (DEPTH) a /private/x", false },
	{ parse_getmetadata, " (FOO 1) a /private/x", false },
	{ parse_getmetadata, " a ()", false },
	{ parse_getmetadata, " a /other", false },
	{ parse_getmetadata, " a /private/x/", false },
	{ parse_getmetadata, " a", false },
	{ parse_setmetadata, " INBOX (/private/comment NIL)", true },
	{ parse_setmetadata,
	    " INBOX (/private/comment {33+}\r\n"
	    "My new comment across\r\ntwo lines.)",
	    true },
	{ parse_setmetadata, " a (/private/a \"x\" /shared/b ~{2+}\r\n\x01z)",
	    true },
	{ parse_setmetadata, " \"\" (/private/a \"x\")", true },
	{ parse_setmetadata, " a (/private/a x)", false },
	{ parse_setmetadata, " a (/private/a)", false },
	{ parse_setmetadata, " a /private/a \"x\"", false },
	{ parse_setmetadata, " a ()", false },
	/* RFC 9590 5, RFC 8440 5 */
	{ parse_list, " \"\" % RETURN (METADATA (/shared/a /private/b))",
	    true },
	{ parse_list, " \"\" % RETURN (MYRIGHTS METADATA (/shared/a) CHILDREN)",
	    true },
	{ parse_list, " \"\" % RETURN (METADATA ())", false },
	{ parse_list, " \"\" % RETURN (METADATA)", false },
	{ parse_list, " (MYRIGHTS) \"\" %", false },
};

static void
grammar(void **state)
{
	(void)state;
	imap_cases(cases, PH_LEN(cases));
}

static void
begun(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_true(
	    parse_setmetadata_begun(SLICE("a SetMetadata x (/a {9}\r\n"), &a));
	assert_false(
	    parse_setmetadata_begun(SLICE("a SETMETADATAX x {9}\r\n"), &a));
	assert_false(parse_setmetadata_begun(SLICE("a APPEND x {9}\r\n"), &a));
	assert_false(parse_setmetadata_begun(SLICE(""), &a));
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grammar),
		cmocka_unit_test(begun),
	};

	return cmocka_run_group_tests_name("parse_metadata", tests, NULL, NULL);
}
