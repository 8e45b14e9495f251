#include "lib/base/clock.h"

#include <time.h>

#include "tests/unit/unit.h"

static void
steady(void **state)
{
	uint64_t was = clock_steady_us(), now;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		now = clock_steady_us();
		assert_true(now >= was);
		was = now;
	}
	now = clock_steady_ms();
	assert_true(now >= was / 1000);
	assert_true(now - was / 1000 < 10000);
}

static void
wall(void **state)
{
	int64_t sec = clock_wall_sec(), ms = clock_wall_ms();

	(void)state;
	assert_true(sec > INT64_C(1600000000)); /* past 2020 */
	assert_true(ms / 1000 - sec < 10);
	assert_true(ms / 1000 - sec >= 0);
	assert_true(time(NULL) - sec < 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steady),
		cmocka_unit_test(wall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
