#include "lib/crypt/crypt.h"

#include <nettle/hmac.h>
#include <nettle/pbkdf2.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

struct crypt_sha256_ctx {
	EVP_MD_CTX *md;
};

void
crypt_random(void *out, size_t n)
{
	ph_assert(n <= 1 << 20);
	ph_assert(RAND_bytes(out, (int)n) == 1);
}

bool
crypt_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

/* By nettle: libcrypto looks each digest up and makes a context for it, which
 * of a short text costs ten times the digest. */
void
crypt_sha256(struct slice in, uint8_t out[SHA256_LEN])
{
	struct sha256_ctx c;

	sha256_init(&c);
	sha256_update(&c, in.n, (const uint8_t *)in.p);
	sha256_digest(&c, SHA256_LEN, out);
	mem_wipe(&c, sizeof(c));
}

void
crypt_sha1(struct slice in, uint8_t out[SHA1_LEN])
{
	struct sha1_ctx c;

	sha1_init(&c);
	sha1_update(&c, in.n, (const uint8_t *)in.p);
	sha1_digest(&c, SHA1_LEN, out);
	mem_wipe(&c, sizeof(c));
}

void
crypt_sha512(struct slice in, uint8_t out[SHA512_LEN])
{
	ph_assert(EVP_Digest(in.p, in.n, out, NULL, EVP_sha512(), NULL) == 1);
}

/* By enum crypt_hash. */
static const struct {
	const EVP_MD *(*md)(void);
	size_t len;
} hashes[] = {
	[CRYPT_SHA256] = { EVP_sha256, SHA256_LEN },
	[CRYPT_SHA1] = { EVP_sha1, SHA1_LEN },
};

size_t
crypt_hash_len(enum crypt_hash hash)
{
	return hashes[hash].len;
}

void
crypt_digest(enum crypt_hash hash, struct slice in, uint8_t *out)
{
	ph_assert(
	    EVP_Digest(in.p, in.n, out, NULL, hashes[hash].md(), NULL) == 1);
}

void
crypt_hmac(
    enum crypt_hash hash, struct slice key, struct slice in, uint8_t *out)
{
	unsigned int n = (unsigned int)hashes[hash].len;

	/* The library takes NULL for "as before", not for no bytes. */
	key.p = key.n != 0 ? key.p : "";
	in.p = in.n != 0 ? in.p : "";
	ph_assert(HMAC(hashes[hash].md(), key.p, (int)key.n,
		      (const unsigned char *)in.p, in.n, out, &n) != NULL);
}

void
crypt_hmac_sha256(struct slice key, struct slice in, uint8_t out[SHA256_LEN])
{
	crypt_hmac(CRYPT_SHA256, key, in, out);
}

/* Nettle's, because it is done in half of libcrypto's time. */
void
crypt_pbkdf2(enum crypt_hash hash, struct slice password, struct slice salt,
    uint32_t rounds, uint8_t *out)
{
	union {
		struct hmac_sha256_ctx sha256;
		struct hmac_sha1_ctx sha1;
	} mac;
	const uint8_t *key = (const uint8_t *)(password.n ? password.p : "");
	const uint8_t *from = (const uint8_t *)(salt.n ? salt.p : "");
	nettle_hash_update_func *update;
	nettle_hash_digest_func *digest;

	ph_assert(rounds != 0);
	if (hash == CRYPT_SHA256) {
		hmac_sha256_set_key(&mac.sha256, password.n, key);
		update = (nettle_hash_update_func *)hmac_sha256_update;
		digest = (nettle_hash_digest_func *)hmac_sha256_digest;
	} else {
		hmac_sha1_set_key(&mac.sha1, password.n, key);
		update = (nettle_hash_update_func *)hmac_sha1_update;
		digest = (nettle_hash_digest_func *)hmac_sha1_digest;
	}
	nettle_pbkdf2(&mac, update, digest, hashes[hash].len, (int)rounds,
	    salt.n, from, hashes[hash].len, out);
	mem_wipe(&mac, sizeof(mac));
}

struct crypt_sha256_ctx *
crypt_sha256_new(void)
{
	struct crypt_sha256_ctx *c = xcalloc(1, sizeof(*c));

	c->md = EVP_MD_CTX_new();
	ph_assert(c->md != NULL);
	ph_assert(EVP_DigestInit_ex(c->md, EVP_sha256(), NULL) == 1);
	return c;
}

void
crypt_sha256_update(struct crypt_sha256_ctx *c, const void *p, size_t n)
{
	ph_assert(EVP_DigestUpdate(c->md, p, n) == 1);
}

void
crypt_sha256_final(struct crypt_sha256_ctx **c, uint8_t out[SHA256_LEN])
{
	ph_assert(EVP_DigestFinal_ex((*c)->md, out, NULL) == 1);
	EVP_MD_CTX_free((*c)->md);
	free(*c);
	*c = NULL;
}

/* RFC 5802 3: SaltedPassword, ClientKey, StoredKey, ServerKey. */
void
crypt_scram_derive(enum crypt_hash hash, struct slice password,
    struct slice salt, uint32_t rounds, uint8_t *stored, uint8_t *server)
{
	uint8_t salted[SHA256_LEN], client[SHA256_LEN];
	struct slice key = slice_of(salted, hashes[hash].len);

	crypt_pbkdf2(hash, password, salt, rounds, salted);
	crypt_hmac(hash, key, SLICE("Client Key"), client);
	crypt_digest(hash, slice_of(client, hashes[hash].len), stored);
	crypt_hmac(hash, key, SLICE("Server Key"), server);
	mem_wipe(salted, sizeof(salted));
	mem_wipe(client, sizeof(client));
}

void
crypt_scram_keys(enum crypt_hash hash, struct slice password,
    const uint8_t salt[16], uint32_t rounds, struct scram_keys *out)
{
	memset(out, 0, sizeof(*out));
	out->hash = hash;
	out->rounds = rounds;
	memcpy(out->salt, salt, sizeof(out->salt));
	crypt_scram_derive(hash, password, slice_of(salt, sizeof(out->salt)),
	    rounds, out->stored_key, out->server_key);
}

bool
crypt_scram_verify(struct slice password, const struct scram_keys *keys)
{
	struct scram_keys made;
	bool same;

	/* The rounds come from disk: none, or hours of them, is damage. */
	if (keys->rounds == 0 || keys->rounds > SCRAM_ROUNDS_MAX)
		return false;
	/* HMAC pads short keys with NUL: "x" and "x\0" would be the same. */
	if (slice_chr(password, '\0') != password.n)
		return false;
	crypt_scram_keys(keys->hash, password, keys->salt, keys->rounds, &made);
	same = crypt_equal(
	    made.stored_key, keys->stored_key, hashes[keys->hash].len);
	mem_wipe(&made, sizeof(made));
	return same;
}
