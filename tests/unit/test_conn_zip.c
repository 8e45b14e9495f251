#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <zlib.h>

#include "lib/net/conn_priv.h"
#include "tests/unit/net_host.h"

enum { MIB = 1 << 20 };

static struct host h;

static void
begin_zip(struct peer *p)
{
	conn_deflate(&p->conn);
}

/* All of p, compressed, ended as IMAP clients end a command. */
static size_t
pack(z_stream *z, const void *p, size_t n, char *out, size_t cap)
{
	z->next_in = (z_const Bytef *)(uintptr_t)p;
	z->avail_in = (uInt)n;
	z->next_out = (Bytef *)out;
	z->avail_out = (uInt)cap;
	assert_int_equal(deflate(z, Z_SYNC_FLUSH), Z_OK);
	assert_true(z->avail_out > 0);
	return cap - z->avail_out;
}

struct ends {
	z_stream out, in;
	int fd;
};

static void
ends_open(struct ends *e)
{
	memset(e, 0, sizeof(*e));
	assert_int_equal(
	    deflateInit2(&e->out, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY),
	    Z_OK);
	assert_int_equal(inflateInit2(&e->in, -15), Z_OK);
	e->fd = dial(h.port);
}

static void
ends_close(struct ends *e)
{
	(void)deflateEnd(&e->out);
	(void)inflateEnd(&e->in);
	close(e->fd);
	assert_true(host_wait(&h.closed, 1));
	host_stop(&h);
}

static void
send_packed(struct ends *e, const void *p, size_t n, size_t step)
{
	size_t cap = n + 1024, m;
	char *out = xmalloc(cap);

	m = pack(&e->out, p, n, out, cap);
	for (size_t at = 0; at < m; at += step)
		assert_true(
		    send_all(e->fd, out + at, step < m - at ? step : m - at));
	free(out);
}

/* n plain bytes, or fewer at the end. */
static size_t
recv_packed(struct ends *e, char *p, size_t n)
{
	char block[700];
	ssize_t r;

	e->in.next_out = (Bytef *)p;
	e->in.avail_out = (uInt)n;
	while (e->in.avail_out != 0) {
		r = recv(e->fd, block, sizeof(block), 0);
		if (r <= 0)
			break;
		e->in.next_in = (Bytef *)block;
		e->in.avail_in = (uInt)r;
		assert_int_equal(inflate(&e->in, Z_SYNC_FLUSH), Z_OK);
	}
	return n - e->in.avail_out;
}

static void
echo(size_t n, size_t step, void (*input)(struct conn *))
{
	char *out = pattern_new(n), *in = xmalloc(n);
	struct ends e;

	host_init(&h);
	h.begin = begin_zip;
	if (input != NULL)
		h.ops.input = input;
	host_start(&h, -1);
	ends_open(&e);
	send_packed(&e, out, n, step);
	assert_int_equal(recv_packed(&e, in, n), n);
	assert_memory_equal(in, out, n);
	/* The second half of the talk may look back to the first. */
	send_packed(&e, out, n, step);
	assert_int_equal(recv_packed(&e, in, n), n);
	assert_memory_equal(in, out, n);
	ends_close(&e);
	free(in);
	free(out);
}

static void
echo_both_ways(void **state)
{
	(void)state;
	echo(300, 1, NULL);
	echo(200000, 777, NULL);
	echo(200000, MIB, NULL);
}

static void
input_and_rest(struct conn *c)
{
	host_input(c);
	conn_zip_rest(c);
	if (conn_zip_used(c) || conn_compressed(c) == NULL)
		atomic_fetch_add(&peer_of(c)->host->bad, 1);
}

/* Giving the memory back between any two bytes is not seen outside. */
static void
rest_at_any_time(void **state)
{
	(void)state;
	echo(300, 1, input_and_rest);
	echo(100000, 4999, input_and_rest);
}

static void
on_resume(struct loop_msg *m)
{
	conn_resume(&PH_CONTAINER(m, struct peer, msg)->conn);
}

static void
input_slow(struct conn *c)
{
	struct peer *p = peer_of(c);
	size_t n = buf_len(&c->in);

	if (n > atomic_load(&p->host->most))
		atomic_store(&p->host->most, n);
	atomic_fetch_add(&p->host->got, n);
	conn_consume(c, n);
	conn_pause(c);
	p->msg.fn = on_resume;
	loop_post(c->loop, &p->msg);
}

/* A megabyte in a thousand bytes: never more than the ceiling at a time, and
 * all of it although FIN came long before the end. */
static void
bomb(void **state)
{
	char *zeros = xcalloc(1, MIB);
	struct ends e;

	(void)state;
	host_init(&h);
	h.begin = begin_zip;
	h.in_max = 5000;
	h.ops.input = input_slow;
	host_start(&h, -1);
	ends_open(&e);
	send_packed(&e, zeros, MIB, MIB);
	shutdown(e.fd, SHUT_WR);
	assert_true(host_reach(&h.got, MIB));
	assert_true(host_wait(&h.eofs, 1));
	assert_int_equal(h.got, MIB);
	assert_true(h.most <= 5000);
	ends_close(&e);
	free(zeros);
}

static void
ends_with(const char *bytes, size_t n, const char *reason)
{
	char in[10];
	struct ends e;

	host_init(&h);
	h.begin = begin_zip;
	host_start(&h, -1);
	ends_open(&e);
	assert_true(send_all(e.fd, bytes, n));
	assert_int_equal(recv_packed(&e, in, sizeof(in)), 0);
	ends_close(&e);
	assert_memory_equal(h.reason, reason, strlen(reason));
}

static void
broken_streams(void **state)
{
	(void)state;
	ends_with("a1 NOOP\r\n", 9, "DEFLATE: ");
	ends_with("\xff\xff\xff\xff\xff\xff", 6, "DEFLATE: ");
	/* An empty last block. */
	ends_with("\x03\x00", 2, "DEFLATE: the peer has ended it");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_both_ways),
		cmocka_unit_test(rest_at_any_time),
		cmocka_unit_test(bomb),
		cmocka_unit_test(broken_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
