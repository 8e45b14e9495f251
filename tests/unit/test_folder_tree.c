#include "imapd/folder_tree.h"

#include "tests/unit/unit.h"

/* In the order of folder_list(); id 0: only subscribed. */
static struct folder_info infos[] = {
	{ .name = SLICE("INBOX"), .id = 1, .flags = FOLDER_SUBSCRIBED },
	{ .name = SLICE("a"), .id = 2 },
	{ .name = SLICE("a/b"), .id = 3, .flags = FOLDER_SUBSCRIBED },
	{ .name = SLICE("a/b/c"), .id = 4 },
	{ .name = SLICE("ab"), .id = 5 },
	{ .name = SLICE("x/y/z"),
	    .flags = FOLDER_SUBSCRIBED | FOLDER_NOSELECT },
	{ .name = SLICE("x/y0"), .id = 6 },
};

static const struct {
	const char *name;
	bool exists, subscribed, children;
	int parent;
} want[] = {
	{ "INBOX", true, true, false, -1 },
	{ "a", true, false, true, -1 },
	{ "a/b", true, true, true, 1 },
	{ "a/b/c", true, false, false, 2 },
	{ "ab", true, false, false, -1 },
	{ "x", false, false, true, -1 },
	{ "x/y", false, false, false, 5 },
	{ "x/y/z", false, true, false, 6 },
	{ "x/y0", true, false, false, 5 },
};

static void
making(void **state)
{
	struct arena a;
	struct tree t;

	(void)state;
	arena_init(&a);
	t = tree_make(&a, infos, PH_LEN(infos));
	assert_int_equal(t.n, PH_LEN(want));
	for (size_t i = 0; i < t.n; i++) {
		assert_slice(t.v[i].name, want[i].name);
		assert_int_equal(t.v[i].exists, want[i].exists);
		assert_int_equal(t.v[i].subscribed, want[i].subscribed);
		assert_int_equal(t.v[i].children, want[i].children);
		assert_int_equal(t.v[i].parent, want[i].parent);
	}
	arena_clear(&a);
}

static void
selecting(void **state)
{
	struct arena a;
	struct tree t;

	(void)state;
	arena_init(&a);
	t = tree_make(&a, infos, PH_LEN(infos));
	for (size_t i = 0; i < t.n; i++) {
		t.v[i].meets = t.v[i].subscribed;
		t.v[i].matches = i == 2;
	}
	tree_select(&t);
	assert_true(t.v[1].below && !t.v[1].below_unmatched);
	assert_false(t.v[2].below);
	assert_true(t.v[5].below && t.v[5].below_unmatched);
	assert_true(t.v[6].below && t.v[6].below_unmatched);
	assert_false(t.v[4].below);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(making),
		cmocka_unit_test(selecting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
