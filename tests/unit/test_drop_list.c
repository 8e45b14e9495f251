/*
 * A maildrop's numbers and lists while others deliver, expunge and delete.
 */
#include "tests/unit/store_fixture.h"

#include "pop3d/drop_list.h"
#include "storage/msg.h"
#include "tests/unit/store_mail.h"

enum { MANY = 3500 };

static struct drop *
open_inbox(struct store_fixture *f)
{
	struct drop *d;

	assert_int_equal(drop_open(f->s, 1, SLICE(""), &d), 0);
	return d;
}

/* What LIST or UIDL lists; want[] ends with 0. */
static void
assert_one_list(struct drop *d, const uint32_t *want, bool uidl)
{
	struct drop_list *l;
	struct drop_item item;
	struct drop_msg m;
	int rc;

	assert_int_equal(drop_list_open(d, 0, uidl, &l), 0);
	while ((rc = drop_list_next(l, &item)) == 0) {
		assert_int_equal(item.seq, *want);
		drop_get(d, item.seq, &m);
		assert_int_equal(item.uid, m.uid);
		assert_true(uidl || item.size > 0);
		want++;
	}
	assert_int_equal(rc, ERR_NOTFOUND);
	assert_int_equal(*want, 0);
	drop_list_close(&l);
}

/* The numbers listed, and their UIDs. */
static void
assert_list(struct drop *d, const uint32_t *want)
{
	assert_one_list(d, want, false);
	assert_one_list(d, want, true);
}

static void
expunge(struct store_fixture *f, const uint32_t *uids, size_t n)
{
	assert_int_equal(
	    msg_expunge(f->s, 1, f->inbox[1], uids, n, false, NULL), 0);
	release_trash(f->s);
}

/* What LIST says, all together. */
static uint64_t
listed_bytes(struct drop *d)
{
	struct drop_list *l;
	struct drop_item item;
	uint64_t sum = 0;

	assert_int_equal(drop_list_open(d, 0, false, &l), 0);
	while (drop_list_next(l, &item) == 0)
		sum += item.size;
	drop_list_close(&l);
	return sum;
}

/* From the index, then from memory; some of it from both. */
static void
sizes(void **state)
{
	struct store_fixture *f = *state;
	uint64_t bytes;
	struct drop *d;

	put_mails(f->s, 1, f->inbox[1], 1500);
	for (int i = 0; i < 3; i++) {
		d = open_inbox(f);
		assert_int_equal(drop_bytes(d, &bytes), 0);
		for (int n = 0; n < 3; n++)
			assert_int_equal(listed_bytes(d), bytes);
		put_mails(f->s, 1, f->inbox[1], 7);
		assert_int_equal(listed_bytes(d), bytes);
		drop_dele(d, 3);
		assert_int_equal(drop_bytes(d, &bytes), 0);
		assert_int_equal(listed_bytes(d), bytes);
		drop_free(&d);
	}
}

static void
empty(void **state)
{
	struct drop *d = open_inbox(*state);
	uint64_t bytes = 1;

	assert_int_equal(drop_count(d), 0);
	assert_list(d, (uint32_t[]){ 0 });
	assert_int_equal(drop_bytes(d, &bytes), 0);
	assert_int_equal(bytes, 0);
	drop_free(&d);
	drop_free(&d);
	assert_int_equal(
	    drop_open(((struct store_fixture *)*state)->s, 1, SLICE("Nix"), &d),
	    ERR_NOTFOUND);
}

static void
snapshot(void **state)
{
	struct store_fixture *f = *state;
	struct drop_list *l;
	struct drop_item item;
	struct drop *d;
	uint64_t all, bytes;

	put_mails(f->s, 1, f->inbox[1], 6);
	expunge(f, (uint32_t[]){ 3 }, 1); /* 1 2 4 5 6 */
	d = open_inbox(f);
	assert_int_equal(drop_count(d), 5);
	assert_int_equal(drop_bytes(d, &all), 0);
	put_mails(f->s, 1, f->inbox[1], 2);
	assert_list(d, (uint32_t[]){ 1, 2, 3, 4, 5, 0 });
	expunge(f, (uint32_t[]){ 1, 5 }, 2);
	assert_list(d, (uint32_t[]){ 2, 3, 5, 0 });
	assert_int_equal(drop_count(d), 5);
	assert_int_equal(drop_bytes(d, &bytes), 0);
	assert_int_equal(bytes, all);
	drop_dele(d, 3);
	assert_true(drop_is_gone(d, 3));
	assert_list(d, (uint32_t[]){ 2, 5, 0 });
	assert_int_equal(drop_bytes(d, &bytes), 0);
	assert_true(bytes < all);
	/* one of them */
	assert_int_equal(drop_list_open(d, 5, false, &l), 0);
	assert_int_equal(drop_list_next(l, &item), 0);
	assert_int_equal(item.seq, 5);
	assert_int_equal(item.uid, 6);
	assert_int_equal(drop_list_next(l, &item), ERR_NOTFOUND);
	drop_list_close(&l);
	assert_int_equal(drop_list_open(d, 1, true, &l), 0);
	assert_int_equal(drop_list_next(l, &item), ERR_NOTFOUND);
	drop_list_close(&l);
	drop_reset(d);
	assert_int_equal(drop_ngone(d), 0);
	assert_list(d, (uint32_t[]){ 2, 3, 5, 0 });
	drop_dele(d, 1);
	drop_dele(d, 5);
	assert_int_equal(drop_update(d), 0);
	drop_free(&d);
	d = open_inbox(f);
	assert_int_equal(drop_count(d), 4); /* 2 4 7 8 */
	drop_free(&d);
}

/* Against a plain walk, with holes before and after the login. */
static void
large(void **state)
{
	struct store_fixture *f = *state;
	uint32_t *uids = calloc(MANY + 1, sizeof(*uids)), n = 0, count;
	uint32_t *want = calloc(MANY + 1, sizeof(*want));
	struct drop_msg m;
	struct drop *d;

	put_mails(f->s, 1, f->inbox[1], MANY);
	for (uint32_t uid = 1; uid <= MANY; uid++)
		if (uid % 5 == 0 || (uid > 900 && uid < 1100))
			uids[n++] = uid;
	expunge(f, uids, n);
	d = open_inbox(f);
	count = drop_count(d);
	assert_int_equal(count, MANY - n);
	n = 0;
	for (uint32_t uid = 1; uid <= MANY; uid++)
		if (uid % 7 == 0 || (uid > 1800 && uid < 3200))
			uids[n++] = uid;
	expunge(f, uids, n);
	put_mails(f->s, 1, f->inbox[1], 300);
	n = 0;
	for (uint32_t seq = 1; seq <= count; seq++) {
		drop_get(d, seq, &m);
		if (m.uid % 7 == 0 || (m.uid > 1800 && m.uid < 3200))
			continue;
		if (m.uid % 11 == 0)
			drop_dele(d, seq);
		else
			want[n++] = seq;
	}
	want[n] = 0;
	assert_list(d, want);
	drop_free(&d);
	free(uids);
	free(want);
}

static void
all_folders(void **state)
{
	struct store_fixture *f = *state;
	struct folder_info sent;
	uint64_t bytes, rest;
	struct drop *d;

	assert_int_equal(folder_find(f->s, 1, SLICE("Sent"), &sent), 0);
	put_mails(f->s, 1, f->inbox[1], 3);
	put_mails(f->s, 1, sent.id, 3);
	assert_int_equal(drop_open_all(f->s, 1, &d), 0);
	assert_int_equal(drop_count(d), 6);
	assert_int_equal(drop_folder(d), 0);
	assert_list(d, (uint32_t[]){ 1, 2, 3, 4, 5, 6, 0 });
	expunge(f, (uint32_t[]){ 2 }, 1);
	assert_int_equal(drop_bytes(d, &bytes), 0);
	drop_dele(d, 1);
	drop_dele(d, 6);
	assert_int_equal(drop_bytes(d, &rest), 0);
	assert_true(rest < bytes);
	assert_int_equal(drop_update(d), 0);
	drop_free(&d);
	assert_int_equal(drop_open_all(f->s, 1, &d), 0);
	assert_int_equal(drop_count(d), 3);
	drop_free(&d);
}

static void
marks(void **state)
{
	struct store_fixture *f = *state;
	struct drop_marks *m;
	struct drop *d;

	put_mails(f->s, 1, f->inbox[1], 5);
	d = open_inbox(f);
	assert_null(drop_take_marks(d, true));
	drop_got(d, 4);
	drop_got(d, 2);
	drop_got(d, 4);
	drop_sure(d);
	drop_got(d, 5);
	m = drop_take_marks(d, false);
	assert_non_null(m);
	assert_int_equal(m->ngroups, 1);
	assert_int_equal(m->groups[0].n, 2);
	assert_int_equal(m->groups[0].uids[0], 2);
	assert_int_equal(m->groups[0].uids[1], 4);
	drop_marks_free(&m);
	assert_null(drop_take_marks(d, false));
	drop_got(d, 1);
	drop_got(d, 3);
	drop_dele(d, 3);
	m = drop_take_marks(d, true);
	assert_int_equal(m->groups[0].n, 1);
	assert_int_equal(m->groups[0].uids[0], 1);
	drop_marks_free(&m);
	drop_free(&d);
}

/* What is in memory answers only as long as it is the present state. */
static void
without_the_store(void **state)
{
	struct store_fixture *f = *state;
	uint64_t inbox = f->inbox[1], bytes, more;
	struct drop *d;

	assert_null(drop_open_now(f->s, 1, inbox));
	put_mails(f->s, 1, inbox, 3);
	d = open_inbox(f);
	assert_int_equal(drop_bytes(d, &bytes), 0);
	drop_free(&d);
	d = drop_open_now(f->s, 1, inbox);
	assert_non_null(d);
	assert_null(drop_open_now(f->s, 2, inbox));
	put_mails(f->s, 1, inbox, 1);
	assert_null(drop_open_now(f->s, 1, inbox));
	assert_list(d, (uint32_t[]){ 1, 2, 3, 0 });
	assert_int_equal(drop_bytes(d, &more), 0);
	assert_int_equal(more, bytes);
	drop_free(&d);
	d = open_inbox(f);
	assert_int_equal(drop_bytes(d, &more), 0);
	assert_true(more > bytes);
	drop_free(&d);
	d = drop_open_now(f->s, 1, inbox);
	assert_int_equal(drop_count(d), 4);
	assert_int_equal(drop_bytes(d, &bytes), 0);
	assert_int_equal(more, bytes);
	drop_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(empty),
		FIXTURE_TEST(snapshot),
		FIXTURE_TEST(sizes),
		FIXTURE_TEST(without_the_store),
		FIXTURE_TEST(large),
		FIXTURE_TEST(all_folders),
		FIXTURE_TEST(marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
