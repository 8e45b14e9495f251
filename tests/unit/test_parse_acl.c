#include "imapd/parse_acl.h"

#include "tests/unit/imap_parse.h"

static const struct imap_case cases[] = {
	{ parse_setacl, " INBOX/Drafts David lrswida", true }, /* RFC 4314 */
	{ parse_setacl, " INBOX/Drafts Chris +cda", true },
	{ parse_setacl, " a b -", true },
	{ parse_setacl, " a b \"\"", true },
	{ parse_setacl, " a -b lr", true },
	{ parse_setacl, " INBOX/Drafts John lrQswicda", false },
	{ parse_setacl, " INBOX/Drafts John lrqswicda", false },
	{ parse_setacl, " a b +-l", false },
	{ parse_setacl, " a \"\" l", false },
	{ parse_setacl, " a \"x y\" l", false },
	{ parse_setacl, " a b", false },
	{ parse_setacl, " a b l r", false },
	{ parse_identifier, " INBOX Fred", true },
	{ parse_identifier, " ~/Mail/saved smith", true },
	{ parse_identifier, " INBOX", false },
	{ parse_identifier, " INBOX \"\"", false },
};

static void
grammar(void **state)
{
	(void)state;
	imap_cases(cases, PH_LEN(cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(grammar) };

	return cmocka_run_group_tests_name("parse_acl", tests, NULL, NULL);
}
