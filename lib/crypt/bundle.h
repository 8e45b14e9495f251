/*
 * bundle.h - certificates and keys, packed for handing to the daemons.
 *
 * The supervisor reads files as root, packs them, and passes the bytes in a
 * sealed memory file (lib/base/file.h); lib/net/tls.c unpacks.  Format: per
 * entry three fields, each a 32-bit big-endian length and bytes: name (SNI;
 * "*" for the default, which is first), chain PEM, key PEM.
 */
#ifndef LIB_CRYPT_BUNDLE_H
#define LIB_CRYPT_BUNDLE_H

#include "lib/base/buf.h"

struct bundle_entry {
	struct slice name, chain_pem, key_pem;
};

void bundle_add(struct buf *out, const struct bundle_entry *entry);
/* Splits off the first entry; false at the end; *bad_out on damage. */
bool bundle_next(
    struct slice *rest, struct bundle_entry *entry_out, bool *bad_out);

#endif
