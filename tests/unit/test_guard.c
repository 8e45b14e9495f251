/*
 * LOGIN-DELAY and IN-USE.
 */
#include "tests/unit/unit.h"

#include <pthread.h>

#include "pop3d/guard.h"

static void
delays(void **state)
{
	struct guard *g = guard_new();

	(void)state;
	assert_int_equal(guard_login(g, 1, 1000, 50000), 0);
	assert_int_equal(guard_login(g, 1, 1000, 50400), 600);
	/* a refused one does not count */
	assert_int_equal(guard_login(g, 1, 1000, 51000), 0);
	assert_int_equal(guard_login(g, 1, 1000, 51999), 1);
	assert_int_equal(guard_login(g, 2, 1000, 51999), 0);
	assert_int_equal(guard_login(g, 1, 0, 51999), 0);
	guard_free(&g);
	guard_free(&g);
}

/* Those who are long gone are forgotten, the others are not. */
static void
many_logins(void **state)
{
	struct guard *g = guard_new();

	(void)state;
	for (uint64_t i = 1; i <= 100000; i++)
		assert_int_equal(guard_login(g, i, 1000, 1000000 + i), 0);
	for (uint64_t i = 99500; i <= 100000; i++)
		assert_true(guard_login(g, i, 1000, 1100000) > 0);
	guard_free(&g);
}

static void
folders(void **state)
{
	struct guard *g = guard_new();

	(void)state;
	assert_true(guard_enter(g, 1, 10));
	assert_false(guard_enter(g, 1, 10));
	assert_true(guard_enter(g, 1, 11));
	assert_true(guard_enter(g, 2, 10));
	/* all of an account's: only when nobody is in */
	assert_false(guard_enter(g, 1, 0));
	guard_leave(g, 1, 10);
	assert_false(guard_enter(g, 1, 0));
	guard_leave(g, 1, 11);
	assert_true(guard_enter(g, 1, 0));
	assert_false(guard_enter(g, 1, 10));
	guard_leave(g, 1, 0);
	assert_true(guard_enter(g, 1, 10));
	guard_leave(g, 1, 99);
	guard_free(&g);
}

struct racer {
	struct guard *g;
	unsigned in;
};

static void *
race(void *arg)
{
	struct racer *r = arg;

	for (int i = 0; i < 20000; i++)
		if (guard_enter(r->g, 1, 10)) {
			r->in++;
			guard_leave(r->g, 1, 10);
		}
	return NULL;
}

static void
threads(void **state)
{
	struct guard *g = guard_new();
	struct racer r[4];
	pthread_t t[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		r[i] = (struct racer){ g, 0 };
		assert_int_equal(pthread_create(&t[i], NULL, race, &r[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	assert_true(guard_enter(g, 1, 0));
	guard_free(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delays),
		cmocka_unit_test(many_logins),
		cmocka_unit_test(folders),
		cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
