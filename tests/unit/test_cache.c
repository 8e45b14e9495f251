/* Good logins remembered. */
#include "auth/cache.h"

#include "tests/unit/unit.h"

static struct cache_key
key_of(uint64_t account, uint64_t version, int password)
{
	struct cache_key k = { .account = account, .secret_version = version };

	memset(k.mac, password, sizeof(k.mac));
	return k;
}

static bool
get(struct cache *c, struct cache_key k, uint64_t now)
{
	uint32_t id = 0;
	bool hit = cache_get(c, &k, now, &id);

	if (hit)
		assert_int_equal(id, k.mac[0]);
	return hit;
}

static void
put(struct cache *c, struct cache_key k, uint64_t now)
{
	cache_put(c, &k, now, k.mac[0]);
}

static void
test_remembers(void **state)
{
	struct cache *c = cache_new(1000, 100);

	(void)state;
	assert_false(get(c, key_of(1, 1, 5), 0));
	put(c, key_of(1, 1, 5), 0);
	assert_true(get(c, key_of(1, 1, 5), 999));
	assert_true(get(c, key_of(1, 1, 5), 999));
	assert_true(get(c, key_of(1, 1, 5), 999));
	assert_false(get(c, key_of(1, 1, 5), 1000));
	assert_false(get(c, key_of(1, 1, 6), 1));
	assert_false(get(c, key_of(2, 1, 5), 1));
	assert_false(get(c, key_of(1, 2, 5), 1));
	/* a new version forgets the old */
	put(c, key_of(1, 2, 6), 0);
	assert_false(get(c, key_of(1, 1, 5), 1));
	assert_false(get(c, key_of(1, 2, 5), 1));
	assert_true(get(c, key_of(1, 2, 6), 1));
	cache_free(&c);
	assert_null(c);
	cache_free(&c);
}

/* A reload shortens what is remembered, and lengthens only what comes. */
static void
test_keep(void **state)
{
	struct cache *c = cache_new(1000, 100);

	(void)state;
	put(c, key_of(1, 1, 5), 0);
	put(c, key_of(2, 1, 5), 0);
	cache_set_keep(c, 300, 100);
	assert_true(get(c, key_of(1, 1, 5), 399));
	assert_false(get(c, key_of(1, 1, 5), 400));
	assert_false(get(c, key_of(2, 1, 5), 400));
	put(c, key_of(1, 1, 5), 100);
	cache_set_keep(c, 5000, 100);
	assert_false(get(c, key_of(1, 1, 5), 400));
	cache_set_keep(c, 0, 100);
	assert_false(get(c, key_of(1, 1, 5), 100));
	put(c, key_of(3, 1, 5), 100);
	assert_false(get(c, key_of(3, 1, 5), 100));
	cache_free(&c);
}

static void
test_several(void **state)
{
	struct cache *c = cache_new(1000, 100);

	(void)state;
	for (int p = 1; p <= CACHE_PER_ACCOUNT; p++)
		put(c, key_of(1, 1, p), (uint64_t)p);
	for (int p = 1; p <= CACHE_PER_ACCOUNT; p++)
		assert_true(get(c, key_of(1, 1, p), 10));
	/* the one that ends first goes */
	put(c, key_of(1, 1, 9), 20);
	assert_true(get(c, key_of(1, 1, 9), 30));
	assert_false(get(c, key_of(1, 1, 1), 30));
	assert_true(get(c, key_of(1, 1, 2), 30));
	cache_free(&c);
}

static void
test_bounded(void **state)
{
	struct cache *c = cache_new(1000, 10);

	(void)state;
	for (uint64_t a = 1; a <= 1000; a++) {
		put(c, key_of(a, 1, 1), 0);
		assert_true(get(c, key_of(1, 1, 1), 1) || a > 1);
		if (a == 1)
			continue;
		/* 1 is used all the time and stays */
		assert_true(get(c, key_of(1, 1, 1), 1));
	}
	assert_true(get(c, key_of(1000, 1, 1), 1));
	assert_false(get(c, key_of(2, 1, 1), 1));
	cache_forget(c, 1);
	assert_false(get(c, key_of(1, 1, 1), 1));
	cache_forget(c, 77);
	cache_forget(c, 0);
	assert_false(get(c, key_of(1000, 1, 1), 1));
	cache_free(&c);
}

static void
test_off(void **state)
{
	struct cache *c = cache_new(0, 10);

	(void)state;
	put(c, key_of(1, 1, 1), 0);
	assert_false(get(c, key_of(1, 1, 1), 0));
	cache_free(&c);
}

/* Each place is told once in a while, however many alternate. */
static void
test_told(void **state)
{
	struct cache *c = cache_new(1000, 10);
	uint64_t until;

	(void)state;
	for (uint64_t from = 1; from <= CACHE_FROMS; from++)
		assert_false(cache_told(c, 1, from, from, &until));
	for (uint64_t from = 1; from <= CACHE_FROMS; from++)
		assert_true(cache_told(c, 1, from, CACHE_TOLD_MS, &until));
	assert_int_equal(until, CACHE_TOLD_MS + CACHE_FROMS);
	assert_false(cache_told(c, 2, 1, 1, &until));
	/* one more: the oldest is forgotten */
	assert_false(cache_told(c, 1, 99, 20, &until));
	assert_true(cache_told(c, 1, 2, 20, &until));
	assert_false(cache_told(c, 1, 1, 20, &until));
	assert_false(cache_told(c, 1, 3, CACHE_TOLD_MS + 3, &until));
	/* a new password is news from everywhere */
	put(c, key_of(1, 1, 5), 30);
	assert_false(cache_told(c, 1, 99, 31, &until));
	cache_forget(c, 1);
	assert_false(cache_told(c, 1, 99, 32, &until));
	cache_free(&c);
	c = cache_new(0, 10);
	assert_false(cache_told(c, 1, 1, 1, &until));
	assert_false(cache_told(c, 1, 1, 1, &until));
	assert_int_equal(until, 0);
	cache_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remembers),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
