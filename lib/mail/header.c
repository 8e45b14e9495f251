#include "lib/mail/header.h"

#include <string.h>

#include "lib/base/cset.h"

/* Length of the empty line in front of s: 2, 1, or 0 for none. */
static size_t
empty_line(struct slice s)
{
	if (s.n != 0 && s.p[0] == '\n')
		return 1;
	return s.n > 1 && s.p[0] == '\r' && s.p[1] == '\n' ? 2 : 0;
}

/* The end of the field in front of s, folded lines included. */
static const char *
field_end(struct slice s)
{
	const char *p = s.p, *end = s.p + s.n;

	do {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			return end;
		p++;
	} while (p != end && (*p == ' ' || *p == '\t'));
	return p;
}

/* raw without its last line end. */
static struct slice
without_eol(struct slice raw)
{
	if (raw.n != 0 && raw.p[raw.n - 1] == '\n') {
		raw.n--;
		if (raw.n != 0 && raw.p[raw.n - 1] == '\r')
			raw.n--;
	}
	return raw;
}

/* field-name = 1*ftext; obsolete: blanks before the colon (RFC 5322 4.5). */
static struct slice
field_name(struct slice line)
{
	size_t n = 0, blanks;

	while (
	    n < line.n && line.p[n] != ':' && cset_has(&cset_vchar, line.p[n]))
		n++;
	blanks = n;
	while (blanks < line.n && cset_has(&cset_wsp, line.p[blanks]))
		blanks++;
	if (blanks == line.n || line.p[blanks] != ':')
		n = 0;
	return slice_sub(line, 0, n);
}

bool
header_next(struct slice *rest, struct header *out)
{
	struct slice line;
	size_t eol, colon;

	if (rest->n == 0)
		return false;
	if ((eol = empty_line(*rest)) != 0) {
		*rest = slice_from(*rest, eol);
		return false;
	}
	out->raw = slice_of(rest->p, (size_t)(field_end(*rest) - rest->p));
	*rest = slice_from(*rest, out->raw.n);
	line = without_eol(out->raw);
	out->name = field_name(line);
	out->value = line;
	if (out->name.n != 0) {
		colon = out->name.n;
		while (line.p[colon] != ':') /* behind blanks, at most */
			colon++;
		out->value = slice_from(line, colon + 1);
	}
	return true;
}

size_t
header_end(struct slice msg)
{
	struct slice rest = msg;
	size_t eol;

	while ((eol = empty_line(rest)) == 0) {
		size_t nl = slice_chr(rest, '\n');

		if (nl == rest.n)
			return msg.n;
		rest = slice_from(rest, nl + 1);
	}
	return (size_t)(rest.p - msg.p) + eol;
}

struct slice
header_find(struct slice headers, struct slice name)
{
	struct header h;

	while (header_next(&headers, &h))
		if (h.name.n != 0 && slice_ieq(h.name, name))
			return slice_trim(h.value);
	return (struct slice){ NULL, 0 };
}

/* What unfolding drops. */
static const struct cset fold_bytes = {
	{ CSET_BIT('\r') | CSET_BIT('\n') | CSET_BIT('\0'), 0, 0, 0 }
};

void
header_unfold(struct buf *out, struct slice value)
{
	value = slice_trim(value);
	while (value.n != 0) {
		size_t n = 0;

		while (n < value.n && !cset_has(&fold_bytes, value.p[n]))
			n++;
		buf_add(out, value.p, n);
		while (n < value.n && cset_has(&fold_bytes, value.p[n]))
			n++;
		value = slice_from(value, n);
	}
}

/* A bit for each length and first letter, to skip most fields unread. */
static uint64_t
name_bit(struct slice name)
{
	unsigned first = (unsigned char)ascii_lower(name.p[0]);

	return UINT64_C(1) << ((first * 5 + name.n) & 63);
}

static bool
is_among(struct slice name, const struct slice *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].n == name.n && slice_ieq(name, names[i]))
			return true;
	return false;
}

void
header_fields(struct buf *out, struct slice headers, const struct slice *names,
    size_t n, bool invert)
{
	struct slice rest = headers;
	struct header h;
	uint64_t bits = 0;
	size_t read = 0;

	for (size_t i = 0; i < n; i++)
		if (names[i].n != 0)
			bits |= name_bit(names[i]);
	while (header_next(&rest, &h)) {
		bool in = h.name.n != 0 && (bits & name_bit(h.name)) != 0 &&
			  is_among(h.name, names, n);

		if (in != invert)
			buf_add_slice(out, h.raw);
		read += h.raw.n;
	}
	/* RFC 9051 6.4.5.1: the empty line is always there, but for a message
	 * that has none. */
	if (empty_line(slice_from(headers, read)) != 0)
		buf_add(out, "\r\n", 2);
}
