#include "auth/secret.h"

#include <argon2.h>
#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "auth/keys.h"
#include "lib/base/b64.h"
#include "lib/base/cset.h"
#include "lib/base/cur.h"
#include "lib/base/mem.h"

enum {
	DIGEST_MAX = 64,
	SALT_MAX = 64,
	CRYPT_VALUE_MAX = 384, /* CRYPT_OUTPUT_SIZE */
	CRYPT_ROUNDS_MAX = 1000000,
	BCRYPT_COST_MAX = 16,
	ARGON2_KIB_MAX = 256 << 10, /* of memory */
	ARGON2_WORK_MAX = 1 << 20,  /* KiB times passes */
	ARGON2_LANES_MAX = 16,
	DES_LEN = 13
};

/* Plain digests, with and without salt behind the password. */
static const struct digest {
	struct slice scheme;
	void (*fn)(struct slice in, uint8_t *out);
	size_t len;
	bool salted;
} digests[] = {
	{ SLICE("{SHA}"), crypt_sha1, 20, false },
	{ SLICE("{SSHA}"), crypt_sha1, 20, true },
	{ SLICE("{SHA256}"), crypt_sha256, 32, false },
	{ SLICE("{SSHA256}"), crypt_sha256, 32, true },
	{ SLICE("{SHA512}"), crypt_sha512, 64, false },
	{ SLICE("{SSHA512}"), crypt_sha512, 64, true },
};

/* Words before what crypt(3) knows itself. */
static const struct slice crypt_words[] = {
	SLICE("{CRYPT}"),
	SLICE("{MD5-CRYPT}"),
	SLICE("{SHA256-CRYPT}"),
	SLICE("{SHA512-CRYPT}"),
	SLICE("{BLF-CRYPT}"),
};

static const struct slice crypt_families[] = {
	SLICE("$1$"),
	SLICE("$5$"),
	SLICE("$6$"),
	SLICE("$y$"),
	SLICE("$7$"),
	SLICE("$gy$"),
	SLICE("$2a$"),
	SLICE("$2b$"),
	SLICE("$2y$"),
};

/* RFC 9106 in the form of its reference implementation:
 * $argon2id$v=19$m=65536,t=3,p=4$SALT$HASH */
static const struct slice argon2_words[] = {
	SLICE("{ARGON2}"),
	SLICE("{ARGON2I}"),
	SLICE("{ARGON2ID}"),
};

static const struct {
	struct slice name;
	argon2_type type;
} argon2_families[] = {
	{ SLICE("$argon2id$"), Argon2_id },
	{ SLICE("$argon2i$"), Argon2_i },
	{ SLICE("$argon2d$"), Argon2_d },
};

/* "m=65536,t=3,p=4$": no more memory and time than a login may cost. */
static bool
argon2_cost_ok(struct slice text)
{
	uint64_t m, t, p;
	struct cur c;

	cur_init(&c, text);
	return cur_skip_word(&c, "m=") && cur_u64(&c, ARGON2_KIB_MAX, &m) &&
	       cur_skip_word(&c, ",t=") && cur_u64(&c, ARGON2_WORK_MAX, &t) &&
	       cur_skip_word(&c, ",p=") && cur_u64(&c, ARGON2_LANES_MAX, &p) &&
	       m * t <= ARGON2_WORK_MAX;
}

/* The encoded form, and its type; empty: it is none. */
static struct slice
argon2_of(struct slice value, argon2_type *type_out)
{
	struct slice rest, word;

	for (size_t i = 0; i < PH_LEN(argon2_words); i++)
		if (slice_istarts(value, argon2_words[i])) {
			value = slice_from(value, argon2_words[i].n);
			break;
		}
	for (size_t i = 0; i < PH_LEN(argon2_families); i++) {
		if (!slice_starts(value, argon2_families[i].name))
			continue;
		rest = slice_from(value, argon2_families[i].name.n);
		if (slice_starts(rest, SLICE("v=")))
			(void)slice_split(&rest, '$', &word);
		*type_out = argon2_families[i].type;
		return value.n < CRYPT_VALUE_MAX && argon2_cost_ok(rest)
			   ? value
			   : SLICE("");
	}
	return SLICE("");
}

static bool
argon2_is(struct slice value, argon2_type type, struct slice password)
{
	char encoded[CRYPT_VALUE_MAX];

	return slice_copy(value, encoded, sizeof(encoded)) &&
	       argon2_verify(encoded, password.p, password.n, type) ==
		   ARGON2_OK;
}

static const struct digest *
digest_of(struct slice value)
{
	for (size_t i = 0; i < PH_LEN(digests); i++)
		if (slice_istarts(value, digests[i].scheme))
			return &digests[i];
	return NULL;
}

/* "$6$rounds=N$", "$2b$NN$": a hash that takes minutes stops logins. */
static bool
cost_ok(struct slice setting)
{
	struct slice rest = setting, word;
	uint64_t n;
	struct cur c;

	(void)slice_split(&rest, '$', &word);
	(void)slice_split(&rest, '$', &word);
	cur_init(&c, rest);
	if (word.n == 2 && word.p[0] == '2')
		return cur_u64(&c, BCRYPT_COST_MAX, &n);
	if (cur_skip_word(&c, "rounds="))
		return cur_u64(&c, CRYPT_ROUNDS_MAX, &n);
	return true;
}

/* What crypt(3) shall read, or an empty slice. */
static struct slice
crypt_setting(struct slice value)
{
	bool word = false;

	for (size_t i = 0; !word && i < PH_LEN(crypt_words); i++)
		if (slice_istarts(value, crypt_words[i])) {
			value = slice_from(value, crypt_words[i].n);
			word = true;
		}
	if (value.n >= CRYPT_VALUE_MAX)
		return SLICE("");
	for (size_t i = 0; i < PH_LEN(crypt_families); i++)
		if (slice_starts(value, crypt_families[i]))
			return cost_ok(value) ? value : SLICE("");
	if (!word || value.n != DES_LEN)
		return SLICE("");
	for (size_t i = 0; i < value.n; i++)
		if (!cset_has(&cset_alnum, value.p[i]) && value.p[i] != '.' &&
		    value.p[i] != '/')
			return SLICE("");
	return value;
}

/* digest, then the salt. */
static bool
digest_split(const struct digest *d, struct slice value, struct buf *raw)
{
	if (!b64_decode(raw, slice_from(value, d->scheme.n)) ||
	    buf_failed(raw) || buf_len(raw) < d->len)
		return false;
	return d->salted || buf_len(raw) == d->len;
}

bool
secret_hash_known(struct slice value)
{
	const struct digest *d = digest_of(value);
	argon2_type type;
	struct buf raw;
	bool ok;

	if (d == NULL)
		return argon2_of(value, &type).n != 0 ||
		       crypt_setting(value).n != 0 || keys_foreign_known(value);
	buf_init(&raw, DIGEST_MAX + SALT_MAX);
	ok = digest_split(d, value, &raw);
	buf_fini(&raw);
	return ok;
}

static bool
digest_verify(const struct digest *d, struct slice value, struct slice password)
{
	char in[PASSWORD_MAX + SALT_MAX];
	uint8_t out[DIGEST_MAX];
	struct slice salt;
	struct buf raw;
	bool ok = false;

	buf_init(&raw, DIGEST_MAX + SALT_MAX);
	if (digest_split(d, value, &raw)) {
		salt = slice_from(buf_slice(&raw), d->len);
		memcpy(in, password.p, password.n);
		if (salt.n != 0)
			memcpy(in + password.n, salt.p, salt.n);
		d->fn(slice_of(in, password.n + salt.n), out);
		ok = crypt_equal(out, buf_slice(&raw).p, d->len);
	}
	buf_fini(&raw);
	mem_wipe(in, sizeof(in));
	mem_wipe(out, sizeof(out));
	return ok;
}

static bool
crypt_verify(struct slice value, struct slice password)
{
	struct slice setting = crypt_setting(value), got;
	char pass[PASSWORD_MAX + 1], set[CRYPT_VALUE_MAX];
	struct crypt_data *data;
	bool ok = false;

	if (setting.n == 0 || !slice_copy(setting, set, sizeof(set)) ||
	    !slice_copy(password, pass, sizeof(pass)))
		return false;
	data = xcalloc(1, sizeof(*data));
	/* NULL when it cannot; crypt_r() would make up a wrong hash. */
	got = slice_str(crypt_rn(pass, set, data, sizeof(*data)));
	if (got.n == setting.n)
		ok = crypt_equal(got.p, setting.p, got.n);
	mem_wipe(data, sizeof(*data));
	mem_wipe(pass, sizeof(pass));
	free(data);
	return ok;
}

/* The hash may be of the bytes as typed or of the prepared ones. */
static bool
hash_verify(struct slice value, struct slice password)
{
	const struct digest *d = digest_of(value);
	argon2_type type;
	struct slice encoded = argon2_of(value, &type);

	if (password.n == 0 || password.n > PASSWORD_MAX)
		return false;
	if (encoded.n != 0)
		return argon2_is(encoded, type, password);
	if (keys_foreign_known(value))
		return keys_foreign_verify(value, password);
	return d != NULL ? digest_verify(d, value, password)
			 : crypt_verify(value, password);
}

void
secret_try_init(struct secret_try *t, struct slice password)
{
	t->password = password;
	t->prep_ok = saslprep(password, &t->prep) == 0;
	t->have = false;
}

void
secret_try_fini(struct secret_try *t)
{
	mem_wipe(t, sizeof(*t));
}

static bool
scram_verify(struct secret_try *t, struct slice value)
{
	struct scram_keys want;
	bool same;

	if (!t->prep_ok || !keys_parse(CRYPT_SHA256, value, &want))
		return false;
	if (!t->have || t->keys.rounds != want.rounds ||
	    memcmp(t->keys.salt, want.salt, sizeof(want.salt)) != 0)
		crypt_scram_keys(CRYPT_SHA256, saslprep_slice(&t->prep),
		    want.salt, want.rounds, &t->keys);
	t->have = true;
	same = crypt_equal(t->keys.stored_key, want.stored_key, SHA256_LEN);
	mem_wipe(&want, sizeof(want));
	return same;
}

bool
secret_verify(struct secret_try *t, const struct secret *s)
{
	struct slice prep = saslprep_slice(&t->prep);

	if (s->kind == SECRET_SCRAM_SHA256)
		return scram_verify(t, s->value);
	if (s->kind != SECRET_HASH)
		return false;
	if (hash_verify(s->value, t->password))
		return true;
	return t->prep_ok && !slice_eq(prep, t->password) &&
	       hash_verify(s->value, prep);
}

void
secret_verify_nothing(struct secret_try *t, uint32_t rounds)
{
	static const uint8_t salt[16] = { 1 };
	struct slice p = t->prep_ok ? saslprep_slice(&t->prep) : SLICE("x");

	crypt_scram_keys(CRYPT_SHA256, p, salt, rounds, &t->keys);
	t->have = false;
}

static bool
salt_of(const struct account *like, uint32_t rounds, uint8_t salt[16])
{
	struct scram_keys keys;

	for (size_t i = 0; like != NULL && i < like->nsecrets; i++) {
		if (like->secrets[i].kind != SECRET_SCRAM_SHA256 ||
		    !keys_parse(CRYPT_SHA256, like->secrets[i].value, &keys) ||
		    keys.rounds != rounds)
			continue;
		memcpy(salt, keys.salt, sizeof(keys.salt));
		return true;
	}
	return false;
}

/* SCRAM-SHA-1 keys beside those of SCRAM-SHA-256. */
static void
make_sha1(
    struct slice prepared, const struct scram_keys *beside, struct buf *out)
{
	struct scram_keys keys;
	uint8_t salt[16];

	keys_salt_sha1(beside->salt, salt);
	crypt_scram_keys(CRYPT_SHA1, prepared, salt, beside->rounds, &keys);
	keys_print(&keys, out);
	mem_wipe(&keys, sizeof(keys));
}

int
secret_make_sha1(struct slice password, struct slice value, struct buf *out)
{
	struct scram_keys keys;
	struct prepared prep;
	int rc;

	if (!keys_parse(CRYPT_SHA256, value, &keys))
		return ERR_INVALID;
	if ((rc = saslprep(password, &prep)) != 0)
		return rc;
	make_sha1(saslprep_slice(&prep), &keys, out);
	saslprep_wipe(&prep);
	mem_wipe(&keys, sizeof(keys));
	return buf_failed(out) ? ERR_TOOBIG : 0;
}

int
secret_make(struct slice password, uint32_t rounds, const struct account *like,
    struct buf *value_out, struct buf *sha1_out, struct err *e)
{
	struct scram_keys keys;
	struct prepared prep;
	uint8_t salt[16];
	int rc;

	if (password.n == 0)
		return err_set(e, ERR_INVALID, "the password is empty");
	if (password.n > PASSWORD_MAX)
		return err_set(e, ERR_INVALID,
		    "the password is longer than %d bytes", (int)PASSWORD_MAX);
	if (rounds == 0 || rounds > SCRAM_ROUNDS_MAX)
		return err_set(e, ERR_INVALID, "no such number of rounds");
	if ((rc = saslprep(password, &prep)) != 0)
		return err_set(e, rc,
		    "the password has a character that no password may have");
	if (!salt_of(like, rounds, salt))
		crypt_random(salt, sizeof(salt));
	crypt_scram_keys(
	    CRYPT_SHA256, saslprep_slice(&prep), salt, rounds, &keys);
	keys_print(&keys, value_out);
	if (sha1_out != NULL)
		make_sha1(saslprep_slice(&prep), &keys, sha1_out);
	mem_wipe(&keys, sizeof(keys));
	saslprep_wipe(&prep);
	return buf_failed(value_out) ||
		       (sha1_out != NULL && buf_failed(sha1_out))
		   ? ERR_TOOBIG
		   : 0;
}

bool
secret_import(struct slice hash, struct arena *a, struct secret *s)
{
	struct scram_keys keys;
	struct buf b;
	struct slice text;

	if (!secret_hash_known(hash))
		return false;
	s->kind = SECRET_HASH;
	s->value = hash;
	s->sha1 = SLICE("");
	if (!keys_foreign_take(hash, &keys))
		return true;
	buf_init(&b, SECRET_VALUE_MAX);
	keys_print(&keys, &b);
	text = arena_copy(a, buf_slice(&b));
	buf_fini(&b);
	if (keys.hash == CRYPT_SHA1)
		s->sha1 = text;
	else {
		s->kind = SECRET_SCRAM_SHA256;
		s->value = text;
	}
	return true;
}
