/*
 * Passwords against secrets: throttled, remembered, upgraded.
 */
#include "auth/auth_priv.h"

#include <string.h>

#include "auth/secret.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/siphash.h"

/* A keyed hash of several things, none of which can run into the next. */
static void
mac_of(const struct auth *a, char use, uint64_t n1, uint64_t n2,
    struct slice text, struct slice secret, uint8_t out[SHA256_LEN])
{
	struct buf b;
	char head[25];

	head[0] = use;
	num_put64(head + 1, n1);
	num_put64(head + 9, n2);
	num_put64(head + 17, text.n);
	buf_init(&b, sizeof(head) + text.n + secret.n);
	(void)buf_reserve(&b, sizeof(head) + text.n + secret.n);
	buf_add(&b, head, sizeof(head));
	buf_add_slice(&b, text);
	buf_add_slice(&b, secret);
	crypt_hmac_sha256(
	    slice_of(a->start_key, SHA256_LEN), buf_slice(&b), out);
	mem_wipe(b.p, b.cap);
	buf_fini(&b);
}

/* No password at all (RFC 4616 2: 1*SAFE, no NUL). */
static bool
impossible(struct slice password)
{
	return password.n == 0 || password.n > PASSWORD_MAX ||
	       slice_chr(password, '\0') != password.n;
}

/* Never 0, which means a password that is not known. */
static uint64_t
guess_mac(
    const struct auth *a, const struct auth_found *f, struct slice password)
{
	uint8_t mac[SHA256_LEN];
	uint64_t v;

	mac_of(a, 'g', f->known ? f->ac.secret_version : 0, 0,
	    auth_found_name(f), password, mac);
	v = num_get64(mac);
	return v != 0 ? v : 1;
}

/*
 * SipHash twice, with independent keys that are used for nothing else: 128 bits
 * that say nothing about a password to who does not know them.  An HMAC does no
 * more here, and OpenSSL 3.0 takes several times as long for it.
 */
bool
auth_recall_key(const struct auth *a, const struct auth_peer *peer,
    struct slice typed, struct slice password, struct recall_key *key_out)
{
	const uint64_t *k = a->recall_keys;
	struct slice ip = slice_str(peer->ip);
	struct slice client =
	    slice_str(peer->client != NULL ? peer->client : "");
	char head[16];
	struct buf b;

	if (typed.n == 0 || typed.n > IDENT_MAX + 256 || impossible(password))
		return false;
	/* Lengths and what has a fixed one come first. */
	num_put32(head,
	    (uint32_t)(peer->scope << 8 | (unsigned char)peer->suffix_sep));
	num_put32(head + 4, (uint32_t)ip.n);
	num_put32(head + 8, (uint32_t)client.n);
	num_put32(head + 12, (uint32_t)typed.n);
	buf_init(&b, sizeof(head) + ip.n + client.n + typed.n + password.n);
	(void)buf_reserve(&b, b.max);
	buf_add(&b, head, sizeof(head));
	buf_add_slice(&b, ip);
	buf_add_slice(&b, client);
	buf_add_slice(&b, typed);
	buf_add_slice(&b, password);
	num_put64(key_out->mac, siphash_key(buf_slice(&b), k[0], k[1]));
	num_put64(key_out->mac + 8, siphash_key(buf_slice(&b), k[2], k[3]));
	mem_wipe(b.p, b.cap);
	buf_fini(&b);
	return true;
}

bool
auth_told(struct auth *a, const struct auth_peer *peer, uint64_t account,
    uint32_t secret_id, uint64_t *until_out)
{
	struct slice client =
	    slice_str(peer->client != NULL ? peer->client : "");
	uint8_t mac[SHA256_LEN];

	mac_of(
	    a, 'f', peer->scope, secret_id, slice_str(peer->ip), client, mac);
	return cache_told(
	    a->cache, account, num_get64(mac), clock_steady_ms(), until_out);
}

static const struct secret *
secret_of(const struct auth_found *f, uint32_t id)
{
	size_t n;
	const struct secret *v = auth_secrets(f, &n);

	for (size_t i = 0; i < n; i++)
		if (v[i].id == id)
			return &v[i];
	return NULL;
}

/* The secret this password makes.  A derivation is paid in any case. */
static const struct secret *
try_secrets(const struct auth *a, const struct auth_found *f,
    struct slice password, size_t *tried_out)
{
	size_t n, tried = 0;
	const struct secret *s, *found = NULL, *v = auth_secrets(f, &n);
	struct secret_try t;

	secret_try_init(&t, password);
	for (size_t i = 0; f->known && found == NULL && i < n; i++) {
		s = &v[i];
		if (auth_expired(s))
			continue;
		tried++;
		if (secret_verify(&t, s))
			found = s;
	}
	if (tried == 0)
		secret_verify_nothing(&t, (uint32_t)a->conf->scram_iterations);
	secret_try_fini(&t);
	*tried_out = tried;
	return found;
}

/* What is missing for SCRAM: all of it for a hash that was brought along
 * (CLIENTS M6), or the keys of SHA-1. */
static bool
lacks_keys(
    const struct auth *a, const struct auth_found *f, const struct secret *s)
{
	if (f->support[0] != '\0')
		return false;
	return s->kind == SECRET_HASH ||
	       (s->sha1.n == 0 && a->conf->scram_sha_1);
}

/* Made as soon as the password is seen.  The login is good whether this works
 * or not. */
static void
upgrade(struct auth *a, const struct auth_found *f, const struct secret *s,
    struct slice password)
{
	struct secret now = { .kind = SECRET_SCRAM_SHA256 };
	struct buf value, sha1;
	struct err e = { 0 };
	int rc;

	buf_init(&value, SECRET_VALUE_MAX);
	buf_init(&sha1, SECRET_SHA1_MAX);
	if (s->kind == SECRET_HASH)
		rc = secret_make(password, (uint32_t)a->conf->scram_iterations,
		    &f->ac, &value, a->conf->scram_sha_1 ? &sha1 : NULL, &e);
	else {
		buf_add_slice(&value, s->value);
		rc = secret_make_sha1(password, s->value, &sha1);
	}
	now.value = buf_slice(&value);
	now.sha1 = buf_slice(&sha1);
	if (rc == 0)
		rc = account_secret_upgrade(
		    a->store, f->ac.id, s->id, s->value, &now);
	if (rc != 0)
		log_info(NULL, "secret-not-upgraded", "account=%s why=%s",
		    log_q(f->ac.name), err_name(rc));
	buf_fini(&value);
	buf_fini(&sha1);
}

/* Password against cache, then against secrets. */
static const struct secret *
prove(struct auth *a, const struct auth_found *f, struct slice password)
{
	struct cache_key key = { .account = f->known ? f->ac.id : 0,
		.secret_version = f->ac.secret_version };
	const struct secret *s = NULL;
	uint64_t now = clock_steady_ms();
	uint32_t id;
	size_t tried;

	mac_of(a, 'c', key.account, key.secret_version, slice_str(f->support),
	    password, key.mac);
	if (f->known && cache_get(a->cache, &key, now, &id))
		s = secret_of(f, id);
	if (s == NULL || auth_expired(s)) {
		s = try_secrets(a, f, password, &tried);
		if (s != NULL)
			cache_put(a->cache, &key, now, s->id);
		if (s != NULL && lacks_keys(a, f, s))
			upgrade(a, f, s, password);
	}
	mem_wipe(&key, sizeof(key));
	return s;
}

int
auth_verify(struct auth *a, const struct auth_peer *peer,
    const struct auth_found *f, struct slice password,
    struct auth_proof *proof_out, struct err *e)
{
	struct throttle_try tr = { .name = auth_found_name(f), .ip = peer->ip };
	int rc;

	*proof_out = (struct auth_proof){ 0 };
	if (impossible(password))
		return ERR_AUTH;
	tr.mac = guess_mac(a, f, password);
	rc = throttle_begin(a->throttle, &tr, clock_steady_ms(), e);
	if (rc != 0)
		return rc;
	proof_out->secret = prove(a, f, password);
	throttle_end(a->throttle, &tr,
	    proof_out->secret != NULL ? THROTTLE_GOOD : THROTTLE_WRONG,
	    clock_steady_ms());
	if (proof_out->secret == NULL)
		return ERR_AUTH;
	proof_out->keyed = f->support[0] == '\0' &&
			   auth_recall_key(a, peer, slice_str(f->typed),
			       password, &proof_out->key);
	return 0;
}

int
auth_scram_begin(struct auth *a, const struct auth_peer *peer,
    const struct auth_found *f, struct err *e)
{
	struct throttle_try tr = { .name = auth_found_name(f), .ip = peer->ip };

	return throttle_begin(a->throttle, &tr, clock_steady_ms(), e);
}

void
auth_scram_wrong(
    struct auth *a, const struct auth_peer *peer, const struct auth_found *f)
{
	struct throttle_try tr = { .name = auth_found_name(f), .ip = peer->ip };

	throttle_end(a->throttle, &tr, THROTTLE_WRONG, clock_steady_ms());
}

void
auth_scram_good(
    struct auth *a, const struct auth_peer *peer, const struct auth_found *f)
{
	struct throttle_try tr = { .name = auth_found_name(f), .ip = peer->ip };

	throttle_end(a->throttle, &tr, THROTTLE_GOOD, clock_steady_ms());
}
