#include "lib/base/map.h"

#include <stdio.h>

#include "tests/unit/unit.h"

enum { N = 5000 };

static void
by_bytes(void **state)
{
	struct map m;
	int a, b;

	(void)state;
	map_init(&m);
	assert_null(map_get(&m, SLICE("x")));
	assert_null(map_del(&m, SLICE("x")));
	assert_null(map_put(&m, SLICE("x"), &a));
	assert_ptr_equal(map_get(&m, SLICE("x")), &a);
	assert_ptr_equal(map_put(&m, SLICE("x"), &b), &a);
	assert_int_equal(m.n, 1);
	assert_null(map_put(&m, SLICE(""), &a));
	assert_null(map_put(&m, SLICE("\0"), &b));
	assert_null(map_put(&m, SLICE("x\0"), &a));
	assert_int_equal(m.n, 4);
	assert_ptr_equal(map_get(&m, slice_of(NULL, 0)), &a);
	assert_ptr_equal(map_get(&m, SLICE("\0")), &b);
	assert_ptr_equal(map_del(&m, SLICE("x")), &b);
	assert_null(map_get(&m, SLICE("x")));
	assert_ptr_equal(map_get(&m, SLICE("x\0")), &a);
	map_fini(&m, NULL);
	assert_int_equal(m.n, 0);
	assert_null(map_get(&m, SLICE("")));
	map_fini(&m, NULL);
}

/* Against an array: put, change, delete every third, over growth. */
static void
many(void **state)
{
	struct map m;
	char key[32];
	static char values[N];

	(void)state;
	map_init(&m);
	for (int i = 0; i < N; i++) {
		int n = snprintf(key, sizeof(key), "key-%d", i);

		assert_null(map_put(&m, slice_of(key, (size_t)n), &values[i]));
	}
	assert_int_equal(m.n, N);
	for (int i = 0; i < N; i += 3) {
		(void)snprintf(key, sizeof(key), "key-%d", i);
		assert_ptr_equal(map_del(&m, slice_str(key)), &values[i]);
		assert_null(map_del(&m, slice_str(key)));
	}
	for (int i = 0; i < N; i++) {
		(void)snprintf(key, sizeof(key), "key-%d", i);
		assert_ptr_equal(map_get(&m, slice_str(key)),
		    i % 3 == 0 ? NULL : &values[i]);
	}
	map_fini(&m, NULL);
}

static bool
count(struct slice key, void *value, void *arg)
{
	uint64_t k;

	assert_int_equal(key.n, sizeof(k));
	memcpy(&k, key.p, sizeof(k));
	assert_int_equal(*(uint64_t *)value, k * 3);
	++*(size_t *)arg;
	return *(size_t *)arg != N / 2;
}

static void
by_number(void **state)
{
	struct map m;
	size_t seen = 0;

	(void)state;
	map_init(&m);
	map_each(&m, count, &seen);
	assert_int_equal(seen, 0);
	for (uint64_t i = 0; i < N; i++) {
		uint64_t *v = malloc(sizeof(*v));

		assert_non_null(v);
		*v = i * 3;
		assert_null(map_put_u64(&m, i, v));
	}
	for (uint64_t i = 0; i < N; i++)
		assert_int_equal(*(uint64_t *)map_get_u64(&m, i), i * 3);
	assert_null(map_get_u64(&m, UINT64_MAX));
	map_each(&m, count, &seen);
	assert_int_equal(seen, N / 2); /* stopped when told to */
	free(map_del_u64(&m, 5));
	assert_null(map_get_u64(&m, 5));
	map_fini(&m, free);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_bytes),
		cmocka_unit_test(many),
		cmocka_unit_test(by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
