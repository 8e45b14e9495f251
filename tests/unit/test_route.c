#include "tests/unit/dnsmasq.h"

#include "lib/base/clock.h"
#include "submitd/route.h"

static struct dnsmasq at;

static int
start(void **state)
{
	static const char *const zone[] = { "--mx-host=two.test,b.two.test,20",
		"--mx-host=two.test,a.two.test,10",
		"--host-record=a.two.test,127.0.0.9,::9",
		"--host-record=b.two.test,127.0.0.8",
		"--host-record=nomx.test,127.0.0.4", "--mx-host=null.test,.,0",
		"--txt-record=noaddr.test,x",
		"--mx-host=lame.test,gone.test,10",
		"--mx-host=half.test,gone.test,10",
		"--mx-host=half.test,b.two.test,20",
		"--mx-host=own.test,me.test,10",
		"--mx-host=own.test,b.two.test,20",
		"--mx-host=backup.test,a.two.test,10",
		"--mx-host=backup.test,me.test,20",
		"--mx-host=backup.test,b.two.test,30",
		"--host-record=me.test,127.0.0.1" };

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

struct got {
	char text[600];
	bool inside; /* of the call that asks */
	unsigned calls;
};

static void
on_route(const struct route_list *list, void *arg)
{
	static const char *const words[] = { "ok", "temp", "perm" };
	struct got *g = arg;
	size_t n = (size_t)snprintf(
	    g->text, sizeof(g->text), "%s %s", words[list->end], list->text);

	assert_false(g->inside);
	g->calls++;
	for (size_t i = 0; i < list->n; i++) {
		const union dns_addr *a = &list->hops[i].addr;
		char ip[64];

		inet_ntop(a->sa.sa_family,
		    a->sa.sa_family == AF_INET ? (void *)&a->in.sin_addr
					       : (void *)&a->in6.sin6_addr,
		    ip, sizeof(ip));
		n += (size_t)snprintf(g->text + n, sizeof(g->text) - n,
		    "%s=%s:%d ", list->hops[i].host, ip, ntohs(a->in.sin_port));
	}
}

static void
ask_for(
    const struct conf *conf, const char *domain, const char *want, bool exact)
{
	struct got g = { .inside = true };
	uint64_t end = clock_steady_ms() + 15000;
	struct route_query *q =
	    route_ask(at.loop, at.dns, conf, "me.test", domain, on_route, &g);

	assert_non_null(q);
	g.inside = false;
	while (g.calls == 0 && clock_steady_ms() < end)
		(void)uv_run(loop_uv(at.loop), UV_RUN_ONCE);
	assert_int_equal(g.calls, 1);
	assert_memory_equal(g.text, want, strlen(want) + (exact ? 1 : 0));
}

static void
ask(const struct conf *conf, const char *domain, const char *want)
{
	ask_for(conf, domain, want, true);
}

static const struct conf plain = { .smarthost = "", .relay_port = 25 };

static const struct {
	const char *domain, *want;
} domains[] = {
	/* RFC 5321 5.1: by preference; without MX the domain itself */
	{ "two.test", "ok a.two.test=127.0.0.9:25 b.two.test=127.0.0.8:25 " },
	{ "nomx.test", "ok nomx.test=127.0.0.4:25 " },
	{ "half.test", "ok b.two.test=127.0.0.8:25 " },
	{ "absent.test", "perm 550 5.1.2 there is no such domain" },
	{ "noaddr.test", "perm 550 5.4.4 the destination's mail server has no "
			 "address" },
	{ "lame.test", "perm 550 5.4.4 the destination's mail server has no "
		       "address" },
	/* RFC 7505 3 */
	{ "null.test", "perm 556 5.1.10 the domain takes no mail" },
	/* RFC 5321 5.1: neither ourselves nor those not better */
	{ "own.test", "perm 550 5.4.6 mail for this domain leads back to this "
		      "host" },
	{ "backup.test", "ok a.two.test=127.0.0.9:25 " },
	/* RFC 5321 4.1.3 */
	{ "[192.0.2.1]", "ok 192.0.2.1=192.0.2.1:25 " },
	{ "[IPv6:2001:db8::1]", "ok IPv6:2001:db8::1=2001:db8::1:25 " },
};

static void
test_domains(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(domains); i++)
		ask(&plain, domains[i].domain, domains[i].want);
}

static void
test_ipv6(void **state)
{
	struct conf conf = plain;

	(void)state;
	conf.relay_ipv6 = true;
	conf.relay_port = 2525;
	ask(&conf, "a.two.test",
	    "ok a.two.test=127.0.0.9:2525 a.two.test=::9:2525 ");
}

#define MISTAKE "temp 451 4.3.5 the route for this domain is misconfigured"

static const struct {
	const char *smarthost, *want;
} smart[] = {
	{ "b.two.test", "ok b.two.test=127.0.0.8:25 " },
	{ "b.two.test:587", "ok b.two.test=127.0.0.8:587 " },
	{ "192.0.2.7", "ok 192.0.2.7=192.0.2.7:25 " },
	{ "192.0.2.7:26", "ok 192.0.2.7=192.0.2.7:26 " },
	{ "[2001:db8::1]:26", "ok 2001:db8::1=2001:db8::1:26 " },
	{ "192.0.2.7 smtps tls=verify", "ok 192.0.2.7=192.0.2.7:465 " },
	{ "192.0.2.7:26 tls=may", "ok 192.0.2.7=192.0.2.7:26 " },
	/* A mistake sends nothing anywhere. */
	{ "192.0.2.7 tls=some", MISTAKE },
	{ "192.0.2.7 smtps tls=none", MISTAKE },
	{ ":26", MISTAKE },
};

/* Its MX are not asked for, nor the domain's. */
static void
test_smarthost(void **state)
{
	struct conf conf = plain;

	(void)state;
	for (size_t i = 0; i < PH_LEN(smart); i++) {
		conf.smarthost = smart[i].smarthost;
		ask(&conf, "absent.test", smart[i].want);
	}
}

/* The first line that means the domain counts. */
static void
test_routes(void **state)
{
	static const char *const lines[] = { "a.test 192.0.2.1",
		".a.test  192.0.2.2:26 tls=must", "two.test mx",
		"* 192.0.2.3" };
	static const struct {
		const char *domain, *want, *key;
	} cases[] = {
		{ "A.test", "ok 192.0.2.1=192.0.2.1:25 ", "192.0.2.1" },
		{ "x.a.test", "ok 192.0.2.2=192.0.2.2:26 ",
		    "192.0.2.2:26 tls=must" },
		{ "xa.test", "ok 192.0.2.3=192.0.2.3:25 ", "192.0.2.3" },
		{ "two.test",
		    "ok a.two.test=127.0.0.9:25 b.two.test=127.0.0.8:25 ",
		    "two.test" },
	};
	struct conf conf = plain;

	(void)state;
	conf.smarthost = "192.0.2.9";
	conf.relay_routes = (struct conf_list){ lines, PH_LEN(lines) };
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		ask(&conf, cases[i].domain, cases[i].want);
		assert_string_equal(
		    route_key(&conf, cases[i].domain), cases[i].key);
	}
	conf.relay_routes.n = 1;
	ask(&conf, "b.test", "ok 192.0.2.9=192.0.2.9:25 ");
}

/* No answer comes after it, and nothing is left behind. */
static void
test_cancel(void **state)
{
	static const char *const names[] = { "two.test", "[192.0.2.1]" };

	(void)state;
	for (size_t i = 0; i < PH_LEN(names); i++) {
		struct got g = { 0 };
		struct route_query *q = route_ask(
		    at.loop, at.dns, &plain, "me.test", names[i], on_route, &g);

		route_cancel(&q);
		assert_null(q);
		route_cancel(&q);
		for (int k = 0; k < 10; k++)
			(void)uv_run(loop_uv(at.loop), UV_RUN_NOWAIT);
		assert_int_equal(g.calls, 0);
	}
}

static void
test_dead_resolver(void **state)
{
	struct dns *living = at.dns;
	char resolver[64];
	struct err e;

	(void)state;
	(void)snprintf(
	    resolver, sizeof(resolver), "127.0.0.1@%d", dnsmasq_port());
	assert_int_equal(dns_new(at.loop, resolver, &at.dns, &e), 0);
	dns_set_timeout(at.dns, 500);
	ask_for(&plain, "two.test",
	    "temp 451 4.4.3 the domain's name servers do not answer: ", false);
	dns_free(&at.dns);
	at.dns = living;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_smarthost),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_dead_resolver),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
