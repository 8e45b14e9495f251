#include "lib/base/utf8.h"

#include <string.h>

/* Bytes of the character that starts with this one; 0: none does. */
static size_t
length(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2)
		return 0;
	if (lead < 0xe0)
		return 2;
	if (lead < 0xf0)
		return 3;
	return lead < 0xf5 ? 4 : 0;
}

bool
utf8_next(struct slice *s, uint32_t *cp_out)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char lead;
	uint32_t cp;
	size_t n;

	if (s->n == 0)
		return false;
	lead = (unsigned char)s->p[0];
	n = length(lead);
	if (n == 0 || s->n < n)
		return false;
	cp = n == 1 ? lead : lead & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s->p[i] & 0xc0) != 0x80)
			return false;
		cp = cp << 6 | ((unsigned char)s->p[i] & 0x3f);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return false;
	*cp_out = cp;
	*s = slice_from(*s, n);
	return true;
}

/* How many bytes it begins with are ASCII; eight at a time. */
static size_t
ascii_run(struct slice s)
{
	static const uint64_t high = 0x8080808080808080;
	size_t i = 0;
	uint64_t w;

	for (; s.n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, s.p + i, sizeof(w));
		if ((w & high) != 0)
			break;
	}
	while (i < s.n && (unsigned char)s.p[i] < 0x80)
		i++;
	return i;
}

bool
utf8_valid(struct slice s)
{
	uint32_t cp;

	for (;;) {
		s = slice_from(s, ascii_run(s));
		if (s.n == 0)
			return true;
		if (!utf8_next(&s, &cp))
			return false;
	}
}

bool
utf8_is_ascii(struct slice s)
{
	return ascii_run(s) == s.n;
}

void
utf8_add(struct buf *out, uint32_t cp)
{
	char b[4];

	if (cp < 0x80) {
		buf_add_char(out, (char)cp);
	} else if (cp < 0x800) {
		b[0] = (char)(0xc0 | cp >> 6);
		b[1] = (char)(0x80 | (cp & 0x3f));
		buf_add(out, b, 2);
	} else if (cp < 0x10000) {
		b[0] = (char)(0xe0 | cp >> 12);
		b[1] = (char)(0x80 | ((cp >> 6) & 0x3f));
		b[2] = (char)(0x80 | (cp & 0x3f));
		buf_add(out, b, 3);
	} else {
		b[0] = (char)(0xf0 | cp >> 18);
		b[1] = (char)(0x80 | ((cp >> 12) & 0x3f));
		b[2] = (char)(0x80 | ((cp >> 6) & 0x3f));
		b[3] = (char)(0x80 | (cp & 0x3f));
		buf_add(out, b, 4);
	}
}
