/* Where maildrops were: only for the same folder, program and account state. */
#include "pop3d/places.h"

#include "tests/unit/unit.h"

#include <string.h>

static struct auth_who
who_of(uint64_t account, uint32_t secret, const char *suffix)
{
	struct auth_who w = { .account = account, .secret_id = secret };

	assert_true(slice_copy(slice_str(suffix), w.suffix, sizeof(w.suffix)));
	return w;
}

static void
finds_the_last(void **state)
{
	struct places *p = places_new();
	struct auth_who w = who_of(1, 1, ""), sent = who_of(1, 1, "Sent");
	struct auth_who other = who_of(1, 2, ""), second = who_of(2, 1, "");

	(void)state;
	assert_int_equal(places_get(p, &w, 5), 0);
	places_put(p, &w, 5, 77);
	assert_int_equal(places_get(p, &w, 5), 77);
	assert_int_equal(places_get(p, &w, 6), 0);
	assert_int_equal(places_get(p, &sent, 5), 0);
	assert_int_equal(places_get(p, &other, 5), 0);
	assert_int_equal(places_get(p, &second, 5), 0);
	places_put(p, &second, 5, 99);
	places_put(p, &sent, 5, 78);
	assert_int_equal(places_get(p, &sent, 5), 78);
	assert_int_equal(places_get(p, &w, 5), 0);
	assert_int_equal(places_get(p, &second, 5), 99);
	places_free(&p);
	places_free(&p);
}

static void
long_names_are_looked_for(void **state)
{
	struct places *p = places_new();
	struct auth_who w = who_of(1, 1, "");

	(void)state;
	memset(w.suffix, 'x', 200);
	places_put(p, &w, 1, 7);
	assert_int_equal(places_get(p, &w, 1), 0);
	places_free(&p);
}

static void
is_bounded(void **state)
{
	struct places *p = places_new();
	struct auth_who w;

	(void)state;
	for (uint64_t i = 1; i <= 20001; i++) {
		w = who_of(i, 1, "");
		places_put(p, &w, 1, i);
	}
	w = who_of(1, 1, "");
	assert_int_equal(places_get(p, &w, 1), 0);
	w = who_of(2, 1, "");
	assert_int_equal(places_get(p, &w, 1), 2);
	w = who_of(20001, 1, "");
	assert_int_equal(places_get(p, &w, 1), 20001);
	places_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_last),
		cmocka_unit_test(long_names_are_looked_for),
		cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
