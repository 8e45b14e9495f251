#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "tests/unit/net_host.h"

enum { MIB = 1 << 20 };

static struct host h;

static void
echo_of_many_bytes(void **state)
{
	size_t n = 200000;
	char *out = pattern_new(n), *in = xmalloc(n);
	int fd;

	(void)state;
	host_init(&h);
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(send_all(fd, out, n));
	assert_int_equal(recv_upto(fd, in, n), n);
	assert_memory_equal(in, out, n);
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	host_stop(&h);
	assert_string_equal(h.reason, "closed by peer");
	free(in);
	free(out);
}

static void
begin_look(struct peer *p)
{
	int fd = -1, on = 0;
	socklen_t len = sizeof(on);

	if (uv_fileno((uv_handle_t *)&p->conn.h.stream, &fd) != 0 ||
	    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len) != 0 || !on ||
	    strncmp(p->conn.peer, "127.0.0.1:", 10) != 0 ||
	    strcmp(p->conn.peer_ip, "127.0.0.1") != 0)
		atomic_fetch_add(&p->host->bad, 1);
}

static void
addresses_and_nodelay(void **state)
{
	int fd;

	(void)state;
	host_init(&h);
	h.begin = begin_look;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(host_wait(&h.opened, 1));
	close(fd);
	host_stop(&h);
}

/* ---- input ---- */

static void
on_resume(struct loop_msg *m)
{
	conn_resume(&PH_CONTAINER(m, struct peer, msg)->conn);
}

/* One line is one command; a command is a job that comes back later. */
static void
input_line(struct conn *c)
{
	struct peer *p = peer_of(c);
	struct slice s = buf_slice(&c->in);
	size_t at = slice_chr(s, '\n');

	if (at == s.n)
		return;
	conn_write(c, slice_sub(s, 0, at + 1));
	conn_consume(c, at + 1);
	conn_pause(c);
	p->msg.fn = on_resume;
	loop_post(c->loop, &p->msg);
}

/* All commands are answered although FIN came with them. */
static void
pipelined_commands_and_fin(void **state)
{
	char in[100];
	int fd;

	(void)state;
	host_init(&h);
	h.ops.input = input_line;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(send_all(fd, "a\nb\nc\nQUIT\nrest", 15));
	shutdown(fd, SHUT_WR);
	assert_int_equal(recv_upto(fd, in, sizeof(in)), 11);
	assert_memory_equal(in, "a\nb\nc\nQUIT\n", 11);
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	assert_int_equal(h.eofs, 1);
	host_stop(&h);
}

/* Pausing and resuming in one call without taking anything must not spin. */
static void
input_partial(struct conn *c)
{
	struct host *host = peer_of(c)->host;

	conn_pause(c);
	conn_resume(c);
	atomic_fetch_add(&host->got, 1);
	if (buf_len(&c->in) == 3)
		host_input(c);
}

static void
pause_and_resume_at_once(void **state)
{
	char in[3];
	int fd;

	(void)state;
	host_init(&h);
	h.ops.input = input_partial;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(send_all(fd, "a", 1));
	usleep(50000);
	assert_true(atomic_load(&h.got) <= 3);
	assert_true(send_all(fd, "bc", 2));
	assert_int_equal(recv_upto(fd, in, 3), 3);
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	host_stop(&h);
}

static void
on_slow_resume(struct loop_msg *m)
{
	struct peer *p = PH_CONTAINER(m, struct peer, msg);

	if (++p->left < 200)
		loop_post(p->conn.loop, m); /* some rounds later */
	else
		conn_resume(&p->conn);
}

static void
input_slow(struct conn *c)
{
	struct peer *p = peer_of(c);
	size_t n = buf_len(&c->in);

	if (n > atomic_load(&p->host->most))
		atomic_store(&p->host->most, n);
	for (size_t i = 0; i < n; i++)
		if (buf_slice(&c->in).p[i] !=
		    pattern(atomic_load(&p->host->got) + i))
			atomic_fetch_add(&p->host->bad, 1);
	atomic_fetch_add(&p->host->got, n);
	conn_consume(c, n);
	conn_pause(c);
	p->left = 0;
	p->msg.fn = on_slow_resume;
	loop_post(c->loop, &p->msg);
}

static void
ceiling_of_input(void **state)
{
	size_t n = MIB;
	char *out = pattern_new(n);
	int fd;

	(void)state;
	host_init(&h);
	h.in_max = 5000;
	h.ops.input = input_slow;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(send_all(fd, out, n));
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	assert_int_equal(h.got, n);
	assert_true(h.most <= 5000);
	host_stop(&h);
	free(out);
}

/* ---- output ---- */

enum { CHUNK = 30000, CHUNKS = 600 };

static void
produce(struct conn *c)
{
	struct peer *p = peer_of(c);
	struct buf b;

	buf_init(&b, MIB);
	while (p->left < CHUNKS && !conn_full(c) && !conn_broken(c)) {
		for (size_t i = 0; i < CHUNK; i++)
			buf_add_char(&b, pattern(p->left * CHUNK + i));
		if (p->left++ % 2 == 0)
			conn_write(c, buf_slice(&b));
		else
			conn_write_buf(c, &b);
		buf_clear(&b);
		if (conn_queued(c) > atomic_load(&p->host->most))
			atomic_store(&p->host->most, conn_queued(c));
	}
	if (p->left == CHUNKS)
		conn_close(c);
	buf_fini(&b);
}

static void
drained_produce(struct conn *c)
{
	host_drained(c);
	produce(c);
}

static void
input_produce(struct conn *c)
{
	conn_consume(c, buf_len(&c->in));
	produce(c);
}

/* A client that does not read: the queue is bounded; then it reads all, and
 * the last byte comes before FIN. */
static void
queue_is_bounded(void **state)
{
	size_t n = (size_t)CHUNK * CHUNKS;
	char *want = pattern_new(n), *in = xmalloc(n + 1);
	int fd;

	(void)state;
	host_init(&h);
	h.high_water = 100000;
	h.ops.input = input_produce;
	h.ops.drained = drained_produce;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(send_all(fd, "go", 2));
	assert_true(host_reach(&h.most, 100000));
	usleep(100000);
	assert_true(h.most <= 100000 + CHUNK);
	assert_int_equal(recv_upto(fd, in, n + 1), n);
	assert_memory_equal(in, want, n);
	assert_true(h.drains > 0);
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	assert_int_equal(h.eofs, 0); /* none after conn_close() */
	host_stop(&h);
	free(in);
	free(want);
}

/* The peer dies while much is queued: drained lets the producer see it. */
static void
reset_in_midst_of_output(void **state)
{
	struct linger hard = { 1, 0 };
	int fd;

	(void)state;
	host_init(&h);
	h.high_water = 100000;
	h.ops.input = input_produce;
	h.ops.drained = drained_produce;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(send_all(fd, "go", 2));
	usleep(100000);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	assert_int_equal(h.eofs, 1);
	host_stop(&h);
	assert_true(h.reason[0] != '\0');
	assert_string_not_equal(h.reason, "closed by peer");
}

/* ---- ends ---- */

enum { LAST = 3 * MIB, LAST_SAID = 50000 };

static void
input_last_words(struct conn *c)
{
	struct buf b;
	char *p = pattern_new(LAST);

	buf_init(&b, LAST);
	buf_add(&b, p, LAST);
	if (peer_of(c)->host->in_max == LAST_SAID)
		conn_last(c);
	conn_write_buf(c, &b);
	conn_close(c);
	conn_write(c, SLICE("not sent"));
	conn_close(c);
	buf_fini(&b);
	free(p);
}

static void
last_bytes(size_t in_max)
{
	char *want = pattern_new(LAST), *in = xmalloc(LAST + 1);
	int fd;

	host_init(&h);
	h.in_max = in_max;
	h.ops.input = input_last_words;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(send_all(fd, want, 100000));
	usleep(50000);
	assert_true(send_all(fd, want, 1000));
	assert_int_equal(recv_upto(fd, in, LAST + 1), LAST);
	assert_memory_equal(in, want, LAST);
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	host_stop(&h);
	free(in);
	free(want);
}

/* Bytes of ours that the server never reads must not turn FIN into RST; nor if
 * they come behind a QUIT. */
static void
last_bytes_before_fin(void **state)
{
	(void)state;
	last_bytes(65536);
	last_bytes(LAST_SAID);
}

static void
input_close(struct conn *c)
{
	if (slice_eq(buf_slice(&c->in), SLICE("q")))
		conn_last(c);
	conn_write(c, SLICE("bye"));
	conn_close(c);
}

static void
two_seconds_for_the_peers_fin(void **state)
{
	uint64_t start, took;
	char in[4];
	int fd;

	(void)state;
	host_init(&h);
	h.ops.input = input_close;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(send_all(fd, "x", 1));
	assert_int_equal(recv_upto(fd, in, 4), 3);
	start = clock_steady_ms();
	assert_true(host_wait(&h.closed, 1));
	took = clock_steady_ms() - start;
	assert_true(took >= 1500 && took < 4000);
	close(fd);
	host_stop(&h);
}

/* Who has said QUIT is not waited for. */
static void
no_wait_behind_quit(void **state)
{
	uint64_t start = clock_steady_ms();
	char in[4];
	int fd;

	(void)state;
	host_init(&h);
	h.ops.input = input_close;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(send_all(fd, "q", 1));
	assert_int_equal(recv_upto(fd, in, 4), 3);
	assert_true(host_wait(&h.closed, 1));
	assert_true(clock_steady_ms() - start < 1500);
	close(fd);
	host_stop(&h);
}

static void
input_abort(struct conn *c)
{
	conn_write(c, SLICE("lost, perhaps"));
	conn_abort(c);
	conn_abort(c);
	conn_close(c);
}

static void
eof_abort(struct conn *c)
{
	conn_abort(c);
}

static void
abort_inside_callbacks(void **state)
{
	int fd;

	(void)state;
	host_init(&h);
	h.ops.input = input_abort;
	h.ops.eof = eof_abort;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(send_all(fd, "x", 1));
	assert_true(host_wait(&h.closed, 1));
	close(fd);
	close(dial(h.port));
	assert_true(host_wait(&h.closed, 2));
	host_stop(&h);
}

static void
abrupt_reset(void **state)
{
	struct linger hard = { 1, 0 };
	int fd;

	(void)state;
	host_init(&h);
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(host_wait(&h.opened, 1));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	assert_int_equal(h.eofs, 1);
	host_stop(&h);
	assert_string_equal(h.reason, "connection reset by peer");
}

static void
begin_short(struct peer *p)
{
	conn_set_timeout(&p->conn, 1000000);
	conn_set_timeout(&p->conn, 150);
}

/* Activity puts it off; silence fires it. */
static void
idle_timeout(void **state)
{
	uint64_t start = clock_steady_ms();
	char in[4];
	int fd;

	(void)state;
	host_init(&h);
	h.begin = begin_short;
	host_start(&h, -1);
	fd = dial(h.port);
	for (int i = 0; i < 4; i++) {
		assert_true(send_all(fd, "x", 1));
		assert_int_equal(recv_upto(fd, in, 1), 1);
		usleep(75000);
	}
	assert_int_equal(h.timeouts, 0);
	assert_int_equal(recv_upto(fd, in, 1), 0); /* FIN */
	assert_int_equal(h.timeouts, 1);
	assert_true(clock_steady_ms() - start >= 300);
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	host_stop(&h);
}

static void
begin_at_once(struct peer *p)
{
	if (p->host->opened % 2 == 0)
		conn_abort(&p->conn);
	else
		conn_close(&p->conn);
}

static void
closing_at_once(void **state)
{
	char in[1];

	(void)state;
	host_init(&h);
	h.begin = begin_at_once;
	host_start(&h, -1);
	for (int i = 0; i < 20; i++) {
		int fd = dial(h.port);

		assert_int_equal(recv_upto(fd, in, 1), 0);
		close(fd);
	}
	assert_true(host_wait(&h.closed, 20));
	host_stop(&h);
}

/* ---- listeners ---- */

static void
unix_socket(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), c;
	char in[5];

	(void)state;
	(void)snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1,
	    "posthof-test-%d", (int)getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 5), 0);
	host_init(&h);
	host_start(&h, fd);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(c, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_true(send_all(c, "LHLO\n", 5));
	assert_int_equal(recv_upto(c, in, 5), 5);
	close(c);
	assert_true(host_wait(&h.closed, 1));
	host_stop(&h);
}

/* Without descriptors it waits without spinning, and recovers. */
static void
out_of_descriptors(void **state)
{
	struct rlimit old, low;
	struct rusage before, after;
	int fd, probe;
	char in[1];

	(void)state;
	host_init(&h);
	host_start(&h, -1);
	usleep(20000);
	fd = dial(h.port); /* the kernel accepts for us */
	assert_true(host_wait(&h.opened, 1));
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	probe = dup(fd);
	close(probe);
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = (rlim_t)probe;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)h.port) };
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	usleep(500000);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(h.opened, 1);
	assert_true((after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
			after.ru_utime.tv_usec - before.ru_utime.tv_usec +
			after.ru_stime.tv_usec - before.ru_stime.tv_usec <
		    200000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(send_all(fd, "x", 1));
	assert_int_equal(recv_upto(fd, in, 1), 1);
	close(fd);
	assert_true(host_wait(&h.closed, 2));
	host_stop(&h);
}

/* ---- outgoing ---- */

struct caller {
	struct conn conn;
	struct loop *loop;
	int rc;
	unsigned connects, closes;
	size_t got;
	char text[200];
};

static void
caller_connected(struct conn *c, int rc, const struct err *e)
{
	struct caller *k = PH_CONTAINER(c, struct caller, conn);

	k->rc = rc;
	k->connects++;
	if (rc == 0) {
		conn_write(c, SLICE("hello"));
		return;
	}
	(void)snprintf(k->text, sizeof(k->text), "%s", e->text);
	conn_close(c);
}

static void
caller_input(struct conn *c)
{
	struct caller *k = PH_CONTAINER(c, struct caller, conn);

	k->got += buf_len(&c->in);
	conn_consume(c, buf_len(&c->in));
	if (k->got == 5)
		conn_close(c);
}

static void
caller_closed(struct conn *c)
{
	struct caller *k = PH_CONTAINER(c, struct caller, conn);

	k->closes++;
	loop_stop(k->loop);
}

static const struct conn_ops caller_ops = { caller_input, host_drained,
	host_secured, host_eof, host_timeout, caller_connected, caller_closed };

static struct caller
call(int port, uint64_t timeout_ms)
{
	static struct caller k;
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	memset(&k, 0, sizeof(k));
	assert_int_equal(loop_new(&k.loop), 0);
	assert_int_equal(
	    conn_connect(&k.conn, k.loop, (struct sockaddr *)&to,
		(struct sockaddr *)&from, timeout_ms, &caller_ops, 4096, 4096),
	    0);
	loop_run(k.loop);
	loop_free(&k.loop);
	assert_int_equal(k.connects, 1);
	assert_int_equal(k.closes, 1);
	return k;
}

static void
outgoing(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0xc0000201) }; /* not ours */
	struct loop *loop;
	struct caller k;
	int fd, port;

	(void)state;
	host_init(&h);
	host_start(&h, -1);
	k = call(h.port, 5000);
	assert_int_equal(k.rc, 0);
	assert_int_equal(k.got, 5);
	assert_true(host_wait(&h.closed, 1));
	host_stop(&h);

	fd = host_listen(&port);
	close(fd);
	k = call(port, 5000);
	assert_int_equal(k.rc, ERR_IO);
	assert_string_equal(k.text, "connection refused");

	/* On failure of the call itself there is nothing to close. */
	assert_int_equal(loop_new(&loop), 0);
	assert_int_not_equal(
	    conn_connect(&k.conn, loop, (struct sockaddr *)&to,
		(struct sockaddr *)&from, 1, &caller_ops, 4096, 4096),
	    0);
	loop_free(&loop);
}

/* A listener whose queue is full does not answer. */
static void
connect_timeout(void **state)
{
	int port, fd = host_listen(&port), filler[8];
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port) };
	struct caller k;

	(void)state;
	assert_int_equal(listen(fd, 0), 0);
	for (size_t i = 0; i < PH_LEN(filler); i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(filler[i], (struct sockaddr *)&to, sizeof(to));
	}
	k = call(port, 200);
	assert_int_equal(k.rc, ERR_TIMEOUT);
	for (size_t i = 0; i < PH_LEN(filler); i++)
		close(filler[i]);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_of_many_bytes),
		cmocka_unit_test(addresses_and_nodelay),
		cmocka_unit_test(pipelined_commands_and_fin),
		cmocka_unit_test(pause_and_resume_at_once),
		cmocka_unit_test(ceiling_of_input),
		cmocka_unit_test(queue_is_bounded),
		cmocka_unit_test(reset_in_midst_of_output),
		cmocka_unit_test(last_bytes_before_fin),
		cmocka_unit_test(two_seconds_for_the_peers_fin),
		cmocka_unit_test(no_wait_behind_quit),
		cmocka_unit_test(abort_inside_callbacks),
		cmocka_unit_test(abrupt_reset),
		cmocka_unit_test(idle_timeout),
		cmocka_unit_test(closing_at_once),
		cmocka_unit_test(unix_socket),
		cmocka_unit_test(out_of_descriptors),
		cmocka_unit_test(outgoing),
		cmocka_unit_test(connect_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
