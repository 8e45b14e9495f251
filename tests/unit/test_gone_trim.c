/*
 * The gone table is trimmed; what it then cannot say is said to be unknown.
 */
#include "storage/gone_trim.h"

#include "tests/unit/store_fixture.h"

#include "storage/msg.h"
#include "storage/view.h"
#include "tests/unit/store_mail.h"

static void
trims(void **state)
{
	struct store_fixture f;
	struct view *v;
	uint64_t next = 0, first, last;
	uint32_t *uids, uid;
	bool more;
	size_t n;

	(void)state;
	fixture_new(&f);
	put_mails(f.s, 1, f.inbox[1], 60);
	assert_int_equal(view_open(f.s, 1, f.inbox[1], false, &v), 0);
	first = view_modseq(v);
	view_close(&v);
	for (uid = 1; uid <= 50; uid++)
		assert_int_equal(
		    msg_expunge(f.s, 1, f.inbox[1], &uid, 1, false, NULL), 0);
	/* up to twice as many are kept */
	assert_int_equal(gone_trim_step(f.s, 25, &next, &more), 0);
	assert_true(more);
	assert_int_equal(gone_trim_step(f.s, 25, &next, &more), 0);
	assert_false(more);
	assert_int_equal(view_open(f.s, 1, f.inbox[1], false, &v), 0);
	assert_int_equal(view_gone_since(v, first, &uids, &n), 0);
	assert_int_equal(n, 50);
	free(uids);
	next = 0;
	assert_int_equal(gone_trim_step(f.s, 20, &next, &more), 0);
	assert_int_equal(view_gone_since(v, first, &uids, &n), ERR_NOTFOUND);
	last = view_modseq(v);
	assert_int_equal(
	    view_gone_since(v, last - 21, &uids, &n), ERR_NOTFOUND);
	assert_int_equal(view_gone_since(v, last - 20, &uids, &n), 0);
	assert_int_equal(n, 20);
	assert_int_equal(uids[0], 31);
	free(uids);
	view_close(&v);
	assert_store_sound(f.s);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(trims) };

	return cmocka_run_group_tests_name("gone_trim", tests, NULL, NULL);
}
