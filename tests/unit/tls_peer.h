/*
 * tls_peer.h - a TLS client on a blocking socket, for tests of connections.
 */
#ifndef TESTS_UNIT_TLS_PEER_H
#define TESTS_UNIT_TLS_PEER_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <unistd.h>

struct cl {
	SSL_CTX *ctx;
	SSL *ssl;
	int fd;
};

static inline bool
cl_handshake(struct cl *c, const char *sni, int version)
{
	c->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_max_proto_version(c->ctx, version);
	c->ssl = SSL_new(c->ctx);
	SSL_set_fd(c->ssl, c->fd);
	if (sni != NULL)
		SSL_set_tlsext_host_name(c->ssl, sni);
	return SSL_connect(c->ssl) == 1;
}

static inline void
cl_close(struct cl *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	close(c->fd);
	ERR_clear_error();
}

static inline bool
cl_write(struct cl *c, const char *p, size_t n)
{
	size_t done;

	return SSL_write_ex(c->ssl, p, n, &done) == 1 && done == n;
}

static inline size_t
cl_read(struct cl *c, char *p, size_t n)
{
	size_t all = 0, got;

	while (all < n && SSL_read_ex(c->ssl, p + all, n - all, &got) == 1)
		all += got;
	return all;
}

#endif
