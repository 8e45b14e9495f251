#include "auth/keys.h"

#include <string.h>

#include "lib/base/b64.h"
#include "lib/base/cur.h"
#include "lib/base/mem.h"

enum { SALT_MAX = 64 };

/* Keys of another host: their salt is as long as it liked. */
struct foreign {
	enum crypt_hash hash;
	uint32_t rounds;
	uint8_t salt[SALT_MAX];
	size_t salt_n;
	uint8_t stored_key[SHA256_LEN], server_key[SHA256_LEN];
};

static const struct {
	struct slice scheme;
	enum crypt_hash hash;
} schemes[] = {
	{ SLICE("{SCRAM-SHA-256}"), CRYPT_SHA256 },
	{ SLICE("{SCRAM-SHA-1}"), CRYPT_SHA1 },
};

/* Up to max bytes of base64. */
static bool
take_b64(struct slice text, size_t max, void *out, size_t *n_out)
{
	struct buf b;
	bool ok;

	buf_init(&b, max);
	ok = b64_decode(&b, text) && !buf_failed(&b);
	if (ok) {
		*n_out = buf_len(&b);
		memcpy(out, buf_slice(&b).p, *n_out);
	}
	buf_fini(&b);
	return ok;
}

static bool
take_exact(struct slice text, void *out, size_t n)
{
	size_t got;

	return take_b64(text, n, out, &got) && got == n;
}

static bool
take_rounds(struct slice text, uint32_t *rounds_out)
{
	uint64_t n;
	struct cur c;

	cur_init(&c, text);
	if (!cur_u64(&c, SCRAM_ROUNDS_MAX, &n) || !cur_end(&c) || n == 0)
		return false;
	*rounds_out = (uint32_t)n;
	return true;
}

bool
keys_parse(
    enum crypt_hash hash, struct slice value, struct scram_keys *keys_out)
{
	struct slice rest = value, rounds, salt, stored;
	size_t n = crypt_hash_len(hash);

	*keys_out = (struct scram_keys){ .hash = hash };
	return slice_split(&rest, ':', &rounds) &&
	       slice_split(&rest, '$', &salt) &&
	       slice_split(&rest, ':', &stored) && rest.p != NULL &&
	       take_rounds(rounds, &keys_out->rounds) &&
	       take_exact(salt, keys_out->salt, sizeof(keys_out->salt)) &&
	       take_exact(stored, keys_out->stored_key, n) &&
	       take_exact(rest, keys_out->server_key, n);
}

void
keys_print(const struct scram_keys *keys, struct buf *out)
{
	size_t n = crypt_hash_len(keys->hash);

	buf_add_u64(out, keys->rounds);
	buf_add_char(out, ':');
	b64_encode(out, slice_of(keys->salt, sizeof(keys->salt)));
	buf_add_char(out, '$');
	b64_encode(out, slice_of(keys->stored_key, n));
	buf_add_char(out, ':');
	b64_encode(out, slice_of(keys->server_key, n));
}

void
keys_salt_sha1(const uint8_t salt[16], uint8_t salt_out[16])
{
	uint8_t mac[SHA256_LEN];

	crypt_hmac_sha256(slice_of(salt, 16), SLICE("SCRAM-SHA-1"), mac);
	memcpy(salt_out, mac, 16);
}

static bool
foreign_parse(struct slice value, struct foreign *f)
{
	struct slice rest, rounds, salt, stored;
	size_t n;

	*f = (struct foreign){ .rounds = 0 };
	for (size_t i = 0; i < PH_LEN(schemes); i++) {
		if (!slice_istarts(value, schemes[i].scheme))
			continue;
		f->hash = schemes[i].hash;
		n = crypt_hash_len(f->hash);
		rest = slice_from(value, schemes[i].scheme.n);
		return slice_split(&rest, ',', &rounds) &&
		       slice_split(&rest, ',', &salt) &&
		       slice_split(&rest, ',', &stored) && rest.p != NULL &&
		       take_rounds(rounds, &f->rounds) &&
		       take_b64(salt, SALT_MAX, f->salt, &f->salt_n) &&
		       take_exact(stored, f->stored_key, n) &&
		       take_exact(rest, f->server_key, n);
	}
	return false;
}

bool
keys_foreign_known(struct slice value)
{
	struct foreign f;

	return foreign_parse(value, &f);
}

bool
keys_foreign_verify(struct slice value, struct slice password)
{
	uint8_t stored[SHA256_LEN], server[SHA256_LEN];
	struct foreign f;
	bool same;

	/* HMAC pads short keys with NUL: "x" and "x\0" would be the same. */
	if (!foreign_parse(value, &f) ||
	    slice_chr(password, '\0') != password.n)
		return false;
	crypt_scram_derive(f.hash, password, slice_of(f.salt, f.salt_n),
	    f.rounds, stored, server);
	same = crypt_equal(stored, f.stored_key, crypt_hash_len(f.hash));
	mem_wipe(stored, sizeof(stored));
	mem_wipe(server, sizeof(server));
	return same;
}

bool
keys_foreign_take(struct slice value, struct scram_keys *keys_out)
{
	struct foreign f;

	*keys_out = (struct scram_keys){ .rounds = 0 };
	if (!foreign_parse(value, &f) || f.salt_n != sizeof(keys_out->salt))
		return false;
	keys_out->hash = f.hash;
	keys_out->rounds = f.rounds;
	memcpy(keys_out->salt, f.salt, sizeof(keys_out->salt));
	memcpy(keys_out->stored_key, f.stored_key, SHA256_LEN);
	memcpy(keys_out->server_key, f.server_key, SHA256_LEN);
	return true;
}
