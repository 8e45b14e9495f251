#include "lib/mail/mutf7.h"

#include "lib/base/b64.h"
#include "lib/base/utf8.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* Base64 in progress: bits not yet written or read. */
struct bits {
	uint32_t acc;
	unsigned n;
};

static void
put_unit(struct buf *out, struct bits *b, uint32_t unit)
{
	b->acc = b->acc << 16 | unit;
	b->n += 16;
	while (b->n >= 6) {
		b->n -= 6;
		buf_add_char(out, alphabet[(b->acc >> b->n) & 63]);
	}
	b->acc &= (1u << b->n) - 1;
}

static void
end_shift(struct buf *out, struct bits *b)
{
	if (b->n != 0)
		buf_add_char(out, alphabet[(b->acc << (6 - b->n)) & 63]);
	buf_add_char(out, '-');
	*b = (struct bits){ 0 };
}

bool
mutf7_encode(struct buf *out, struct slice utf8)
{
	struct bits b = { 0 };
	bool shifted = false;
	uint32_t cp;

	while (utf8.n != 0) {
		if (!utf8_next(&utf8, &cp) || cp == 0)
			return false;
		if (cp >= 0x20 && cp <= 0x7e) {
			if (shifted)
				end_shift(out, &b);
			shifted = false;
			buf_add_char(out, (char)cp);
			if (cp == '&')
				buf_add_char(out, '-');
			continue;
		}
		if (!shifted)
			buf_add_char(out, '&');
		shifted = true;
		if (cp > 0xffff) {
			put_unit(out, &b, 0xd7c0 + (cp >> 10));
			cp = 0xdc00 | (cp & 0x3ff);
		}
		put_unit(out, &b, cp);
	}
	if (shifted)
		end_shift(out, &b);
	return true;
}

/* RFC 3501 5.1.3: "," is used instead of "/" */
static int
value_of(char c)
{
	return c == ',' ? 63 : c == '/' ? -1 : b64_value(c);
}

/* One UTF-16 unit; *high holds the first half of a pair, or 0. */
static bool
take_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	if (*high != 0) {
		if (unit < 0xdc00 || unit > 0xdfff)
			return false;
		utf8_add(
		    out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
		*high = 0;
		return true;
	}
	if (unit >= 0xd800 && unit <= 0xdbff) {
		*high = unit;
		return true;
	}
	/* RFC 3501 5.1.3: "modified BASE64 MUST NOT be used to represent any
	 * printing US-ASCII character which can represent itself" */
	if ((unit >= 0xdc00 && unit <= 0xdfff) || unit == 0 ||
	    (unit >= 0x20 && unit <= 0x7e))
		return false;
	utf8_add(out, unit);
	return true;
}

/* The base64 between '&' and '-', not empty. */
static bool
decode_shift(struct buf *out, struct slice s)
{
	struct bits b = { 0 };
	uint32_t high = 0;

	for (size_t i = 0; i < s.n; i++) {
		int v = value_of(s.p[i]);

		if (v < 0)
			return false;
		b.acc = b.acc << 6 | (uint32_t)v;
		b.n += 6;
		if (b.n < 16)
			continue;
		b.n -= 16;
		if (!take_unit(out, b.acc >> b.n, &high))
			return false;
		b.acc &= (1u << b.n) - 1;
	}
	return high == 0 && b.acc == 0 && b.n < 6;
}

bool
mutf7_decode(struct buf *out_utf8, struct slice name)
{
	bool behind_shift = false;

	while (name.n != 0) {
		char c = name.p[0];
		size_t end;

		if (c < 0x20 || c > 0x7e)
			return false;
		name = slice_from(name, 1);
		if (c != '&') {
			buf_add_char(out_utf8, c);
			behind_shift = false;
			continue;
		}
		end = slice_chr(name, '-');
		if (end == name.n)
			return false;
		if (end == 0)
			buf_add_char(out_utf8, '&');
		else if (behind_shift ||
			 !decode_shift(out_utf8, slice_sub(name, 0, end)))
			return false;
		behind_shift = end != 0;
		name = slice_from(name, end + 1);
	}
	return true;
}
