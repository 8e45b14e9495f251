#include "imapd/parse_search.h"

#include "tests/unit/imap_parse.h"

static const struct imap_case cases[] = {
	{ parse_search, " FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"", true },
	{ parse_search, " ALL", true },
	{ parse_search, " 1:3,5 UID 4:* $", true },
	{ parse_search, " CHARSET UTF-8 TEXT {6+}\r\n\xd0\x9f\xd0\xbe\xd1\x87",
	    true },
	{ parse_search, " CHARSET us-ascii SUBJECT x", true },
	{ parse_search, " CHARSET ISO-8859-1 SUBJECT \"\xfc\"", true },
	{ parse_search, " CHARSET x-none SUBJECT x", false },
	{ parse_search, " SUBJECT \"\xfc\"", false },
	{ parse_search, " SUBJECT \"\xc3\xbc\"", true },
	{ parse_search, " OR SEEN (DELETED DRAFT)", true },
	{ parse_search, " NOT NOT OR (ALL) OR ALL ALL", true },
	{ parse_search, " HEADER X-Foo \"\"", true },
	{ parse_search, " KEYWORD $Junk UNKEYWORD foo", true },
	{ parse_search, " LARGER 1000 SMALLER 2000", true },
	{ parse_search, " NEW OLD RECENT", true },
	{ parse_search,
	    " ON 1-Jan-2000 BEFORE \"1-Jan-2000\" SENTON "
	    "1-Jan-2000 SENTBEFORE 1-Jan-2000 SENTSINCE 1-Jan-2000",
	    true },
	{ parse_search, " YOUNGER 3600 OLDER 1", true },
	{ parse_search, " MODSEQ 620162338", true },
	{ parse_search, " MODSEQ \"/flags/\\\\draft\" all 620162338", true },
	{ parse_search, " RETURN (MIN COUNT) DELETED", true },
	{ parse_search, " RETURN () DELETED", true },
	{ parse_search, " RETURN (SAVE) CHARSET UTF-8 ALL", true },
	{ parse_search, " RETURN (PARTIAL 23500:24000) ALL", true },
	{ parse_search, " RETURN (PARTIAL -1:-100 COUNT SAVE) ALL", true },
	{ parse_search, " RETURN (PARTIAL 1:2 ALL) ALL", false },
	{ parse_search, " RETURN (ALL PARTIAL 1:2) ALL", false },
	{ parse_search, " RETURN (PARTIAL 1:2 PARTIAL 1:2) ALL", false },
	{ parse_search, " RETURN (PARTIAL 1:-2) ALL", false },
	{ parse_search, " RETURN (PARTIAL -1:2) ALL", false },
	{ parse_search, " RETURN (PARTIAL 0:2) ALL", false },
	{ parse_search, " RETURN (PARTIAL 1) ALL", false },
	{ parse_search, " RETURN (PARTIAL 1:4294967296) ALL", false },
	{ parse_search, " EMAILID M1 THREADID T2", true },
	{ parse_search, " SAVEDSINCE 1-Jan-2000 SAVEDATESUPPORTED", true },
	{ parse_search, "", false },
	{ parse_search, " ", false },
	{ parse_search, " FOO", false },
	{ parse_search, " OR ALL", false },
	{ parse_search, " NOT", false },
	{ parse_search, " (ALL", false },
	{ parse_search, " ()", false },
	{ parse_search, " ALL ", false },
	{ parse_search, " ON 32-Jan-2000", false },
	{ parse_search, " RETURN (FOO) ALL", false },
	{ parse_search, " RETURN MIN ALL", false },
	{ parse_search, " YOUNGER 0", false },
	{ parse_search, " LARGER x", false },
};

static void
all_cases(void **state)
{
	(void)state;
	imap_cases(cases, PH_LEN(cases));
}

static struct args_search *
tree(const char *text, struct arena *a, struct slice *keep)
{
	void *args;

	assert_true(imap_run(parse_search, text, strlen(text), a, &args, keep));
	return args;
}

static void
shape(void **state)
{
	struct args_search *s;
	struct search_key *k;
	struct slice keep;
	struct arena a;

	(void)state;
	arena_init(&a);
	s = tree(" SEEN OR 1 (LARGER 5 NOT NEW)", &a, &keep);
	assert_int_equal(s->key->op, SK_AND);
	k = s->key->sub;
	assert_int_equal(k->op, SK_FLAGS);
	k = k->next;
	assert_int_equal(k->op, SK_OR);
	assert_null(k->next);
	k = k->sub;
	assert_int_equal(k->op, SK_SEQ);
	k = k->next;
	assert_int_equal(k->op, SK_AND);
	k = k->sub;
	assert_int_equal(k->op, SK_SIZE);
	assert_int_equal(k->lo, 6);
	assert_int_equal(k->next->op, SK_NOT);
	assert_int_equal(k->next->sub->op, SK_AND);
	unit_free(keep);
	s = tree(" RETURN () ON 1-Feb-1994 SMALLER 1", &a, &keep);
	assert_true(s->extended);
	assert_int_equal(s->ret, SR_ALL);
	k = s->key->sub;
	assert_int_equal(k->hi - k->lo, 86400);
	assert_int_equal(k->next->hi, 0);
	unit_free(keep);
	s = tree(" CHARSET ISO-8859-1 BODY \"\xfc\"", &a, &keep);
	assert_slice(s->key->sub->text, "\xc3\xbc");
	unit_free(keep);
	arena_clear(&a);
}

static bool
nested(size_t depth, const char *open, const char *core, const char *close)
{
	struct arena a;
	struct buf b;
	void *args;
	bool good;

	arena_init(&a);
	buf_init(&b, 4 << 20);
	buf_add_char(&b, ' ');
	for (size_t i = 0; i < depth; i++)
		buf_add_str(&b, open);
	buf_add_str(&b, core);
	for (size_t i = 0; i < depth; i++)
		buf_add_str(&b, close);
	good = imap_run(
	    parse_search, buf_slice(&b).p, buf_len(&b), &a, &args, NULL);
	buf_fini(&b);
	arena_clear(&a);
	return good;
}

static void
bombs(void **state)
{
	(void)state;
	assert_true(nested(49, "(", "ALL", ")"));
	assert_false(nested(50, "(", "ALL", ")"));
	assert_false(nested(100000, "(", "ALL", ")"));
	assert_false(nested(100000, "NOT ", "ALL", ""));
	assert_false(nested(100000, "OR ALL ", "ALL", ""));
	assert_true(nested(10000, "ALL ", "ALL", ""));
	assert_false(nested(30000, "ALL ", "ALL", ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cases),
		cmocka_unit_test(shape),
		cmocka_unit_test(bombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
