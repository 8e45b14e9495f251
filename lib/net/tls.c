#include "lib/net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/crypt/bundle.h"

enum {
	SERVER_SESSIONS = 8192, /* about 1 KiB each */
	SESSION_SEC = 7200,
	CLIENT_SESSIONS = 256,
	MAX_KEY_UPDATES = 64, /* without application data between */
	MAX_NAME = 255
};

/* What a session holds on to: one set of certificates, or a client. */
struct tls_hold {
	atomic_uint refs;
	BIO_METHOD *method;
	SSL_CTX *first;       /* the default certificate; client: the only */
	struct map by_name;   /* server: SNI name to its own SSL_CTX */
	pthread_mutex_t lock; /* client: of sessions */
	struct map sessions;  /* client: name to SSL_SESSION */
	bool verify;
};

struct tls_server {
	pthread_mutex_t lock; /* of set */
	struct tls_hold *set;
	struct tickets tickets;
};

struct tls_client {
	struct tls_hold *hold;
};

/* ---- holds ---- */

static void
free_ctx(void *ctx)
{
	SSL_CTX_free(ctx);
}

static void
free_session(void *session)
{
	SSL_SESSION_free(session);
}

static struct tls_hold *
hold_new(void)
{
	struct tls_hold *h = xcalloc(1, sizeof(*h));

	atomic_store(&h->refs, 1);
	pthread_mutex_init(&h->lock, NULL);
	map_init(&h->by_name);
	map_init(&h->sessions);
	h->method = tls_io_method();
	return h;
}

static struct tls_hold *
hold_get(struct tls_hold *h)
{
	atomic_fetch_add(&h->refs, 1);
	return h;
}

void
tls_hold_drop(struct tls_hold **hp)
{
	struct tls_hold *h = *hp;

	*hp = NULL;
	if (h == NULL || atomic_fetch_sub(&h->refs, 1) != 1)
		return;
	map_fini(&h->by_name, free_ctx);
	map_fini(&h->sessions, free_session);
	SSL_CTX_free(h->first);
	BIO_meth_free(h->method);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

/* libssl's own words go to the log only. */
static int
fail(struct err *e, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = code != 0 ? ERR_reason_error_string(code) : NULL;

	(void)err_set(e, ERR_TLS, "%s", what);
	err_detail(e, "%s: %s", what, why != NULL ? why : "no reason given");
	ERR_clear_error();
	return ERR_TLS;
}

/* ---- both sides ---- */

/* libssl sets no limit to KeyUpdate (RFC 8446 4.6.3); application data in
 * between resets the count, so a long session never reaches it. */
static void
on_message(int write_p, int version, int type, const void *p, size_t n,
    SSL *ssl, void *arg)
{
	uintptr_t seen, was;

	(void)version;
	(void)arg;
	if (write_p || n == 0)
		return;
	seen = was = (uintptr_t)SSL_get_app_data(ssl);
	if (type == SSL3_RT_HANDSHAKE &&
	    *(const uint8_t *)p == SSL3_MT_KEY_UPDATE)
		seen++;
	else if (type == SSL3_RT_INNER_CONTENT_TYPE &&
		 *(const uint8_t *)p == SSL3_RT_APPLICATION_DATA)
		seen = 0;
	if (seen != was)
		SSL_set_app_data(ssl, (void *)seen);
}

bool
tls_flooded(SSL *ssl)
{
	return (uintptr_t)SSL_get_app_data(ssl) > MAX_KEY_UPDATES;
}

static SSL_CTX *
ctx_new(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx == NULL)
		return NULL;
	if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
				  SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_msg_callback(ctx, on_message);
	return ctx;
}

static SSL *
session_new(struct tls_hold *h, struct tls_io *io, struct tls_hold **hold_out)
{
	SSL *ssl = NULL;
	BIO *bio;

	*hold_out = NULL;
	ERR_clear_error();
	if (h->method == NULL || (bio = BIO_new(h->method)) == NULL)
		goto out;
	BIO_set_data(bio, io);
	if ((ssl = SSL_new(h->first)) == NULL) {
		BIO_free(bio);
		goto out;
	}
	SSL_set_bio(ssl, bio, bio);
	*hold_out = hold_get(h);
out:
	ERR_clear_error();
	return ssl;
}

/* ---- server ---- */

/* Lower case and without the final dot; false when it is no host name. */
static bool
fold_name(struct slice name, char out[MAX_NAME + 1], struct slice *out_slice)
{
	if (name.n != 0 && name.p[name.n - 1] == '.')
		name.n--;
	if (name.n == 0 || name.n > MAX_NAME)
		return false;
	for (size_t i = 0; i < name.n; i++)
		out[i] = ascii_lower(name.p[i]);
	*out_slice = slice_of(out, name.n);
	return true;
}

/* The name itself, then "*.parent" (RFC 9525 6.3: one label only). */
static SSL_CTX *
choose(const struct tls_hold *set, const char *name)
{
	char folded[MAX_NAME + 1];
	struct slice s;
	SSL_CTX *ctx;
	size_t dot;

	if (!fold_name(slice_str(name), folded, &s))
		return NULL;
	if ((ctx = map_get(&set->by_name, s)) != NULL)
		return ctx;
	dot = slice_chr(s, '.');
	if (dot == 0 || dot == s.n)
		return NULL;
	folded[dot - 1] = '*';
	return map_get(&set->by_name, slice_from(s, dot - 1));
}

static int
on_servername(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_CTX *ctx;

	(void)alert;
	if (name == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	/* An unknown name gets the default: the client judges it better than
	 * we can, and old clients send odd names. */
	if ((ctx = choose(arg, name)) != NULL)
		(void)SSL_set_SSL_CTX(ssl, ctx);
	return SSL_TLSEXT_ERR_OK;
}

/*
 * Of what the client offers, the order is ours: AES-128 with SHA-256 first,
 * which is what RFC 8446 9.1 says everybody must have.  A handshake costs 20
 * us (of 250) less than with the 256 and 384 bits that OpenSSL's clients ask
 * for first, nearly all of it in the key schedule.  ChaCha20 for who puts it
 * first, as phones without AES in hardware do.
 */
static bool
prefer(SSL_CTX *ctx)
{
	SSL_CTX_set_options(
	    ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	return SSL_CTX_set_ciphersuites(ctx,
		   "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
		   "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
	       SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM+AES128:DEFAULT") == 1;
}

static SSL_CTX *
server_ctx(void)
{
	static const unsigned char id[] = "posthof";
	SSL_CTX *ctx = ctx_new(TLS_server_method());

	if (ctx == NULL)
		return NULL;
	if (!prefer(ctx)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	(void)SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
	(void)SSL_CTX_sess_set_cache_size(ctx, SERVER_SESSIONS);
	/* Each resumption brings a new one: two are for programs that open
	 * several connections at once. */
	(void)SSL_CTX_set_num_tickets(ctx, 1);
	/* A ticket is the number of a session that is kept here, for TLS 1.3
	 * (RFC 8446 4.6.1) as session ids are for 1.2: to write all of it into
	 * the ticket and to encrypt that costs 30 us a handshake, and a key
	 * that would open them all. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_timeout(ctx, SESSION_SEC);
	return ctx;
}

/* Never asks on a terminal for a passphrase. */
static int
no_passphrase(char *out, int cap, int rw, void *arg)
{
	(void)out;
	(void)cap;
	(void)rw;
	(void)arg;
	return 0;
}

static int
add_chain(SSL_CTX *ctx, BIO *in, struct err *e)
{
	X509 *cert = PEM_read_bio_X509_AUX(in, NULL, no_passphrase, NULL);
	int ok;

	if (cert == NULL)
		return fail(e, "no certificate in the chain file");
	ok = SSL_CTX_use_certificate(ctx, cert) &&
	     SSL_CTX_clear_chain_certs(ctx);
	X509_free(cert);
	while (ok) {
		cert = PEM_read_bio_X509(in, NULL, no_passphrase, NULL);
		if (cert == NULL)
			break;
		if ((ok = (int)SSL_CTX_add0_chain_cert(ctx, cert)) == 0)
			X509_free(cert);
	}
	if (!ok)
		return fail(e, "certificate cannot be used");
	/* The loop ends at "no start line"; anything else is damage. */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return fail(e, "damaged certificate in the chain file");
	ERR_clear_error();
	return 0;
}

static int
add_key(SSL_CTX *ctx, BIO *in, struct err *e)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
	int ok;

	if (key == NULL)
		return fail(e, "no usable private key");
	ok = SSL_CTX_use_PrivateKey(ctx, key) && SSL_CTX_check_private_key(ctx);
	EVP_PKEY_free(key);
	return ok ? 0 : fail(e, "private key does not fit the certificate");
}

static int
load_pair(SSL_CTX *ctx, const struct bundle_entry *b, struct err *e)
{
	BIO *chain, *key;
	int rc;

	if (b->chain_pem.n > INT32_MAX || b->key_pem.n > INT32_MAX)
		return err_set(e, ERR_TOOBIG, "certificate is too big");
	ERR_clear_error();
	chain = BIO_new_mem_buf(b->chain_pem.p, (int)b->chain_pem.n);
	key = BIO_new_mem_buf(b->key_pem.p, (int)b->key_pem.n);
	if (chain == NULL || key == NULL)
		rc = fail(e, "out of memory");
	else if ((rc = add_chain(ctx, chain, e)) == 0)
		rc = add_key(ctx, key, e);
	BIO_free(chain);
	BIO_free(key);
	return rc;
}

/* A second entry of one name adds a key of another kind (RSA, ECDSA). */
static int
add_entry(struct tls_hold *set, const struct bundle_entry *b, struct err *e)
{
	bool is_default = slice_eq(b->name, SLICE("*"));
	char folded[MAX_NAME + 1];
	SSL_CTX *ctx = NULL;
	struct slice name;

	if (is_default) {
		ctx = set->first;
	} else {
		if (!fold_name(b->name, folded, &name))
			return err_set(e, ERR_INVALID, "bad certificate name");
		ctx = map_get(&set->by_name, name);
	}
	if (ctx == NULL) {
		if ((ctx = server_ctx()) == NULL)
			return fail(e, "no TLS context");
		if (is_default)
			set->first = ctx;
		else
			(void)map_put(&set->by_name, name, ctx);
	}
	return load_pair(ctx, b, e);
}

static int
set_load(struct slice bundle, struct tls_hold **set_out, struct err *e)
{
	struct tls_hold *set = hold_new();
	struct bundle_entry b;
	struct slice rest = bundle;
	char name[64];
	bool bad;
	int rc = 0;

	*set_out = NULL;
	while (rc == 0 && bundle_next(&rest, &b, &bad))
		if ((rc = add_entry(set, &b, e)) != 0 && e != NULL &&
		    slice_copy(slice_sub(b.name, 0, 60), name, sizeof(name)))
			err_detail(e, "name=%s %s", name, e->text);
	if (rc == 0 && bad)
		rc = err_set(e, ERR_CORRUPT, "certificate bundle is damaged");
	if (rc == 0 && (set->first == NULL || set->method == NULL))
		rc = err_set(e, ERR_INVALID, "no default certificate");
	if (rc == 0) {
		(void)SSL_CTX_set_tlsext_servername_callback(
		    set->first, on_servername);
		(void)SSL_CTX_set_tlsext_servername_arg(set->first, set);
		*set_out = set;
		return 0;
	}
	tls_hold_drop(&set);
	return rc;
}

int
tls_server_new(struct slice bundle, struct tls_server **tls_out, struct err *e)
{
	struct tls_server *t;
	struct tls_hold *set;
	int rc;

	*tls_out = NULL;
	if ((rc = set_load(bundle, &set, e)) != 0)
		return rc;
	t = xcalloc(1, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	t->set = set;
	*tls_out = t;
	return 0;
}

int
tls_server_reload(struct tls_server *tls, struct slice bundle, struct err *e)
{
	struct tls_hold *set, *old;
	int rc;

	if ((rc = set_load(bundle, &set, e)) != 0)
		return rc;
	pthread_mutex_lock(&tls->lock);
	old = tls->set;
	tls->set = set;
	pthread_mutex_unlock(&tls->lock);
	tls_hold_drop(&old);
	return 0;
}

void
tls_server_free(struct tls_server **tp)
{
	struct tls_server *t = *tp;

	if (t == NULL)
		return;
	*tp = NULL;
	tls_hold_drop(&t->set);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

struct tickets *
tls_server_tickets(struct tls_server *tls)
{
	return &tls->tickets;
}

SSL *
tls_server_session(
    struct tls_server *tls, struct tls_io *io, struct tls_hold **hold_out)
{
	struct tls_hold *set;
	SSL *ssl;

	pthread_mutex_lock(&tls->lock);
	set = hold_get(tls->set);
	pthread_mutex_unlock(&tls->lock);
	if ((ssl = session_new(set, io, hold_out)) != NULL)
		SSL_set_accept_state(ssl);
	tls_hold_drop(&set);
	return ssl;
}

/* ---- client ---- */

/* The name rides in the SSL's own host name field. */
static int
on_new_session(SSL *ssl, SSL_SESSION *s)
{
	struct tls_hold *h = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	SSL_SESSION *old = s;

	if (h == NULL || name == NULL)
		return 0;
	pthread_mutex_lock(&h->lock);
	if (h->sessions.n < CLIENT_SESSIONS ||
	    map_get(&h->sessions, slice_str(name)) != NULL)
		old = map_put(&h->sessions, slice_str(name), s);
	pthread_mutex_unlock(&h->lock);
	if (old == s)
		return 0; /* full: not kept, libssl frees its own */
	SSL_SESSION_free(old);
	return 1; /* the reference is ours */
}

static int
client_trust(SSL_CTX *ctx, const char *ca_file, struct err *e)
{
	int ok;

	if (ca_file == NULL || ca_file[0] == '\0')
		ok = SSL_CTX_set_default_verify_paths(ctx);
	else
		ok = SSL_CTX_load_verify_file(ctx, ca_file);
	return ok ? 0 : fail(e, "CA certificates cannot be read");
}

int
tls_client_new(const char *ca_file, bool verify, struct tls_client **tls_out,
    struct err *e)
{
	struct tls_hold *h = hold_new();
	int rc;

	*tls_out = NULL;
	ERR_clear_error();
	h->verify = verify;
	h->first = ctx_new(TLS_client_method());
	if (h->first == NULL || h->method == NULL)
		rc = fail(e, "no TLS context");
	else
		rc = client_trust(h->first, ca_file, e);
	if (rc != 0) {
		tls_hold_drop(&h);
		return rc;
	}
	SSL_CTX_set_verify(
	    h->first, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	(void)SSL_CTX_set_session_cache_mode(
	    h->first, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(h->first, on_new_session);
	SSL_CTX_set_app_data(h->first, h);
	*tls_out = xcalloc(1, sizeof(**tls_out));
	(*tls_out)->hold = h;
	return 0;
}

void
tls_client_free(struct tls_client **tp)
{
	struct tls_client *t = *tp;

	if (t == NULL)
		return;
	*tp = NULL;
	tls_hold_drop(&t->hold);
	free(t);
}

static void
resume(struct tls_hold *h, SSL *ssl, const char *name)
{
	SSL_SESSION *s;

	pthread_mutex_lock(&h->lock);
	s = map_del(&h->sessions, slice_str(name));
	pthread_mutex_unlock(&h->lock);
	/* A ticket is used once (RFC 8446 C.4); the peer sends the next. */
	if (s != NULL && SSL_SESSION_is_resumable(s))
		(void)SSL_set_session(ssl, s);
	SSL_SESSION_free(s);
}

/* False when the name cannot be checked as demanded. */
static bool
set_peer_name(struct tls_hold *h, SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	struct in6_addr any;

	if (name == NULL || name[0] == '\0')
		return !h->verify;
	/* RFC 6066 3: no addresses in SNI. */
	if (inet_pton(AF_INET, name, &any) == 1 ||
	    inet_pton(AF_INET6, name, &any) == 1)
		return !h->verify ||
		       X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	if (SSL_set_tlsext_host_name(ssl, name) != 1)
		return false;
	resume(h, ssl, name);
	if (!h->verify)
		return true;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1;
}

SSL *
tls_client_session(struct tls_client *tls, const char *name, struct tls_io *io,
    struct tls_hold **hold_out)
{
	SSL *ssl = session_new(tls->hold, io, hold_out);

	if (ssl == NULL)
		return NULL;
	SSL_set_connect_state(ssl);
	if (set_peer_name(tls->hold, ssl, name))
		return ssl;
	ERR_clear_error();
	SSL_free(ssl);
	tls_hold_drop(hold_out);
	return NULL;
}
