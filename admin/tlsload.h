/*
 * tlsload.h - certificates and keys from their files into one bundle
 * (lib/crypt/bundle.h), read with the rights we started with.
 */
#ifndef ADMIN_TLSLOAD_H
#define ADMIN_TLSLOAD_H

#include "lib/base/buf.h"
#include "lib/base/conf.h"
#include "lib/base/err.h"

/* What was read or is wrong, entry by entry.  Paths are told: for operators'
 * eyes.  rc != 0: this one is not used. */
struct tlsload_entry {
	const char *name; /* "*": the default */
	const char *chain_path, *key_path;
	int64_t expires_at;
	bool covers; /* the name it is for */
	int rc;
	const struct err *err;
};

/*
 * The default comes first as "*"; without it there is no TLS and the result
 * is an error.  Bad ones in tls-dir are left out and told to `each` (may be
 * NULL).  The caller wipes the bundle.
 */
PH_MUSTUSE int tlsload(const struct conf *conf, struct buf *bundle,
    void (*each)(const struct tlsload_entry *entry, void *arg), void *arg,
    struct err *e);

#endif
