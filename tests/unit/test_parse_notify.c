#include "imapd/parse_notify.h"

#include "tests/unit/imap_parse.h"

static const struct imap_case cases[] = {
	{ parse_notify, " NONE", true },
	/* RFC 5465 3, as printed there */
	{ parse_notify,
	    " set status (selected MessageNew (uid body.peek[header.fields "
	    "(from to subject)]) MessageExpunge) (subtree Lists MessageNew "
	    "MessageExpunge)",
	    true },
	{ parse_notify,
	    " set (mailboxes INBOX (Messagenew messageExpunge)) (personal "
	    "(SubscriptionChange))",
	    true },
	{ parse_notify,
	    " set (selected (Messagenew (uid flags) messageExpunge)) "
	    "(personal (MessageNew FlagChange MessageExpunge))",
	    true },
	{ parse_notify, " SET (SELECTED-DELAYED NONE) (INBOXES NONE)", true },
	{ parse_notify, " SET (SUBTREE (a \"b c\" {1+}\r\nd) (MailboxName))",
	    true },
	{ parse_notify, " SET (SUBSCRIBED (MailboxName))", true },
	{ parse_notify, "", false },
	{ parse_notify, " SET", false },
	{ parse_notify, " SET STATUS", false },
	{ parse_notify, " NONE ", false },
	{ parse_notify, " SET ()", false },
	{ parse_notify, " SET (SELECTED)", false },
	{ parse_notify, " SET (SELECTED ())", false },
	{ parse_notify, " SET (SELECTED (MessageNew))", false },
	{ parse_notify, " SET (SELECTED (MessageExpunge))", false },
	{ parse_notify, " SET (SELECTED (FlagChange))", false },
	{ parse_notify, " SET (SELECTED (MailboxName))", false },
	{ parse_notify, " SET (SELECTED NONE) (SELECTED NONE)", false },
	{ parse_notify, " SET (SELECTED NONE) (SELECTED-DELAYED NONE)", false },
	{ parse_notify, " SET (PERSONAL (MessageNew (UID) MessageExpunge))",
	    false },
	{ parse_notify,
	    " SET (SELECTED (MessageNew (UID) MessageNew (UID) "
	    "MessageExpunge))",
	    false },
	{ parse_notify, " SET (SELECTED (MessageNew () MessageExpunge))",
	    false },
	{ parse_notify, " SET (PERSONAL (AnnotationChange))", false },
	{ parse_notify, " SET (PERSONAL (X-Other))", false },
	{ parse_notify, " SET (MAILBOXES () NONE)", false },
	{ parse_notify, " SET (SUBTREE NONE)", false },
	{ parse_notify, " SET (NOWHERE NONE)", false },
	{ parse_notify, " SET (PERSONAL NONE) ", false },
};

static void
all_cases(void **state)
{
	(void)state;
	imap_cases(cases, PH_LEN(cases));
}

/* Groups and names have ceilings, and memory grows with what is there. */
static void
ceilings(void **state)
{
	struct arena a;
	struct buf b;
	void *args;

	(void)state;
	arena_init(&a);
	buf_init(&b, 1 << 20);
	buf_add_str(&b, " SET");
	for (int i = 0; i < 65; i++)
		buf_add_str(&b, " (PERSONAL NONE)");
	assert_false(imap_run(
	    parse_notify, buf_slice(&b).p, buf_len(&b), &a, &args, NULL));
	buf_clear(&b);
	buf_add_str(&b, " SET (MAILBOXES (a");
	for (int i = 0; i < 999; i++)
		buf_add_str(&b, " a");
	buf_add_str(&b, ") NONE)");
	assert_true(imap_run(
	    parse_notify, buf_slice(&b).p, buf_len(&b), &a, &args, NULL));
	assert_int_equal(((struct args_notify *)args)->v[0].nnames, 1000);
	buf_truncate(&b, buf_len(&b) - 7);
	buf_add_str(&b, " a) NONE)");
	assert_false(imap_run(
	    parse_notify, buf_slice(&b).p, buf_len(&b), &a, &args, NULL));
	buf_fini(&b);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cases),
		cmocka_unit_test(ceilings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
