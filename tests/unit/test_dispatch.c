#include "tests/unit/unit.h"

#include "submitd/dispatch.h"
#include "tests/unit/submit_fixture.h"

static struct submit_fixture sf;
static struct slice header; /* of the message */

UNIT_AROUND(submit_new(&sf), submit_free(&sf))

static struct dispatch
make(void)
{
	struct dispatch d;

	struct dispatch_in in = { .srv = &sf.srv,
		.env = &sf.c->env,
		.account = sf.c->who.account,
		.msgid = SLICE("id@x"),
		.header = header };

	dispatch_make(&d, &in);
	return d;
}

/* One delivery an account, by whatever names it was reached. */
static void
test_one_per_account(void **state)
{
	struct dispatch d;

	(void)state;
	submit_mail(&sf, "a@example.net");
	(void)submit_rcpt(&sf, "info@example.org");
	(void)submit_rcpt(&sf, "web100p1@example.org");
	(void)submit_rcpt(&sf, "web100p2@example.org");
	d = make();
	assert_int_equal(d.ntargets, 2);
	assert_int_equal(d.nqueue, 0);
	assert_int_equal(d.targets[0].account, sf.x.one);
	assert_int_equal(d.targets[0].folder, 0);
	assert_slice(d.targets[0].prefix, "Return-Path: <a@example.net>\r\n"
					  "Delivered-To: info@example.org\r\n");
	assert_int_equal(d.targets[1].account, sf.x.two);
	dispatch_fini(&d);
}

/* Who failed already is left out, and so is what only he leads to. */
static void
test_failed_is_left_out(void **state)
{
	struct dispatch d;

	(void)state;
	submit_mail(&sf, "");
	submit_rcpt(&sf, "info@example.org")->rc = ERR_QUOTA;
	(void)submit_rcpt(&sf, "web100p2@example.org");
	(void)submit_rcpt(&sf, "x@example.com");
	d = make();
	assert_int_equal(d.ntargets, 1);
	assert_int_equal(d.targets[0].account, sf.x.two);
	assert_int_equal(d.nqueue, 1);
	assert_int_equal(d.queue[0].row.sender.n, 0);
	dispatch_fini(&d);
}

static void
test_detail(void **state)
{
	struct folder_info info;
	struct dispatch d;

	(void)state;
	assert_int_equal(
	    folder_find(sf.srv.store, sf.x.one, SLICE("Sent"), &info), 0);
	submit_mail(&sf, "");
	(void)submit_rcpt(&sf, "info+sent@example.org");
	(void)submit_rcpt(&sf, "web100p2+nosuch@example.org");
	d = make();
	assert_int_equal(d.ntargets, 2);
	assert_int_equal(d.targets[0].folder, info.id);
	assert_int_equal(d.targets[1].folder, 0);
	dispatch_fini(&d);
}

/* A row a domain, at most QUEUE_RCPTS_MAX recipients each, none twice. */
static void
test_rows(void **state)
{
	char addr[64];
	struct dispatch d;
	size_t sum = 0;

	(void)state;
	submit_mail(&sf, "info@example.org");
	sf.c->who.account = sf.x.one;
	sf.c->env.flags = QUEUE_8BIT | QUEUE_RET_FULL;
	for (int i = 0; i < 250; i++) {
		(void)snprintf(addr, sizeof(addr), "u%d@%s", i,
		    i % 5 == 0 ? "example.net" : "example.com");
		(void)submit_rcpt(&sf, addr);
		(void)submit_rcpt(&sf, addr);
	}
	submit_rcpt(&sf, "once@example.edu")->notify = NOTIFY_ON_SUCCESS;
	d = make();
	assert_int_equal(d.ntargets, 0);
	assert_int_equal(d.nqueue, 4); /* 50; 100, 100; 1 */
	for (size_t i = 0; i < d.nqueue; i++) {
		const struct queue_row *row = &d.queue[i].row;
		struct slice first = row->rcpts[0].addr;

		sum += row->nrcpts;
		assert_true(row->nrcpts <= QUEUE_RCPTS_MAX);
		assert_int_equal(row->account, sf.x.one);
		assert_int_equal(row->flags, QUEUE_8BIT | QUEUE_RET_FULL);
		assert_slice(row->sender, "info@example.org");
		assert_slice(row->msgid, "id@x");
		assert_int_equal(row->expire_at - row->created_at, 5 * 86400);
		first = slice_from(first, slice_chr(first, '@'));
		for (size_t k = 1; k < row->nrcpts; k++)
			assert_int_equal(slice_find(row->rcpts[k].addr, first),
			    row->rcpts[k].addr.n - first.n);
	}
	assert_int_equal(sum, 251);
	assert_int_equal(
	    d.queue[d.nqueue - 1].row.rcpts[0].notify, NOTIFY_ON_SUCCESS);
	dispatch_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_per_account),
		cmocka_unit_test(test_failed_is_left_out),
		cmocka_unit_test(test_detail),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
