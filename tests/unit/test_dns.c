#include "tests/unit/dnsmasq.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"

static struct dnsmasq at;

static int
start(void **state)
{
	static const char *const zone[] = {
		"--mx-host=many.test,C.many.test,30",
		"--mx-host=many.test,a.many.test,10",
		"--mx-host=many.test,b1.many.test,20",
		"--mx-host=many.test,b2.many.test,20",
		"--mx-host=null.test,.,0",
		"--host-record=a.many.test,127.0.0.9,::9",
		"--host-record=four.test,127.0.0.4",
		"--cname=alias.test,four.test"
	};

	(void)state;
	dnsmasq_start(&at, zone, PH_LEN(zone));
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	dnsmasq_stop(&at);
	return 0;
}

/* ---- answers as text ---- */

struct got {
	char text[500];
	bool inside; /* of the call that asks */
	unsigned calls;
};

static void
add_record(const struct dns_answer *a, size_t i, char *out, size_t cap)
{
	char ip[64];

	out[0] = '\0';
	if (a->mx != NULL)
		(void)snprintf(
		    out, cap, " %u:%s", a->mx[i].preference, a->mx[i].host);
	else if (a->addr[i].sa.sa_family == AF_INET)
		(void)snprintf(out, cap, " %s",
		    inet_ntop(
			AF_INET, &a->addr[i].in.sin_addr, ip, sizeof(ip)));
	else
		(void)snprintf(out, cap, " %s",
		    inet_ntop(
			AF_INET6, &a->addr[i].in6.sin6_addr, ip, sizeof(ip)));
}

static void
on_answer(const struct dns_answer *a, void *arg)
{
	struct got *g = arg;
	char one[300];
	size_t n;

	assert_false(g->inside);
	g->calls++;
	n = (size_t)snprintf(g->text, sizeof(g->text), "%s", err_name(a->rc));
	for (size_t i = 0; i < a->n; i++) {
		add_record(a, i, one, sizeof(one));
		n += (size_t)snprintf(
		    g->text + n, sizeof(g->text) - n, "%s", one);
	}
	assert_false(a->secure);
	assert_true(a->n == 0 || a->ttl_sec <= 77);
	assert_int_equal(a->rc != 0, a->text[0] != '\0');
}

/* Asks, and turns the loop until the answer is there. */
static const char *
asked(char what, const char *name)
{
	static struct got g;
	uint64_t end = clock_steady_ms() + 30000;

	g = (struct got){ .inside = true };
	if (what == 'm')
		(void)dns_ask_mx(at.dns, name, on_answer, &g);
	else
		(void)dns_ask_addr(at.dns, name, what == '6', on_answer, &g);
	g.inside = false;
	while (g.calls == 0 && clock_steady_ms() < end)
		(void)uv_run(loop_uv(at.loop), UV_RUN_ONCE);
	assert_int_equal(g.calls, 1);
	return g.text;
}

static const struct {
	char what;
	const char *name, *want;
} cases[] = {
	{ 'm', "null.test", "ok 0:" }, /* RFC 7505 */
	{ 'm', "four.test", "ok" },    /* exists, no MX */
	{ 'm', "none.test", "notfound" },
	{ '4', "a.many.test", "ok 127.0.0.9" },
	{ '6', "a.many.test", "ok 127.0.0.9 ::9" },
	{ '6', "A.Many.TEST.", "ok 127.0.0.9 ::9" },
	{ '6', "four.test", "ok 127.0.0.4" },
	{ '4', "alias.test", "ok 127.0.0.4" },
	{ '6', "none.test", "notfound" },
	{ '4', "other.example", "dns" }, /* REFUSED: temporary */
	{ 'm', "other.example", "dns" },
	{ '4', "", "notfound" },
	{ '4', "a..b", "notfound" },
};

static void
answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		assert_string_equal(
		    asked(cases[i].what, cases[i].name), cases[i].want);
}

/* By preference, lower case, equal ones in either order. */
static void
mx_order(void **state)
{
	unsigned first = 0, n = 40;

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		const char *t = asked('m', "many.test");

		if (strcmp(t, "ok 10:a.many.test 20:b1.many.test "
			      "20:b2.many.test 30:c.many.test") == 0)
			first++;
		else
			assert_string_equal(t,
			    "ok 10:a.many.test 20:b2.many.test "
			    "20:b1.many.test 30:c.many.test");
	}
	assert_true(first > 0 && first < n);
}

static void
names_too_long(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_string_equal(asked('4', name), "notfound");
	name[100] = '\0'; /* a label over 63 */
	assert_string_equal(asked('4', name), "notfound");
}

static void
never(const struct dns_answer *a, void *arg)
{
	(void)a;
	(*(unsigned *)arg)++;
}

/* Cancelled at once, later, and by dns_free(). */
static void
cancelling(void **state)
{
	unsigned calls = 0;
	struct dns_query *q, *none = NULL;

	(void)state;
	q = dns_ask_mx(at.dns, "many.test", never, &calls);
	dns_cancel(&q);
	assert_null(q);
	dns_cancel(&none);
	q = dns_ask_addr(at.dns, "a.many.test", true, never, &calls);
	usleep(100000); /* the answer lies in the pipe */
	dns_cancel(&q);
	assert_string_equal(asked('4', "four.test"), "ok 127.0.0.4");
	(void)dns_ask_mx(at.dns, "other.test", never, &calls);
	assert_int_equal(calls, 0);
}

static void
many_at_once(void **state)
{
	unsigned calls = 0;
	uint64_t end = clock_steady_ms() + 30000;
	char name[64];

	(void)state;
	for (int i = 0; i < 500; i++) {
		(void)snprintf(name, sizeof(name), "n%d.test", i);
		(void)dns_ask_addr(at.dns, name, true, never, &calls);
	}
	while (calls < 500 && clock_steady_ms() < end)
		(void)uv_run(loop_uv(at.loop), UV_RUN_ONCE);
	assert_int_equal(calls, 500);
}

static void
bad_resolver(void **state)
{
	struct dns *d;
	struct err e;

	(void)state;
	assert_int_equal(dns_new(at.loop, "no address", &d, &e), ERR_DNS);
	assert_null(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(mx_order),
		cmocka_unit_test(names_too_long),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(bad_resolver),
		cmocka_unit_test(cancelling),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
