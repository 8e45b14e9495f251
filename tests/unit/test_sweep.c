/*
 * Mail left on the server by POP3: marks, the share they hold, and the rule by
 * which it goes, with the clock moved.
 */
#include "tests/unit/store_fixture.h"

#include <stdio.h>

#include "storage/account.h"
#include "storage/fetched.h"
#include "storage/fetched_row.h"
#include "storage/msg.h"
#include "storage/sweep.h"
#include "storage/view.h"
#include "tests/unit/store_mail.h"

enum { PC = 1, PHONE = 2, MESSAGES = 40 };

#define DAY ((int64_t)24 * 3600)
#define T0 ((int64_t)1700000000)

struct world {
	struct store_fixture f;
	struct sweep *w;
	struct arena a;
	struct account ac;
	uint64_t inbox;
};

/* An account with two POP3 secrets. */
static int
setup(void **state)
{
	struct package p = { .name = SLICE("web7") };
	struct world *w = calloc(1, sizeof(*w));
	struct account ac = { .package = SLICE("web7"), .nsecrets = 2 };
	struct folder_info info;
	struct err e;

	fixture_new(&w->f);
	w->w = sweep_new();
	arena_init(&w->a);
	assert_int_equal(package_add(w->f.s, &p, &e), 0);
	for (uint32_t i = 0; i < 2; i++)
		ac.secrets[i] = (struct secret){ .kind = SECRET_HASH,
			.id = i + 1,
			.value = SLICE("x"),
			.scope = SCOPE_ALL };
	ac.pop3_remove_sec = (uint64_t)(30 * DAY);
	assert_int_equal(account_add(w->f.s, &ac, NULL, &w->a, &w->ac, &e), 0);
	assert_int_equal(w->ac.pop3_remove_sec, 30 * DAY);
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
	sweep_free(&w->w);
	arena_clear(&w->a);
	fixture_free(&w->f);
	free(w);
	return 0;
}

/* The device logs in and fetches these. */
static void
fetch(struct world *w, uint32_t secret, uint32_t from, uint32_t to, int64_t now)
{
	uint32_t uids[MESSAGES];
	struct msg_group g = { w->inbox, uids, 0 };

	for (uint32_t uid = from; uid <= to; uid++)
		uids[g.n++] = uid;
	assert_int_equal(fetched_login(w->f.s, w->ac.id, secret, now), 0);
	assert_int_equal(fetched_add(w->f.s, secret, now, &g, 1), 0);
}

/* A whole pass; how many are left. */
static uint32_t
pass(struct world *w, int64_t now)
{
	struct folder_status st;
	bool more = true;

	while (more)
		assert_int_equal(sweep_step(w->f.s, w->w, now, &more), 0);
	assert_int_equal(folder_status_get(w->f.s, w->inbox, &st), 0);
	return st.messages;
}

static void
set_remove(struct world *w, uint64_t sec)
{
	struct err e;

	w->ac.pop3_remove_sec = sec;
	assert_int_equal(account_set(w->f.s, &w->ac, NULL, false, &e), 0);
}

static void
two_devices(void **state)
{
	struct world *w = *state;

	put_mails(w->f.s, w->ac.id, w->inbox, MESSAGES);
	fetch(w, PC, 1, 40, T0);
	fetch(w, PHONE, 1, 35, T0 + 5 * DAY);
	/* 30 days after the phone, not the PC */
	assert_int_equal(pass(w, T0 + 31 * DAY), 40);
	assert_int_equal(pass(w, T0 + 35 * DAY - 1), 40);
	/* the phone has not got 36..40 */
	assert_int_equal(pass(w, T0 + 35 * DAY), 5);
	assert_int_equal(pass(w, T0 + 300 * DAY), 5);
	/* the first time counts, not a later one */
	fetch(w, PC, 36, 40, T0 + 40 * DAY);
	fetch(w, PHONE, 36, 40, T0 + 41 * DAY);
	assert_int_equal(pass(w, T0 + 71 * DAY - 1), 5);
	assert_int_equal(pass(w, T0 + 71 * DAY), 0);
}

static void
off_by_default(void **state)
{
	struct world *w = *state;

	set_remove(w, 0);
	put_mails(w->f.s, w->ac.id, w->inbox, 3);
	fetch(w, PC, 1, 3, T0);
	assert_int_equal(pass(w, T0 + 3000 * DAY), 3);
	set_remove(w, 1);
	/* nobody has been seen for very long */
	assert_int_equal(pass(w, T0 + 3000 * DAY), 3);
	assert_int_equal(pass(w, T0 + 1), 0);
}

static void
clock_goes_back(void **state)
{
	struct world *w = *state;

	put_mails(w->f.s, w->ac.id, w->inbox, 3);
	fetch(w, PC, 1, 3, T0);
	assert_int_equal(pass(w, T0 - 100 * DAY), 3);
	assert_int_equal(pass(w, 0), 3);
	assert_int_equal(pass(w, T0 + 30 * DAY), 0);
}

static void
devices_come_and_go(void **state)
{
	struct world *w = *state;
	struct err e;

	put_mails(w->f.s, w->ac.id, w->inbox, 6);
	fetch(w, PC, 1, 6, T0);
	/* a new one counts from its first login */
	fetch(w, PHONE, 1, 0, T0 + 10 * DAY);
	assert_int_equal(pass(w, T0 + 60 * DAY), 6);
	/* and no longer when it was not seen for 90 days */
	fetch(w, PC, 1, 0, T0 + 100 * DAY);
	assert_int_equal(pass(w, T0 + 100 * DAY - 1), 6);
	assert_int_equal(pass(w, T0 + 100 * DAY), 0);
	put_mails(w->f.s, w->ac.id, w->inbox, 6); /* 7..12 */
	fetch(w, PC, 7, 12, T0 + 101 * DAY);
	fetch(w, PHONE, 1, 0, T0 + 101 * DAY);
	assert_int_equal(pass(w, T0 + 140 * DAY), 6);
	/* revoked: gone at once */
	w->ac.nsecrets = 1;
	assert_int_equal(account_set(w->f.s, &w->ac, NULL, true, &e), 0);
	assert_int_equal(pass(w, T0 + 140 * DAY), 0);
}

static void
flag(struct world *w, uint32_t uid, uint32_t flags, const char *keyword)
{
	struct slice kw = slice_str(keyword);
	struct msg_change ch = { .uids = &uid,
		.n = 1,
		.op = MSG_OP_ADD,
		.flags = flags,
		.keywords = &kw,
		.nkeywords = keyword != NULL,
		.unchanged_since = UINT64_MAX };

	assert_int_equal(msg_store_flags(w->f.s, w->ac.id, w->inbox, &ch), 0);
	msg_change_fini(&ch);
}

/* 1 flagged, 2 answered, 3 a keyword, 4 read, 5 not read; 6 and 7 came when
 * IMAP had looked. */
static void
imap_has_to_do_with(void **state)
{
	struct world *w = *state;
	struct view *v;
	struct view_msg m;

	put_mails(w->f.s, w->ac.id, w->inbox, 5);
	assert_int_equal(view_open(w->f.s, w->ac.id, w->inbox, false, &v), 0);
	view_close(&v);
	put_mails(w->f.s, w->ac.id, w->inbox, 2);
	flag(w, 1, MSG_SEEN | MSG_FLAGGED, NULL);
	flag(w, 2, MSG_SEEN | MSG_ANSWERED, NULL);
	flag(w, 3, MSG_SEEN, "$Label1");
	flag(w, 4, MSG_SEEN, NULL);
	fetch(w, PC, 1, 7, T0);
	flag(w, 7, MSG_FLAGGED, NULL);
	assert_int_equal(pass(w, T0 + 30 * DAY), 5);
	assert_int_equal(view_open(w->f.s, w->ac.id, w->inbox, true, &v), 0);
	for (uint32_t i = 1; i <= 4; i++) {
		view_get(v, i, &m);
		assert_int_equal(m.uid, i < 4 ? i : 5);
	}
	view_get(v, 5, &m);
	assert_int_equal(m.uid, 7);
	view_close(&v);
}

static int
count_txn(struct db_txn *t, void *arg)
{
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc = db_scan_init(
	    t, T_FETCHED, SLICE(""), (struct slice){ NULL, 0 }, &scan);

	*(size_t *)arg = 0;
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
		(*(size_t *)arg)++;
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static size_t
rows(struct world *w)
{
	size_t n;

	assert_int_equal(db_read(w->f.s->db, count_txn, &n), 0);
	return n;
}

/* Marks of what is gone go too. */
static void
tidies_up(void **state)
{
	struct world *w = *state;
	uint32_t uids[40];
	struct err e;
	struct folder_info info;

	set_remove(w, 0);
	put_mails(w->f.s, w->ac.id, w->inbox, 40);
	fetch(w, PC, 1, 40, T0);
	fetch(w, PHONE, 1, 40, T0);
	assert_int_equal(rows(w), 4);
	for (uint32_t i = 0; i < 40; i++)
		uids[i] = i + 1;
	assert_int_equal(
	    msg_expunge(w->f.s, w->ac.id, w->inbox, uids, 35, false, NULL), 0);
	assert_int_equal(pass(w, T0), 5);
	assert_int_equal(rows(w), 2);
	/* a folder that is gone, and one behind it */
	assert_int_equal(
	    folder_create(w->f.s, w->ac.id, SLICE("A"), USE_NONE, &info, &e),
	    0);
	put_mails(w->f.s, w->ac.id, info.id, 2);
	assert_int_equal(fetched_add(w->f.s, PC, T0,
			     &(struct msg_group){ info.id, uids, 2 }, 1),
	    0);
	assert_int_equal(rows(w), 3);
	assert_int_equal(folder_delete(w->f.s, w->ac.id, SLICE("A"), &e), 0);
	assert_int_equal(pass(w, T0), 5);
	assert_int_equal(rows(w), 2);
}

/* More than one step looks at. */
static void
many(void **state)
{
	struct world *w = *state;
	enum { N = 9000 };
	uint32_t *uids = calloc(N, sizeof(*uids));
	struct msg_group g = { w->inbox, uids, 0 };

	put_mails(w->f.s, w->ac.id, w->inbox, N);
	for (uint32_t i = 1; i <= N; i++)
		if (i % 100 != 0)
			uids[g.n++] = i;
	assert_int_equal(fetched_login(w->f.s, w->ac.id, PC, T0), 0);
	assert_int_equal(fetched_add(w->f.s, PC, T0, &g, 1), 0);
	assert_int_equal(pass(w, T0 + 30 * DAY), N / 100);
	free(uids);
}

static void
share(void **state)
{
	struct world *w = *state;
	uint64_t n, bytes, all;
	struct usage u;

	put_mails(w->f.s, w->ac.id, w->inbox, 40);
	assert_int_equal(fetched_share(w->f.s, w->ac.id, &n, &bytes), 0);
	assert_int_equal(n, 0);
	fetch(w, PC, 1, 10, T0);
	fetch(w, PHONE, 5, 34, T0);
	assert_int_equal(fetched_share(w->f.s, w->ac.id, &n, &bytes), 0);
	assert_int_equal(n, 34);
	assert_int_equal(account_usage(w->f.s, w->ac.id, &u), 0);
	all = u.bytes;
	assert_true(bytes > all * 33 / 40 && bytes < all * 35 / 40);
	fetch(w, PC, 1, 40, T0);
	assert_int_equal(fetched_share(w->f.s, w->ac.id, &n, &bytes), 0);
	assert_int_equal(n, 40);
	assert_int_equal(bytes, all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    off_by_default, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    clock_goes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    devices_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    imap_has_to_do_with, setup, teardown),
		cmocka_unit_test_setup_teardown(tidies_up, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
		cmocka_unit_test_setup_teardown(share, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
