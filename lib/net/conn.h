/*
 * conn.h - one stream to a peer: TCP or Unix socket, in clear or under TLS.
 *
 * Embedded in its owner (an IMAP client, a relay session).  All calls and all
 * callbacks are on the connection's loop.  Plain bytes arrive in c->in; what
 * the owner does not consume stays there, and reading pauses at the ceiling,
 * so a peer can never make the process hold more than `in_max` bytes.
 *
 * Ends: conn_close() sends what is queued, close_notify, FIN, waits up to 2 s
 * for the peer's FIN and then closes (CLIENTS T7); conn_abort() closes at
 * once.  ops->closed is the last callback: only then may the owner free the
 * memory.  After either call no callback but `closed` comes.
 */
#ifndef LIB_NET_CONN_H
#define LIB_NET_CONN_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <uv.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/net/listener.h"
#include "lib/net/loop.h"
#include "lib/net/tls.h"

struct conn;
struct conn_priv;

struct conn_ops {
	/* Bytes were added to c->in.  Not called while reading is paused. */
	void (*input)(struct conn *c);
	/* conn_full() was true and queued output fell under half the mark. */
	void (*drained)(struct conn *c);
	/* A handshake began by conn_tls_*() ended; e says why it failed, then
	 * the owner closes. */
	void (*secured)(struct conn *c, int rc, const struct err *e);
	/* The peer sends no more; c->in may still hold bytes.  Told once, after
	 * input had its chance, so not while paused.  The owner closes. */
	void (*eof)(struct conn *c);
	/* The time of conn_set_timeout() passed with no byte in or out. */
	void (*timeout)(struct conn *c);
	/* Outgoing only: rc 0 or why it could not connect; then the owner
	 * closes. */
	void (*connected)(struct conn *c, int rc, const struct err *e);
	/* Everything is closed and freed; the owner may free itself. */
	void (*closed)(struct conn *c);
};

struct conn_stats {
	uint64_t bytes_in, bytes_out; /* plain bytes */
};

struct conn {
	struct loop *loop;
	const struct conn_ops *ops;
	struct buf in; /* plain bytes, to be consumed */
	struct conn_stats stats;
	char peer[64];    /* "192.0.2.1:4711", "[::1]:5", "unix" */
	char peer_ip[46]; /* without port; "" for unix */
	/* private to the conn*.c files from here */
	union {
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} h;
	uv_timer_t timer;
	struct conn_priv *priv;
	uint64_t timeout_ms, last_active_ms;
	size_t high_water;
	unsigned state;
	unsigned flags;
};

/* Takes the pending connection of the listener.  in_max: ceiling of c->in;
 * high_water: queued output at which conn_full() turns true.  On failure the
 * memory is still the caller's and no callback comes. */
PH_MUSTUSE int conn_accept(struct conn *c, struct listener *from,
    const struct conn_ops *ops, size_t in_max, size_t high_water);

/* Starts to connect; ops->connected tells.  `from` (source address) may be
 * NULL.  timeout_ms covers the connect. */
PH_MUSTUSE int conn_connect(struct conn *c, struct loop *loop,
    const struct sockaddr *to, const struct sockaddr *from, uint64_t timeout_ms,
    const struct conn_ops *ops, size_t in_max, size_t high_water);

/* A server's side of a handshake: at once after accept (implicit TLS), or
 * behind STARTTLS when the reply has been written.  ERR_INVALID when c->in
 * still holds bytes (RFC 3207 6, RFC 9051 11.1: injection): close then. */
PH_MUSTUSE int conn_tls_server(
    struct conn *c, struct tls_server *tls, uint64_t timeout_ms);
/* Behind conn_tls_server(): what the peer is told before all else.  With TLS
 * 1.3 it goes along with the server's part of the handshake, a round trip
 * sooner than otherwise (RFC 8446 4.4.4): nothing that is not for everybody. */
void conn_tls_first(struct conn *c, struct slice bytes);
/* A client's side; name is for SNI (and checking, when tls demands it). */
PH_MUSTUSE int conn_tls_client(struct conn *c, struct tls_client *tls,
    const char *name, uint64_t timeout_ms);

/* RFC 4978: from here on what is written is compressed, and what comes has to
 * be; behind the reply, before the next input.  Memory (some 140 KiB) is taken
 * at first use and given back, but for what the peer may look back to, when
 * nothing has happened for 10 s.  Bytes that are no DEFLATE stream end the
 * input, as if the peer had closed. */
void conn_deflate(struct conn *c);
/* "DEFLATE" or "TLS", which layer compresses; NULL: none. */
const char *conn_compressed(const struct conn *c);

/* Queues bytes (copied).  Never fails: an error shows as eof.  Dropped before
 * `connected`, during a handshake and after conn_close(). */
void conn_write(struct conn *c, struct slice bytes);
/* The same without a copy where possible; b is empty afterwards. */
void conn_write_buf(struct conn *c, struct buf *b);
/* Bytes not yet taken by the kernel. */
size_t conn_queued(const struct conn *c);
bool conn_full(const struct conn *c);

/* Drops n bytes from the front of c->in and reads on if it was paused. */
void conn_consume(struct conn *c, size_t n);
/* The owner wants no input while a job runs, or wants it again; resuming
 * calls ops->input from the loop if c->in holds bytes.  Bytes that come while
 * paused gather in c->in up to its ceiling. */
void conn_pause(struct conn *c);
void conn_resume(struct conn *c);

/* ops->timeout after so long without a byte in or out; 0: never.  Cheap.  Also
 * while paused: a peer that takes no output runs into it. */
void conn_set_timeout(struct conn *c, uint64_t ms);

/* Gives back buffers while nothing happens; c->in when it is empty. */
void conn_idle(struct conn *c);

/* The peer has said that it sends nothing more (QUIT): the owner writes the
 * last reply and calls conn_close() now, and all goes out in one packet.  With
 * nothing unread that does not wait for the peer's FIN; under TLS, where its
 * close_notify may still come, the socket stays open for it (farewell.h). */
void conn_last(struct conn *c);
void conn_close(struct conn *c);
void conn_abort(struct conn *c);
bool conn_closing(const struct conn *c);
/* Output goes nowhere any more: stop producing.  eof follows. */
bool conn_broken(const struct conn *c);
/* Why it ended, for the log: "closed by peer", "connection reset", "timeout",
 * "TLS: ..."; "" while nothing is known.  Valid as long as c. */
const char *conn_reason(const struct conn *c);

bool conn_is_tls(const struct conn *c);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384", or "" in clear. */
void conn_tls_name(const struct conn *c, char *out, size_t cap);
/* The SNI the peer asked for, or "". */
const char *conn_tls_sni(const struct conn *c);
/* Channel binding (RFC 5929, RFC 9266): type "tls-exporter" (TLS 1.3, and 1.2
 * with extended master secret) or "tls-server-end-point".  Bytes written to
 * out[cap], or 0 when there is none. */
size_t conn_tls_binding(
    struct conn *c, const char *type, uint8_t *out, size_t cap);

#endif
