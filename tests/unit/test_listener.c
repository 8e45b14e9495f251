#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/net_host.h"

/* Who does not speak is shown too, and keeps nobody waiting. */
static void
silent_peers_where_they_speak_first(void **state)
{
	static struct host h;
	char in[2];
	int silent, other;

	(void)state;
	host_init(&h);
	host_start(&h, -1);
	listener_defer(h.listener);
	silent = dial(h.port);
	other = dial(h.port);
	assert_true(send_all(other, "x", 1));
	assert_int_equal(recv_upto(other, in, 1), 1);
	assert_true(host_wait(&h.opened, 2));
	close(silent);
	close(other);
	assert_true(host_wait(&h.closed, 2));
	host_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_peers_where_they_speak_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
