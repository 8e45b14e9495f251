#include "lib/mail/mime_head.h"

#include <string.h>

#include "lib/base/cur.h"
#include "lib/mail/header.h"

#define B CSET_BIT

/* What ends a token for us.  RFC 2045 5.1 has more tspecials, but "/", "=",
 * ",", "@" and ":" are met in unquoted values. */
static const struct cset breaks = { { B('\0') | B('\t') | B('\n') | B('\r') |
					  B(' ') | B('"') | B('(') | B(')') |
					  B(';'),
    0, 0, 0 } };

static const struct cset blanks = {
	{ B('\0') | B('\t') | B('\n') | B('\r') | B(' '), 0, 0, 0 }
};

#undef B

/* [CFWS]; an open comment ends with the field. */
static void
skip_cfws(struct cur *c)
{
	size_t depth = 0;

	for (; !cur_eof(c); c->p++) {
		if (depth != 0 && *c->p == '\\' && c->p + 1 != c->end)
			c->p++;
		else if (*c->p == '(')
			depth++;
		else if (*c->p == ')' && depth != 0)
			depth--;
		else if (depth == 0 && !cset_has(&blanks, *c->p))
			return;
	}
}

/* A run of token bytes without `stop`. */
static struct slice
token(struct cur *c, char stop)
{
	const char *from = c->p;

	while (!cur_eof(c) && *c->p != stop && !cset_has(&breaks, *c->p))
		c->p++;
	return slice_of(from, (size_t)(c->p - from));
}

static bool
is_fold(char c)
{
	return c == '\r' || c == '\n' || c == '\0';
}

/* s without folds, and without backslashes when quoted; s itself when there
 * is nothing to drop. */
static struct slice
clean(struct arena *a, struct slice s, bool quoted)
{
	size_t i = 0, n = 0;
	char *p;

	while (i < s.n && !is_fold(s.p[i]) && !(quoted && s.p[i] == '\\'))
		i++;
	if (i == s.n)
		return s;
	p = arena_bytes(a, s.n);
	for (i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\' && i + 1 < s.n)
			i++;
		if (!is_fold(s.p[i]))
			p[n++] = s.p[i];
	}
	return slice_of(p, n);
}

/* quoted-string, RFC 5322 3.2.4; one without end goes to the field's end. */
static struct slice
quoted(struct cur *c, struct arena *a)
{
	const char *from = ++c->p;
	struct slice s;

	while (!cur_eof(c) && *c->p != '"') {
		if (*c->p == '\\' && c->p + 1 != c->end)
			c->p++;
		c->p++;
	}
	s = slice_of(from, (size_t)(c->p - from));
	(void)cur_skip(c, '"');
	return clean(a, s, true);
}

static struct mime_param *
new_param(struct mime_head *h, struct mime_param ***tail)
{
	struct mime_param *p;

	if (h->params_left == 0) {
		h->truncated = true;
		return NULL;
	}
	h->params_left--;
	p = arena_alloc(h->a, sizeof(*p));
	**tail = p;
	*tail = &p->next;
	return p;
}

/* *(";" attribute "=" value), RFC 2045 5.1; missing or doubled semicolons and
 * junk between are skipped. */
static void
params(struct mime_head *h, struct cur *c, struct mime_param **first)
{
	struct mime_param **tail = first, *p;
	struct slice name, value;

	for (skip_cfws(c); !cur_eof(c); skip_cfws(c)) {
		name = token(c, '=');
		if (name.n == 0) {
			c->p++;
			continue;
		}
		skip_cfws(c);
		if (!cur_skip(c, '='))
			continue;
		skip_cfws(c);
		value = cur_peek(c) == '"' ? quoted(c, h->a) : token(c, ';');
		if ((p = new_param(h, &tail)) == NULL)
			return;
		p->name = name;
		p->value = value;
	}
}

/* content := "Content-Type" ":" type "/" subtype *(";" parameter) */
static void
content_type(struct mime_head *h, struct mime_part *part, struct slice value)
{
	struct slice type, subtype = { NULL, 0 };
	struct cur c;

	cur_init(&c, value);
	skip_cfws(&c);
	type = token(&c, '/');
	skip_cfws(&c);
	if (cur_skip(&c, '/')) {
		skip_cfws(&c);
		subtype = token(&c, '=');
	}
	/* RFC 2045 5.2: what is no type is text/plain. */
	if (subtype.n == 0 && slice_ieq_str(type, "text"))
		subtype = SLICE("plain");
	if (type.n == 0 || subtype.n == 0)
		return;
	part->type = type;
	part->subtype = subtype;
	params(h, &c, &part->params);
}

/* disposition := "Content-Disposition" ":" type *(";" parm), RFC 2183 2 */
static void
content_disposition(
    struct mime_head *h, struct mime_part *part, struct slice value)
{
	struct slice type;
	struct cur c;

	cur_init(&c, value);
	skip_cfws(&c);
	type = token(&c, ';');
	if (type.n == 0)
		return;
	part->disposition = type;
	params(h, &c, &part->disp_params);
}

/* Content-Language = Language-tag *("," Language-tag), RFC 3282 2; counted
 * as parameters. */
static void
content_language(
    struct mime_head *h, struct mime_part *part, struct slice value)
{
	struct mime_lang **tail = &part->langs, *l;
	struct slice tag;
	struct cur c;

	cur_init(&c, value);
	for (skip_cfws(&c); !cur_eof(&c); skip_cfws(&c)) {
		tag = token(&c, ',');
		if (tag.n == 0) {
			c.p++;
			continue;
		}
		if (h->params_left == 0) {
			h->truncated = true;
			return;
		}
		h->params_left--;
		l = arena_alloc(h->a, sizeof(*l));
		l->tag = tag;
		*tail = l;
		tail = &l->next;
	}
}

static void
content_encoding(struct mime_part *part, struct slice value)
{
	struct slice s;
	struct cur c;

	cur_init(&c, value);
	skip_cfws(&c);
	s = token(&c, ';');
	if (s.n != 0)
		part->encoding = s;
}

void
mime_head_field(struct mime_head *h, struct mime_part *part, struct slice raw)
{
	struct header f;
	struct slice name, *text = NULL;

	if (!header_next(&raw, &f) || !slice_istarts(f.name, SLICE("content-")))
		return;
	name = slice_from(f.name, 8);
	if (slice_ieq_str(name, "type")) {
		if (part->type.p == NULL)
			content_type(h, part, f.value);
	} else if (slice_ieq_str(name, "transfer-encoding")) {
		if (part->encoding.p == NULL)
			content_encoding(part, f.value);
	} else if (slice_ieq_str(name, "disposition")) {
		if (part->disposition.p == NULL)
			content_disposition(h, part, f.value);
	} else if (slice_ieq_str(name, "language")) {
		if (part->langs == NULL)
			content_language(h, part, f.value);
	} else if (slice_ieq_str(name, "id")) {
		text = &part->id;
	} else if (slice_ieq_str(name, "description")) {
		text = &part->description;
	} else if (slice_ieq_str(name, "md5")) {
		text = &part->md5;
	} else if (slice_ieq_str(name, "location")) {
		text = &part->location;
	}
	if (text != NULL && text->p == NULL)
		*text = clean(h->a, slice_trim(f.value), false);
}

static enum mime_cte
cte_of(struct slice encoding)
{
	static const struct {
		const char *name;
		enum mime_cte cte;
	} rows[] = {
		{ "7bit", MIME_7BIT },
		{ "8bit", MIME_8BIT },
		{ "base64", MIME_BASE64 },
		{ "quoted-printable", MIME_QP },
		{ "binary", MIME_BINARY },
	};

	if (encoding.n == 0)
		return MIME_7BIT;
	for (size_t i = 0; i < PH_LEN(rows); i++)
		if (slice_ieq_str(encoding, rows[i].name))
			return rows[i].cte;
	return MIME_OTHER;
}

void
mime_head_done(struct mime_part *part, bool in_digest)
{
	if (part->type.p == NULL) {
		part->type = in_digest ? SLICE("MESSAGE") : SLICE("TEXT");
		part->subtype = in_digest ? SLICE("RFC822") : SLICE("PLAIN");
	}
	part->cte = cte_of(part->encoding);
	part->is_text = slice_ieq_str(part->type, "text");
	part->is_html = part->is_text && slice_ieq_str(part->subtype, "html");
}
