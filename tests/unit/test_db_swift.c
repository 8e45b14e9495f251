/*
 * The faster loops: the library's own results, and in the library's place.
 */
#include "lib/db/db_swift.h"

#include "tests/unit/unit.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 300, KEY_LONGEST = 20 };

typedef uint32_t sum_fn(DB *unused, const void *bytes, uint32_t n);
typedef int compare_fn(DB *unused, const DBT *a, const DBT *b);

/* The library's own. */
static void *
next(const char *name)
{
	void *p;

	assert_string_equal(DB_VERSION_STRING, db_version(NULL, NULL, NULL));
	p = dlsym(RTLD_NEXT, name);
	assert_non_null(p);
	return p;
}

static void
in_place(void **state)
{
	(void)state;
	assert_true(db_swift_in_place());
}

/* Every length, at every place in a word, low bytes and high ones. */
static void
sums(void **state)
{
	sum_fn *theirs = (sum_fn *)(uintptr_t)next("__ham_func4");

	(void)state;
	assert_true(theirs != db_swift_sum);
	assert_int_equal(
	    db_swift_sum(NULL, "abc", 3), ('a' * 33 + 'b') * 33 + 'c');
	for (uint32_t n = 0; n <= LONGEST; n++) {
		unsigned at = n % 8;
		uint8_t *p = malloc(n + at + 1), *q = p + at;

		for (uint32_t i = 0; i < n; i++)
			q[i] = (uint8_t)(i * 167 + n * 31);
		assert_int_equal(db_swift_sum(NULL, q, n), theirs(NULL, q, n));
		memset(q, 0xff, n);
		assert_int_equal(db_swift_sum(NULL, q, n), theirs(NULL, q, n));
		free(p);
	}
}

static int
sign(int x)
{
	return (x > 0) - (x < 0);
}

/* Two keys alike up to a byte, of all lengths. */
static void
compares(void **state)
{
	compare_fn *theirs = (compare_fn *)(uintptr_t)next("__bam_defcmp");
	uint8_t p[KEY_LONGEST], q[KEY_LONGEST];
	DBT a = { .data = p }, b = { .data = q };

	(void)state;
	assert_true(theirs != db_swift_compare);
	for (uint32_t at = 0; at < KEY_LONGEST; at++) {
		memset(p, 0x7f, sizeof(p));
		memset(q, 0x7f, sizeof(q));
		q[at] = at % 2 != 0 ? 0x80 : 0x7e;
		for (uint32_t i = 0; i < KEY_LONGEST * KEY_LONGEST; i++) {
			a.size = i / KEY_LONGEST;
			b.size = i % KEY_LONGEST;
			assert_int_equal(sign(db_swift_compare(NULL, &a, &b)),
			    sign(theirs(NULL, &a, &b)));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_place),
		cmocka_unit_test(sums),
		cmocka_unit_test(compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
