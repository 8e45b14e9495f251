/* Events of accounts. */
#include "storage/event.h"

#include "tests/unit/store_fixture.h"

#include "lib/base/clock.h"

static struct store_fixture f;

UNIT_AROUND(fixture_new(&f), fixture_free(&f))

static size_t
count(uint64_t account)
{
	static struct event v[2000];
	struct arena a;
	size_t n;

	arena_init(&a);
	assert_int_equal(event_list(f.s, account, &a, v, 2000, &n), 0);
	for (size_t i = 1; i < n; i++)
		assert_true(v[i - 1].at_ms >= v[i].at_ms);
	arena_clear(&a);
	return n;
}

static void
test_list(void **state)
{
	struct event v[10];
	struct arena a;
	char text[30], big[1000];
	size_t n;

	(void)state;
	arena_init(&a);
	for (int i = 0; i < 500; i++) {
		(void)snprintf(text, sizeof(text), "n=%d", i);
		assert_int_equal(
		    event_add(f.s, 7, EVENT_LOGIN, slice_str(text)), 0);
	}
	assert_int_equal(event_add(f.s, 6, EVENT_REFUSED, SLICE("")), 0);
	assert_int_equal(event_add(f.s, 8, EVENT_DELIVERY, SLICE("x")), 0);
	assert_int_equal(event_list(f.s, 7, &a, v, 10, &n), 0);
	assert_int_equal(n, 10);
	/* newest first, those of one millisecond too */
	assert_slice(v[0].text, "n=499");
	assert_slice(v[9].text, "n=490");
	assert_true(clock_wall_ms() - v[0].at_ms < 60000);
	assert_int_equal(count(7), 500);
	assert_int_equal(event_list(f.s, 6, &a, v, 10, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].kind, EVENT_REFUSED);
	assert_int_equal(v[0].text.n, 0);
	memset(big, 'x', sizeof(big));
	assert_int_equal(
	    event_add(f.s, 9, EVENT_LOGIN, slice_of(big, sizeof(big))), 0);
	assert_int_equal(event_list(f.s, 9, &a, v, 10, &n), 0);
	assert_int_equal(v[0].text.n, 400);
	assert_int_equal(event_list(f.s, 99, &a, v, 10, &n), 0);
	assert_int_equal(n, 0);
	arena_clear(&a);
}

static int
put_old(struct db_txn *t, void *arg)
{
	const uint64_t *k = arg;
	static const char value[] = { 1, EVENT_LOGIN };
	char key[18];

	num_put64(key, k[0]);
	num_put64(key + 8, k[1]);
	num_put16(key + 16, 0);
	return db_put(t, T_EVENT, slice_of(key, sizeof(key)),
	    slice_of(value, sizeof(value)));
}

static void
test_sweep(void **state)
{
	size_t gone;

	(void)state;
	for (uint64_t account = 1; account <= 3; account++)
		for (uint64_t at = 1000; at < 1400; at++)
			assert_int_equal(
			    db_update(f.s->db, put_old,
				(uint64_t[]){ account * 1000, at }),
			    0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(
		    event_add(f.s, 2000, EVENT_LOGIN, SLICE("x")), 0);
	assert_int_equal(event_sweep(f.s, 1100, 10, &gone), 0);
	assert_int_equal(gone, 10);
	assert_int_equal(count(1000), 390);
	assert_int_equal(event_sweep(f.s, 1100, 10000, &gone), 0);
	assert_int_equal(gone, 290);
	assert_int_equal(count(1000), 300);
	assert_int_equal(count(2000), 305);
	assert_int_equal(count(3000), 300);
	assert_int_equal(event_sweep(f.s, 1100, 10000, &gone), 0);
	assert_int_equal(gone, 0);
	assert_int_equal(event_sweep(f.s, 2000, 10000, &gone), 0);
	assert_int_equal(gone, 900);
	assert_int_equal(count(2000), 5);
	assert_int_equal(event_purge(f.s, 2000), 0);
	assert_int_equal(count(2000), 0);
	assert_int_equal(event_sweep(f.s, -5, 10, &gone), 0);
	assert_int_equal(gone, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
