/*
 * The keys of those who have some, and for everybody else such as nobody could
 * tell from them.
 */
#include "auth/served.h"

#include <string.h>

#include "auth/keys.h"

struct slice
served_keys(const struct secret *s, enum crypt_hash hash)
{
	if (auth_expired(s))
		return SLICE("");
	if (hash == CRYPT_SHA1)
		return s->sha1;
	return s->kind == SECRET_SCRAM_SHA256 ? s->value : SLICE("");
}

const struct secret *
served_secret(const struct auth_found *f, enum crypt_hash hash)
{
	size_t n;
	const struct secret *v = auth_secrets(f, &n);

	for (size_t i = 0; f->known && i < n; i++)
		if (served_keys(&v[i], hash).n != 0)
			return &v[i];
	return NULL;
}

/* Keys nobody has the password of, the same for a name at every try and in
 * every process (RFC 5802 9; CLIENTS S10). */
static void
made_up(
    const struct auth *a, const struct auth_found *f, struct scram_keys *keys)
{
	struct slice key = slice_of(a->host_key, HOST_KEY_LEN);
	struct slice name = auth_found_name(f);
	uint8_t seed[SHA256_LEN], salt[SHA256_LEN];

	crypt_hmac_sha256(key, name, seed);
	key = slice_of(seed, sizeof(seed));
	crypt_hmac_sha256(key, SLICE("salt"), salt);
	*keys = (struct scram_keys){ .rounds =
					 (uint32_t)a->conf->scram_iterations };
	memcpy(keys->salt, salt, sizeof(keys->salt));
	/* Never shown, and of no password; more work would show in the time. */
	memcpy(keys->stored_key, seed, sizeof(keys->stored_key));
	memcpy(keys->server_key, seed, sizeof(keys->server_key));
}

/* SCRAM-SHA-1 keys for who has none: beside those of SCRAM-SHA-256 that are
 * served, real or made up, as if they had been made with them. */
static void
made_up_sha1(
    const struct auth *a, const struct auth_found *f, struct scram_keys *keys)
{
	const struct secret *real = served_secret(f, CRYPT_SHA256);
	uint8_t salt[sizeof(keys->salt)];

	made_up(a, f, keys);
	keys->hash = CRYPT_SHA1;
	if (real != NULL && !keys_parse(CRYPT_SHA256, real->value, keys))
		return; /* damaged: never right */
	keys->hash = CRYPT_SHA1;
	/* Keys brought along stand beside none: so do some that nobody has. */
	if (real == NULL && (keys->stored_key[0] & 1) != 0)
		memcpy(salt, keys->stored_key, sizeof(salt));
	else
		memcpy(salt, keys->salt, sizeof(salt));
	keys_salt_sha1(salt, keys->salt);
}

static void
add_scheme(struct buf *b, enum crypt_hash hash)
{
	buf_add_str(b, hash == CRYPT_SHA1 ? "SCRAM-SHA-1$" : "SCRAM-SHA-256$");
}

void
served_print(const struct auth *a, const struct auth_found *f,
    enum crypt_hash hash, struct buf *b)
{
	const struct secret *secret = served_secret(f, hash);
	size_t start = buf_len(b);
	struct scram_keys keys;

	/* Made up for everybody: the time tells nothing. */
	if (hash == CRYPT_SHA1)
		made_up_sha1(a, f, &keys);
	else
		made_up(a, f, &keys);
	add_scheme(b, hash);
	keys_print(&keys, b);
	if (secret != NULL) {
		buf_truncate(b, start);
		add_scheme(b, hash);
		buf_add_slice(b, served_keys(secret, hash));
	}
}
