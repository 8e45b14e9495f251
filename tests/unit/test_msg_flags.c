/*
 * Flags and keywords.
 */
#include "tests/unit/store_fixture.h"

#include <stdio.h>

#include "storage/msg.h"
#include "tests/unit/store_mail.h"

static void
conditions(void **state)
{
	struct store_fixture *f = *state;
	uint32_t uids[] = { 1, 2, 3, 4, 5, 77 };
	struct msg_change ch = { .uids = uids + 1,
		.n = 2,
		.op = MSG_OP_ADD,
		.flags = MSG_FLAGGED,
		.unchanged_since = UINT64_MAX };
	uint64_t first;

	put_mails(f->s, 1, f->inbox[1], 5);
	assert_int_equal(msg_store_flags(f->s, 1, f->inbox[1], &ch), 0);
	assert_int_equal(ch.nchanged, 2);
	first = ch.modseq;
	assert_int_equal(first, 7); /* 1, five deliveries, this */
	msg_change_fini(&ch);
	/* nothing changes: no MODSEQ is spent */
	assert_int_equal(msg_store_flags(f->s, 1, f->inbox[1], &ch), 0);
	assert_int_equal(ch.nchanged, 0);
	assert_int_equal(ch.modseq, 0);
	msg_change_fini(&ch);
	ch.uids = uids;
	ch.n = 6;
	ch.flags = MSG_SEEN;
	ch.unchanged_since = first - 1;
	assert_int_equal(msg_store_flags(f->s, 1, f->inbox[1], &ch), 0);
	assert_int_equal(ch.nchanged, 3);
	assert_int_equal(ch.changed[0], 1);
	assert_int_equal(ch.changed[1], 4);
	assert_int_equal(ch.nfailed, 2);
	assert_int_equal(ch.failed[0], 2);
	assert_int_equal(ch.failed[1], 3);
	assert_int_equal(ch.modseq, first + 1);
	msg_change_fini(&ch);
	assert_int_equal(
	    msg_store_flags(f->s, 2, f->inbox[1], &ch), ERR_NOTFOUND);
	msg_change_fini(&ch);
}

static void
keywords(void **state)
{
	struct store_fixture *f = *state;
	struct slice kw[] = { SLICE("$Forwarded"), SLICE("Junk") };
	struct slice names[FOLDER_KEYWORDS_MAX], one;
	uint32_t uids[] = { 1, 2 };
	struct msg_change ch = { .uids = uids,
		.n = 2,
		.op = MSG_OP_SET,
		.keywords = kw,
		.nkeywords = 2,
		.unchanged_since = UINT64_MAX };
	uint64_t to = fixture_folder(f, 1, "Archive");
	struct view_msg vm;
	struct msg_copied c;
	struct view *v;
	struct arena a;
	char text[40];

	arena_init(&a);
	put_mails(f->s, 1, f->inbox[1], 2);
	assert_int_equal(msg_store_flags(f->s, 1, f->inbox[1], &ch), 0);
	assert_int_equal(ch.nchanged, 2);
	msg_change_fini(&ch);
	assert_int_equal(folder_keywords(f->s, f->inbox[1], &a, names), 0);
	assert_slice(names[0], "$Forwarded");
	assert_slice(names[1], "Junk");
	assert_null(names[2].p);
	/* an unknown one is not made to be removed; case does not matter */
	kw[0] = SLICE("nothing");
	kw[1] = SLICE("jUNK");
	ch.op = MSG_OP_DEL;
	ch.n = 1;
	assert_int_equal(msg_store_flags(f->s, 1, f->inbox[1], &ch), 0);
	assert_int_equal(ch.nchanged, 1);
	msg_change_fini(&ch);
	assert_int_equal(view_open(f->s, 1, f->inbox[1], true, &v), 0);
	view_get(v, 1, &vm);
	assert_int_equal(vm.keywords, 1);
	view_get(v, 2, &vm);
	assert_int_equal(vm.keywords, 3);
	view_close(&v);
	/* a copy takes them along, under the target's bits */
	kw[0] = SLICE("other");
	(void)put_mail(f->s, 1, to, 0, SLICE("x: y\r\n\r\n"));
	ch = (struct msg_change){ .uids = uids,
		.n = 1,
		.op = MSG_OP_ADD,
		.keywords = kw,
		.nkeywords = 1,
		.unchanged_since = UINT64_MAX };
	assert_int_equal(msg_store_flags(f->s, 1, to, &ch), 0);
	msg_change_fini(&ch);
	assert_int_equal(
	    msg_copy(f->s, 1, f->inbox[1], uids, 2, 1, to, false, &c), 0);
	assert_int_equal(c.n, 2);
	msg_copied_fini(&c);
	assert_int_equal(view_open(f->s, 1, to, true, &v), 0);
	view_get(v, 2, &vm);
	assert_int_equal(vm.keywords, 2); /* $Forwarded */
	view_get(v, 3, &vm);
	assert_int_equal(vm.keywords, 6);
	view_close(&v);
	/* the limit */
	for (unsigned i = 2; i <= FOLDER_KEYWORDS_MAX; i++) {
		(void)snprintf(text, sizeof(text), "k%u", i);
		one = slice_str(text);
		ch.keywords = &one;
		assert_int_equal(msg_store_flags(f->s, 1, f->inbox[1], &ch),
		    i < FOLDER_KEYWORDS_MAX ? 0 : ERR_LIMIT);
		msg_change_fini(&ch);
	}
	/* what finds no bit in the target stays behind */
	assert_int_equal(
	    msg_copy(f->s, 1, to, uids, 1, 1, f->inbox[1], false, &c), 0);
	assert_int_equal(c.n, 1);
	msg_copied_fini(&c);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(conditions),
		FIXTURE_TEST(keywords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
