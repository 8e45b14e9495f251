#include "lib/base/role.h"

#include "tests/unit/unit.h"

#include <pthread.h>

static void *
other_thread(void *arg)
{
	*(bool *)arg = role_is_loop();
	return NULL;
}

static void
each_thread_has_its_own(void **state)
{
	bool other = true;
	pthread_t th;

	(void)state;
	assert_false(role_is_loop());
	role_set_loop(true);
	pthread_create(&th, NULL, other_thread, &other);
	pthread_join(th, NULL);
	assert_false(other);
	assert_true(role_is_loop());
	role_set_loop(false);
	assert_false(role_is_loop());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_thread_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
