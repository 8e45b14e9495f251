/*
 * Large expunges: of several folders, of more than one transaction takes, and
 * killed on the way: all or nothing.
 */
#include "tests/unit/store_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "storage/intent.h"
#include "storage/msg.h"
#include "tests/unit/store_mail.h"

enum { MANY = 5000, ROUNDS = 16 };

static uint32_t
count(struct store_fixture *f, uint64_t folder)
{
	struct folder_status st;

	assert_int_equal(folder_status_get(f->s, folder, &st), 0);
	return st.messages;
}

static int
any_row(struct db_txn *t, void *arg)
{
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc = db_scan_init(
	    t, T_INTENT, SLICE(""), (struct slice){ NULL, 0 }, &scan);

	if (rc == 0)
		rc = db_scan_next(scan, &key, &value);
	*(bool *)arg = rc == 0;
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static void
assert_none_left(struct store_fixture *f)
{
	bool any;

	assert_int_equal(db_read(f->s->db, any_row, &any), 0);
	assert_false(any);
}

static void
one_transaction(void **state)
{
	struct store_fixture *f = *state;
	static const uint32_t uids[] = { 1, 3, 99 };
	struct msg_group g = { f->inbox[1], uids, PH_LEN(uids) };

	put_mails(f->s, 1, f->inbox[1], 4);
	assert_int_equal(msg_expunge_all(f->s, 1, &g, 0), 0);
	assert_int_equal(msg_expunge_all(f->s, 1, &g, 1), 0);
	assert_int_equal(count(f, f->inbox[1]), 2);
	/* of another account: nothing of it goes */
	assert_int_equal(msg_expunge_all(f->s, 2, &g, 1), 0);
	assert_int_equal(count(f, f->inbox[1]), 2);
	assert_none_left(f);
}

static void
several_folders(void **state)
{
	struct store_fixture *f = *state;
	static const uint32_t a[] = { 1, 2, 3 }, b[] = { 2 };
	struct msg_group g[] = { { f->inbox[1], a, 3 },
		{ fixture_folder(f, 1, "Sent"), b, 1 }, { 424242, b, 1 } };

	put_mails(f->s, 1, g[0].folder, 4);
	put_mails(f->s, 1, g[1].folder, 2);
	assert_int_equal(msg_expunge_all(f->s, 1, g, 3), 0);
	assert_int_equal(count(f, g[0].folder), 1);
	assert_int_equal(count(f, g[1].folder), 1);
	assert_none_left(f);
}

static void
with_holes(void **state)
{
	struct store_fixture *f = *state;
	uint32_t *uids = calloc(MANY, sizeof(*uids));
	struct msg_group g = { f->inbox[1], uids, 0 };

	put_mails(f->s, 1, f->inbox[1], MANY);
	for (uint32_t i = 1; i <= MANY; i++)
		if (i % 7 != 0)
			uids[g.n++] = i;
	assert_int_equal(msg_expunge_all(f->s, 1, &g, 1), 0);
	assert_int_equal(count(f, f->inbox[1]), MANY - g.n);
	assert_none_left(f);
	free(uids);
}

/* As other work in the process does: what is committed gets durable soon. */
static void *
sync_always(void *arg)
{
	struct store_fixture *f = arg;

	for (;;)
		(void)!store_sync_now(f->s);
	return NULL;
}

/* A child that is killed at some moment of it. */
static void
kill_one(struct store_fixture *f, struct msg_group *g, useconds_t after_us)
{
	int status, ready[2];
	pthread_t syncer;
	pid_t pid;
	char c;

	assert_int_equal(store_sync_now(f->s), 0);
	store_close(&f->s);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		f->s = fixture_open_as(f, STORE_DAEMON);
		(void)!pthread_create(&syncer, NULL, sync_always, f);
		(void)!write(ready[1], "", 1);
		(void)!msg_expunge_all(f->s, 1, g, 1);
		(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	usleep(after_us);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	f->s = fixture_open_as(f, STORE_RECOVER);
	store_close(&f->s);
	f->s = fixture_open_as(f, STORE_DAEMON);
}

static void
killed(void **state)
{
	struct store_fixture *f = *state;
	uint32_t *uids = calloc(MANY, sizeof(*uids)), left, first = 1;
	struct msg_group g = { f->inbox[1], uids, 0 };
	struct folder_status st;

	for (int round = 0; round < ROUNDS; round++) {
		left = count(f, f->inbox[1]);
		assert_true(left == 0 || left == MANY);
		if (left == 0) {
			assert_int_equal(
			    folder_status_get(f->s, f->inbox[1], &st), 0);
			first = st.uidnext;
			put_mails(f->s, 1, f->inbox[1], MANY);
		}
		for (g.n = 0; g.n < MANY; g.n++)
			uids[g.n] = first + (uint32_t)g.n;
		kill_one(f, &g, 3000 * (useconds_t)round);
		left = count(f, f->inbox[1]);
		print_message("# round %d: %u left\n", round, left);
		assert_true(left == 0 || left == MANY);
		assert_none_left(f);
		assert_store_sound(f->s);
	}
	free(uids);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(one_transaction),
		FIXTURE_TEST(several_folders),
		FIXTURE_TEST(with_holes),
		FIXTURE_TEST(killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
