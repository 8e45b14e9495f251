#include "imapd/parse_args.h"

#include "tests/unit/imap_parse.h"

static const struct imap_case cases[] = {
	{ parse_nothing, "", true },
	{ parse_nothing, " ", false },
	{ parse_login, " fred blurdybloop", true },
	{ parse_login, " \"a\\\"b\" \"c d\"", true },
	{ parse_login, " {3}\r\nabc {2+}\r\nxy", true },
	{ parse_login, " fred", false },
	{ parse_login, " fred  x", false },
	{ parse_login, " a b c", false },
	{ parse_authenticate, " PLAIN", true },
	{ parse_authenticate, " PLAIN =", true },
	{ parse_authenticate, " PLAIN AGZyZWQ=", true },
	{ parse_authenticate, "", false },
	{ parse_id, " NIL", true },
	{ parse_id, " ()", true },
	{ parse_id, " (\"name\" \"x\" \"version\" NIL)", true },
	{ parse_id, " (\"name\")", false },
	{ parse_id, " (NIL \"x\")", false },
	{ parse_enable, " CONDSTORE", true },
	{ parse_enable, " CONDSTORE X-Y", true },
	{ parse_enable, "", false },
	{ parse_name, " INBOX", true },
	{ parse_name, " \"a b/\"", true },
	{ parse_name, " \"a&b\"", false },
	{ parse_name, " a b", false },
	{ parse_create, " a", true },
	{ parse_create, " a (USE (\\Sent))", true },
	{ parse_create, " a (USE ())", true },
	{ parse_create, " a (USE (\\Sent \\Drafts))", false },
	{ parse_create, " a (USE (\\All))", false },
	{ parse_create, " a (FOO)", false },
	{ parse_rename, " a b", true },
	{ parse_rename, " a", false },
	{ parse_select, " INBOX", true },
	{ parse_select, " INBOX (CONDSTORE)", true },
	/* RFC 7162 3.2.5, and CLIENTS D, eM Client */
	{ parse_select,
	    " INBOX (QRESYNC (67890007 20050715194045000 "
	    "41,43:211,214:541))",
	    true },
	{ parse_select, " x (CONDSTORE QRESYNC (1 2 1:5 (1:3 7:9)))", true },
	{ parse_select, " x (QRESYNC (1 2 (1:3 7:9)))", true },
	{ parse_select, " x (QRESYNC (1 2))", true },
	{ parse_select, " x (QRESYNC (0 2))", false },
	{ parse_select, " x (QRESYNC (1))", false },
	{ parse_select, " x (QRESYNC)", false },
	{ parse_select, " x ()", false },
	{ parse_select, " x (FOO)", false },
	{ parse_status, " a (MESSAGES UNSEEN)", true },
	{ parse_status, " a (messages size deleted highestmodseq)", true },
	{ parse_status, " a ()", false },
	{ parse_status, " a (FOO)", false },
	{ parse_status, " a MESSAGES", false },
	{ parse_list, " \"\" *", true },
	{ parse_list, " \"\" \"\"", true },
	{ parse_list, " foo/ %", true },
	{ parse_list, " (SUBSCRIBED) \"\" *", true },
	{ parse_list, " () \"\" *", true },
	{ parse_list, " (SUBSCRIBED RECURSIVEMATCH) \"\" (a b/% \"c d\")",
	    true },
	{ parse_list,
	    " \"\" % RETURN (CHILDREN STATUS (MESSAGES) "
	    "SUBSCRIBED SPECIAL-USE)",
	    true },
	{ parse_list, " \"\" % RETURN ()", true },
	{ parse_list, " (SPECIAL-USE) \"\" *", true },
	{ parse_list, " (REMOTE) \"\" *", true },
	{ parse_list, " (RECURSIVEMATCH) \"\" *", false },
	{ parse_list, " (RECURSIVEMATCH REMOTE) \"\" *", false },
	{ parse_list, " (CHILDREN) \"\" *", false },
	{ parse_list, " \"\" * RETURN (REMOTE)", false },
	{ parse_list, " \"\" * RETURN (STATUS)", false },
	{ parse_list, " \"\" ()", false },
	{ parse_list, " *", false },
	{ parse_lsub, " \"\" *", true },
	{ parse_lsub, " \"\" (a b)", false },
	{ parse_store, " 2:4 +FLAGS (\\Deleted)", true },
	{ parse_store, " 2:4 -FLAGS.SILENT \\Deleted x", true },
	{ parse_store, " * FLAGS ()", true },
	{ parse_store, " $ FLAGS ()", true },
	{ parse_store,
	    " 7,5,9 (UNCHANGEDSINCE 320162338) +FLAGS.SILENT "
	    "(\\Deleted)",
	    true },
	{ parse_store, " 1 (UNCHANGEDSINCE 9223372036854775808) FLAGS x",
	    false },
	{ parse_store, " 1 FLAGS", false },
	{ parse_store, " 1 *FLAGS ()", false },
	{ parse_store, " 1 FLAGSX ()", false },
	{ parse_copy, " 2:4 MEETING", true },
	{ parse_copy, " 2:4", false },
	{ parse_only_set, " 3000:3002", true },
	{ parse_only_set, " x", false },
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
	static const char select[] =
	    " INBOX (QRESYNC (67890007 90060115194045000 41,43 (1:3 7:9)))";
	struct arena a;
	struct slice keep;
	void *args;
	struct args_select *s;
	struct args_list *l;

	(void)state;
	arena_init(&a);
	assert_true(
	    imap_run(parse_select, select, strlen(select), &a, &args, &keep));
	s = args;
	assert_slice(s->name, "INBOX");
	assert_int_equal(s->uidvalidity, 67890007);
	assert_int_equal(s->modseq, 90060115194045000);
	assert_true(s->qresync && s->has_known && s->has_match);
	assert_int_equal(s->known.n, 2);
	assert_int_equal(s->match_uid.v[0].b.n, 9);
	unit_free(keep);
	assert_true(imap_run(
	    parse_list, " (SUBSCRIBED) r/ (a %)", 22, &a, &args, &keep));
	l = args;
	assert_slice(l->reference, "r/");
	assert_int_equal(l->npatterns, 2);
	assert_int_equal(l->select, LO_SUBSCRIBED);
	assert_true(l->extended);
	unit_free(keep);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cases),
		cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
