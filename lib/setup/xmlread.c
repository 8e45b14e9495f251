#include "lib/setup/xmlread.h"

#include "lib/base/utf8.h"

enum { REFERENCE_MAX = 10, CP_MAX = 0x10ffff };

/* S, XML 1.0 2.3 [3] */
static const struct cset set_space = { { CSET_BIT(' ') | CSET_BIT('\t') |
					 CSET_BIT('\r') | CSET_BIT('\n') } };
/* All but what ends a name: blanks, "/", ">", "=", quotes, "<". */
static const struct cset set_name = {
	{ ~(CSET_CTL0 | CSET_BIT(' ') | CSET_BIT('/') | CSET_BIT('>') |
	      CSET_BIT('=') | CSET_BIT('"') | CSET_BIT('\'') | CSET_BIT('<') |
	      CSET_BIT('&')),
	    ~CSET_DEL1, ~UINT64_C(0), ~UINT64_C(0) }
};
/* CharData, 2.4 [14], with blanks. */
static const struct cset set_text = {
	{ (~CSET_CTL0 & ~(CSET_BIT('<') | CSET_BIT('&'))) | CSET_BIT('\t') |
		CSET_BIT('\r') | CSET_BIT('\n'),
	    ~CSET_DEL1, ~UINT64_C(0), ~UINT64_C(0) }
};

void
xmlread_init(struct xmlread *x, struct slice xml)
{
	static const struct slice bom = { "\xef\xbb\xbf", 3 };

	*x = (struct xmlread){ .depth = 0 };
	if (slice_starts(xml, bom))
		xml = slice_from(xml, bom.n);
	cur_init(&x->c, xml);
	buf_init(&x->text, XMLREAD_TEXT);
	if (!utf8_valid(xml) || slice_chr(xml, '\0') != xml.n)
		(void)cur_fail(&x->c, "not UTF-8");
}

void
xmlread_fini(struct xmlread *x)
{
	buf_fini(&x->text);
}

struct slice
xmlread_text(const struct xmlread *x)
{
	return buf_slice(&x->text);
}

static struct slice
local_name(struct slice name)
{
	size_t colon = slice_chr(name, ':');

	return colon == name.n ? name : slice_from(name, colon + 1);
}

bool
xmlread_at(const struct xmlread *x, const char *path)
{
	struct slice rest = slice_str(path), word;
	size_t i = 0;

	while (slice_split(&rest, '/', &word))
		if (i == x->depth || !slice_eq(local_name(x->names[i++]), word))
			return false;
	return i == x->depth;
}

/* Everything up to and with `end`, which is passed back without it. */
static bool
until(struct cur *c, struct slice end, struct slice *out)
{
	struct slice rest = slice_of(c->p, (size_t)(c->end - c->p)), skipped;
	size_t at = slice_find(rest, end);

	*out = slice_sub(rest, 0, 0);
	if (at == rest.n)
		return cur_fail(c, "cut off");
	return cur_take(c, at, out) && cur_take(c, end.n, &skipped);
}

/* CharRef, EntityRef, XML 1.0 4.1 [66] [68]: the five that need no DTD. */
static bool
reference(struct cur *c, struct buf *text)
{
	static const struct {
		const char *name;
		char is;
	} named[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' },
		{ "quot", '"' }, { "apos", '\'' } };
	struct slice name;
	uint32_t cp = 0;
	size_t i = 1, base = 10;

	if (!until(c, SLICE(";"), &name) || name.n == 0 ||
	    name.n > REFERENCE_MAX)
		return cur_fail(c, "bad reference");
	for (size_t k = 0; k < PH_LEN(named); k++)
		if (slice_eq(name, slice_str(named[k].name))) {
			buf_add_char(text, named[k].is);
			return true;
		}
	if (name.p[0] != '#')
		return cur_fail(c, "unknown entity");
	if (name.n > 1 && name.p[1] == 'x')
		base = 16, i = 2;
	if (i == name.n)
		return cur_fail(c, "bad reference");
	for (; i < name.n && cp <= CP_MAX; i++) {
		char ch = ascii_lower(name.p[i]);

		if (!cset_has(base == 16 ? &cset_hex : &cset_digit, ch))
			return cur_fail(c, "bad reference");
		cp = cp * (uint32_t)base +
		     (uint32_t)(ch <= '9' ? ch - '0' : ch - 'a' + 10);
	}
	if (cp < 0x20 || cp > CP_MAX || (cp >= 0xd800 && cp < 0xe000))
		return cur_fail(c, "bad reference");
	utf8_add(text, cp);
	return true;
}

/* Attribute, XML 1.0 3.1 [41]; values are skipped. */
static bool
attributes(struct cur *c)
{
	struct slice skipped;

	for (;;) {
		struct slice blank = cur_span(c, &set_space);
		int next = cur_peek(c);

		if (next == '/' || next == '>' || next == '?')
			return true;
		if (blank.n == 0 || !cur_span1(c, &set_name, &skipped))
			return cur_fail(c, "bad attribute");
		(void)cur_span(c, &set_space);
		if (!cur_byte(c, '='))
			return false;
		(void)cur_span(c, &set_space);
		next = cur_peek(c);
		if (next != '"' && next != '\'')
			return cur_fail(c, "bad attribute");
		(void)cur_byte(c, (char)next);
		if (!until(
			c, next == '"' ? SLICE("\"") : SLICE("'"), &skipped) ||
		    slice_chr(skipped, '<') != skipped.n)
			return cur_fail(c, "bad attribute");
	}
}

static enum xmlread_event
open_tag(struct xmlread *x)
{
	struct slice name;

	buf_clear(&x->text);
	if (!cur_span1(&x->c, &set_name, &name) || x->depth == XMLREAD_DEPTH ||
	    (x->depth == 0 && x->seen_root) || !attributes(&x->c))
		return XMLREAD_BAD;
	x->seen_root = true;
	x->names[x->depth++] = name;
	x->empty = cur_skip(&x->c, '/');
	return cur_byte(&x->c, '>') ? XMLREAD_OPEN : XMLREAD_BAD;
}

static enum xmlread_event
close_tag(struct xmlread *x)
{
	struct slice name;

	if (!cur_span1(&x->c, &set_name, &name) || x->depth == 0 ||
	    !slice_eq(name, x->names[x->depth - 1]))
		return XMLREAD_BAD;
	(void)cur_span(&x->c, &set_space);
	x->pop = true;
	return cur_byte(&x->c, '>') ? XMLREAD_CLOSE : XMLREAD_BAD;
}

/* Comments, CDATA, processing instructions; a DTD is refused. */
static bool
skip_markup(struct xmlread *x)
{
	struct slice inside;

	if (cur_skip_word(&x->c, "!--"))
		return until(&x->c, SLICE("-->"), &inside);
	if (cur_skip_word(&x->c, "?"))
		return until(&x->c, SLICE("?>"), &inside);
	if (x->depth != 0 && cur_skip_word(&x->c, "![CDATA[") &&
	    until(&x->c, SLICE("]]>"), &inside)) {
		buf_add_slice(&x->text, inside);
		return true;
	}
	return cur_fail(&x->c, "no DTD");
}

/* Text up to the next tag; only blanks outside the root. */
static bool
take_text(struct xmlread *x)
{
	struct slice run;

	while (!cur_eof(&x->c) && cur_peek(&x->c) != '<') {
		if (x->depth == 0 && cur_span1(&x->c, &set_space, &run))
			continue;
		if (x->depth == 0)
			return false;
		if (cur_skip(&x->c, '&')) {
			if (!reference(&x->c, &x->text))
				return false;
		} else if (cur_span1(&x->c, &set_text, &run)) {
			buf_add_slice(&x->text, run);
		} else {
			return false;
		}
	}
	return cur_ok(&x->c) && !buf_failed(&x->text);
}

enum xmlread_event
xmlread_next(struct xmlread *x)
{
	if (x->pop) {
		x->depth--;
		x->pop = false;
		buf_clear(&x->text);
	}
	if (x->empty) {
		x->empty = false;
		x->pop = true;
		return XMLREAD_CLOSE;
	}
	for (;;) {
		int next;

		if (!take_text(x))
			return XMLREAD_BAD;
		if (cur_eof(&x->c))
			return cur_ok(&x->c) && x->depth == 0 && x->seen_root
				   ? XMLREAD_END
				   : XMLREAD_BAD;
		(void)cur_byte(&x->c, '<');
		if (cur_skip(&x->c, '/'))
			return close_tag(x);
		next = cur_peek(&x->c);
		if (next != '!' && next != '?')
			return open_tag(x);
		if (!skip_markup(x))
			return XMLREAD_BAD;
	}
}
