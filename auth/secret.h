/*
 * secret.h - what is stored instead of a password, and whether a password
 * makes it (storage/account.h, enum secret_kind).
 *
 * Hashes brought along from other hosts: crypt(3) "$1$" "$5$" "$6$" "$y$" "$7$"
 * "$gy$" "$2a$" "$2b$" "$2y$", bare or behind {CRYPT}, {MD5-CRYPT},
 * {SHA256-CRYPT}, {SHA512-CRYPT}, {BLF-CRYPT}; the 13 letters of DES behind
 * {CRYPT}; {SHA} {SSHA} {SHA256} {SSHA256} {SHA512} {SSHA512}; "$argon2id$"
 * "$argon2i$" "$argon2d$", bare or behind {ARGON2}, {ARGON2I}, {ARGON2ID} (by
 * libargon2: Debian's libcrypt and OpenSSL 3.0 have none); keys of SCRAM as
 * Dovecot writes them (keys.h).  Clear text is never taken.
 * All of it is slow work for a worker; nothing blocks.
 */
#ifndef AUTH_SECRET_H
#define AUTH_SECRET_H

#include "auth/saslprep.h"
#include "lib/base/buf.h"
#include "lib/crypt/crypt.h"
#include "storage/account.h"

/* Is it a hash in a form named above, and no dearer than reason allows? */
bool secret_hash_known(struct slice value);

/* One password against several secrets: those with one salt and number of
 * rounds cost one derivation together.  secret_try_fini() wipes. */
struct secret_try {
	struct slice password; /* as typed; borrowed */
	struct prepared prep;
	bool prep_ok;
	bool have; /* `keys` are of the password */
	struct scram_keys keys;
};
void secret_try_init(struct secret_try *t, struct slice password);
void secret_try_fini(struct secret_try *t);
bool secret_verify(struct secret_try *t, const struct secret *s);
/* Costs what a derivation costs, and is worth nothing. */
void secret_verify_nothing(struct secret_try *t, uint32_t rounds);

/* Keys for a password, of SCRAM-SHA-256 and, unless sha1_out is NULL, of
 * SCRAM-SHA-1.  like: an account whose other secrets' salt is taken, if they
 * have as many rounds, so that secret_verify() stays cheap; or NULL.
 * ERR_INVALID: no password (e says why). */
PH_MUSTUSE int secret_make(struct slice password, uint32_t rounds,
    const struct account *like, struct buf *value_out, struct buf *sha1_out,
    struct err *e);
/* SCRAM-SHA-1 keys of the password whose SCRAM-SHA-256 keys `value` is. */
PH_MUSTUSE int secret_make_sha1(
    struct slice password, struct slice value, struct buf *out);

/* What to store for a hash brought along: SCRAM keys where it is that, so that
 * the mechanism works at once, else the hash; kind, value and sha1 are set.
 * False: it is not known. */
PH_MUSTUSE bool secret_import(
    struct slice hash, struct arena *a, struct secret *s);

#endif
