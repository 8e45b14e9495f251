#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/net/tls.h"
#include "tests/unit/cert.h"

enum { BIG = 1 << 20 };

static struct cert ca, one, two;

static int
make_certs(void **state)
{
	(void)state;
	ca = cert_new("test CA", NULL, NULL, false);
	one = cert_new("one", "DNS:one.example", &ca, false);
	two = cert_new("two", "DNS:two.example", &ca, false);
	return 0;
}

static int
free_certs(void **state)
{
	(void)state;
	cert_free(&ca);
	cert_free(&one);
	cert_free(&two);
	return 0;
}

/* ---- two ends that talk in memory ---- */

struct end {
	struct tls_io io;
	struct buf out;
	SSL *ssl;
	struct tls_hold *hold;
};

static void
end_out(struct tls_io *io, struct slice s)
{
	buf_add_slice(&PH_CONTAINER(io, struct end, io)->out, s);
}

static void
end_init(struct end *e)
{
	e->io = (struct tls_io){ SLICE(""), end_out };
	buf_init(&e->out, BIG);
}

static void
end_fini(struct end *e)
{
	SSL_set_shutdown(e->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(e->ssl);
	tls_hold_drop(&e->hold);
	buf_fini(&e->out);
}

/* Gives `to` what `from` has written and lets it go on. */
static int
step(struct end *to, struct end *from)
{
	struct buf bytes;
	char data[100];
	int rc;

	buf_init(&bytes, BIG);
	buf_move(&bytes, &from->out);
	to->io.in = buf_slice(&bytes);
	rc = SSL_do_handshake(to->ssl);
	if (rc == 1)
		(void)SSL_read(to->ssl, data, sizeof(data));
	to->io.in = SLICE("");
	buf_fini(&bytes);
	return rc;
}

/* Both are through; tickets have come. */
static bool
meet(struct end *c, struct end *s)
{
	int client = 0, server = 0;

	for (int i = 0; i < 6; i++) {
		client = step(c, s);
		server = step(s, c);
	}
	ERR_clear_error();
	return client == 1 && server == 1;
}

static bool
resumed(struct tls_server *server, struct tls_client *client, const char *name)
{
	struct end c, s;
	bool again;

	end_init(&c);
	end_init(&s);
	s.ssl = tls_server_session(server, &s.io, &s.hold);
	c.ssl = tls_client_session(client, name, &c.io, &c.hold);
	assert_non_null(s.ssl);
	assert_non_null(c.ssl);
	assert_true(meet(&c, &s));
	again = SSL_session_reused(c.ssl);
	assert_int_equal(SSL_session_reused(s.ssl), again);
	end_fini(&c);
	end_fini(&s);
	return again;
}

static void
sessions_are_resumed_by_name(void **state)
{
	struct tls_server *server;
	struct tls_client *client;
	struct buf bundle;
	struct err e;

	(void)state;
	buf_init(&bundle, BIG);
	cert_pack(&one, &ca, "*", &bundle);
	cert_pack(&two, &ca, "two.example", &bundle);
	assert_int_equal(tls_server_new(buf_slice(&bundle), &server, &e), 0);
	assert_int_equal(tls_client_new("", false, &client, &e), 0);
	assert_false(resumed(server, client, "one.example"));
	assert_true(resumed(server, client, "one.example"));
	assert_false(resumed(server, client, "two.example"));
	assert_true(resumed(server, client, "two.example"));
	assert_true(resumed(server, client, "one.example"));
	assert_false(resumed(server, client, "192.0.2.1"));
	assert_false(resumed(server, client, "192.0.2.1"));
	/* New keys for tickets after a reload: a whole handshake, no error. */
	assert_int_equal(tls_server_reload(server, buf_slice(&bundle), &e), 0);
	assert_false(resumed(server, client, "one.example"));
	assert_true(resumed(server, client, "one.example"));
	tls_server_free(&server);
	tls_client_free(&client);
	buf_fini(&bundle);
}

/* A hold outlives the server, the client and a reload. */
static void
sessions_outlive_their_makers(void **state)
{
	struct tls_server *server;
	struct tls_client *client;
	struct buf bundle;
	struct end c, s;
	struct err e;

	(void)state;
	buf_init(&bundle, BIG);
	cert_pack(&one, &ca, "*", &bundle);
	assert_int_equal(tls_server_new(buf_slice(&bundle), &server, &e), 0);
	assert_int_equal(tls_client_new(NULL, false, &client, &e), 0);
	end_init(&c);
	end_init(&s);
	s.ssl = tls_server_session(server, &s.io, &s.hold);
	c.ssl = tls_client_session(client, "one.example", &c.io, &c.hold);
	tls_server_free(&server);
	tls_server_free(&server);
	tls_client_free(&client);
	assert_true(meet(&c, &s));
	end_fini(&c);
	end_fini(&s);
	buf_fini(&bundle);
}

/* ---- bundles that are refused ---- */

static int
load(struct buf *bundle, struct err *e)
{
	struct tls_server *server;
	int rc = tls_server_new(buf_slice(bundle), &server, e);

	assert_int_equal(rc == 0, server != NULL);
	assert_int_equal(ERR_peek_error(), 0);
	tls_server_free(&server);
	buf_clear(bundle);
	return rc;
}

static void
pack_raw(
    struct buf *out, const char *name, struct slice chain, struct slice key)
{
	struct bundle_entry b = { slice_str(name), chain, key };

	bundle_add(out, &b);
}

static void
bad_bundles(void **state)
{
	struct cert mixed = { two.key, one.x };
	struct bundle_entry b;
	struct slice rest;
	struct buf bundle, good;
	struct err e;
	bool bad;

	(void)state;
	buf_init(&bundle, BIG);
	buf_init(&good, BIG);
	cert_pack(&one, &ca, "*", &good);
	rest = buf_slice(&good);
	assert_true(bundle_next(&rest, &b, &bad));
	assert_int_equal(load(&bundle, &e), ERR_INVALID); /* empty */
	buf_add_str(&bundle, "junk");
	assert_int_equal(load(&bundle, &e), ERR_CORRUPT);
	cert_pack(&mixed, NULL, "*", &bundle);
	assert_int_equal(load(&bundle, &e), ERR_TLS);
	cert_pack(&one, NULL, "no-default.example", &bundle);
	assert_int_equal(load(&bundle, &e), ERR_INVALID);
	pack_raw(&bundle, "*", SLICE("no PEM"), b.key_pem);
	assert_int_equal(load(&bundle, &e), ERR_TLS);
	pack_raw(&bundle, "*", b.chain_pem, SLICE(""));
	assert_int_equal(load(&bundle, &e), ERR_TLS);
	/* Cut in the second certificate of the chain. */
	pack_raw(&bundle, "*", slice_sub(b.chain_pem, 0, b.chain_pem.n - 60),
	    b.key_pem);
	assert_int_equal(load(&bundle, &e), ERR_TLS);
	pack_raw(&bundle, "*", b.chain_pem, b.key_pem);
	pack_raw(&bundle, "", b.chain_pem, b.key_pem);
	assert_int_equal(load(&bundle, &e), ERR_INVALID);
	pack_raw(&bundle, "*", b.chain_pem, b.key_pem);
	pack_raw(&bundle, "one.example.", b.chain_pem, b.key_pem);
	assert_int_equal(load(&bundle, &e), 0);
	buf_fini(&good);
	buf_fini(&bundle);
}

/* A key with a passphrase is refused without asking for it on a terminal. */
static void
key_with_passphrase(void **state)
{
	static char pass[] = "secret";
	struct buf bundle, chain, key;
	struct err e;
	BIO *b;

	(void)state;
	buf_init(&bundle, BIG);
	buf_init(&chain, BIG);
	buf_init(&key, BIG);
	cert_pem(&one, &chain);
	b = BIO_new(BIO_s_mem());
	assert_true(PEM_write_bio_PrivateKey(b, one.key, EVP_aes_128_cbc(),
	    (unsigned char *)pass, 6, NULL, NULL));
	cert_bio_to(b, &key);
	pack_raw(&bundle, "*", buf_slice(&chain), buf_slice(&key));
	assert_int_equal(load(&bundle, &e), ERR_TLS);
	buf_fini(&bundle);
	buf_fini(&chain);
	buf_fini(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_are_resumed_by_name),
		cmocka_unit_test(sessions_outlive_their_makers),
		cmocka_unit_test(bad_bundles),
		cmocka_unit_test(key_with_passphrase),
	};

	return cmocka_run_group_tests(tests, make_certs, free_certs);
}
