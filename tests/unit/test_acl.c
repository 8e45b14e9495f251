/*
 * Folders shared between accounts of a package.
 */
#include "tests/unit/account_fixture.h"

#include "storage/acl.h"
#include "tests/unit/store_mail.h"

struct home {
	struct store_fixture f;
	uint64_t id[4]; /* web100p1, p2, p3; web200p1 */
};

static int
setup(void **state)
{
	struct home *h = calloc(1, sizeof(*h));

	fixture_new(&h->f);
	assert_int_equal(db_update(h->f.s->db, fixture_count_on, NULL), 0);
	fixture_package(&h->f, "web100");
	fixture_package(&h->f, "web200");
	h->id[0] = fixture_account(&h->f, "web100", "web100p1", 0, NULL);
	h->id[1] = fixture_account(&h->f, "web100", "web100p2", 0, NULL);
	h->id[2] = fixture_account(&h->f, "web100", "web100p3", 0, NULL);
	h->id[3] = fixture_account(&h->f, "web200", "web200p1", 0, NULL);
	*state = h;
	return 0;
}

static int
teardown(void **state)
{
	struct home *h = *state;

	fixture_free(&h->f);
	free(h);
	return 0;
}

static struct acl_user
user(const struct home *h, unsigned i, const char *name)
{
	return (struct acl_user){ .account = h->id[i],
		.name = slice_str(name),
		.package = slice_sub(slice_str(name), 0, 6) };
}

static uint64_t
drafts(struct home *h)
{
	struct folder_info info;

	assert_int_equal(
	    folder_find(h->f.s, h->id[0], SLICE("Drafts"), &info), 0);
	assert_int_equal(info.rights, RIGHTS_ALL);
	assert_int_equal(info.account, h->id[0]);
	return info.id;
}

static void
give(struct home *h, const char *who, unsigned rights, int want)
{
	struct err e;

	assert_int_equal(acl_set(h->f.s, SLICE("web100"), h->id[0], drafts(h),
			     slice_str(who), ACL_SET, rights, &e),
	    want);
}

static unsigned
has(struct home *h, unsigned i, const char *name)
{
	struct acl_user u = user(h, i, name);
	struct folder_info info;
	int rc =
	    acl_find(h->f.s, &u, SLICE("Other Users/web100p1/Drafts"), &info);

	return rc == 0 ? info.rights : UINT32_MAX;
}

static size_t
sees(struct home *h, unsigned i, const char *name)
{
	struct acl_user u = user(h, i, name);
	struct folder_info *v;
	struct arena a;
	size_t n;

	arena_init(&a);
	assert_int_equal(acl_list(h->f.s, &u, true, &a, &v, &n), 0);
	for (size_t k = 0; k < n; k++)
		assert_true(
		    slice_starts(v[k].name, SLICE("Other Users/web100p1/")));
	arena_clear(&a);
	return n;
}

static void
union_less_negative(void **state)
{
	struct home *h = *state;

	assert_int_equal(has(h, 1, "web100p2"), 0);
	assert_int_equal(sees(h, 1, "web100p2"), 0);
	give(h, "anyone", RIGHT_LOOKUP | RIGHT_READ, 0);
	give(h, "web100p2", RIGHT_READ | RIGHT_SEEN | RIGHT_WRITE, 0);
	give(h, "-web100p2", RIGHT_WRITE | RIGHT_ADMIN, 0);
	assert_int_equal(
	    has(h, 1, "web100p2"), RIGHT_LOOKUP | RIGHT_READ | RIGHT_SEEN);
	assert_int_equal(has(h, 2, "web100p3"), RIGHT_LOOKUP | RIGHT_READ);
	assert_int_equal(has(h, 0, "web100p1"), RIGHTS_ALL);
	/* "anyone" is the package, not the host */
	assert_int_equal(has(h, 3, "web200p1"), UINT32_MAX);
	assert_int_equal(sees(h, 1, "web100p2"), 1);
	assert_int_equal(sees(h, 0, "web100p1"), 0);
	assert_int_equal(sees(h, 3, "web200p1"), 0);
	give(h, "-anyone", RIGHT_LOOKUP, 0);
	assert_int_equal(sees(h, 1, "web100p2"), 0);
}

static void
refused(void **state)
{
	struct home *h = *state;

	give(h, "web100p1", RIGHT_READ, ERR_DENIED);
	give(h, "-web100p1", RIGHT_READ, ERR_DENIED);
	give(h, "web200p1", RIGHT_READ, ERR_INVALID);
	give(h, "web100p9", RIGHT_READ, ERR_INVALID);
	give(h, "nobody", RIGHT_READ, ERR_INVALID);
}

static void
goes_with_the_folder(void **state)
{
	struct home *h = *state;
	struct acl_user u = user(h, 1, "web100p2");
	struct folder_info up, down;
	struct err e;
	struct store *s = h->f.s;

	assert_int_equal(
	    folder_create(s, h->id[0], SLICE("a"), USE_NONE, &up, &e), 0);
	assert_int_equal(acl_set(s, SLICE("web100"), h->id[0], up.id,
			     SLICE("web100p2"), ACL_ADD, RIGHT_LOOKUP, &e),
	    0);
	/* what is made below has the same rights */
	assert_int_equal(
	    folder_create(s, h->id[0], SLICE("a/b/c"), USE_NONE, &down, &e), 0);
	assert_int_equal(
	    acl_find(s, &u, SLICE("Other Users/web100p1/a/b/c"), &down), 0);
	assert_int_equal(down.rights, RIGHT_LOOKUP);
	assert_int_equal(sees(h, 1, "web100p2"), 3);
	assert_int_equal(
	    folder_rename(s, h->id[0], SLICE("a"), SLICE("z"), &e), 0);
	assert_int_equal(
	    acl_find(s, &u, SLICE("Other Users/web100p1/z/b"), &down), 0);
	assert_int_equal(down.rights, RIGHT_LOOKUP);
	assert_int_equal(folder_delete(s, h->id[0], SLICE("z/b/c"), &e), 0);
	assert_int_equal(sees(h, 1, "web100p2"), 2);
	assert_int_equal(acl_set(s, SLICE("web100"), h->id[0], up.id,
			     SLICE("web100p2"), ACL_TAKE, RIGHTS_ALL, &e),
	    0);
	assert_int_equal(sees(h, 1, "web100p2"), 1);
	assert_int_equal(account_del(s, SLICE("web100p1"), &e), 0);
	assert_int_equal(sees(h, 1, "web100p2"), 0);
	assert_store_sound(s);
}

static const struct {
	const char *name, *owner, *rest;
	bool others;
} names[] = {
	{ "Other Users", "", "", true },
	{ "Other Users/x", "x", "", true },
	{ "Other Users/x/y/z", "x", "y/z", true },
	{ "Other Users2", "", "", false },
	{ "other users/x", "", "", false },
	{ "INBOX", "", "", false },
	{ "", "", "", false },
};

static void namespace(void **state)
{
	struct slice owner, rest;

	(void)state;
	for (size_t i = 0; i < PH_LEN(names); i++) {
		assert_int_equal(
		    acl_is_others(slice_str(names[i].name), &owner, &rest),
		    names[i].others);
		assert_true(slice_eq(owner, slice_str(names[i].owner)));
		assert_true(slice_eq(rest, slice_str(names[i].rest)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    union_less_negative, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    goes_with_the_folder, setup, teardown),
		cmocka_unit_test(namespace),
	};

	return cmocka_run_group_tests_name("acl", tests, NULL, NULL);
}
