/*
 * crypt.h - digests, key derivation, random bytes; over libcrypto and nettle.
 */
#ifndef LIB_CRYPT_CRYPT_H
#define LIB_CRYPT_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/slice.h"

enum {
	SHA1_LEN = 20,
	SHA256_LEN = 32,
	SHA512_LEN = 64,
	SCRAM_ROUNDS_MAX = 1000000
};

/* Dies when the kernel has no randomness: nothing works without. */
void crypt_random(void *out, size_t n);

/* Equal, in time that depends on the length only. */
bool crypt_equal(const void *a, const void *b, size_t n);

void crypt_sha256(struct slice in, uint8_t out[SHA256_LEN]);
/* Only to check password hashes brought along from other hosts. */
void crypt_sha1(struct slice in, uint8_t out[SHA1_LEN]);
void crypt_sha512(struct slice in, uint8_t out[SHA512_LEN]);
void crypt_hmac_sha256(
    struct slice key, struct slice in, uint8_t out[SHA256_LEN]);

/* The hashes that SCRAM is made with; what they make has up to SHA256_LEN
 * bytes. */
enum crypt_hash { CRYPT_SHA256, CRYPT_SHA1 };
size_t crypt_hash_len(enum crypt_hash hash);
void crypt_digest(enum crypt_hash hash, struct slice in, uint8_t *out);
void crypt_hmac(
    enum crypt_hash hash, struct slice key, struct slice in, uint8_t *out);
/* RFC 8018 5.2 with HMAC, one round or more.  Costs about 0.1 us a round. */
void crypt_pbkdf2(enum crypt_hash hash, struct slice password,
    struct slice salt, uint32_t rounds, uint8_t *out);

/* Streaming SHA-256 for message bodies. */
struct crypt_sha256_ctx;
struct crypt_sha256_ctx *crypt_sha256_new(void);
void crypt_sha256_update(struct crypt_sha256_ctx *c, const void *p, size_t n);
/* Also frees. */
void crypt_sha256_final(struct crypt_sha256_ctx **c, uint8_t out[SHA256_LEN]);

/* Keys of RFC 5802 3: what a server stores instead of the password. */
struct scram_keys {
	enum crypt_hash hash; /* how many bytes the keys have */
	uint32_t rounds;
	uint8_t salt[16];
	uint8_t stored_key[SHA256_LEN];
	uint8_t server_key[SHA256_LEN];
};

/* password: already SASLprep'ed by the caller. */
void crypt_scram_keys(enum crypt_hash hash, struct slice password,
    const uint8_t salt[16], uint32_t rounds, struct scram_keys *out);
/* The same of a salt of any length: StoredKey and ServerKey alone. */
void crypt_scram_derive(enum crypt_hash hash, struct slice password,
    struct slice salt, uint32_t rounds, uint8_t *stored, uint8_t *server);
/* Does this password make these keys?  Constant time in the keys.  False for
 * keys with no rounds or more than SCRAM_ROUNDS_MAX, and for a password that
 * holds a NUL (RFC 4616 2 has none). */
bool crypt_scram_verify(struct slice password, const struct scram_keys *keys);

#endif
