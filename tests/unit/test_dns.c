#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/net/dns.h"

static struct {
	pid_t pid;
	int port;
	struct loop *loop;
	struct dns *dns;
} at;

/* A port free for UDP and TCP on loopback. */
static int
free_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	close(fd);
	return ntohs(in.sin_port);
}

static void
run_dnsmasq(void)
{
	char port[32];
	int null = open("/dev/null", O_WRONLY);

	(void)snprintf(port, sizeof(port), "--port=%d", at.port);
	dup2(null, 1);
	dup2(null, 2);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	execlp("dnsmasq", "dnsmasq", "--no-daemon", "--conf-file=/dev/null",
	    port, "--listen-address=127.0.0.1", "--bind-interfaces",
	    "--no-resolv", "--no-hosts",
	    "--user=", "--group=", "--pid-file=", "--local-ttl=77",
	    "--mx-host=many.test,C.many.test,30",
	    "--mx-host=many.test,a.many.test,10",
	    "--mx-host=many.test,b1.many.test,20",
	    "--mx-host=many.test,b2.many.test,20", "--mx-host=null.test,.,0",
	    "--host-record=a.many.test,127.0.0.9,::9",
	    "--host-record=four.test,127.0.0.4",
	    "--txt-record=txt.test,v=spf1 -all,two",
	    "--cname=alias.test,four.test", "--local=/test/", (char *)NULL);
	_exit(127);
}

static int
start(void **state)
{
	char resolver[64];
	struct err e;

	(void)state;
	at.port = free_port();
	if ((at.pid = fork()) == 0)
		run_dnsmasq();
	assert_int_equal(loop_new(&at.loop), 0);
	(void)snprintf(resolver, sizeof(resolver), "127.0.0.1@%d", at.port);
	assert_int_equal(dns_new(at.loop, resolver, &at.dns, &e), 0);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	dns_free(&at.dns);
	loop_free(&at.loop);
	assert_null(at.loop);
	kill(at.pid, SIGTERM);
	waitpid(at.pid, NULL, 0);
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
	else if (a->txt != NULL)
		(void)snprintf(
		    out, cap, " [%.*s]", (int)a->txt[i].n, a->txt[i].p);
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
	else if (what == 't')
		(void)dns_ask_txt(at.dns, name, on_answer, &g);
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
	{ 't', "txt.test", "ok [v=spf1 -alltwo]" },
	{ 't', "none.test", "notfound" },
	{ '4', "other.example", "dns" }, /* REFUSED: temporary */
	{ 'm', "other.example", "dns" },
	{ '4', "", "notfound" },
	{ '4', "a..b", "notfound" },
};

static void
wait_for_dnsmasq(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)at.port) };

	for (int i = 0; i < 500; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		int rc = connect(fd, (struct sockaddr *)&in, sizeof(in));

		close(fd);
		if (rc == 0)
			return;
		assert_int_equal(waitpid(at.pid, NULL, WNOHANG), 0);
		usleep(10000);
	}
	fail();
}

static void
answers(void **state)
{
	(void)state;
	wait_for_dnsmasq();
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
