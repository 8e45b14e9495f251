/*
 * libunistring does the normalisation and knows the bidirectional classes; the
 * rest of RFC 4013 is short tables.  GNU libidn has all of stringprep, but
 * would be one more library for one function, and libidn2 has dropped it.
 *
 * Normalisation is that of the library's Unicode, not of Unicode 3.2, and
 * characters unknown to 3.2 are allowed in stored passwords too: a password
 * with a newer letter is better than none.  Both ends of SCRAM normalise what
 * 3.2 knows alike.
 */
#include "auth/saslprep.h"

#include <string.h>
#include <unictype.h>
#include <uninorm.h>

#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/cset.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"

struct range {
	uint32_t from, to;
};

/* RFC 3454 C.1.2: blanks, mapped to SPACE. */
static const struct range blanks[] = {
	{ 0xa0, 0xa0 },
	{ 0x1680, 0x1680 },
	{ 0x2000, 0x200b },
	{ 0x202f, 0x202f },
	{ 0x205f, 0x205f },
	{ 0x3000, 0x3000 },
};

/* RFC 3454 B.1: mapped to nothing. */
static const struct range nothing[] = {
	{ 0xad, 0xad },
	{ 0x34f, 0x34f },
	{ 0x1806, 0x1806 },
	{ 0x180b, 0x180d },
	{ 0x200c, 0x200d },
	{ 0x2060, 0x2060 },
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
};

/* RFC 3454 C.1.2 to C.9; planes' last two code points are checked apart, and
 * surrogates are no UTF-8. */
static const struct range prohibited[] = {
	{ 0, 0x1f },
	{ 0x7f, 0xa0 },
	{ 0x340, 0x341 },
	{ 0x6dd, 0x6dd },
	{ 0x70f, 0x70f },
	{ 0x1680, 0x1680 },
	{ 0x180e, 0x180e },
	{ 0x2000, 0x200f },
	{ 0x2028, 0x202f },
	{ 0x205f, 0x2063 },
	{ 0x206a, 0x206f },
	{ 0x2ff0, 0x2ffb },
	{ 0x3000, 0x3000 },
	{ 0xe000, 0xf8ff },
	{ 0xfdd0, 0xfdef },
	{ 0xfeff, 0xfeff },
	{ 0xfff9, 0xffff },
	{ 0x1d173, 0x1d17a },
	{ 0xe0001, 0xe0001 },
	{ 0xe0020, 0xe007f },
	{ 0xf0000, 0x10ffff },
};

static bool
in_ranges(uint32_t cp, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cp >= r[i].from && cp <= r[i].to)
			return true;
	return false;
}

/* ASCII stays as it is, but for control characters, which are refused. */
static int
prep_ascii(struct slice s, struct prepared *out)
{
	for (size_t i = 0; i < s.n; i++)
		if (cset_has(&cset_ctl, s.p[i]))
			return ERR_INVALID;
	memcpy(out->p, s.p, s.n);
	out->n = s.n;
	return 0;
}

/* RFC 4013 2.1 */
static bool
map(struct slice s, struct buf *out)
{
	uint32_t cp;

	while (s.n != 0) {
		if (!utf8_next(&s, &cp))
			return false;
		if (in_ranges(cp, blanks, PH_LEN(blanks)))
			buf_add_char(out, ' ');
		else if (!in_ranges(cp, nothing, PH_LEN(nothing)))
			utf8_add(out, cp);
	}
	return !buf_failed(out);
}

/* RFC 4013 2.3 */
static bool
is_prohibited(uint32_t cp)
{
	return (cp & 0xfffe) == 0xfffe ||
	       in_ranges(cp, prohibited, PH_LEN(prohibited));
}

static bool
is_r_or_al(uint32_t cp)
{
	int c = uc_bidi_category(cp);

	return c == UC_BIDI_R || c == UC_BIDI_AL;
}

/* Of allowed characters, and right-to-left either from end to end or not at
 * all (RFC 3454 6). */
static bool
check(struct slice s)
{
	bool r = false, l = false, first_r = false, last_r = false;
	bool first = true;
	uint32_t cp;

	while (utf8_next(&s, &cp)) {
		if (is_prohibited(cp))
			return false;
		last_r = is_r_or_al(cp);
		r = r || last_r;
		l = l || uc_bidi_category(cp) == UC_BIDI_L;
		if (first)
			first_r = last_r;
		first = false;
	}
	return s.n == 0 && (!r || (!l && first_r && last_r));
}

static int
prep_utf8(struct slice s, struct prepared *out)
{
	struct slice mapped;
	struct buf b;
	uint8_t *nfkc;
	size_t n;
	int rc = ERR_INVALID;

	buf_init(&b, PASSWORD_MAX);
	/* At once: a buffer that grows leaves its bytes behind. */
	if (buf_reserve(&b, PASSWORD_MAX) == NULL || !map(s, &b))
		goto out;
	mapped = buf_slice(&b);
	nfkc = u8_normalize(
	    UNINORM_NFKC, (const uint8_t *)mapped.p, mapped.n, NULL, &n);
	if (nfkc == NULL)
		goto out;
	if (n > 0 && n <= sizeof(out->p) && check(slice_of(nfkc, n))) {
		memcpy(out->p, nfkc, n);
		out->n = n;
		rc = 0;
	}
	mem_wipe(nfkc, n);
	free(nfkc);
out:
	mem_wipe(b.p, b.cap);
	buf_fini(&b);
	return rc;
}

int
saslprep(struct slice password, struct prepared *out)
{
	out->n = 0;
	if (password.n == 0 || password.n > PASSWORD_MAX)
		return ERR_INVALID;
	return utf8_is_ascii(password) ? prep_ascii(password, out)
				       : prep_utf8(password, out);
}

struct slice
saslprep_slice(const struct prepared *p)
{
	return slice_of(p->p, p->n);
}

void
saslprep_wipe(struct prepared *p)
{
	mem_wipe(p, sizeof(*p));
}
