#include "imapd/parse_url.h"

#include "imapd/mboxname.h"
#include "lib/base/utf8.h"

enum { URL_MAX = 8192 };

static int
hex_digit(struct slice s, size_t at)
{
	char c = at < s.n ? ascii_lower(s.p[at]) : '\0';

	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* pct-encoded = "%" HEXDIG HEXDIG, RFC 3986 2.1.  What comes out has neither
 * NUL nor other controls, and is UTF-8 (RFC 5092 8). */
static bool
decode(struct arena *a, struct slice raw, struct slice *out)
{
	char *p = arena_alloc(a, raw.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		unsigned c = (unsigned char)raw.p[i];

		if (c == '%') {
			int hi = hex_digit(raw, i + 1);
			int lo = hex_digit(raw, i + 2);

			if (hi < 0 || lo < 0)
				return false;
			c = (unsigned)(hi * 16 + lo);
			i += 2;
		}
		if (c < ' ' || c == 0x7f)
			return false;
		p[n++] = (char)c;
	}
	*out = slice_of(p, n);
	return utf8_valid(*out);
}

/* Up to the next ";", which stands raw only before a keyword. */
static struct slice
until_keyword(struct cur *c)
{
	const char *from = c->p;
	char byte;

	while (cur_peek(c) >= 0 && cur_peek(c) != ';')
		(void)cur_any(c, &byte);
	return slice_of(from, (size_t)(c->p - from));
}

/* enc-mailbox, and the "/" before ";UID=" that UIDVALIDITY may come before */
static bool
read_mailbox(struct parse *p, struct imap_url *u)
{
	struct slice raw;

	u->absolute = cur_skip(&p->c, '/');
	raw = until_keyword(&p->c);
	/* "//server", "imap://server", "?search" */
	if (slice_starts(raw, SLICE("/")) || slice_chr(raw, '?') != raw.n ||
	    (!u->absolute && slice_chr(raw, ':') < slice_chr(raw, '/')))
		return cur_fail(&p->c, "only messages of this server");
	if (cur_skip_word(&p->c, ";UIDVALIDITY=")) {
		if (!parse_nz_u32(p, &u->uidvalidity) || !cur_byte(&p->c, '/'))
			return false;
	} else if (raw.n != 0) {
		if (raw.p[--raw.n] != '/')
			return cur_fail(&p->c, "no message");
	}
	if (raw.n == 0 && (u->absolute || u->uidvalidity != 0))
		return cur_fail(&p->c, "no mailbox");
	if (!decode(p->a, raw, &u->mailbox))
		return cur_fail(&p->c, "bad encoding");
	u->mailbox = mboxname_normal(p->a, u->mailbox);
	return true;
}

/* enc-section, as it stands between the brackets of BODY[...] */
static bool
read_section(struct parse *p, struct imap_url *u)
{
	struct slice raw = until_keyword(&p->c), text;
	struct parse s;

	/* The slash of "/;PARTIAL=". */
	if (cur_peek(&p->c) == ';' && raw.n != 0) {
		if (raw.p[--raw.n] != '/')
			return cur_fail(&p->c, "bad section");
		p->c.p--;
	}
	if (raw.n == 0 || !decode(p->a, raw, &text))
		return cur_fail(&p->c, "bad section");
	text = slice_str(arena_printf(p->a, "[%.*s]", (int)text.n, text.p));
	u->section = arena_alloc(p->a, sizeof(*u->section));
	parse_init(&s, text, p->a, false);
	return (parse_fetch_section(&s, u->section) && parse_end(&s)) ||
	       cur_fail(&p->c, "bad section");
}

/* partial-range = number ["." nz-number] */
static bool
read_partial(struct parse *p, struct imap_url *u)
{
	u->partial = true;
	if (!parse_u63(p, &u->off))
		return false;
	if (!cur_skip(&p->c, '.'))
		return true;
	return parse_u63(p, &u->len) &&
	       (u->len != 0 || cur_fail(&p->c, "a part of no bytes"));
}

/* imessagepart = imailbox-ref "/;UID=" nz-number ["/;SECTION=" enc-section]
 *                ["/;PARTIAL=" partial-range] */
bool
url_parse(struct arena *a, struct slice text, struct imap_url *out)
{
	struct parse p;

	*out = (struct imap_url){ 0 };
	if (text.n > URL_MAX)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] == 0x7f)
			return false; /* 8 bits are encoded too */
	parse_init(&p, text, a, true);
	if (!read_mailbox(&p, out) || !cur_word(&p.c, ";UID=") ||
	    !parse_nz_u32(&p, &out->uid))
		return false;
	if (cur_skip_word(&p.c, "/;SECTION=") && !read_section(&p, out))
		return false;
	if (cur_skip_word(&p.c, "/;PARTIAL=") && !read_partial(&p, out))
		return false;
	return parse_end(&p);
}
