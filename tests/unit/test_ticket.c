#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/siphash.h"
#include "lib/net/ticket.h"

static struct tickets t;

/* How many of n whole handshakes bring a ticket. */
static unsigned
given(struct slice ip, unsigned n)
{
	unsigned all = 0;

	for (unsigned i = 0; i < n; i++) {
		all += ticket_worth(&t, ip);
		ticket_done(&t, ip, false);
	}
	return all;
}

static void
fewer_for_who_never_resumes(void **state)
{
	struct slice ip = SLICE("192.0.2.1");

	(void)state;
	assert_int_equal(given(ip, TICKET_PATIENCE), TICKET_PATIENCE);
	assert_int_equal(given(ip, 100 * TICKET_PROBE), 100);
	ticket_done(&t, ip, true);
	assert_int_equal(given(ip, TICKET_PATIENCE), TICKET_PATIENCE);
}

static void
others_do_not_pay(void **state)
{
	struct slice ip = SLICE("2001:db8::2"), other = SLICE("192.0.2.3");

	(void)state;
	if (siphash(ip) % TICKET_SLOTS == siphash(other) % TICKET_SLOTS)
		other = SLICE("192.0.2.4"); /* the key is another each time */
	(void)given(other, 1000);
	assert_int_equal(given(ip, TICKET_PATIENCE), TICKET_PATIENCE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fewer_for_who_never_resumes),
		cmocka_unit_test(others_do_not_pay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
