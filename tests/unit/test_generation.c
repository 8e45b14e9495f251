/*
 * Counters that all processes share.
 */
#include "tests/unit/store_fixture.h"

#include <sys/wait.h>

#include "storage/generation.h"
#include "storage/msg.h"
#include "storage/notify.h"
#include "storage/view.h"
#include "tests/unit/store_mail.h"

/* Every change of a folder counts it on, whoever makes it. */
static void
counts(void **state)
{
	struct store_fixture f;
	struct msg_change ch = { .op = MSG_OP_ADD,
		.flags = MSG_SEEN,
		.unchanged_since = UINT64_MAX };
	uint32_t uid = 1;
	uint64_t before;

	(void)state;
	fixture_new(&f);
	before = generation_of(f.s, f.inbox[1]);
	put_mails(f.s, 1, f.inbox[1], 1);
	assert_true(generation_of(f.s, f.inbox[1]) > before);
	before = generation_of(f.s, f.inbox[1]);
	ch.uids = &uid;
	ch.n = 1;
	assert_int_equal(msg_store_flags(f.s, 1, f.inbox[1], &ch), 0);
	msg_change_fini(&ch);
	assert_true(generation_of(f.s, f.inbox[1]) > before);
	before = generation_of(f.s, f.inbox[1]);
	assert_int_equal(
	    msg_expunge(f.s, 1, f.inbox[1], &uid, 1, false, NULL), 0);
	assert_true(generation_of(f.s, f.inbox[1]) > before);
	fixture_free(&f);
}

/* A view opens again without the index only when nothing has happened. */
static void
reopening(void **state)
{
	struct store_fixture f;
	struct view *v;

	(void)state;
	fixture_new(&f);
	put_mails(f.s, 1, f.inbox[1], 3);
	assert_int_equal(view_open(f.s, 1, f.inbox[1], false, &v), 0);
	assert_int_equal(view_recent(v), 3);
	/* \Recent has been claimed meanwhile: that is read once. */
	assert_false(view_reopen(v, false));
	view_close(&v);
	assert_int_equal(view_open(f.s, 1, f.inbox[1], false, &v), 0);
	assert_true(view_reopen(v, false));
	assert_true(view_reopen(v, true));
	assert_int_equal(view_count(v), 3);
	assert_int_equal(view_recent(v), 0);
	assert_false(view_stale(v));
	put_mails(f.s, 1, f.inbox[1], 1);
	assert_true(view_stale(v));
	assert_false(view_reopen(v, true));
	assert_int_equal(view_count(v), 3);
	view_close(&v);
	fixture_free(&f);
}

/* What a child counts is seen here. */
static void
shared(void **state)
{
	struct store_fixture f;
	uint64_t before;
	pid_t kid;
	int st;

	(void)state;
	fixture_new(&f);
	before = generation_of(f.s, 7);
	if ((kid = fork()) == 0) {
		generation_bump(f.s, 7);
		_exit(0);
	}
	assert_int_equal(waitpid(kid, &st, 0), kid);
	assert_true(generation_of(f.s, 7) == before + 1);
	fixture_free(&f);
}

/* Folders and accounts by their hash, but never one of those for all; rows of
 * the queue are counted nowhere. */
static void
own_meaning(void **state)
{
	struct store_fixture f;
	struct notify_event queue = { .kind = NOTIFY_QUEUE, .account = 7 };
	struct notify_event account = { .kind = NOTIFY_ACCOUNT, .account = 7 };
	uint64_t all, accounts, seven;

	(void)state;
	fixture_new(&f);
	all = generation_of(f.s, 0);
	accounts = generation_of(f.s, GENERATION_ACCOUNTS);
	for (uint64_t id = 1; id < 100000; id++)
		generation_bump(f.s, id);
	assert_true(generation_of(f.s, 0) == all);
	assert_true(generation_of(f.s, GENERATION_ACCOUNTS) == accounts);
	seven = generation_of(f.s, 7);
	notify_add(f.s, &queue);
	assert_true(generation_of(f.s, 7) == seven);
	notify_add(f.s, &account);
	assert_true(generation_of(f.s, 7) == seven + 1);
	assert_true(generation_of(f.s, GENERATION_ACCOUNTS) == accounts + 1);
	assert_int_equal(notify_routes(f.s, 0), 0);
	assert_true(generation_of(f.s, 0) == all + 1);
	assert_true(generation_of(f.s, GENERATION_ACCOUNTS) == accounts + 2);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(reopening),
		cmocka_unit_test(shared),
		cmocka_unit_test(own_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
