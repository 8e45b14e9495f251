/*
 * tls.h - certificates by name, and how we speak TLS (OpenSSL 3).
 *
 * A server set is made from the bundle that the supervisor hands over
 * (lib/crypt/bundle.h); a reload swaps the whole set at once, sessions that
 * run keep the one they have.  TLS 1.2 and 1.3, tickets and session ids on,
 * no renegotiation, no compression.
 */
#ifndef LIB_NET_TLS_H
#define LIB_NET_TLS_H

#include <openssl/ssl.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"
#include "lib/net/ticket.h"
#include "lib/net/tls_io.h"

struct tls_server;
struct tls_client;

/* bundle: the packed bytes; the first entry is the default certificate.
 * Thread-safe from here on. */
PH_MUSTUSE int tls_server_new(
    struct slice bundle, struct tls_server **tls_out, struct err *e);
/* All or nothing: on failure the old set stays.  From any thread. */
PH_MUSTUSE int tls_server_reload(
    struct tls_server *tls, struct slice bundle, struct err *e);
void tls_server_free(struct tls_server **tls);
/* What it knows of who resumes sessions. */
struct tickets *tls_server_tickets(struct tls_server *tls);

/* ca_file: PEM bundle, NULL or "" for the system's.  verify: refuse peers
 * whose chain or name does not fit; otherwise opportunistic (RFC 7435). */
PH_MUSTUSE int tls_client_new(const char *ca_file, bool verify,
    struct tls_client **tls_out, struct err *e);
void tls_client_free(struct tls_client **tls);

/*
 * For conn_tls.c.  A hold keeps alive what a session was made from, over
 * reloads and frees; drop it after SSL_free().  io must outlive the SSL.
 */
struct tls_hold;

SSL *tls_server_session(
    struct tls_server *tls, struct tls_io *io, struct tls_hold **hold_out);
/* name: for SNI, the check and the choice of an old session to resume. */
SSL *tls_client_session(struct tls_client *tls, const char *name,
    struct tls_io *io, struct tls_hold **hold_out);
void tls_hold_drop(struct tls_hold **hold);
/* The peer asks for new keys again and again (no libssl limit). */
bool tls_flooded(SSL *ssl);

#endif
