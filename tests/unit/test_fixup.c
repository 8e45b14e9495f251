#include "tests/unit/unit.h"

#include "submitd/fixup.h"
#include "tests/unit/submit_fixture.h"

static struct submit_fixture sf;

UNIT_AROUND(submit_new(&sf), submit_free(&sf))

/* The whole message as delivered; "" and *rc_out when it is refused. */
static void
run(const char *in, struct buf *out, struct buf *msgid, int *rc_out)
{
	struct slice bytes = unit_exact(in, strlen(in));
	struct fixup f = { 0 };
	struct err e = { 0 };

	buf_clear(out);
	buf_clear(msgid);
	*rc_out = fixup_make(&f, sf.c, bytes, &e);
	assert_int_equal(*rc_out, e.kind);
	for (size_t i = 0; *rc_out == 0 && i < f.nparts; i++)
		buf_add_slice(out, f.parts[i]);
	buf_add_slice(msgid, f.msgid);
	fixup_fini(&f);
	unit_free(bytes);
}

/* RFC 5321 4.4: a trace field in front and nothing else. */
static void
test_received(void **state)
{
	static const char in[] = "bcc: x\r\n\r\nA\r\n",
			  want[] = "Received: from mx.example.net ([192.0.2.1])"
				   "\r\n\tby mail.example.org (Posthof) with "
				   "ESMTPS id Q1A\r\n\t(TLSv1.3 X)\r\n\tfor "
				   "<info@example.org>;\r\n\t";
	struct buf out, msgid;
	int rc;

	(void)state;
	buf_init(&out, 100000);
	buf_init(&msgid, 1000);
	sf.c->role = ROLE_MX;
	submit_mail(&sf, "a@example.net");
	(void)submit_rcpt(&sf, "info@example.org");
	(void)snprintf(sf.c->tls, sizeof(sf.c->tls), "TLSv1.3 X");
	run(in, &out, &msgid, &rc);
	assert_int_equal(rc, 0);
	assert_memory_equal(buf_slice(&out).p, want, sizeof(want) - 1);
	assert_slice(
	    slice_from(buf_slice(&out), buf_len(&out) - strlen(in)), in);
	/* Two recipients: neither is named, for one may be a Bcc. */
	(void)submit_rcpt(&sf, "web100p2@example.org");
	sf.c->tls[0] = '\0';
	(void)snprintf(
	    sf.c->s.conn.peer_ip, sizeof(sf.c->s.conn.peer_ip), "2001:db8::1");
	run(in, &out, &msgid, &rc);
	assert_int_equal(
	    slice_find(buf_slice(&out), SLICE("for <")), buf_len(&out));
	assert_true(slice_find(buf_slice(&out), SLICE("([IPv6:2001:db8::1])")) <
		    buf_len(&out));
	assert_true(slice_find(buf_slice(&out), SLICE("with ESMTP id")) <
		    buf_len(&out));
	buf_fini(&out);
	buf_fini(&msgid);
}

/* RFC 3848 and RFC 6531 3.7.3 */
static const struct {
	enum smtp_role role;
	bool esmtp, tls, auth, utf8;
	const char *want;
} withs[] = {
	{ ROLE_MX, false, false, false, false, " with SMTP id" },
	{ ROLE_MX, true, false, false, false, " with ESMTP id" },
	{ ROLE_MX, true, true, false, false, " with ESMTPS id" },
	{ ROLE_SUBMIT, true, true, true, false, " with ESMTPSA id" },
	{ ROLE_SUBMIT, true, false, true, false, " with ESMTPA id" },
	{ ROLE_MX, true, false, false, true, " with UTF8SMTP id" },
	{ ROLE_MX, true, true, false, true, " with UTF8SMTPS id" },
	{ ROLE_SUBMIT, true, true, true, true, " with UTF8SMTPSA id" },
	{ ROLE_LMTP, true, false, false, false, " with LMTP id" },
	{ ROLE_LMTP, true, false, false, true, " with UTF8LMTP id" },
};

static void
test_with(void **state)
{
	struct buf out, msgid;
	int rc;

	(void)state;
	buf_init(&out, 100000);
	buf_init(&msgid, 1000);
	for (size_t i = 0; i < PH_LEN(withs); i++) {
		submit_mail(&sf, "");
		(void)submit_rcpt(&sf, "info@example.org");
		sf.c->role = withs[i].role;
		sf.c->esmtp = withs[i].esmtp;
		(void)snprintf(sf.c->tls, sizeof(sf.c->tls), "%s",
		    withs[i].tls ? "TLSv1.2 Y" : "");
		sf.c->who.account = withs[i].auth ? sf.x.one : 0;
		sf.c->env.flags = withs[i].utf8 ? QUEUE_UTF8 : 0;
		run("\r\n", &out, &msgid, &rc);
		assert_int_equal(rc, 0);
		assert_true(slice_find(buf_slice(&out),
				slice_str(withs[i].want)) < buf_len(&out));
	}
	sf.c->esmtp = true;
	buf_fini(&out);
	buf_fini(&msgid);
}

static const struct {
	const char *in;
	int rc;
	const char *has, *has_not;
} cases[] = {
	/* RFC 6409 8 */
	{ "From: info@example.org\r\nBcc: a@b\r\n\r\nBcc: t\r\n", 0,
	    "\r\n\r\nBcc: t\r\n", "Bcc: a@b" },
	{ "From: info@example.org\r\n\r\n", 0, "Date: ", "192.0.2.1" },
	{ "From: info@example.org\r\n\r\n", 0,
	    "Message-ID: <Q1A@mail.example.org>\r\n", "mx.example.net" },
	{ "From: info@example.org\r\nMessage-Id: <own@x>\r\n\r\n", 0,
	    "Message-Id: <own@x>\r\n", "Q1A@" },
	{ "Subject: scanned\r\n\r\n", 0, "From: <info@example.org>\r\n", NULL },
	/* O11 */
	{ "From: Me <web100p1@example.org>\r\n\r\n", 0, "From: Me", NULL },
	{ "From: INFO@EXAMPLE.ORG\r\n\r\n", 0, "From: INFO", NULL },
	{ "From: boss@example.net\r\n\r\n", ERR_DENIED, NULL, NULL },
	{ "From: info@example.org, boss@example.net\r\n\r\n", ERR_DENIED, NULL,
	    NULL },
	{ "From: web100p2@example.org\r\n\r\n", ERR_DENIED, NULL, NULL },
	{ "From: info@example.org\r\nFrom: x@example.net\r\n\r\n", ERR_DENIED,
	    NULL, NULL },
	{ "From: \"info@example.org\" <boss@example.net>\r\n\r\n", ERR_DENIED,
	    NULL, NULL },
	{ "From: nobody\r\n\r\n", ERR_DENIED, NULL, NULL },
	{ "From:\r\n\r\n", ERR_DENIED, NULL, NULL },
	{ "From: group:;\r\n\r\n", ERR_DENIED, NULL, NULL },
};

static void
test_submission(void **state)
{
	struct buf out, msgid;
	int rc;

	(void)state;
	buf_init(&out, 100000);
	buf_init(&msgid, 1000);
	sf.c->role = ROLE_SUBMIT;
	sf.c->who = (struct auth_who){
		.account = sf.x.one, .name = "web100p1", .package = "web100"
	};
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		submit_mail(&sf, "info@example.org");
		(void)submit_rcpt(&sf, "x@example.net");
		run(cases[i].in, &out, &msgid, &rc);
		if (rc != cases[i].rc)
			fail_msg("%s: %d", cases[i].in, rc);
		if (cases[i].has != NULL &&
		    slice_find(buf_slice(&out), slice_str(cases[i].has)) ==
			buf_len(&out))
			fail_msg("%s lacks %s", cases[i].in, cases[i].has);
		if (cases[i].has_not != NULL &&
		    slice_find(buf_slice(&out), slice_str(cases[i].has_not)) !=
			buf_len(&out))
			fail_msg("%s has %s", cases[i].in, cases[i].has_not);
	}
	buf_fini(&out);
	buf_fini(&msgid);
}

static void
test_msgid(void **state)
{
	static const struct {
		const char *in, *want;
	} ids[] = {
		{ "Message-ID: <a@b>\r\n\r\n", "a@b" },
		{ "message-id: odd one\r\n\r\n", "odd one" },
		{ "Subject: x\r\n\r\nMessage-ID: <a@b>\r\n", "" },
	};
	struct buf out, msgid;
	int rc;

	(void)state;
	buf_init(&out, 100000);
	buf_init(&msgid, 1000);
	sf.c->role = ROLE_MX;
	submit_mail(&sf, "");
	for (size_t i = 0; i < PH_LEN(ids); i++) {
		run(ids[i].in, &out, &msgid, &rc);
		assert_int_equal(rc, 0);
		assert_slice(buf_slice(&msgid), ids[i].want);
	}
	buf_fini(&out);
	buf_fini(&msgid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_received),
		cmocka_unit_test(test_with),
		cmocka_unit_test(test_submission),
		cmocka_unit_test(test_msgid),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
