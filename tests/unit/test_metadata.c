/*
 * Annotations: names, values of all lengths, limits, what ends with what.
 */
#include "storage/metadata.h"

#include "tests/unit/store_fixture.h"
#include "tests/unit/store_mail.h"

static const struct {
	const char *name;
	bool good;
} names[] = {
	{ "/private/comment", true },
	{ "/SHARED/vendor/x/y", true },
	{ "/private", true }, /* to read with DEPTH */
	{ "/privates", false },
	{ "/private/", false },
	{ "/private//x", false },
	{ "/private/*", false },
	{ "/private/a%", false },
	{ "/private/\xc3\xa4", false },
	{ "/private/a\x01", false },
	{ "/other/x", false },
	{ "private/x", false },
	{ "", false },
};

static void
well_formed(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(names); i++)
		assert_int_equal(
		    metadata_name_ok(slice_str(names[i].name)), names[i].good);
}

static int
set(struct store_fixture *f, uint64_t user, const char *name,
    struct slice value)
{
	struct metadata_at at = {
		.folder = f->inbox[1], .owner = 1, .user = user
	};
	struct metadata m = { slice_str(name), value };

	return metadata_set(f->s, &at, &m, 1, NULL);
}

/* The value's length; -1: none. */
static long
get(struct store_fixture *f, uint64_t user, const char *name)
{
	struct metadata_at at = {
		.folder = f->inbox[1], .owner = 1, .user = user
	};
	struct metadata_list l = { 0 };
	struct arena a;
	long n = -1;

	arena_init(&a);
	assert_int_equal(
	    metadata_get(f->s, &at, slice_str(name), 0, &a, &l), 0);
	if (l.n == 1)
		n = (long)l.v[0].value.n;
	arena_clear(&a);
	return n;
}

static void
lengths(void **state)
{
	static const size_t sizes[] = { 0, 1, 959, 960, 961, 1920, 5000,
		200 << 10, 960, 3, 0 };
	struct store_fixture *f = *state;
	char *big = calloc(1, METADATA_VALUE_MAX);

	memset(big, 'x', METADATA_VALUE_MAX);
	for (size_t i = 0; i < PH_LEN(sizes); i++) {
		assert_int_equal(
		    set(f, 1, "/private/a", slice_of(big, sizes[i])), 0);
		assert_int_equal(get(f, 1, "/Private/A"), sizes[i]);
		assert_int_equal(get(f, 1, "/private/a/b"), -1);
	}
	assert_int_equal(get(f, 2, "/private/a"), -1);
	assert_int_equal(set(f, 1, "/private/a", slice_of(NULL, 0)), 0);
	assert_int_equal(set(f, 1, "/private/a", slice_of(NULL, 0)), 0);
	assert_int_equal(get(f, 1, "/private/a"), -1);
	free(big);
}

/* What an account has in all is bounded, and given back. */
static void
total(void **state)
{
	struct store_fixture *f = *state;
	char *big = calloc(1, METADATA_VALUE_MAX);
	char name[40];
	int rc = 0;
	unsigned n = 0;

	while (rc == 0 && n < METADATA_ENTRIES_MAX) {
		(void)snprintf(name, sizeof(name), "/private/n%u", n++);
		rc = set(f, 1, name, slice_of(big, METADATA_VALUE_MAX));
	}
	assert_int_equal(rc, ERR_QUOTA);
	assert_int_equal(n - 1, METADATA_TOTAL_MAX / (METADATA_VALUE_MAX + 20));
	assert_int_equal(get(f, 1, name), -1);
	assert_int_equal(
	    set(f, 2, "/private/x", slice_of(big, METADATA_VALUE_MAX)), 0);
	assert_int_equal(set(f, 1, "/private/n0", slice_of(NULL, 0)), 0);
	assert_int_equal(
	    set(f, 2, "/shared/x", slice_of(big, METADATA_VALUE_MAX)), 0);
	assert_int_equal(
	    set(f, 2, "/shared/y", slice_of(big, METADATA_VALUE_MAX)),
	    ERR_QUOTA);
	free(big);
}

static void
count(void **state)
{
	struct store_fixture *f = *state;
	char name[40];

	for (unsigned i = 0; i < METADATA_ENTRIES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "/shared/n%u", i);
		assert_int_equal(set(f, 1, name, SLICE("x")), 0);
	}
	assert_int_equal(set(f, 1, "/shared/more", SLICE("x")), ERR_LIMIT);
	assert_int_equal(set(f, 1, "/shared/n0", SLICE("yy")), 0);
	assert_int_equal(set(f, 1, "/private/more", SLICE("x")), 0);
	assert_int_equal(set(f, 1, "/shared/n0", slice_of(NULL, 0)), 0);
	assert_int_equal(set(f, 1, "/shared/more", SLICE("x")), 0);
}

static void
ends_with_the_folder(void **state)
{
	struct store_fixture *f = *state;
	struct folder_info info;
	struct metadata m = { SLICE("/shared/x"), SLICE("y") };
	struct metadata_at at = { .owner = 1, .user = 2 };
	struct metadata_list l = { 0 };
	struct arena a;
	struct err e;

	arena_init(&a);
	assert_int_equal(
	    folder_create(f->s, 1, SLICE("q"), USE_NONE, &info, &e), 0);
	at.folder = info.id;
	assert_int_equal(metadata_set(f->s, &at, &m, 1, NULL), 0);
	m.name = SLICE("/private/x");
	assert_int_equal(metadata_set(f->s, &at, &m, 1, NULL), 0);
	assert_int_equal(folder_delete(f->s, 1, SLICE("q"), &e), 0);
	assert_int_equal(
	    metadata_get(f->s, &at, SLICE("/shared"), 9, &a, &l), 0);
	assert_int_equal(
	    metadata_get(f->s, &at, SLICE("/private"), 9, &a, &l), 0);
	assert_int_equal(l.n, 0);
	assert_int_equal(metadata_set(f->s, &at, &m, 1, NULL), ERR_NOTFOUND);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed),
		FIXTURE_TEST(lengths),
		FIXTURE_TEST(total),
		FIXTURE_TEST(count),
		FIXTURE_TEST(ends_with_the_folder),
	};

	return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
