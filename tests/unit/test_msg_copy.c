/*
 * Copies and moves: within an account, between two, large, over quota.
 */
#include "tests/unit/store_fixture.h"

#include <stdio.h>

#include "storage/msg.h"
#include "tests/unit/store_mail.h"

static void
other_account(void **state)
{
	struct store_fixture *f = *state;
	uint32_t uids[] = { 1, 2, 3 };
	struct msg_copied c;
	struct msg_meta m;
	struct arena a;
	struct buf b;

	arena_init(&a);
	buf_init(&b, 1000);
	put_mails(f->s, 1, f->inbox[1], 3);
	assert_int_equal(
	    msg_copy(f->s, 1, f->inbox[1], uids, 3, 2, f->inbox[2], false, &c),
	    0);
	assert_int_equal(c.n, 3);
	msg_copied_fini(&c);
	assert_store_sound(f->s);
	assert_int_equal(
	    msg_copy(f->s, 1, f->inbox[1], uids, 2, 2, f->inbox[2], true, &c),
	    0);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.to[1], 5);
	msg_copied_fini(&c);
	assert_store_sound(f->s);
	assert_int_equal(msg_meta_get(f->s, 2, f->inbox[2], 5, &a, &m), 0);
	assert_int_equal(msg_read(f->s, &m, 0, 1000, &b), 0);
	assert_int_equal(buf_len(&b), m.size);
	/* the first account's mail goes; the second still reads its own */
	assert_int_equal(
	    msg_expunge(f->s, 1, f->inbox[1], NULL, 0, false, NULL), 0);
	buf_clear(&b);
	assert_int_equal(msg_read(f->s, &m, 0, 1000, &b), 0);
	/* a target that is not the account's */
	assert_int_equal(
	    msg_copy(f->s, 2, f->inbox[2], uids, 1, 1, f->inbox[2], false, &c),
	    ERR_NOTFOUND);
	msg_copied_fini(&c);
	arena_clear(&a);
	buf_fini(&b);
}

static void
quota(void **state)
{
	struct store_fixture *f = *state;
	uint64_t to = fixture_folder(f, 1, "Archive");
	uint32_t uids[10];
	struct msg_copied c;
	struct folder_status st;

	put_mails(f->s, 1, f->inbox[1], 10);
	for (uint32_t i = 0; i < 10; i++)
		uids[i] = i + 1;
	fixture_limit(f, 1, 0, 15);
	/* all or nothing */
	assert_int_equal(
	    msg_copy(f->s, 1, f->inbox[1], uids, 6, 1, to, false, &c),
	    ERR_QUOTA);
	assert_int_equal(c.n, 0);
	msg_copied_fini(&c);
	assert_int_equal(folder_status_get(f->s, to, &st), 0);
	assert_int_equal(st.messages, 0);
	assert_int_equal(
	    msg_copy(f->s, 1, f->inbox[1], uids, 5, 1, to, false, &c), 0);
	msg_copied_fini(&c);
	/* a full mailbox can still be tidied up */
	assert_int_equal(
	    msg_copy(f->s, 1, f->inbox[1], uids, 10, 1, to, true, &c), 0);
	assert_int_equal(c.n, 10);
	msg_copied_fini(&c);
	assert_int_equal(folder_status_get(f->s, to, &st), 0);
	assert_int_equal(st.messages, 15);
}

/* More than one transaction takes; within one folder, too. */
static void
large_sets(void **state)
{
	enum { N = 10000 };
	struct store_fixture *f = *state;
	uint64_t to = fixture_folder(f, 1, "Archive");
	uint32_t *uids = malloc((N + 2500) * sizeof(*uids));
	struct msg_change ch = { .uids = uids,
		.n = N,
		.op = MSG_OP_ADD,
		.flags = MSG_DELETED,
		.unchanged_since = UINT64_MAX };
	struct folder_status st;
	struct msg_copied c;
	size_t gone;

	put_mails(f->s, 1, f->inbox[1], N);
	for (uint32_t i = 0; i < N + 2500; i++)
		uids[i] = i + 1;
	assert_int_equal(msg_copy(f->s, 1, f->inbox[1], uids, 2500, 1,
			     f->inbox[1], false, &c),
	    0);
	assert_int_equal(c.n, 2500);
	msg_copied_fini(&c);
	assert_int_equal(
	    msg_copy(f->s, 1, f->inbox[1], uids, N + 2500, 1, to, true, &c), 0);
	assert_int_equal(c.n, N + 2500);
	assert_int_equal(c.to[N], N + 1);
	msg_copied_fini(&c);
	assert_int_equal(msg_store_flags(f->s, 1, to, &ch), 0);
	assert_int_equal(ch.nchanged, N);
	assert_int_equal(ch.modseqs[N - 1], ch.modseq);
	assert_true(ch.modseqs[0] < ch.modseq);
	msg_change_fini(&ch);
	assert_int_equal(folder_status_get(f->s, to, &st), 0);
	assert_int_equal(st.deleted, N);
	assert_int_equal(st.messages, N + 2500);
	assert_int_equal(msg_expunge(f->s, 1, to, NULL, 0, true, &gone), 0);
	assert_int_equal(gone, N);
	assert_int_equal(folder_status_get(f->s, to, &st), 0);
	assert_int_equal(st.messages, 2500);
	assert_int_equal(st.deleted, 0);
	free(uids);
}

/* A move within a folder gives new UIDs. */
static void
move_to_itself(void **state)
{
	struct store_fixture *f = *state;
	uint32_t uids[] = { 2, 3, 9 };
	struct folder_status st;
	struct msg_copied c;

	put_mails(f->s, 1, f->inbox[1], 4);
	assert_int_equal(
	    msg_copy(f->s, 1, f->inbox[1], uids, 3, 1, f->inbox[1], true, &c),
	    0);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.from[1], 3);
	assert_int_equal(c.to[1], 6);
	msg_copied_fini(&c);
	assert_int_equal(folder_status_get(f->s, f->inbox[1], &st), 0);
	assert_int_equal(st.messages, 4);
	assert_int_equal(st.uidnext, 7);
	assert_int_equal(st.highestmodseq, 6);
	assert_int_equal(
	    msg_copy(f->s, 1, f->inbox[1], NULL, 0, 1, f->inbox[1], true, &c),
	    0);
	assert_int_equal(c.n, 0);
	assert_int_equal(c.uidvalidity, st.uidvalidity);
	msg_copied_fini(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(other_account),
		FIXTURE_TEST(quota),
		FIXTURE_TEST(large_sets),
		FIXTURE_TEST(move_to_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
