/*
 * dnsmasq.h - a real name server on a free port of loopback for one test
 * program, with a loop and a resolver that asks it.
 */
#ifndef TESTS_UNIT_DNSMASQ_H
#define TESTS_UNIT_DNSMASQ_H

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/net/dns.h"

enum { DNSMASQ_ARGS = 64 };

struct dnsmasq {
	pid_t pid;
	int port;
	struct loop *loop;
	struct dns *dns;
};

/* A port free for UDP and TCP on loopback. */
static inline int
dnsmasq_port(void)
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

/* In the child: never returns. */
static inline void
dnsmasq_exec(int port, const char *const *zone, size_t n)
{
	static const char *const always[] = { "dnsmasq", "--no-daemon",
		"--conf-file=/dev/null", "--listen-address=127.0.0.1",
		"--bind-interfaces", "--no-resolv", "--no-hosts",
		"--user=", "--group=", "--pid-file=", "--local=/test/",
		"--local-ttl=77" };
	const char *argv[DNSMASQ_ARGS] = { NULL };
	int null = open("/dev/null", O_WRONLY);
	char text[32];
	size_t at = PH_LEN(always);

	if (at + n + 2 > PH_LEN(argv))
		_exit(126);
	(void)snprintf(text, sizeof(text), "--port=%d", port);
	memcpy(argv, always, sizeof(always));
	argv[at++] = text;
	memcpy(argv + at, zone, n * sizeof(*zone));
	dup2(null, 1);
	dup2(null, 2);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	execvp("dnsmasq", (char *const *)argv);
	_exit(127);
}

static inline void
dnsmasq_wait(const struct dnsmasq *m)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)m->port) };

	for (int i = 0; i < 500; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		int rc = connect(fd, (struct sockaddr *)&in, sizeof(in));

		close(fd);
		if (rc == 0)
			return;
		assert_int_equal(waitpid(m->pid, NULL, WNOHANG), 0);
		usleep(10000);
	}
	fail();
}

/* zone: dnsmasq's options, each a record. */
static inline void
dnsmasq_start(struct dnsmasq *m, const char *const *zone, size_t n)
{
	char resolver[64];
	struct err e;

	m->port = dnsmasq_port();
	if ((m->pid = fork()) == 0)
		dnsmasq_exec(m->port, zone, n);
	dnsmasq_wait(m);
	assert_int_equal(loop_new(&m->loop), 0);
	(void)snprintf(resolver, sizeof(resolver), "127.0.0.1@%d", m->port);
	assert_int_equal(dns_new(m->loop, resolver, &m->dns, &e), 0);
}

static inline void
dnsmasq_stop(struct dnsmasq *m)
{
	dns_free(&m->dns);
	loop_free(&m->loop);
	assert_null(m->loop);
	kill(m->pid, SIGTERM);
	waitpid(m->pid, NULL, 0);
}

#endif
