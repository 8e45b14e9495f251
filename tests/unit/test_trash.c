/*
 * Large expunges: messages leave at once, and what they were is released
 * later, in steps; the store is sound at each of them.
 */
#include "tests/unit/store_fixture.h"

#include "storage/account.h"
#include "storage/fetched.h"
#include "storage/msg.h"
#include "storage/trash.h"
#include "tests/unit/store_mail.h"

enum { MANY = 5000, SOME = 400 };

struct world {
	struct store_fixture f;
	struct arena a;
	struct account ac;
	uint64_t inbox;
};

static int
setup(void **state)
{
	struct package p = { .name = SLICE("web7") };
	struct account ac = { .package = SLICE("web7"),
		.uidl_format = SLICE("U%u-%v") };
	struct world *w = calloc(1, sizeof(*w));
	struct folder_info info;
	struct err e;

	fixture_new(&w->f);
	arena_init(&w->a);
	assert_int_equal(package_add(w->f.s, &p, &e), 0);
	assert_int_equal(account_add(w->f.s, &ac, NULL, &w->a, &w->ac, &e), 0);
	assert_int_equal(
	    folder_find(w->f.s, w->ac.id, SLICE("INBOX"), &info), 0);
	w->inbox = info.id;
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	assert_store_sound(w->f.s);
	arena_clear(&w->a);
	fixture_free(&w->f);
	free(w);
	return 0;
}

/* Every k-th of the folder's first n. */
static void
expunge(struct world *w, uint64_t folder, uint32_t n, uint32_t k)
{
	uint32_t *uids = calloc(n, sizeof(*uids));
	struct msg_group g = { folder, uids, 0 };

	for (uint32_t uid = 1; uid <= n; uid += k)
		uids[g.n++] = uid;
	assert_int_equal(msg_expunge_all(w->f.s, w->ac.id, &g, 1), 0);
	free(uids);
}

static void
assert_holds(struct world *w, uint64_t messages)
{
	struct usage u;

	assert_int_equal(account_usage(w->f.s, w->ac.id, &u), 0);
	assert_int_equal(u.messages, messages);
	assert_true((u.bytes == 0) == (messages == 0));
}

/* All steps; how many. */
static unsigned
release(struct world *w)
{
	bool more = true;
	unsigned n = 0;

	for (;; n++) {
		assert_int_equal(trash_step(w->f.s, &more), 0);
		if (!more)
			return n;
		assert_store_sound(w->f.s);
	}
}

static void
few_go_at_once(void **state)
{
	struct world *w = *state;

	put_mails(w->f.s, w->ac.id, w->inbox, 40);
	expunge(w, w->inbox, 10, 1);
	assert_holds(w, 30);
	assert_int_equal(release(w), 0);
}

static void
rows_with_holes(void **state)
{
	struct world *w = *state;
	struct msg_group g = { w->inbox, (uint32_t[]){ 1, 2 }, 2 };
	struct msg_iter *it;
	struct msg_meta m;
	uint64_t messages, bytes;
	bool any;

	put_mails(w->f.s, w->ac.id, w->inbox, SOME);
	assert_int_equal(fetched_add(w->f.s, 1, 1700000000, &g, 1), 0);
	expunge(w, w->inbox, SOME, 2);
	assert_store_sound(w->f.s);
	assert_holds(w, SOME / 2);
	/* only what is there counts as fetched */
	assert_int_equal(fetched_share(w->f.s, w->ac.id, &messages, &bytes), 0);
	assert_int_equal(messages, 1);
	/* rows of at most 100 holes */
	assert_int_equal(release(w), 2);
	assert_int_equal(msg_iter_open(w->f.s, w->ac.id, w->inbox, NULL, 0, 1,
			     MSG_WANT_META, &it),
	    0);
	for (uint32_t uid = 2; uid <= SOME; uid += 2) {
		assert_int_equal(msg_iter_next(it, &m), 0);
		assert_int_equal(m.uid, uid);
		assert_true(m.body != 0);
	}
	assert_int_equal(msg_iter_next(it, &m), ERR_NOTFOUND);
	msg_iter_close(&it);
	assert_holds(w, SOME / 2);
	expunge(w, w->inbox, SOME, 1);
	assert_holds(w, 0);
	assert_true(release(w) != 0);
	assert_int_equal(uidl_any(w->f.s, w->ac.id, &any), 0);
	assert_false(any);
}

static void
a_long_row_in_steps(void **state)
{
	struct world *w = *state;

	put_mails(w->f.s, w->ac.id, w->inbox, MANY);
	expunge(w, w->inbox, MANY, 1);
	assert_store_sound(w->f.s);
	assert_holds(w, 0);
	assert_true(release(w) >= MANY / 2048);
}

static void
the_folder_goes_first(void **state)
{
	struct world *w = *state;
	struct folder_info info;
	struct err e;

	assert_int_equal(
	    folder_create(w->f.s, w->ac.id, SLICE("X"), USE_NONE, &info, &e),
	    0);
	put_mails(w->f.s, w->ac.id, info.id, SOME);
	expunge(w, info.id, SOME, 3);
	assert_int_equal(folder_delete(w->f.s, w->ac.id, SLICE("X"), &e), 0);
	assert_store_sound(w->f.s);
	assert_holds(w, 0);
	assert_true(release(w) != 0);
}

static void
the_account_goes_first(void **state)
{
	struct world *w = *state;
	struct err e;

	put_mails(w->f.s, w->ac.id, w->inbox, SOME);
	expunge(w, w->inbox, SOME, 3);
	assert_int_equal(account_del(w->f.s, w->ac.name, &e), 0);
	assert_store_sound(w->f.s);
	assert_true(release(w) != 0);
}

/* The keeper does it. */
static void
kept(void **state)
{
	struct world *w = *state;
	bool more = true;

	put_mails(w->f.s, w->ac.id, w->inbox, SOME);
	expunge(w, w->inbox, SOME, 1);
	store_close(&w->f.s);
	w->f.s = fixture_open_as(&w->f, STORE_KEEPER);
	while (more)
		assert_int_equal(store_keep(w->f.s, &more), 0);
	assert_int_equal(trash_step(w->f.s, &more), 0);
	assert_false(more);
}

/* EXPUNGE of many: quota, counts and the log of what is gone are right at
 * once, and only those with \Deleted leave. */
static void
of_a_command(void **state)
{
	struct world *w = *state;
	uint32_t uids[2 * SOME];
	struct msg_change ch = { .uids = uids,
		.op = MSG_OP_ADD,
		.flags = MSG_DELETED,
		.unchanged_since = UINT64_MAX };
	struct folder_status st;
	size_t gone;

	put_mails(w->f.s, w->ac.id, w->inbox, 2 * SOME);
	for (uint32_t uid = 1; uid <= 2 * SOME; uid += 2)
		uids[ch.n++] = uid;
	assert_int_equal(msg_store_flags(w->f.s, w->ac.id, w->inbox, &ch), 0);
	msg_change_fini(&ch);
	assert_int_equal(
	    msg_expunge(w->f.s, w->ac.id, w->inbox, NULL, 0, true, &gone), 0);
	assert_int_equal(gone, SOME);
	assert_store_sound(w->f.s);
	assert_int_equal(folder_status_get(w->f.s, w->inbox, &st), 0);
	assert_int_equal(st.messages, SOME);
	assert_int_equal(st.deleted, 0);
	assert_true(release(w) > 0);
	assert_store_sound(w->f.s);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(few_go_at_once),
		TEST(rows_with_holes),
		TEST(a_long_row_in_steps),
		TEST(the_folder_goes_first),
		TEST(the_account_goes_first),
		TEST(kept),
		TEST(of_a_command),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
