#include "auth/scram.h"

#include <string.h>

#include "lib/base/b64.h"
#include "lib/base/mem.h"

enum { TEXT_MAX = 16 << 10, ATTR = 2 /* "r=" */ };

/* The messages taken apart. */
struct parts {
	struct slice header;   /* gs2-header */
	struct slice bare;     /* client-first-message-bare */
	struct slice nonce;    /* of the server's message */
	struct slice no_proof; /* client-final-message-without-proof */
	uint8_t proof[SHA256_LEN];
};

/* "x=..." at the front of *rest, up to a comma. */
static bool
take(struct slice *rest, char name, struct slice *value_out)
{
	struct slice word;

	if (!slice_split(rest, ',', &word) || word.n < ATTR ||
	    word.p[0] != name || word.p[1] != '=')
		return false;
	*value_out = slice_from(word, ATTR);
	return true;
}

static bool
decode(struct slice text, void *to, size_t n)
{
	struct buf b;
	bool ok;

	buf_init(&b, n);
	ok = b64_decode(&b, text) && !buf_failed(&b) && buf_len(&b) == n;
	if (ok)
		memcpy(to, buf_slice(&b).p, n);
	buf_fini(&b);
	return ok;
}

/* gs2-header = gs2-cbind-flag "," [ authzid ] ",", RFC 5801 4 */
static bool
split_first(struct slice first, struct parts *p)
{
	size_t flag = slice_chr(first, ',');

	if (flag + 1 >= first.n || first.p[flag + 1] != ',' || flag == 0 ||
	    first.p[0] == 'y')
		return false;
	p->header = slice_sub(first, 0, flag + 2);
	p->bare = slice_from(first, flag + 2);
	return true;
}

/* client-final-message-without-proof "," proof, RFC 5802 7 */
static bool
split_final(struct slice final, size_t proof_n, struct parts *p)
{
	size_t comma = slice_rchr(final, ',');
	struct slice proof = slice_from(final, comma + 1);

	if (comma == final.n || proof.n < ATTR || proof.p[0] != 'p' ||
	    proof.p[1] != '=')
		return false;
	p->no_proof = slice_sub(final, 0, comma);
	return decode(slice_from(proof, ATTR), p->proof, proof_n);
}

/* channel-binding is the header, and behind it the channel's data. */
static bool
same_channel(
    struct slice text, const struct parts *p, const struct scram_said *said)
{
	struct buf want, got;
	bool same;

	buf_init(&want, TEXT_MAX);
	buf_init(&got, TEXT_MAX);
	buf_add_slice(&want, p->header);
	if (p->header.p[0] == 'p')
		buf_add_slice(&want, said->binding);
	same = b64_decode(&got, text) && !buf_failed(&got) &&
	       slice_eq(buf_slice(&want), buf_slice(&got));
	buf_fini(&want);
	buf_fini(&got);
	return same;
}

static bool
split(const struct scram_said *said, size_t proof_n, struct parts *p)
{
	struct slice server = said->server_first, rest, channel, nonce;

	if (!split_first(said->client_first, p) ||
	    !split_final(said->client_final, proof_n, p) ||
	    !take(&server, 'r', &p->nonce))
		return false;
	rest = p->no_proof;
	return take(&rest, 'c', &channel) && take(&rest, 'r', &nonce) &&
	       slice_eq(nonce, p->nonce) && same_channel(channel, p, said);
}

bool
scram_proves(const struct scram_said *said, const struct scram_keys *keys,
    struct buf *final_out)
{
	size_t n = crypt_hash_len(keys->hash);
	struct slice stored = slice_of(keys->stored_key, n);
	uint8_t sig[SHA256_LEN], hash[SHA256_LEN];
	struct parts p;
	struct buf msg;
	bool good;

	if (!split(said, n, &p))
		return false;
	/* AuthMessage, RFC 5802 3 */
	buf_init(&msg, 3 * TEXT_MAX);
	buf_add_slice(&msg, p.bare);
	buf_add_char(&msg, ',');
	buf_add_slice(&msg, said->server_first);
	buf_add_char(&msg, ',');
	buf_add_slice(&msg, p.no_proof);
	crypt_hmac(keys->hash, stored, buf_slice(&msg), sig);
	for (size_t i = 0; i < n; i++)
		sig[i] ^= p.proof[i]; /* ClientKey */
	crypt_digest(keys->hash, slice_of(sig, n), hash);
	good = !buf_failed(&msg) && crypt_equal(hash, keys->stored_key, n);
	if (good) {
		crypt_hmac(keys->hash, slice_of(keys->server_key, n),
		    buf_slice(&msg), sig);
		buf_add_str(final_out, "v=");
		b64_encode(final_out, slice_of(sig, n));
	}
	buf_fini(&msg);
	mem_wipe(sig, sizeof(sig));
	return good;
}
