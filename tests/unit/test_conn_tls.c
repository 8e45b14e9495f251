#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/unit/cert.h"
#include "tests/unit/net_host.h"
#include "tests/unit/tls_peer.h"

enum { MIB = 1 << 20 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IDLE_SESSIONS = 200 };
#else
enum { IDLE_SESSIONS = 2000 };
#endif

static struct host h;
static struct cert ca, cert_default, cert_exact, cert_wild, cert_rsa;
static struct buf bundle, bundle2;

static int
make_certs(void **state)
{
	struct cert second;

	(void)state;
	buf_init(&bundle, MIB);
	buf_init(&bundle2, MIB);
	ca = cert_new("test CA", NULL, NULL, false);
	cert_default = cert_new("default", "DNS:default.example", &ca, false);
	cert_exact = cert_new("exact", "DNS:mail.kunde.example", &ca, false);
	cert_rsa = cert_new("rsa", "DNS:mail.kunde.example", &ca, true);
	cert_wild = cert_new("wild", "DNS:*.wild.example", &ca, false);
	cert_pack(&cert_default, &ca, "*", &bundle);
	cert_pack(&cert_exact, &ca, "Mail.Kunde.example", &bundle);
	cert_pack(&cert_rsa, &ca, "mail.kunde.example", &bundle);
	cert_pack(&cert_wild, NULL, "*.wild.example", &bundle);
	second = cert_new("second", "DNS:default.example", &ca, false);
	cert_pack(&second, &ca, "*", &bundle2);
	cert_free(&second);
	return 0;
}

static int
free_certs(void **state)
{
	(void)state;
	cert_free(&ca);
	cert_free(&cert_default);
	cert_free(&cert_exact);
	cert_free(&cert_rsa);
	cert_free(&cert_wild);
	buf_fini(&bundle);
	buf_fini(&bundle2);
	return 0;
}

static void
tls_host(void)
{
	struct err e;

	host_init(&h);
	assert_int_equal(tls_server_new(buf_slice(&bundle), &h.tls, &e), 0);
	h.begin = host_begin_tls;
}

/* ---- a blocking client ---- */

static struct cl
cl_open(const char *sni, int version)
{
	struct cl c = { .fd = dial(h.port) };

	assert_true(cl_handshake(&c, sni, version));
	return c;
}

static bool
cl_echo(struct cl *c, size_t n)
{
	char *out = pattern_new(n), *in = xmalloc(n);
	bool ok = cl_write(c, out, n) && cl_read(c, in, n) == n &&
		  memcmp(in, out, n) == 0;

	free(in);
	free(out);
	return ok;
}

static void
cn_of(struct cl *c, char *out, int cap)
{
	X509 *x = SSL_get0_peer_certificate(c->ssl);

	assert_non_null(x);
	X509_NAME_get_text_by_NID(
	    X509_get_subject_name(x), NID_commonName, out, cap);
}

static void
assert_cn(const char *sni, const char *want)
{
	struct cl c = cl_open(sni, TLS1_3_VERSION);
	char cn[64] = "";

	cn_of(&c, cn, sizeof(cn));
	assert_string_equal(cn, want);
	cl_close(&c);
}

/* ---- cases ---- */

static void
echo_both_versions(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	static const char *const ciphers[] = { "ECDHE-ECDSA-AES128-GCM-SHA256",
		"TLS_AES_128_GCM_SHA256" };

	(void)state;
	tls_host();
	host_start(&h, -1);
	for (size_t i = 0; i < PH_LEN(versions); i++) {
		struct cl c = cl_open(NULL, versions[i]);

		assert_string_equal(SSL_get_cipher(c.ssl), ciphers[i]);
		for (size_t n = 1; n <= 200000; n = n * 3 + 1)
			assert_true(cl_echo(&c, n));
		SSL_shutdown(c.ssl);
		assert_int_equal(SSL_shutdown(c.ssl), 1);
		cl_close(&c);
	}
	assert_true(host_wait(&h.closed, 2));
	assert_int_equal(h.secured, 2);
	assert_int_equal(h.eofs, 2);
	host_stop(&h);
}

static void
old_versions_are_refused(void **state)
{
	struct cl c;

	(void)state;
	tls_host();
	host_start(&h, -1);
	c.fd = dial(h.port);
	assert_false(cl_handshake(&c, NULL, TLS1_1_VERSION));
	cl_close(&c);
	assert_true(host_wait(&h.closed, 1));
	assert_int_equal(h.failed, 1);
	host_stop(&h);
}

static void
certificate_by_name(void **state)
{
	(void)state;
	tls_host();
	host_start(&h, -1);
	assert_cn(NULL, "default");
	assert_cn("unknown.example", "default");
	assert_cn("mail.kunde.example", "exact");
	assert_cn("MAIL.kunde.EXAMPLE", "exact");
	assert_cn("kunde.example", "default");
	assert_cn("a.wild.example", "wild");
	assert_cn("wild.example", "default");
	assert_cn("a.b.wild.example", "default");
	assert_cn(".wild.example", "default");
	host_stop(&h);
}

/* Two keys under one name: the client's ciphers decide. */
static void
rsa_beside_ecdsa(void **state)
{
	static const char *const lists[] = { "ECDHE-RSA-AES128-GCM-SHA256",
		"ECDHE-ECDSA-AES128-GCM-SHA256" };
	static const char *const want[] = { "rsa", "exact" };
	char cn[64];

	(void)state;
	tls_host();
	host_start(&h, -1);
	for (int i = 0; i < 2; i++) {
		struct cl c = { .fd = dial(h.port) };

		c.ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_max_proto_version(c.ctx, TLS1_2_VERSION);
		assert_int_equal(SSL_CTX_set_cipher_list(c.ctx, lists[i]), 1);
		c.ssl = SSL_new(c.ctx);
		SSL_set_fd(c.ssl, c.fd);
		SSL_set_tlsext_host_name(c.ssl, "mail.kunde.example");
		assert_int_equal(SSL_connect(c.ssl), 1);
		cn_of(&c, cn, sizeof(cn));
		assert_string_equal(cn, want[i]);
		cl_close(&c);
	}
	host_stop(&h);
}

static void
reload_while_sessions_run(void **state)
{
	struct err e;
	struct cl old;

	(void)state;
	tls_host();
	host_start(&h, -1);
	old = cl_open("a.wild.example", TLS1_3_VERSION);
	assert_true(cl_echo(&old, 1000));
	assert_int_equal(
	    tls_server_reload(h.tls, SLICE("junk"), &e), ERR_CORRUPT);
	assert_cn(NULL, "default");
	assert_int_equal(tls_server_reload(h.tls, buf_slice(&bundle2), &e), 0);
	assert_cn(NULL, "second");
	assert_cn("a.wild.example", "second");
	assert_true(cl_echo(&old, 100000));
	cl_close(&old);
	host_stop(&h);
}

/* Records of two sessions gather in one block: none may end up with the
 * other's peer. */
static void
input_gossip(struct conn *c)
{
	for (struct peer *p = peer_of(c)->host->peers; p != NULL; p = p->next)
		for (int i = 0; i < 3; i++) {
			conn_write(&p->conn, buf_slice(&c->in));
			conn_write(c, SLICE("."));
		}
	conn_consume(c, buf_len(&c->in));
}

static void
writing_to_each_other(void **state)
{
	struct cl a, b;
	char in[20];

	(void)state;
	tls_host();
	h.ops.input = input_gossip;
	host_start(&h, -1);
	a = cl_open(NULL, TLS1_3_VERSION);
	b = cl_open(NULL, TLS1_2_VERSION);
	assert_true(host_wait(&h.secured, 2));
	assert_true(cl_write(&a, "x", 1));
	assert_int_equal(cl_read(&b, in, 3), 3);
	assert_memory_equal(in, "xxx", 3);
	assert_int_equal(cl_read(&a, in, 9), 9);
	assert_non_null(memchr(in, 'x', 9));
	cl_close(&a);
	cl_close(&b);
	host_stop(&h);
}

/* ---- STARTTLS ---- */

static void
input_starttls(struct conn *c)
{
	struct host *host = peer_of(c)->host;
	struct slice s = buf_slice(&c->in);
	size_t at = slice_chr(s, '\n');

	if (conn_is_tls(c)) {
		host_input(c);
		return;
	}
	if (at == s.n)
		return;
	conn_consume(c, at + 1);
	conn_write(c, SLICE("220 go\r\n"));
	atomic_store(&host->last_rc, conn_tls_server(c, host->tls, 5000));
	if (atomic_load(&host->last_rc) != 0)
		conn_close(c);
}

static void
starttls(void **state)
{
	char in[8];
	struct cl c;

	(void)state;
	tls_host();
	h.begin = NULL;
	h.ops.input = input_starttls;
	host_start(&h, -1);
	c.fd = dial(h.port);
	assert_true(send_all(c.fd, "STARTTLS\r\n", 10));
	assert_int_equal(recv_upto(c.fd, in, 8), 8);
	assert_true(cl_handshake(&c, NULL, TLS1_3_VERSION));
	assert_true(cl_echo(&c, 50000));
	cl_close(&c);
	host_stop(&h);
}

/* Bytes behind STARTTLS: refused, nothing of them is ever executed. */
static void
starttls_injection(void **state)
{
	char in[100];
	int fd;

	(void)state;
	tls_host();
	h.begin = NULL;
	h.ops.input = input_starttls;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_true(send_all(fd, "STARTTLS\r\nNOOP\r\n", 16));
	assert_int_equal(recv_upto(fd, in, sizeof(in)), 8);
	assert_int_equal(h.last_rc, ERR_INVALID);
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	host_stop(&h);
}

/* ---- trouble ---- */

/* Bad handshakes of A never show on B (CLIENTS T1). */
static void
bad_handshakes_beside_good_sessions(void **state)
{
	static const char *const junk[] = { "GET / HTTP/1.0\r\n\r\n",
		"a1 CAPABILITY\r\n",
		"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\x00\x00\x00\x00",
		"\x16\x03\x01\xff\xff\xff", "\x15\x03\x01\x00\x02\x02\x28" };
	struct cl good;
	char in[64];
	int fd;

	(void)state;
	tls_host();
	host_start(&h, -1);
	good = cl_open(NULL, TLS1_3_VERSION);
	for (int i = 0; i < 100; i++) {
		const char *s = junk[(size_t)i % PH_LEN(junk)];
		size_t n = s[0] == '\x16' || s[0] == '\x15' ? 7 : strlen(s);

		fd = dial(h.port);
		assert_true(send_all(fd, s, n));
		shutdown(fd, SHUT_WR);
		(void)recv_upto(fd, in, sizeof(in));
		close(fd);
		assert_true(cl_echo(&good, 100));
	}
	assert_true(host_wait(&h.closed, 100));
	assert_int_equal(h.failed, 100);
	assert_true(cl_echo(&good, 1000));
	cl_close(&good);
	host_stop(&h);
}

static void
begin_tls_short(struct peer *p)
{
	if (conn_tls_server(&p->conn, p->host->tls, 150) != 0)
		atomic_fetch_add(&p->host->bad, 1);
}

static void
handshake_timeout(void **state)
{
	char in[1];
	int fd;

	(void)state;
	tls_host();
	h.begin = begin_tls_short;
	host_start(&h, -1);
	fd = dial(h.port);
	assert_int_equal(recv_upto(fd, in, 1), 0);
	assert_int_equal(h.last_rc, ERR_TIMEOUT);
	close(fd);
	assert_true(host_wait(&h.closed, 1));
	host_stop(&h);
}

/* Cut off in the middle of a record, and by reset. */
static void
cut_off(void **state)
{
	struct linger hard = { 1, 0 };
	struct cl c;

	(void)state;
	tls_host();
	host_start(&h, -1);
	c = cl_open(NULL, TLS1_3_VERSION);
	assert_true(cl_echo(&c, 10));
	assert_true(send_all(c.fd, "\x17\x03\x03\x01\x00half", 9));
	cl_close(&c);
	assert_true(host_wait(&h.closed, 1));
	c = cl_open(NULL, TLS1_3_VERSION);
	assert_true(cl_echo(&c, 10));
	setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	cl_close(&c);
	assert_true(host_wait(&h.closed, 2));
	c = cl_open(NULL, TLS1_3_VERSION);
	assert_true(cl_echo(&c, 10));
	assert_true(send_all(c.fd,
	    "\x17\x03\x03\x00\x20"
	    "this is no record of that session",
	    37));
	assert_true(SSL_read(c.ssl, (char[10]){ 0 }, 10) <= 0);
	assert_int_equal(
	    ERR_GET_REASON(ERR_peek_error()), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
	cl_close(&c);
	assert_true(host_wait(&h.closed, 3));
	assert_int_equal(h.eofs, 3);
	host_stop(&h);
	assert_int_equal(strncmp(h.reason, "TLS: ", 5), 0);
}

/* KeyUpdate without end (RFC 8446 4.6.3). */
static void
key_update_flood(void **state)
{
	struct cl c;
	char in[10];

	(void)state;
	tls_host();
	host_start(&h, -1);
	c = cl_open(NULL, TLS1_3_VERSION);
	for (int i = 0; i < 10; i++) {
		SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED);
		assert_true(cl_echo(&c, 10));
	}
	for (int i = 0; i < 200; i++) {
		SSL_key_update(c.ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		(void)SSL_do_handshake(c.ssl);
	}
	assert_int_equal(cl_read(&c, in, 1), 0);
	cl_close(&c);
	assert_true(host_wait(&h.closed, 1));
	host_stop(&h);
	assert_string_equal(h.reason, "TLS: too many key updates");
}

/* ---- flow ---- */

static void
on_slow_resume(struct loop_msg *m)
{
	struct peer *p = PH_CONTAINER(m, struct peer, msg);

	if (++p->left < 50)
		loop_post(p->conn.loop, m);
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
	char *out = pattern_new(MIB);
	struct cl c;

	(void)state;
	tls_host();
	h.in_max = 5000;
	h.ops.input = input_slow;
	host_start(&h, -1);
	c = cl_open(NULL, TLS1_3_VERSION);
	assert_true(cl_write(&c, out, MIB));
	SSL_shutdown(c.ssl);
	assert_int_equal(cl_read(&c, out, 1), 0);
	cl_close(&c);
	assert_true(host_wait(&h.closed, 1));
	assert_int_equal(h.got, MIB);
	assert_true(h.most <= 5000);
	host_stop(&h);
	free(out);
}

enum { CHUNK = 30000, CHUNKS = 600 };

static void
produce(struct conn *c)
{
	struct peer *p = peer_of(c);
	struct buf b;

	buf_init(&b, MIB);
	while (p->left < CHUNKS && !conn_full(c)) {
		for (size_t i = 0; i < CHUNK; i++)
			buf_add_char(&b, pattern(p->left * CHUNK + i));
		p->left++;
		conn_write_buf(c, &b);
		if (conn_queued(c) > atomic_load(&p->host->most))
			atomic_store(&p->host->most, conn_queued(c));
	}
	if (p->left == CHUNKS)
		conn_close(c);
	buf_fini(&b);
}

static void
input_produce(struct conn *c)
{
	conn_consume(c, buf_len(&c->in));
	produce(c);
}

/* Bounded while the client sleeps; the last byte, then close_notify. */
static void
queue_is_bounded(void **state)
{
	size_t n = (size_t)CHUNK * CHUNKS;
	char *want = pattern_new(n), *in = xmalloc(n + 1);
	struct cl c;

	(void)state;
	tls_host();
	h.high_water = 100000;
	h.ops.input = input_produce;
	h.ops.drained = produce;
	host_start(&h, -1);
	c = cl_open(NULL, TLS1_3_VERSION);
	assert_true(cl_write(&c, "go", 2));
	assert_true(host_reach(&h.most, 100000));
	usleep(100000);
	assert_true(h.most <= 100000 + CHUNK + 1000);
	assert_int_equal(cl_read(&c, in, n + 1), n);
	assert_memory_equal(in, want, n);
	assert_int_equal(SSL_get_shutdown(c.ssl), SSL_RECEIVED_SHUTDOWN);
	cl_close(&c);
	assert_true(host_wait(&h.closed, 1));
	host_stop(&h);
	free(in);
	free(want);
}

/* ---- channel binding ---- */

struct bindings {
	uint8_t exp[64], end[64];
	size_t nexp, nend;
	char name[64], sni[64];
};

static struct bindings seen;

static void
input_bindings(struct conn *c)
{
	seen.nexp =
	    conn_tls_binding(c, "tls-exporter", seen.exp, sizeof(seen.exp));
	seen.nend = conn_tls_binding(
	    c, "tls-server-end-point", seen.end, sizeof(seen.end));
	conn_tls_name(c, seen.name, sizeof(seen.name));
	(void)snprintf(seen.sni, sizeof(seen.sni), "%s", conn_tls_sni(c));
	if (conn_tls_binding(c, "tls-unique", seen.end, 64) != 0)
		atomic_fetch_add(&peer_of(c)->host->bad, 1);
	host_input(c);
}

static void
channel_bindings(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	static const char label[] = "EXPORTER-Channel-Binding";
	uint8_t want[64];
	unsigned n;

	(void)state;
	tls_host();
	h.ops.input = input_bindings;
	host_start(&h, -1);
	for (size_t i = 0; i < 2; i++) {
		struct cl c = cl_open("a.wild.example", versions[i]);

		assert_true(cl_echo(&c, 5));
		assert_int_equal(seen.nexp, 32);
		assert_int_equal(SSL_export_keying_material(c.ssl, want, 32,
				     label, strlen(label), NULL, 0, 0),
		    1);
		assert_memory_equal(seen.exp, want, 32);
		assert_int_equal(seen.nend, 32);
		X509_digest(
		    SSL_get0_peer_certificate(c.ssl), EVP_sha256(), want, &n);
		assert_memory_equal(seen.end, want, 32);
		assert_string_equal(seen.sni, "a.wild.example");
		assert_int_equal(
		    strncmp(seen.name, i == 0 ? "TLSv1.2 " : "TLSv1.3 ", 8), 0);
		cl_close(&c);
	}
	host_stop(&h);
}

/* ---- our own client ---- */

struct caller {
	struct conn conn;
	struct loop *loop;
	struct tls_client *tls;
	const char *name;
	int rc;
	size_t got;
	unsigned secured, closes;
	char text[200];
};

static struct caller *
caller_of(struct conn *c)
{
	return PH_CONTAINER(c, struct caller, conn);
}

static void
caller_connected(struct conn *c, int rc, const struct err *e)
{
	struct caller *k = caller_of(c);

	(void)e;
	assert_int_equal(rc, 0);
	assert_int_equal(conn_tls_client(c, k->tls, k->name, 5000), 0);
}

static void
caller_secured(struct conn *c, int rc, const struct err *e)
{
	struct caller *k = caller_of(c);
	char *p;

	k->secured++;
	k->rc = rc;
	if (rc != 0) {
		(void)snprintf(k->text, sizeof(k->text), "%s", e->text);
		conn_close(c);
		return;
	}
	p = pattern_new(50000);
	conn_write(c, slice_of(p, 50000));
	free(p);
}

static void
caller_input(struct conn *c)
{
	struct caller *k = caller_of(c);

	k->got += buf_len(&c->in);
	conn_consume(c, buf_len(&c->in));
	if (k->got == 50000)
		conn_close(c);
}

static void
caller_eof(struct conn *c)
{
	conn_close(c);
}

static void
caller_closed(struct conn *c)
{
	caller_of(c)->closes++;
	loop_stop(caller_of(c)->loop);
}

static const struct conn_ops caller_ops = { caller_input, caller_eof,
	caller_secured, caller_eof, caller_eof, caller_connected,
	caller_closed };

static struct caller
call(struct tls_client *tls, const char *name)
{
	static struct caller k;
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)h.port) };

	memset(&k, 0, sizeof(k));
	k.tls = tls;
	k.name = name;
	assert_int_equal(loop_new(&k.loop), 0);
	assert_int_equal(conn_connect(&k.conn, k.loop, (struct sockaddr *)&to,
			     NULL, 5000, &caller_ops, 65536, 65536),
	    0);
	loop_run(k.loop);
	loop_free(&k.loop);
	assert_int_equal(k.secured, 1);
	assert_int_equal(k.closes, 1);
	return k;
}

static void
write_ca(char *path)
{
	struct buf pem;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	buf_init(&pem, MIB);
	cert_pem(&ca, &pem);
	assert_int_equal(write(fd, buf_slice(&pem).p, buf_len(&pem)),
	    (ssize_t)buf_len(&pem));
	close(fd);
	buf_fini(&pem);
}

static void
our_client(void **state)
{
	char path[] = "/tmp/posthof-test-ca-XXXXXX";
	struct tls_client *strict, *lax, *none;
	struct caller k;
	struct err e;

	(void)state;
	tls_host();
	host_start(&h, -1);
	write_ca(path);
	assert_int_equal(tls_client_new(path, true, &strict, &e), 0);
	assert_int_equal(tls_client_new("", false, &lax, &e), 0);
	assert_int_equal(
	    tls_client_new("/nonexistent", true, &none, &e), ERR_TLS);
	assert_null(none);
	unlink(path);
	k = call(strict, "mail.kunde.example");
	assert_int_equal(k.rc, 0);
	assert_int_equal(k.got, 50000);
	k = call(strict, "mail.kunde.example"); /* resumed */
	assert_int_equal(k.got, 50000);
	k = call(strict, "other.example");
	assert_int_equal(k.rc, ERR_TLS);
	assert_string_equal(k.text, "TLS: hostname mismatch");
	k = call(strict, "127.0.0.1");
	assert_int_equal(k.rc, ERR_TLS);
	k = call(lax, "other.example");
	assert_int_equal(k.rc, 0);
	assert_int_equal(k.got, 50000);
	k = call(lax, "127.0.0.1");
	assert_int_equal(k.got, 50000);
	tls_client_free(&lax);
	tls_client_free(&strict);
	host_stop(&h);
}

/* ---- memory ---- */

static size_t
rss_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long all = 0, rss = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &all, &rss), 2);
	fclose(f);
	return rss * 4;
}

/* A child keeps the sessions open until our end of the pipe closes. */
static void
dial_many(int n, int ready, int stay)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char x = 'x', in[4096], out[4096] = "hello";

	for (int i = 0; i < n; i++) {
		SSL *ssl = SSL_new(ctx);
		size_t all = 0;
		int r;

		SSL_set_fd(ssl, dial(h.port));
		if (SSL_connect(ssl) != 1 ||
		    SSL_write(ssl, out, sizeof(out)) != sizeof(out))
			_exit(1);
		while (all < sizeof(in)) {
			if ((r = SSL_read(ssl, in, sizeof(in))) <= 0)
				_exit(1);
			all += (size_t)r;
		}
	}
	if (write(ready, &x, 1) != 1 || read(stay, &x, 1) != 0)
		_exit(1);
	_exit(0);
}

static void
input_idle(struct conn *c)
{
	host_input(c);
	buf_shrink(&c->in);
}

static void
memory_of_idle_sessions(void **state)
{
	int ready[2], stay[2], status;
	struct rlimit lim;
	size_t before, after;
	pid_t pid;
	char x;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max < 5000 ? lim.rlim_max : 5000;
	setrlimit(RLIMIT_NOFILE, &lim);
	if (lim.rlim_cur < (rlim_t)IDLE_SESSIONS + 50)
		skip();
	tls_host();
	h.ops.input = input_idle;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(stay), 0);
	host_start(&h, -1);
	assert_cn(NULL, "default"); /* what is paid once */
	before = rss_kib();
	if ((pid = fork()) == 0) {
		close(stay[1]);
		dial_many(IDLE_SESSIONS, ready[1], stay[0]);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &x, 1), 1);
	assert_true(host_wait(&h.secured, IDLE_SESSIONS + 1));
	after = rss_kib();
	print_message("             %d idle TLS sessions: %.1f KiB each\n",
	    IDLE_SESSIONS, (double)(after - before) / IDLE_SESSIONS);
	close(stay[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(host_wait(&h.closed, IDLE_SESSIONS + 1));
	close(ready[0]);
	close(stay[0]);
	host_stop(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_both_versions),
		cmocka_unit_test(old_versions_are_refused),
		cmocka_unit_test(certificate_by_name),
		cmocka_unit_test(rsa_beside_ecdsa),
		cmocka_unit_test(reload_while_sessions_run),
		cmocka_unit_test(writing_to_each_other),
		cmocka_unit_test(starttls),
		cmocka_unit_test(starttls_injection),
		cmocka_unit_test(bad_handshakes_beside_good_sessions),
		cmocka_unit_test(handshake_timeout),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(key_update_flood),
		cmocka_unit_test(ceiling_of_input),
		cmocka_unit_test(queue_is_bounded),
		cmocka_unit_test(channel_bindings),
		cmocka_unit_test(our_client),
		cmocka_unit_test(memory_of_idle_sessions),
	};

	return cmocka_run_group_tests(tests, make_certs, free_certs);
}
