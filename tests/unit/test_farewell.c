#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "lib/net/farewell.h"
#include "tests/unit/cert.h"
#include "tests/unit/net_host.h"
#include "tests/unit/tls_peer.h"

static uv_loop_t loop;
static struct farewell all;

/* Hands one end over; the other is the result. */
static int
leave(void)
{
	int fds[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_true(farewell_keep(&all, fds[0]));
	close(fds[0]);
	return fds[1];
}

static bool
is_open(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

static void
end(int fd)
{
	assert_false(is_open(fd));
	close(fd);
}

static void
for_a_while(void **state)
{
	int a, b;

	(void)state;
	uv_loop_init(&loop);
	farewell_init(&all, &loop);
	a = leave();
	b = leave();
	assert_true(is_open(a) && is_open(b));
	uv_run(&loop, UV_RUN_DEFAULT); /* until the timer has nothing to do */
	end(a);
	end(b);
	farewell_fini(&all);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* Twice round the ring; what is left goes with it. */
static void
the_oldest_goes_early(void **state)
{
	int fds[2 * FAREWELL_MAX + 3];

	(void)state;
	uv_loop_init(&loop);
	farewell_init(&all, &loop);
	for (size_t i = 0; i < PH_LEN(fds); i++) {
		fds[i] = leave();
		assert_true(is_open(fds[i]));
		if (i >= FAREWELL_MAX)
			end(fds[i - FAREWELL_MAX]);
	}
	for (size_t i = PH_LEN(fds) - FAREWELL_MAX; i < PH_LEN(fds); i++)
		assert_true(is_open(fds[i]));
	farewell_fini(&all);
	for (size_t i = PH_LEN(fds) - FAREWELL_MAX; i < PH_LEN(fds); i++)
		end(fds[i]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void
input_quit(struct conn *c)
{
	conn_last(c);
	conn_write(c, SLICE("bye"));
	conn_close(c);
}

static void
tls_host(struct host *h)
{
	struct cert ca = cert_new("test CA", NULL, NULL, false);
	struct cert own = cert_new("default", "DNS:a.example", &ca, false);
	struct buf bundle;
	struct err e;

	host_init(h);
	h->begin = host_begin_tls;
	h->ops.input = input_quit;
	buf_init(&bundle, 1 << 20);
	cert_pack(&own, &ca, "*", &bundle);
	assert_int_equal(tls_server_new(buf_slice(&bundle), &h->tls, &e), 0);
	buf_fini(&bundle);
	cert_free(&own);
	cert_free(&ca);
}

/* It finds the socket open, though not its connection: no RST (CLIENTS T7). */
static void
close_notify_behind_quit(void **state)
{
	static struct host h;
	socklen_t len = sizeof(int);
	char in[4];
	struct cl c;
	int e = -1;

	(void)state;
	tls_host(&h);
	host_start(&h, -1);
	c.fd = dial(h.port);
	assert_true(cl_handshake(&c, NULL, TLS1_3_VERSION));
	assert_true(cl_write(&c, "q", 1));
	assert_int_equal(cl_read(&c, in, 4), 3);
	assert_int_equal(SSL_get_shutdown(c.ssl), SSL_RECEIVED_SHUTDOWN);
	assert_true(host_wait(&h.closed, 1));
	assert_int_equal(SSL_shutdown(c.ssl), 1);
	usleep(20000);
	assert_int_equal(getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &e, &len), 0);
	assert_int_equal(e, 0);
	assert_int_equal(recv(c.fd, in, 1, 0), 0);
	cl_close(&c);
	host_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(for_a_while),
		cmocka_unit_test(the_oldest_goes_early),
		cmocka_unit_test(close_notify_behind_quit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
