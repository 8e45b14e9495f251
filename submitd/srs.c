#include "submitd/srs.h"

#include "lib/base/cset.h"
#include "lib/crypt/crypt.h"

enum { HASH_LEN = 6, DAY_SEC = 86400, DAYS = 1024, TEXT_MAX = 600 };

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static int
value32(char c)
{
	c = ascii_upper(c);
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

/* Of the text in small letters: mail systems change the case of a local
 * part. */
static bool
hash_of(struct slice key, struct slice text, char out[HASH_LEN])
{
	uint8_t mac[SHA256_LEN];
	char low[TEXT_MAX];

	if (text.n > sizeof(low))
		return false;
	for (size_t i = 0; i < text.n; i++)
		low[i] = ascii_lower(text.p[i]);
	crypt_hmac_sha256(key, slice_of(low, text.n), mac);
	for (size_t i = 0; i < HASH_LEN; i++)
		out[i] = base32[mac[i] & 31];
	return true;
}

static bool
hash_ok(struct slice key, struct slice text, struct slice hash)
{
	char want[HASH_LEN];

	return hash_of(key, text, want) && hash.n == HASH_LEN &&
	       slice_ieq(hash, slice_of(want, HASH_LEN));
}

static struct slice
local_of(struct slice addr)
{
	return slice_sub(addr, 0, slice_rchr(addr, '@'));
}

static struct slice
domain_of(struct slice addr)
{
	return slice_from(addr, slice_rchr(addr, '@') + 1);
}

/* "SRS0=", "srs1+", "SRS0-": digit is '0' or '1'. */
static bool
has_tag(struct slice addr, char digit)
{
	return addr.n > 5 && slice_ieq(slice_sub(addr, 0, 3), SLICE("SRS")) &&
	       addr.p[3] == digit &&
	       (addr.p[4] == '=' || addr.p[4] == '+' || addr.p[4] == '-');
}

bool
srs_is(struct slice addr)
{
	return has_tag(addr, '0') || has_tag(addr, '1');
}

/* tag HASH "=" text "@" domain */
static bool
put(struct slice key, const char *tag, struct slice text, struct slice domain,
    struct buf *out)
{
	char hash[HASH_LEN];

	if (text.n > SRS_LOCAL_MAX || !hash_of(key, text, hash))
		return false;
	buf_add_str(out, tag);
	buf_add(out, hash, HASH_LEN);
	buf_add_char(out, '=');
	buf_add_slice(out, text);
	buf_add_char(out, '@');
	buf_add_slice(out, domain);
	return !buf_failed(out);
}

/* A forwarder before us: its host is named, what it made stays as it is. */
static bool
put_second(
    struct slice key, struct slice sender, struct slice domain, struct buf *out)
{
	struct slice local = local_of(sender), hash;
	struct buf text;
	bool good = true;

	buf_init(&text, TEXT_MAX);
	if (has_tag(sender, '0')) {
		buf_add_slice(&text, domain_of(sender));
		buf_add_char(&text, '=');
		buf_add_slice(&text, slice_from(local, 4));
	} else {
		local = slice_from(local, 5);
		good = slice_split(&local, '=', &hash) && local.n != 0;
		buf_add_slice(&text, local);
	}
	good = good && !buf_failed(&text) &&
	       put(key, "SRS1=", buf_slice(&text), domain, out);
	buf_fini(&text);
	return good;
}

bool
srs_encode(struct slice key, int64_t now_sec, struct slice sender,
    struct slice domain, struct buf *out)
{
	unsigned day = (unsigned)(now_sec / DAY_SEC % DAYS);
	struct buf text;
	bool good;

	if (srs_is(sender))
		return put_second(key, sender, domain, out);
	buf_init(&text, TEXT_MAX);
	buf_add_char(&text, base32[day >> 5]);
	buf_add_char(&text, base32[day & 31]);
	buf_add_char(&text, '=');
	buf_add_slice(&text, domain_of(sender));
	buf_add_char(&text, '=');
	buf_add_slice(&text, local_of(sender));
	good = !buf_failed(&text) &&
	       put(key, "SRS0=", buf_slice(&text), domain, out);
	buf_fini(&text);
	return good;
}

static bool
is_fresh(struct slice tt, int64_t now_sec)
{
	int hi, lo, age;

	if (tt.n != 2 || (hi = value32(tt.p[0])) < 0 ||
	    (lo = value32(tt.p[1])) < 0)
		return false;
	age = (int)(now_sec / DAY_SEC % DAYS) - (hi * 32 + lo);
	return (age + DAYS) % DAYS <= SRS_DAYS_MAX;
}

static bool
decode_first(struct slice text, int64_t now_sec, struct buf *out)
{
	struct slice tt, domain;

	if (!slice_split(&text, '=', &tt) || !slice_split(&text, '=', &domain))
		return false;
	if (!is_fresh(tt, now_sec) || domain.n == 0 || text.n == 0)
		return false;
	buf_add_slice(out, text);
	buf_add_char(out, '@');
	buf_add_slice(out, domain);
	return !buf_failed(out);
}

static bool
decode_second(struct slice text, struct buf *out)
{
	struct slice host;

	if (!slice_split(&text, '=', &host) || host.n == 0 || text.n == 0)
		return false;
	buf_add_str(out, "SRS0");
	buf_add_slice(out, text);
	buf_add_char(out, '@');
	buf_add_slice(out, host);
	return !buf_failed(out);
}

bool
srs_decode(
    struct slice key, int64_t now_sec, struct slice addr, struct buf *out)
{
	struct slice text = slice_from(local_of(addr), 5), hash;

	if (!srs_is(addr) || !slice_split(&text, '=', &hash) ||
	    !hash_ok(key, text, hash))
		return false;
	return has_tag(addr, '0') ? decode_first(text, now_sec, out)
				  : decode_second(text, out);
}
