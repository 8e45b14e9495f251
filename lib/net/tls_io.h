/*
 * tls_io.h - how libssl reads and writes: no socket, no buffer of its own.
 *
 * Reads come from a slice that lies in the loop's shared block (or was kept
 * back); writes go to a function.  An idle connection holds no ciphertext.
 */
#ifndef LIB_NET_TLS_IO_H
#define LIB_NET_TLS_IO_H

#include <openssl/bio.h>

#include "lib/base/slice.h"

struct tls_io {
	struct slice in; /* ciphertext that came; moves on */
	void (*out)(struct tls_io *io, struct slice bytes);
};

/* Describes such a BIO; NULL without memory.  BIO_meth_free() it after the
 * last BIO made from it. */
BIO_METHOD *tls_io_method(void);

#endif
