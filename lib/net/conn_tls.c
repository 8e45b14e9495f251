#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/net/conn_priv.h"

enum {
	RECORD = 16384, /* RFC 8446 5.1 */
	RECORD_ROOM = RECORD + 512,
	FIRST_READ = 512, /* a command; more is asked for when there */
	SPILL_MAX = 1 << 20
};

struct conn_tls {
	struct conn *conn;
	SSL *ssl;
	struct tls_hold *hold;
	struct tickets *tickets; /* a server's */
	struct tls_io io;
	struct buf spill; /* ciphertext kept while c->in is full */
	size_t held;      /* bytes in the loop's TLS block */
	struct buf first; /* to be said before all else */
	bool answered;    /* a server has sent its part of the handshake */
	bool up;          /* the handshake is done */
	bool dead;        /* libssl failed: not called any more */
};

/* Only the holder of the loop's block has bytes in it. */
static void
flush(struct conn_tls *t)
{
	size_t cap, n = t->held;

	if (n == 0)
		return;
	t->held = 0;
	*loop_tls_holder(t->conn->loop) = NULL;
	if (t->conn->state != CONN_CLOSED)
		conn_out_send(
		    t->conn, slice_of(loop_tls_block(t->conn->loop, &cap), n));
}

/* More is to be expected soon when the connection is corked. */
static void
flush_soon(struct conn_tls *t)
{
	if (!(t->conn->flags & CONN_F_CORKED))
		flush(t);
}

void
conn_tls_flush(struct conn *c)
{
	flush(c->priv->tls);
}

size_t
conn_tls_held(const struct conn *c)
{
	return c->priv->tls->held;
}

/* Records gather in the loop's block and leave in one write. */
static void
on_out(struct tls_io *io, struct slice s)
{
	struct conn_tls *t = PH_CONTAINER(io, struct conn_tls, io);
	struct conn_tls **holder = loop_tls_holder(t->conn->loop);
	size_t cap;
	char *block = loop_tls_block(t->conn->loop, &cap);

	if (*holder != NULL && *holder != t)
		flush(*holder);
	if (s.n > cap - t->held)
		flush(t);
	if (s.n > cap) {
		conn_out_send(t->conn, s);
		return;
	}
	*holder = t;
	memcpy(block + t->held, s.p, s.n);
	t->held += s.n;
}

/* Why libssl failed, and an empty error queue (CLIENTS T1). */
static const char *
drain_errors(const SSL *ssl)
{
	unsigned long code = ERR_peek_error();
	long verify = SSL_get_verify_result(ssl);
	const char *why = NULL;

	if (code != 0 &&
	    ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		why = X509_verify_cert_error_string(verify);
	else if (code != 0)
		why = ERR_reason_error_string(code);
	ERR_clear_error();
	return why != NULL ? why : "protocol error";
}

static void
die(struct conn_tls *t, const char *why)
{
	t->dead = true;
	conn_because(t->conn, "TLS: %s", why);
	t->conn->flags |= CONN_F_EOF;
	if (!t->up)
		conn_ended(t->conn, ERR_TLS, "TLS: %s", why);
}

/* RFC 8446 4.4.4: a server may speak behind its Finished, without having seen
 * the client's.  libssl has it as early data; none is taken. */
static int
answer(struct conn_tls *t)
{
	size_t n;
	char none;

	if (SSL_read_early_data(t->ssl, &none, 1, &n) !=
	    SSL_READ_EARLY_DATA_FINISH)
		return 0;
	t->answered = true;
	if (buf_len(&t->first) != 0 && !SSL_is_init_finished(t->ssl) &&
	    SSL_write_early_data(
		t->ssl, buf_slice(&t->first).p, buf_len(&t->first), &n) == 1)
		buf_fini(&t->first);
	return SSL_do_handshake(t->ssl);
}

/* The client's Finished is acknowledged at once when nothing of ours follows
 * it (no ticket, the greeting told before): else one that writes by Nagle's
 * algorithm keeps its first command for the 40 ms of a delayed ACK. */
static void
acknowledge(struct conn_tls *t)
{
	uv_os_fd_t fd;
	int on = 1;

	if (t->tickets != NULL && SSL_get_num_tickets(t->ssl) == 0 &&
	    uv_fileno((uv_handle_t *)&t->conn->h.stream, &fd) == 0)
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static void
came_up(struct conn_tls *t)
{
	t->up = true;
	acknowledge(t);
	if (t->tickets != NULL)
		ticket_done(t->tickets, slice_str(t->conn->peer_ip),
		    SSL_session_reused(t->ssl));
	if (buf_len(&t->first) != 0) /* TLS 1.2 */
		conn_tls_write(t->conn, buf_slice(&t->first));
	buf_fini(&t->first);
	conn_ended(t->conn, 0, "%s", "");
}

static void
handshake(struct conn_tls *t)
{
	bool begins = t->tickets != NULL && !t->answered;
	int rc, kind;

	ERR_clear_error();
	if ((rc = begins ? answer(t) : SSL_do_handshake(t->ssl)) == 1) {
		came_up(t);
		ERR_clear_error();
		return;
	}
	kind = SSL_get_error(t->ssl, rc);
	if (kind == SSL_ERROR_WANT_READ)
		ERR_clear_error();
	else
		die(t, drain_errors(t->ssl));
}

static size_t
room_for_plain(const struct conn *c)
{
	if (c->priv->zip != NULL && conn_zip_waiting(c))
		return 0;
	return conn_room(c);
}

static bool
read_plain(struct conn_tls *t)
{
	struct conn *c = t->conn;
	int pending = SSL_pending(t->ssl);
	size_t want = pending > 0 ? (size_t)pending : FIRST_READ, got = 0;
	char *to;

	if (want > conn_room(c))
		want = conn_room(c);
	to = buf_reserve(&c->in, want);
	if (SSL_read_ex(t->ssl, to, want, &got) != 1)
		return false;
	buf_advance(&c->in, got);
	c->stats.bytes_in += got;
	c->flags |= CONN_F_NEWS;
	return true;
}

static bool
read_packed(struct conn_tls *t)
{
	char block[FIRST_READ * 8];
	size_t got = 0;

	if (SSL_read_ex(t->ssl, block, sizeof(block), &got) != 1)
		return false;
	conn_zip_feed(t->conn, slice_of(block, got));
	return true;
}

/* One SSL_read(); false when there is nothing more. */
static bool
read_some(struct conn_tls *t)
{
	struct conn *c = t->conn;
	int kind;

	if (room_for_plain(c) == 0)
		return false;
	ERR_clear_error();
	if (c->priv->zip != NULL ? read_packed(t) : read_plain(t))
		return true;
	kind = SSL_get_error(t->ssl, 0);
	if (kind == SSL_ERROR_ZERO_RETURN)
		c->flags |= CONN_F_EOF;
	else if (kind != SSL_ERROR_WANT_READ)
		die(t, drain_errors(t->ssl));
	ERR_clear_error();
	return false;
}

/* May another SSL_read() bring anything? */
static bool
has_more(const struct conn_tls *t)
{
	return t->io.in.n != 0 || SSL_has_pending(t->ssl);
}

/* The one pump: everything libssl can do with the ciphertext in io.in.  All
 * calls may write too (alerts, tickets, key updates), hence the flush. */
static void
pump(struct conn_tls *t)
{
	struct conn *c = t->conn;

	if (!t->up && !t->dead)
		handshake(t);
	/* Not before the owner was told: he sets up his state there. */
	if (t->up && c->state == CONN_OPEN)
		while (!t->dead && !(c->flags & CONN_F_EOF) && read_some(t) &&
		       has_more(t))
			;
	if (!t->dead && tls_flooded(t->ssl))
		die(t, "too many key updates");
	flush_soon(t);
}

void
conn_tls_feed(struct conn *c, struct slice bytes)
{
	struct conn_tls *t = c->priv->tls;

	if (t->dead)
		return;
	if (buf_len(&t->spill) == 0) {
		t->io.in = bytes;
		pump(t);
		bytes = t->io.in;
		t->io.in = SLICE("");
	}
	if (bytes.n != 0 && !t->dead && !(c->flags & CONN_F_EOF))
		buf_add_slice(&t->spill, bytes);
	if (buf_failed(&t->spill))
		die(t, "input not consumed");
}

void
conn_tls_more(struct conn *c)
{
	struct conn_tls *t = c->priv->tls;
	size_t before = buf_len(&t->spill);

	if (t->dead || !conn_tls_waiting(c) || room_for_plain(c) == 0)
		return;
	t->io.in = buf_slice(&t->spill);
	pump(t);
	buf_consume(&t->spill, before - t->io.in.n);
	t->io.in = SLICE("");
	buf_shrink(&t->spill);
}

bool
conn_tls_waiting(const struct conn *c)
{
	const struct conn_tls *t = c->priv->tls;

	return !t->dead && (buf_len(&t->spill) != 0 || SSL_pending(t->ssl) > 0);
}

void
conn_tls_write(struct conn *c, struct slice s)
{
	struct conn_tls *t = c->priv->tls;
	size_t cap, done, n;

	(void)loop_tls_block(c->loop, &cap);
	while (s.n != 0 && !t->dead && !(c->flags & CONN_F_BROKEN)) {
		n = s.n < RECORD ? s.n : RECORD;
		ERR_clear_error();
		if (SSL_write_ex(t->ssl, s.p, n, &done) != 1) {
			die(t, drain_errors(t->ssl));
			conn_break(c, "TLS write failed");
			break;
		}
		s = slice_from(s, done);
		if (cap - t->held < RECORD_ROOM)
			flush(t);
	}
	flush_soon(t);
}

void
conn_tls_bye(struct conn *c)
{
	struct conn_tls *t = c->priv->tls;

	if (!t->dead && t->up && !(c->flags & CONN_F_BROKEN)) {
		ERR_clear_error();
		(void)SSL_shutdown(t->ssl);
		ERR_clear_error();
	}
	flush(t);
}

bool
conn_tls_compressed(const struct conn *c)
{
	return SSL_get_current_compression(c->priv->tls->ssl) != NULL;
}

void
conn_tls_idle(struct conn *c)
{
	buf_shrink(&c->priv->tls->spill);
}

void
conn_tls_fini(struct conn *c)
{
	struct conn_tls *t = c->priv->tls;

	if (t == NULL)
		return;
	flush(t); /* nothing, but the block is free again */
	c->priv->tls = NULL;
	/* A lost close_notify is normal with mail clients: such a session
	 * may be resumed all the same. */
	if (t->up && !t->dead)
		SSL_set_shutdown(
		    t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl);
	ERR_clear_error();
	tls_hold_drop(&t->hold);
	buf_fini(&t->spill);
	buf_fini(&t->first);
	free(t);
}

/* ---- beginning ---- */

static void
begin_server(struct conn_tls *t, struct tls_server *server)
{
	t->tickets = tls_server_tickets(server);
	t->ssl = tls_server_session(server, &t->io, &t->hold);
	if (t->ssl != NULL &&
	    !ticket_worth(t->tickets, slice_str(t->conn->peer_ip)))
		(void)SSL_set_num_tickets(t->ssl, 0);
}

static int
begin(struct conn *c, struct tls_server *server, struct tls_client *client,
    const char *name, uint64_t timeout_ms)
{
	struct conn_tls *t;

	if (c->state != CONN_OPEN || c->priv->tls != NULL ||
	    buf_len(&c->in) != 0)
		return ERR_INVALID;
	t = xcalloc(1, sizeof(*t));
	t->conn = c;
	t->io.in = SLICE("");
	t->io.out = on_out;
	buf_init(&t->spill, SPILL_MAX);
	if (server != NULL)
		begin_server(t, server);
	else
		t->ssl = tls_client_session(client, name, &t->io, &t->hold);
	if (t->ssl == NULL) {
		free(t);
		return ERR_TLS;
	}
	c->priv->tls = t;
	c->flags &= ~(unsigned)(CONN_F_ENDED | CONN_F_ENDED_TOLD | CONN_F_NEWS);
	c->state = CONN_SECURING;
	conn_deadline(c, timeout_ms);
	if (c->flags & CONN_F_EOF)
		conn_ended(c, ERR_CLOSED, "peer closed before TLS handshake");
	return 0;
}

int
conn_tls_server(struct conn *c, struct tls_server *tls, uint64_t timeout_ms)
{
	int rc = begin(c, tls, NULL, NULL, timeout_ms);

	if (rc != 0)
		return rc;
	if (c->flags & CONN_F_ENDED)
		conn_later(c); /* to be told */
	else
		conn_read_adjust(c);
	return 0;
}

void
conn_tls_first(struct conn *c, struct slice bytes)
{
	struct conn_tls *t = c->priv->tls;

	if (t == NULL || t->answered)
		return;
	buf_init(&t->first, bytes.n);
	buf_add_slice(&t->first, bytes);
	c->stats.bytes_out += bytes.n;
}

int
conn_tls_client(struct conn *c, struct tls_client *tls, const char *name,
    uint64_t timeout_ms)
{
	int rc = begin(c, NULL, tls, name, timeout_ms);

	if (rc != 0)
		return rc;
	pump(c->priv->tls); /* the ClientHello */
	conn_later(c);
	return 0;
}

/* ---- questions ---- */

bool
conn_is_tls(const struct conn *c)
{
	return c->priv != NULL && c->priv->tls != NULL && c->priv->tls->up;
}

void
conn_tls_name(const struct conn *c, char *out, size_t cap)
{
	const SSL *ssl;

	if (cap != 0)
		out[0] = '\0';
	if (!conn_is_tls(c))
		return;
	ssl = c->priv->tls->ssl;
	(void)snprintf(out, cap, "%s %s", SSL_get_version(ssl),
	    SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)));
}

const char *
conn_tls_sni(const struct conn *c)
{
	const char *name = NULL;

	if (c->priv != NULL && c->priv->tls != NULL)
		name = SSL_get_servername(
		    c->priv->tls->ssl, TLSEXT_NAMETYPE_host_name);
	return name != NULL ? name : "";
}

/* RFC 9266 2; 4.2: on TLS 1.2 only with extended master secret. */
static size_t
exporter(SSL *ssl, uint8_t *out, size_t cap)
{
	static const char label[] = "EXPORTER-Channel-Binding";

	if (cap < 32 || (SSL_version(ssl) < TLS1_3_VERSION &&
			    SSL_get_extms_support(ssl) != 1))
		return 0;
	/* No context: the same as a zero-length one in TLS 1.3, and what other
	 * implementations do in 1.2. */
	return SSL_export_keying_material(
		   ssl, out, 32, label, sizeof(label) - 1, NULL, 0, 0) == 1
		   ? 32
		   : 0;
}

/* After resumption no certificate was sent; with several it is not known
 * which one the client saw the first time. */
static bool
certificate_unsure(SSL *ssl)
{
	return SSL_is_server(ssl) && SSL_session_reused(ssl) &&
	       SSL_set_current_cert(ssl, SSL_CERT_SET_FIRST) == 1 &&
	       SSL_set_current_cert(ssl, SSL_CERT_SET_NEXT) == 1;
}

/* RFC 5929 4.1 */
static size_t
end_point(SSL *ssl, uint8_t *out, size_t cap)
{
	const EVP_MD *md;
	unsigned n = 0;
	int nid;
	X509 *x;

	if (certificate_unsure(ssl))
		return 0;
	x = SSL_is_server(ssl) ? SSL_get_certificate(ssl)
			       : SSL_get0_peer_certificate(ssl);
	if (x == NULL || !X509_get_signature_info(x, &nid, NULL, NULL, NULL))
		return 0;
	if (nid == NID_md5 || nid == NID_sha1)
		nid = NID_sha256;
	if ((md = EVP_get_digestbynid(nid)) == NULL ||
	    cap < (size_t)EVP_MD_get_size(md))
		return 0; /* undefined there, as for Ed25519 */
	return X509_digest(x, md, out, &n) == 1 ? n : 0;
}

size_t
conn_tls_binding(struct conn *c, const char *type, uint8_t *out, size_t cap)
{
	struct slice t = slice_str(type);
	size_t n = 0;

	if (!conn_is_tls(c) || c->priv->tls->dead)
		return 0;
	ERR_clear_error();
	if (slice_eq(t, SLICE("tls-exporter")))
		n = exporter(c->priv->tls->ssl, out, cap);
	else if (slice_eq(t, SLICE("tls-server-end-point")))
		n = end_point(c->priv->tls->ssl, out, cap);
	ERR_clear_error();
	return n;
}
