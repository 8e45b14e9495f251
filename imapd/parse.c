#include "imapd/parse.h"

#include <string.h>

#include "imapd/mboxname.h"
#include "lib/base/utf8.h"
#include "lib/mail/date.h"
#include "storage/folder.h"
#include "storage/view.h"

/*
 * atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards /
 *                 quoted-specials / resp-specials
 */
#define WORD1_ATOM                                                         \
	(~(CSET_BIT(' ') | CSET_BIT('"') | CSET_BIT('%') | CSET_BIT('(') | \
	     CSET_BIT(')') | CSET_BIT('*')) &                              \
	    ~CSET_CTL0)
#define WORD2_ATOM \
	(~(CSET_BIT('\\') | CSET_BIT(']') | CSET_BIT('{') | CSET_DEL1))

static const struct cset atom_chars = { { WORD1_ATOM, WORD2_ATOM, 0, 0 } };
/* ASTRING-CHAR = ATOM-CHAR / resp-specials */
static const struct cset astring_chars = { { WORD1_ATOM,
    WORD2_ATOM | CSET_BIT(']'), 0, 0 } };
/* tag: ASTRING-CHAR without "+" */
static const struct cset tag_chars = { { WORD1_ATOM & ~CSET_BIT('+'),
    WORD2_ATOM | CSET_BIT(']'), 0, 0 } };
/* list-char = ATOM-CHAR / list-wildcards / resp-specials */
static const struct cset list_chars = { { WORD1_ATOM | CSET_BIT('%') |
					      CSET_BIT('*'),
    WORD2_ATOM | CSET_BIT(']'), 0, 0 } };
/* QUOTED-CHAR without the escapes; 8 bits for UTF-8 */
static const struct cset quoted_chars = {
	{ ~(CSET_BIT('"') | CSET_BIT('\0') | CSET_BIT('\r') | CSET_BIT('\n')),
	    ~CSET_BIT('\\'), ~UINT64_C(0), ~UINT64_C(0) }
};

enum { FLAGS_PER_COMMAND = 200 };

void
parse_init(struct parse *p, struct slice text, struct arena *a, bool utf8)
{
	*p = (struct parse){ .a = a, .utf8 = utf8 };
	cur_init(&p->c, text);
}

bool
parse_refuse(struct parse *p, const char *code, const char *why)
{
	if (cur_ok(&p->c)) {
		p->code = code;
		p->no = true;
	}
	return cur_fail(&p->c, why);
}

bool
parse_bad(struct parse *p, const char *code, const char *why)
{
	if (cur_ok(&p->c))
		p->code = code;
	return cur_fail(&p->c, why);
}

bool
parse_sp(struct parse *p)
{
	return cur_skip(&p->c, ' ') || cur_fail(&p->c, "a space is missing");
}

bool
parse_tag(struct parse *p, struct slice *out)
{
	return cur_span1(&p->c, &tag_chars, out);
}

bool
parse_atom(struct parse *p, struct slice *out)
{
	return cur_span1(&p->c, &atom_chars, out);
}

bool
parse_is_astring(struct slice s)
{
	struct cur c;

	cur_init(&c, s);
	return s.n != 0 && cur_span(&c, &astring_chars).n == s.n;
}

/* Where the quoted string that is open ends, at most. */
static size_t
quoted_rest(const struct cur *c)
{
	const char *q = c->p;

	while (q < c->end && *q != '"')
		q += *q == '\\' && q + 1 < c->end ? 2 : 1;
	return (size_t)(q - c->p);
}

/* A quoted string with escapes, from behind what came before the first. */
static bool
unescape(struct parse *p, struct slice first, struct slice *out)
{
	char *to = arena_bytes(p->a, first.n + quoted_rest(&p->c) + 1);
	size_t n = first.n;

	memcpy(to, first.p, n);
	while (cur_skip(&p->c, '\\')) {
		struct slice more;

		/* quoted-specials = DQUOTE / "\" */
		if (cur_peek(&p->c) != '"' && cur_peek(&p->c) != '\\')
			return cur_fail(&p->c, "bad escape in a string");
		(void)cur_any(&p->c, &to[n++]);
		more = cur_span(&p->c, &quoted_chars);
		memcpy(to + n, more.p, more.n);
		n += more.n;
	}
	*out = slice_of(to, n);
	return cur_byte(&p->c, '"');
}

static bool
parse_quoted(struct parse *p, struct slice *out)
{
	(void)cur_byte(&p->c, '"');
	*out = cur_span(&p->c, &quoted_chars);
	if (cur_peek(&p->c) == '\\')
		return unescape(p, *out, out);
	return cur_skip(&p->c, '"') ||
	       cur_fail(&p->c, "a string is not closed");
}

/* literal = "{" number64 ["+"] "}" CRLF *CHAR8; the framer has counted. */
static bool
parse_literal(struct parse *p, struct slice *out)
{
	bool eight = cur_skip(&p->c, '~');
	uint64_t n;

	if (!cur_byte(&p->c, '{') ||
	    !cur_u64(&p->c, (uint64_t)(p->c.end - p->c.start), &n))
		return false;
	(void)cur_skip(&p->c, '+');
	if (!cur_byte(&p->c, '}') || !cur_byte(&p->c, '\r') ||
	    !cur_byte(&p->c, '\n') || !cur_take(&p->c, (size_t)n, out))
		return false;
	if (!eight && slice_chr(*out, '\0') != out->n)
		return cur_fail(&p->c, "NUL in a literal");
	return true;
}

bool
parse_string(struct parse *p, struct slice *out)
{
	switch (cur_peek(&p->c)) {
	case '"': return parse_quoted(p, out);
	case '{': return parse_literal(p, out);
	case '~': /* literal8, where it means the same */
		if (cur_peek_at(&p->c, 1) == '{')
			return parse_literal(p, out);
		break;
	default: break;
	}
	return cur_fail(&p->c, "a string is missing");
}

bool
parse_astring(struct parse *p, struct slice *out)
{
	int next = cur_peek(&p->c);

	if (next == '"' || next == '{' ||
	    (next == '~' && cur_peek_at(&p->c, 1) == '{'))
		return parse_string(p, out);
	*out = cur_span(&p->c, &astring_chars);
	return out->n != 0 || cur_fail(&p->c, "a word is missing");
}

bool
parse_nstring(struct parse *p, struct slice *out)
{
	if (cur_skip_word(&p->c, "NIL")) {
		*out = (struct slice){ NULL, 0 };
		return true;
	}
	return parse_string(p, out);
}

bool
parse_u32(struct parse *p, uint32_t *out)
{
	return cur_u32(&p->c, out);
}

bool
parse_nz_u32(struct parse *p, uint32_t *out)
{
	if (cur_peek(&p->c) == '0')
		return cur_fail(&p->c, "a number must not be 0");
	return cur_u32(&p->c, out);
}

bool
parse_u63(struct parse *p, uint64_t *out)
{
	return cur_u64(&p->c, INT64_MAX, out);
}

bool
parse_set(struct parse *p, struct seqset *out)
{
	return seqset_parse(&p->c, p->a, out);
}

static bool
decode(struct parse *p, struct slice raw, struct slice *out)
{
	if (!cur_ok(&p->c))
		return false;
	if (mboxname_decode(p->a, raw, p->utf8, out))
		return true;
	return parse_refuse(p, "CANNOT", "that is no folder name");
}

bool
parse_mailbox(struct parse *p, struct slice *out)
{
	struct slice raw = { 0 };

	if (!parse_astring(p, &raw) || !decode(p, raw, out))
		return false;
	*out = mboxname_trim(*out);
	return true;
}

bool
parse_pattern(struct parse *p, struct slice *out)
{
	struct slice raw = { 0 };
	int next = cur_peek(&p->c);

	if (next == '"' || next == '{')
		return parse_string(p, &raw) && decode(p, raw, out);
	raw = cur_span(&p->c, &list_chars);
	if (raw.n == 0)
		return cur_fail(&p->c, "a pattern is missing");
	return decode(p, raw, out);
}

/* date = date-text / DQUOTE date-text DQUOTE */
bool
parse_date(struct parse *p, int64_t *out)
{
	struct slice text;

	if (cur_peek(&p->c) == '"' ? !parse_quoted(p, &text)
				   : !parse_atom(p, &text))
		return false;
	return date_day_parse(text, out) || cur_fail(&p->c, "that is no date");
}

/* date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP
 *             zone DQUOTE */
bool
parse_date_time(struct parse *p, int64_t *out)
{
	struct slice text;
	int zone;

	if (cur_peek(&p->c) != '"')
		return cur_fail(&p->c, "a date is missing");
	if (!parse_quoted(p, &text))
		return false;
	return date_internal_parse(text, out, &zone) ||
	       cur_fail(&p->c, "that is no date and time");
}

bool
parse_end(struct parse *p)
{
	return cur_eof(&p->c) ? cur_ok(&p->c)
			      : cur_fail(&p->c, "more than expected");
}

static const struct {
	const char *name;
	uint32_t flag;
} system_flags[] = {
	{ "Seen", MSG_SEEN },
	{ "Answered", MSG_ANSWERED },
	{ "Flagged", MSG_FLAGGED },
	{ "Deleted", MSG_DELETED },
	{ "Draft", MSG_DRAFT },
	{ "Recent", 0 },
};

static bool
system_flag(struct parse *p, struct parse_flags *out)
{
	struct slice name;

	if (!cur_byte(&p->c, '\\') || !parse_atom(p, &name))
		return false;
	for (size_t i = 0; i < PH_LEN(system_flags); i++)
		if (slice_ieq_str(name, system_flags[i].name)) {
			out->flags |= system_flags[i].flag;
			return true;
		}
	return cur_fail(&p->c, "no such system flag");
}

/* flag = "\Answered" / ... / flag-keyword */
static bool
parse_flag(struct parse *p, struct parse_flags *out)
{
	struct slice word;

	if (cur_peek(&p->c) == '\\')
		return system_flag(p, out);
	if (!parse_atom(p, &word))
		return false;
	if (word.n > FOLDER_KEYWORD_LEN_MAX)
		return parse_refuse(p, "LIMIT", "a keyword is too long");
	if (out->n == FLAGS_PER_COMMAND)
		return parse_refuse(p, "LIMIT", "too many keywords");
	out->keywords[out->n++] = word;
	return true;
}

/* At most so many flags come. */
static size_t
count_flags(const struct cur *c)
{
	size_t n = 1;

	for (const char *q = c->p; q < c->end && *q != ')'; q++)
		n += *q == ' ';
	return n < FLAGS_PER_COMMAND ? n : FLAGS_PER_COMMAND;
}

bool
parse_flag_list(struct parse *p, bool bare_ok, struct parse_flags *out)
{
	bool bare = cur_peek(&p->c) != '(';

	*out = (struct parse_flags){ 0 };
	out->keywords =
	    arena_alloc(p->a, count_flags(&p->c) * sizeof(*out->keywords));
	if (bare && !bare_ok)
		return cur_fail(&p->c, "a list of flags is missing");
	if (!bare && cur_byte(&p->c, '(') && cur_skip(&p->c, ')'))
		return true;
	do {
		if (!parse_flag(p, out))
			return false;
	} while (cur_skip(&p->c, ' '));
	return bare ? cur_ok(&p->c) : cur_byte(&p->c, ')');
}
