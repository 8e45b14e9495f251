#include "lib/base/arena.h"

#include "tests/unit/unit.h"

static void
alloc(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a);
	arena_clear(&a);
	for (size_t n = 0; n < 9000; n += 13) {
		unsigned char *p = arena_alloc(&a, n);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		if (n != 0)
			memset(p, 0xa5, n);
		assert_non_null(arena_bytes(&a, n % 7));
	}
	arena_clear(&a);
	assert_int_equal(a.used, 0);
	assert_null(a.head);
	arena_clear(&a);
}

/* Blocks do not overlap: each keeps what was written to it. */
static void
apart(void **state)
{
	enum { N = 3000 };
	struct arena a;
	char *p[N];

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < N; i++) {
		size_t n = i % 37 + 1;

		p[i] = i % 3 == 0 ? arena_alloc(&a, n) : arena_bytes(&a, n);
		memset(p[i], (int)i, n);
	}
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < i % 37 + 1; j++)
			assert_int_equal(p[i][j], (char)i);
	arena_clear(&a);
}

static void
texts(void **state)
{
	struct arena a;
	struct slice s = unit_exact("a\0b", 3), copy, big;
	char *p;

	(void)state;
	arena_init(&a);
	copy = arena_copy(&a, s);
	p = arena_str(&a, s);
	unit_free(s);
	assert_int_equal(copy.n, 3);
	assert_memory_equal(copy.p, "a\0b", 3);
	assert_memory_equal(p, "a\0b", 4);
	assert_int_equal(arena_copy(&a, slice_of(NULL, 0)).n, 0);
	assert_string_equal(arena_str(&a, slice_of(NULL, 0)), "");
	assert_string_equal(arena_printf(&a, "%s=%d", "x", 5), "x=5");
	assert_string_equal(arena_printf(&a, "%s", ""), "");
	p = arena_printf(&a, "%10000d", 7);
	assert_int_equal(strlen(p), 10000);
	big = unit_exact(p, 10000);
	assert_memory_equal(arena_copy(&a, big).p, big.p, big.n);
	unit_free(big);
	assert_true(a.used >= 20000);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alloc),
		cmocka_unit_test(apart),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
