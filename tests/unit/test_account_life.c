/* How accounts end: nothing of them is left for who gets the name later. */
#include "tests/unit/account_fixture.h"

#include "lib/base/num.h"
#include "storage/acl.h"
#include "storage/sending.h"
#include "storage/tables.h"

static struct store_fixture f;

UNIT_AROUND(fixture_host(&f), fixture_end(&f))

/* What is left of an account, by its name or id. */
struct left {
	uint64_t id;
	bool wide; /* may send as others */
	struct sending_use use;
	size_t known, entries;
};

static int
count_known(struct db_txn *t, void *arg)
{
	struct left *l = arg;
	struct db_scan *scan = NULL;
	struct slice key, value;
	char from[8], to[8];
	int rc;

	l->known = 0;
	num_put64(from, l->id);
	num_put64(to, l->id + 1);
	rc = db_scan_init(t, T_KNOWN, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
		l->known++;
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static void
look_what_is_left(struct left *l, uint64_t folder)
{
	struct acl_entry *v;
	struct policy p;
	struct arena a;

	arena_init(&a);
	assert_int_equal(
	    policy_get(f.s, POLICY_ACCOUNT, SLICE("web100p2"), &a, &p), 0);
	assert_int_equal(
	    sending_use(f.s, POLICY_ACCOUNT, SLICE("web100p2"), 1000, &l->use),
	    0);
	l->wide = p.send_as.n != 0;
	assert_int_equal(db_read(f.s->db, count_known, l), 0);
	assert_int_equal(acl_get(f.s, folder, &a, &v, &l->entries), 0);
	arena_clear(&a);
}

static int
count_sent(struct db_txn *t, void *arg)
{
	return sending_count_txn(t, arg);
}

enum { FRIENDS = 1200 }; /* more than go in one transaction */

/* web100p2 writes to many, has exceptions, and web100p1 shares with it. */
static void
live_a_life(uint64_t owner, uint64_t id, uint64_t folder)
{
	static char text[FRIENDS][24];
	static struct slice rcpts[FRIENDS];
	struct sending s = { .account = id,
		.levels = { { POLICY_ACCOUNT, SLICE("web100p2"),
		    { .new_day = 100000 } } },
		.nlevels = 1,
		.rcpts = rcpts,
		.nrcpts = FRIENDS,
		.now = 1000 };
	struct policy p = { .send_as = SLICE("@wide.example") };
	static const char *const whom[] = { "web100p2", "-web100p2" };
	struct err e = { 0 };

	for (size_t i = 0; i < FRIENDS; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "f%zu@example.net", i);
		rcpts[i] = slice_str(text[i]);
	}
	assert_int_equal(db_update(f.s->db, count_sent, &s), 0);
	assert_int_equal(
	    policy_set(f.s, POLICY_ACCOUNT, SLICE("web100p2"), &p), 0);
	for (size_t i = 0; i < PH_LEN(whom); i++)
		assert_int_equal(
		    acl_set(f.s, SLICE("web100"), owner, folder,
			slice_str(whom[i]), ACL_SET, RIGHT_LOOKUP, &e),
		    0);
	assert_int_equal(acl_set(f.s, SLICE("web100"), owner, folder,
			     SLICE("web100p3"), ACL_SET, RIGHT_LOOKUP, &e),
	    0);
}

/* Whoever gets the name later has nothing of who had it. */
static void
test_leaves_nothing(void **state)
{
	struct folder_info inbox;
	struct left l = { 0 };
	struct err e = { 0 };
	uint64_t owner;

	(void)state;
	owner = fixture_account(&f, "web100", "web100p1", 0, NULL);
	l.id = fixture_account(&f, "web100", "web100p2", 0, NULL);
	(void)fixture_account(&f, "web100", "web100p3", 0, NULL);
	assert_int_equal(folder_find(f.s, owner, SLICE("INBOX"), &inbox), 0);
	live_a_life(owner, l.id, inbox.id);
	assert_int_equal(account_bin(f.s, SLICE("web100p2"), 99, &e), 0);
	look_what_is_left(&l, inbox.id); /* it may come back */
	assert_int_equal(l.known, FRIENDS);
	assert_int_equal(l.entries, 3);
	assert_int_equal(l.use.messages_hour, 1);
	assert_true(l.wide);
	assert_int_equal(account_del(f.s, SLICE("web100p2"), &e), 0);
	look_what_is_left(&l, inbox.id);
	assert_int_equal(l.known, 0);
	assert_int_equal(l.entries, 1);
	assert_int_equal(l.use.messages_hour, 0);
	assert_false(l.wide);
	/* The folder is shared with nobody when nobody is left. */
	assert_int_equal(account_del(f.s, SLICE("web100p3"), &e), 0);
	look_what_is_left(&l, inbox.id);
	assert_int_equal(l.entries, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_leaves_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
