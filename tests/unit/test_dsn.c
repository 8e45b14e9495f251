#include "tests/unit/unit.h"

#include "lib/base/clock.h"
#include "submitd/dsn.h"
#include "tests/unit/submit_fixture.h"

static struct submit_fixture sf;

UNIT_AROUND(submit_new(&sf), submit_free(&sf))

/* RFC 3463 2, RFC 3464 2.3.4 */
static const struct {
	const char *reply;
	bool failed;
	const char *want;
} statuses[] = {
	{ "550 5.1.1 unknown", true, "5.1.1" },
	{ "550-5.7.26 first 550 5.7.26 second", true, "5.7.26" },
	{ "450 4.2.2 full", false, "4.2.2" },
	{ "450 4.2.2 full", true, "5.2.2" },
	{ "5.1.2 there is no such domain", true, "5.1.2" },
	{ "550 unknown", true, "5.0.0" },
	{ "451 wait", false, "4.0.0" },
	{ "", true, "5.0.0" },
	{ "550", true, "5.0.0" },
	{ "550 5.1", true, "5.0.0" },
	{ "550 5.1.99999 x", true, "5.0.0" },
	{ "550 7.1.1 x", true, "5.0.0" },
};

static void
test_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(statuses); i++) {
		char out[16];

		dsn_status(
		    slice_str(statuses[i].reply), statuses[i].failed, out);
		assert_string_equal(out, statuses[i].want);
	}
}

/* A row of the queue, and an errand for it. */
static struct errand *
load(const char *sender, unsigned flags)
{
	static const char text[] = "Message-ID: <orig@x>\r\nSubject: s\r\n\r\n"
				   "secret text\r\n";
	struct slice part = slice_of(text, sizeof(text) - 1);
	struct queue_rcpt rcpts[] = {
		{ .addr = SLICE("b@example.net"),
		    .orcpt = SLICE("rfc822;b@alias.example") },
		{ .addr = SLICE("c@example.net"), .notify = NOTIFY_ON_SUCCESS },
	};
	struct queue_new q = { .row = { .account = sf.x.one,
				   .sender = slice_str(sender),
				   .msgid = SLICE("orig@x"),
				   .envid = SLICE("env-1"),
				   .flags = flags,
				   .created_at = clock_wall_sec(),
				   .expire_at = clock_wall_sec() + 1000,
				   .rcpts = rcpts,
				   .nrcpts = 2 } };
	struct deliver_msg msg = {
		.parts = &part, .nparts = 1, .queue = &q, .nqueue = 1
	};
	struct deliver d = { .msgs = &msg, .nmsgs = 1 };
	struct errand *e;

	assert_int_equal(deliver(sf.srv.store, &d, NULL), 0);
	assert_int_equal(errand_load(NULL, sf.srv.store, q.id, &e), 0);
	assert_string_equal(e->domain, "example.net");
	return e;
}

static void
outcome(struct errand *e, size_t i, enum outcome out, const char *reply)
{
	errand_set(e, i, out, "mx.example.net [192.0.2.1]", reply);
	if (out == OUT_PERM)
		e->row.rcpts[i].state = RCPT_FAILED;
	if (out == OUT_SENT)
		e->row.rcpts[i].state = RCPT_DELIVERED;
}

static bool
has(const struct dsn *d, const char *text)
{
	return slice_find(d->part, slice_str(text)) < d->part.n;
}

static void
test_failed(void **state)
{
	struct errand *e = load("info@example.org", QUEUE_RET_FULL);
	struct dsn d;

	(void)state;
	outcome(e, 0, OUT_PERM, "550 5.1.1 gone");
	outcome(e, 1, OUT_TEMP, "450 4.2.2 full");
	assert_int_equal(dsn_make(&d, e, &sf.srv, false), 0);
	assert_true(d.has_msg);
	assert_int_equal(d.msg.ntargets, 1);
	assert_int_equal(d.msg.nqueue, 0);
	assert_int_equal(d.msg.targets[0].account, sf.x.one);
	assert_true(d.msg.targets[0].over_quota);
	assert_slice(d.msg.targets[0].prefix, "Return-Path: <>\r\n");
	assert_true(has(&d, "To: <info@example.org>\r\n"));
	assert_true(has(&d, "Auto-Submitted: auto-replied\r\n"));
	assert_true(has(&d, "References: <orig@x>\r\n"));
	assert_true(has(&d, "report-type=delivery-status"));
	assert_true(has(&d, "Reporting-MTA: dns; mail.example.org\r\n"));
	assert_true(has(&d, "Original-Envelope-Id: env-1\r\n"));
	assert_true(has(&d, "Original-Recipient: rfc822;b@alias.example\r\n"
			    "Final-Recipient: rfc822; b@example.net\r\n"
			    "Action: failed\r\nStatus: 5.1.1\r\n"
			    "Remote-MTA: dns; mx.example.net\r\n"
			    "Diagnostic-Code: smtp; 550 5.1.1 gone\r\n"));
	assert_false(has(&d, "c@example.net"));
	assert_true(has(&d, "Content-Type: message/rfc822\r\n"));
	assert_true(has(&d, "secret text"));
	/* The host speaks English, so that comes first. */
	assert_true(slice_find(d.part, SLICE("could not be delivered")) <
		    slice_find(d.part, SLICE("konnte nicht")));
	dsn_fini(&d);
	errand_free(&e);
}

/* RFC 3461 6.2: the header only, unless all was asked for. */
static void
test_header_only(void **state)
{
	struct errand *e = load("info@example.org", 0);
	struct dsn d;

	(void)state;
	outcome(e, 0, OUT_PERM, "550 5.1.1 gone");
	outcome(e, 1, OUT_PERM, "550 5.1.1 gone");
	assert_int_equal(dsn_make(&d, e, &sf.srv, false), 0);
	assert_true(has(&d, "Content-Type: text/rfc822-headers\r\n"));
	assert_true(has(&d, "Subject: s\r\n"));
	assert_false(has(&d, "secret text"));
	/* c asked to hear of success alone (RFC 3461 4.1). */
	assert_false(has(&d, "c@example.net"));
	dsn_fini(&d);
	errand_free(&e);
}

static void
test_delayed_and_relayed(void **state)
{
	struct errand *e = load("info@example.org", 0);
	struct dsn d;

	(void)state;
	outcome(e, 0, OUT_TEMP, "451 4.4.1 nobody there");
	outcome(e, 1, OUT_SENT, "250 2.0.0 ok");
	assert_int_equal(dsn_make(&d, e, &sf.srv, true), 0);
	assert_true(has(&d, "Action: delayed\r\nStatus: 4.4.1\r\n"));
	assert_true(has(&d, "Will-Retry-Until: "));
	assert_true(has(&d, "Action: relayed\r\nStatus: 2.0.0\r\n"));
	dsn_fini(&d);
	/* The remote tells it itself, and b was told before. */
	e->remote_dsn = true;
	assert_int_equal(dsn_make(&d, e, &sf.srv, false), 0);
	assert_false(d.has_msg);
	dsn_fini(&d);
	errand_free(&e);
}

/* RFC 5321 6.1, and a report is not reported. */
static void
test_nobody(void **state)
{
	static const struct {
		const char *sender;
		unsigned flags;
	} quiet[] = {
		{ "", 0 },
		{ "info@example.org", QUEUE_DSN },
		{ "nobody@example.org", 0 },
		{ "no address", 0 },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(quiet); i++) {
		struct errand *e = load(quiet[i].sender, quiet[i].flags);
		struct dsn d;

		outcome(e, 0, OUT_PERM, "550 no");
		outcome(e, 1, OUT_PERM, "550 no");
		assert_int_equal(dsn_make(&d, e, &sf.srv, false), 0);
		assert_false(d.has_msg);
		dsn_fini(&d);
		errand_free(&e);
	}
}

static void
test_away(void **state)
{
	struct errand *e = load("far@example.net", 0);
	struct dsn d;

	(void)state;
	outcome(e, 0, OUT_PERM, "550 no");
	outcome(e, 1, OUT_PERM, "550 no");
	assert_int_equal(dsn_make(&d, e, &sf.srv, false), 0);
	assert_true(d.has_msg);
	assert_int_equal(d.msg.ntargets, 0);
	assert_int_equal(d.msg.nqueue, 1);
	assert_slice(d.msg.queue[0].row.sender, "");
	assert_slice(d.msg.queue[0].row.rcpts[0].addr, "far@example.net");
	assert_true(d.msg.queue[0].row.flags & QUEUE_DSN);
	dsn_fini(&d);
	errand_free(&e);
}

/* Who forwards all mail gets reports there, too. */
static void
test_forwarded(void **state)
{
	struct errand *e;
	struct dsn d;

	(void)state;
	fixture_address1(&sf.x.f, "fwd@example.org", "x@example.com");
	e = load("fwd@example.org", 0);
	outcome(e, 0, OUT_PERM, "550 no");
	outcome(e, 1, OUT_TEMP, "450 no");
	assert_int_equal(dsn_make(&d, e, &sf.srv, false), 0);
	assert_int_equal(d.msg.ntargets, 0);
	assert_int_equal(d.msg.nqueue, 1);
	assert_slice(d.msg.queue[0].row.rcpts[0].addr, "x@example.com");
	dsn_fini(&d);
	errand_free(&e);
}

/* RFC 6533 */
static void
test_utf8(void **state)
{
	struct errand *e = load("info@example.org", QUEUE_UTF8);
	struct dsn d;

	(void)state;
	e->row.rcpts[0].addr = SLICE("j\xc3\xbcrgen@example.net");
	outcome(e, 0, OUT_PERM, "550 5.1.1 nein");
	outcome(e, 1, OUT_TEMP, "450 no");
	assert_int_equal(dsn_make(&d, e, &sf.srv, false), 0);
	assert_true(has(&d, "message/global-delivery-status"));
	assert_true(
	    has(&d, "Final-Recipient: utf-8; j\xc3\xbcrgen@example.net"));
	dsn_fini(&d);
	errand_free(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_header_only),
		cmocka_unit_test(test_delayed_and_relayed),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_away),
		cmocka_unit_test(test_forwarded),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
