#include "lib/mail/text.h"

#include <string.h>

#include "lib/base/cset.h"
#include "lib/base/utf8.h"
#include "lib/mail/charset.h"
#include "lib/mail/decode.h"
#include "lib/mail/mime_index.h"

enum { CHUNK = 4096 };

/* Adds what fits below out's ceiling, whole characters; false when it was not
 * all. */
static bool
add_fitting(struct buf *out, struct slice s)
{
	size_t room = out->max - buf_len(out);

	if (s.n <= room) {
		buf_add_slice(out, s);
		return true;
	}
	while (room != 0 && ((unsigned char)s.p[room] & 0xc0) == 0x80)
		room--;
	buf_add(out, s.p, room);
	return false;
}

static enum decode_kind
kind_of(enum mime_cte cte)
{
	if (cte == MIME_BASE64)
		return DECODE_BASE64;
	return cte == MIME_QP ? DECODE_QP : DECODE_NONE;
}

/* Bytes through transfer decoder and charset to out; false: out is full. */
static bool
pump(struct decoder *d, struct charset *c, struct slice in, struct buf *out)
{
	struct buf bytes, text;
	bool room = true;

	buf_init(&bytes, CHUNK * 2);
	buf_init(&text, CHUNK * 8);
	while (in.n != 0 && room) {
		buf_clear(&bytes);
		buf_clear(&text);
		decode_feed(d, slice_sub(in, 0, CHUNK), &bytes);
		charset_feed(c, buf_slice(&bytes), &text);
		room = add_fitting(out, buf_slice(&text));
		in = slice_from(in, CHUNK);
	}
	if (room) {
		buf_clear(&bytes);
		buf_clear(&text);
		decode_finish(d, &bytes);
		charset_feed(c, buf_slice(&bytes), &text);
		charset_finish(c, &text);
		(void)add_fitting(out, buf_slice(&text));
	}
	buf_fini(&bytes);
	buf_fini(&text);
	return room;
}

bool
text_decode(struct buf *out_utf8, struct slice msg,
    const struct mime_part *part, uint64_t max_in)
{
	struct slice body;
	struct decoder d;
	struct charset c;

	if (!part->is_text || part->cte == MIME_OTHER ||
	    part->body_off > msg.n || part->body_len > msg.n - part->body_off)
		return false;
	body = slice_sub(msg, part->body_off, part->body_len);
	if (body.n > max_in)
		body.n = max_in;
	decode_init(&d, kind_of(part->cte));
	(void)charset_init(&c, mime_param_find(part->params, SLICE("charset")));
	(void)pump(&d, &c, body, out_utf8);
	charset_fini(&c);
	return true;
}

/* HTML 4 and XML names that letters really use. */
static const struct {
	char name[8];
	uint16_t cp;
} entities[] = {
	{ "amp", '&' },
	{ "lt", '<' },
	{ "gt", '>' },
	{ "quot", '"' },
	{ "apos", '\'' },
	{ "nbsp", 0xa0 },
	{ "sect", 0xa7 },
	{ "copy", 0xa9 },
	{ "laquo", 0xab },
	{ "shy", 0xad },
	{ "reg", 0xae },
	{ "deg", 0xb0 },
	{ "middot", 0xb7 },
	{ "raquo", 0xbb },
	{ "Agrave", 0xc0 },
	{ "Auml", 0xc4 },
	{ "Aring", 0xc5 },
	{ "Ccedil", 0xc7 },
	{ "Eacute", 0xc9 },
	{ "Ouml", 0xd6 },
	{ "Oslash", 0xd8 },
	{ "Uuml", 0xdc },
	{ "szlig", 0xdf },
	{ "agrave", 0xe0 },
	{ "aacute", 0xe1 },
	{ "acirc", 0xe2 },
	{ "auml", 0xe4 },
	{ "aring", 0xe5 },
	{ "aelig", 0xe6 },
	{ "ccedil", 0xe7 },
	{ "egrave", 0xe8 },
	{ "eacute", 0xe9 },
	{ "ecirc", 0xea },
	{ "euml", 0xeb },
	{ "iacute", 0xed },
	{ "icirc", 0xee },
	{ "iuml", 0xef },
	{ "ntilde", 0xf1 },
	{ "oacute", 0xf3 },
	{ "ocirc", 0xf4 },
	{ "ouml", 0xf6 },
	{ "oslash", 0xf8 },
	{ "ugrave", 0xf9 },
	{ "uacute", 0xfa },
	{ "ucirc", 0xfb },
	{ "uuml", 0xfc },
	{ "ensp", 0x2002 },
	{ "emsp", 0x2003 },
	{ "thinsp", 0x2009 },
	{ "zwnj", 0x200c },
	{ "zwj", 0x200d },
	{ "ndash", 0x2013 },
	{ "mdash", 0x2014 },
	{ "lsquo", 0x2018 },
	{ "rsquo", 0x2019 },
	{ "sbquo", 0x201a },
	{ "ldquo", 0x201c },
	{ "rdquo", 0x201d },
	{ "bdquo", 0x201e },
	{ "bull", 0x2022 },
	{ "hellip", 0x2026 },
	{ "euro", 0x20ac },
	{ "trade", 0x2122 },
};

static uint32_t
named_entity(struct slice name)
{
	for (size_t i = 0; i < PH_LEN(entities); i++)
		if (name.n < sizeof(entities[i].name) &&
		    memcmp(entities[i].name, name.p, name.n) == 0 &&
		    entities[i].name[name.n] == '\0')
			return entities[i].cp;
	return 0;
}

/* "#228", "#xE4"; 0 when it is no character. */
static uint32_t
number_entity(struct slice s)
{
	bool hex = s.n > 1 && ascii_lower(s.p[1]) == 'x';
	uint32_t v = 0;

	for (size_t i = hex ? 2 : 1; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		uint32_t d =
		    c >= 'a' ? (uint32_t)(c - 'a' + 10) : (uint32_t)(c - '0');

		if (!cset_has(hex ? &cset_hex : &cset_digit, c) || v > 0x10ffff)
			return 0;
		v = v * (hex ? 16 : 10) + d;
	}
	return v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff) ? 0 : v;
}

/* "&" in front of s; bytes read. */
static size_t
add_entity(struct buf *out, struct slice s)
{
	size_t n = slice_chr(slice_sub(s, 1, 12), ';');
	struct slice name = slice_sub(s, 1, n);
	uint32_t cp = 0;

	if (n + 1 < s.n && s.p[n + 1] == ';' && n != 0)
		cp =
		    name.p[0] == '#' ? number_entity(name) : named_entity(name);
	if (cp == 0) {
		buf_add_char(out, '&');
		return 1;
	}
	utf8_add(out, cp);
	return n + 2;
}

static bool
is_one_of(struct slice name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_ieq_str(name, list[i]))
			return true;
	return false;
}

/* Behind "</name" of an element whose content is no text. */
static size_t
skip_element(struct slice s, struct slice name)
{
	size_t at = 0;

	while (at < s.n) {
		at += slice_find(slice_from(s, at), SLICE("</"));
		if (slice_istarts(slice_from(s, at + 2), name))
			break;
		at += 2;
	}
	return at < s.n ? at : s.n;
}

static struct slice
tag_name(struct slice s)
{
	size_t n = 0;

	while (n < s.n && (cset_has(&cset_alnum, s.p[n]) || s.p[n] == ':'))
		n++;
	return slice_sub(s, 0, n);
}

/* "<" in front of s; bytes read. */
static size_t
add_tag(struct buf *out, struct slice s)
{
	static const char *const hidden[] = { "style", "script", "title",
		"template" };
	static const char *const inlines[] = { "a", "b", "i", "u", "em", "s",
		"strong", "span", "font", "small", "big", "sub", "sup", "code",
		"tt", "abbr", "mark", "wbr", "o:p" };
	char c = s.n > 1 ? s.p[1] : ' ';
	struct slice name = tag_name(slice_from(s, c == '/' ? 2 : 1));
	size_t gt;

	if (!cset_has(&cset_alpha, c) && c != '/' && c != '!' && c != '?') {
		buf_add_char(out, '<');
		return 1;
	}
	if (slice_starts(s, SLICE("<!--"))) {
		gt = slice_find(s, SLICE("-->"));
		return gt + 3 < s.n ? gt + 3 : s.n;
	}
	gt = slice_chr(s, '>');
	gt += gt < s.n;
	if (c != '/' && is_one_of(name, hidden, PH_LEN(hidden)))
		return gt + skip_element(slice_from(s, gt), name);
	if (!is_one_of(name, inlines, PH_LEN(inlines)))
		buf_add_char(out, ' ');
	return gt;
}

void
text_strip_html(struct buf *out, struct slice html_utf8)
{
	struct slice s = html_utf8;

	while (s.n != 0) {
		size_t n = 0;

		while (n < s.n && s.p[n] != '<' && s.p[n] != '&')
			n++;
		buf_add(out, s.p, n);
		s = slice_from(s, n);
		if (s.n != 0)
			s = slice_from(s, s.p[0] == '<' ? add_tag(out, s)
							: add_entity(out, s));
	}
}
