/*
 * cms.h - signed data (RFC 5652 5), as Apple wants its profiles.
 */
#ifndef LIB_CRYPT_CMS_H
#define LIB_CRYPT_CMS_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* Signs content with the chain's first certificate and its key (both PEM);
 * the whole chain and the content go into out, DER.  ERR_TLS with a text. */
PH_MUSTUSE int cms_sign(struct slice chain_pem, struct slice key_pem,
    struct slice content, struct buf *out, struct err *e);

#endif
