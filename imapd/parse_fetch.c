#include "imapd/parse_fetch.h"

#include <inttypes.h>

#include "storage/msg.h"

enum {
	PATH_MAX_PARTS = 250, /* nesting that lib/mail knows at most */
	SECTIONS_MAX = 500,
	FIELDS_MAX = 1000
};

struct fetch {
	struct parse *p;
	struct args_fetch *a;
	struct fetch_section **tail;
	size_t nsections;
};

static const struct {
	const char *word;
	unsigned items;
} words[] = {
	{ "FLAGS", FI_FLAGS },
	{ "UID", FI_UID },
	{ "INTERNALDATE", FI_INTERNALDATE },
	{ "ENVELOPE", FI_ENVELOPE },
	{ "BODY", FI_BODY },
	{ "BODYSTRUCTURE", FI_BODYSTRUCTURE },
	{ "RFC822.SIZE", FI_SIZE },
	{ "MODSEQ", FI_MODSEQ },
	{ "EMAILID", FI_EMAILID },
	{ "THREADID", FI_THREADID },
	{ "SAVEDATE", FI_SAVEDATE },
};

/* RFC 9051 6.4.5: macros stand alone. */
static const struct {
	const char *word;
	unsigned items;
} macros[] = {
	{ "ALL", FI_FLAGS | FI_INTERNALDATE | FI_SIZE | FI_ENVELOPE },
	{ "FAST", FI_FLAGS | FI_INTERNALDATE | FI_SIZE },
	{ "FULL",
	    FI_FLAGS | FI_INTERNALDATE | FI_SIZE | FI_ENVELOPE | FI_BODY },
};

static const struct {
	const char *word;
	enum mime_what what;
	bool peek;
} olds[] = {
	{ "RFC822", MIME_BODY, false },
	{ "RFC822.HEADER", MIME_HEADER, true },
	{ "RFC822.TEXT", MIME_TEXT, false },
};

static struct fetch_section *
add_section(struct fetch *f)
{
	struct fetch_section *s = arena_alloc(f->p->a, sizeof(*s));

	*f->tail = s;
	f->tail = &s->next;
	return s;
}

/* section-part = nz-number *("." nz-number); a text word may follow. */
static bool
parse_path(struct parse *p, struct fetch_section *s)
{
	uint32_t path[PATH_MAX_PARTS] = { 0 };

	while (cset_has(&cset_digit, (char)cur_peek(&p->c))) {
		if (s->npath == PATH_MAX_PARTS)
			return parse_refuse(p, "LIMIT", "section too deep");
		if (!parse_nz_u32(p, &path[s->npath++]))
			return false;
		if (cur_peek(&p->c) != '.')
			break;
		(void)cur_byte(&p->c, '.');
		if (cur_peek(&p->c) == ']')
			return cur_fail(&p->c, "section ends in a dot");
	}
	s->path = arena_alloc(p->a, (s->npath + 1) * sizeof(*s->path));
	for (size_t i = 0; i < s->npath; i++)
		s->path[i] = path[i];
	return cur_ok(&p->c);
}

/* RFC 5322 3.6.8: what is no ftext names no field. */
static bool
field_name(struct parse *p, struct slice *out)
{
	if (!parse_astring(p, out))
		return false;
	for (size_t i = 0; i < out->n; i++)
		if (!cset_has(&cset_vchar, out->p[i]) || out->p[i] == ':' ||
		    out->p[i] == '"' || out->p[i] == '\\')
			return cur_fail(&p->c, "that is no field name");
	return true;
}

/* header-list = "(" header-fld-name *(SP header-fld-name) ")" */
static bool
parse_fields(struct parse *p, struct fetch_section *s)
{
	size_t max = 1;

	if (!parse_sp(p) || !cur_byte(&p->c, '('))
		return false;
	for (const char *q = p->c.p; q < p->c.end && max < FIELDS_MAX; q++)
		max += *q == ' ';
	s->names = arena_alloc(p->a, max * sizeof(*s->names));
	s->kept = true;
	do {
		if (s->nnames == max)
			return parse_refuse(p, "LIMIT", "too many fields");
		if (!field_name(p, &s->names[s->nnames]))
			return false;
		s->kept = s->kept && msg_cached_header(s->names[s->nnames]);
		s->nnames++;
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')');
}

static const struct {
	const char *word;
	enum mime_what what;
	enum fetch_fields fields;
} texts[] = {
	/* the longer first: they share beginnings */
	{ "HEADER.FIELDS.NOT", MIME_HEADER, FIELDS_NOT },
	{ "HEADER.FIELDS", MIME_HEADER, FIELDS_ONLY },
	{ "HEADER", MIME_HEADER, FIELDS_ALL },
	{ "TEXT", MIME_TEXT, FIELDS_ALL },
	{ "MIME", MIME_MIME, FIELDS_ALL },
};

/* section-text = section-msgtext / "MIME" */
static bool
parse_text(struct parse *p, struct fetch_section *s)
{
	for (size_t i = 0; i < PH_LEN(texts); i++) {
		if (!cur_skip_word(&p->c, texts[i].word))
			continue;
		s->what = texts[i].what;
		s->fields = texts[i].fields;
		if (s->what == MIME_MIME && s->npath == 0)
			return cur_fail(&p->c, "MIME needs a part number");
		return s->fields == FIELDS_ALL || parse_fields(p, s);
	}
	return cur_fail(&p->c, "no such section");
}

/* section = "[" [section-spec] "]"; RFC 3516 7: section-binary has parts
 * only. */
bool
parse_fetch_section(struct parse *p, struct fetch_section *s)
{
	bool binary = s->form != FORM_BODY;

	s->what = MIME_BODY;
	if (!cur_byte(&p->c, '['))
		return false;
	if (cur_skip(&p->c, ']'))
		return true;
	if (!parse_path(p, s))
		return false;
	if (cur_peek(&p->c) != ']' && (binary || !parse_text(p, s)))
		return cur_fail(&p->c, "no such section");
	return cur_byte(&p->c, ']');
}

/* partial = "<" number "." nz-number ">" */
static bool
parse_partial(struct parse *p, struct fetch_section *s)
{
	if (cur_peek(&p->c) != '<')
		return true;
	s->partial = true;
	if (!cur_byte(&p->c, '<') || !parse_u63(p, &s->off) ||
	    !cur_byte(&p->c, '.'))
		return false;
	if (cur_peek(&p->c) == '0')
		return cur_fail(&p->c, "a part of no bytes");
	return parse_u63(p, &s->len) && cur_byte(&p->c, '>');
}

static const char *
text_word(const struct fetch_section *s)
{
	for (size_t i = 0; i < PH_LEN(texts); i++)
		if (texts[i].what == s->what && texts[i].fields == s->fields)
			return texts[i].word;
	return "";
}

/* The section as the response names it: numbers, then the text word. */
static struct slice
make_label(struct arena *a, const char *name, const struct fetch_section *s)
{
	struct buf b;
	struct slice label;

	buf_init(&b, 1 << 20);
	buf_add_str(&b, name);
	for (size_t i = 0; i < s->npath; i++)
		buf_printf(&b, "%c%" PRIu32, i == 0 ? '[' : '.', s->path[i]);
	if (s->npath == 0)
		buf_add_char(&b, '[');
	else if (s->what != MIME_BODY)
		buf_add_char(&b, '.');
	buf_add_str(&b, text_word(s));
	for (size_t i = 0; i < s->nnames; i++) {
		bool plain = parse_is_astring(s->names[i]);

		buf_add_str(&b, i == 0 ? " (" : " ");
		buf_add_str(&b, plain ? "" : "\"");
		buf_add_slice(&b, s->names[i]);
		buf_add_str(&b, plain ? "" : "\"");
	}
	buf_add_str(&b, s->nnames != 0 ? ")]" : "]");
	label = arena_copy(a, buf_slice(&b));
	buf_fini(&b);
	return label;
}

/* BODY[.PEEK]section[partial], BINARY likewise, from the bracket on.  The
 * response has no ".PEEK". */
static bool
parse_body(struct fetch *f, const char *name, enum fetch_form form, bool peek)
{
	struct fetch_section *s = add_section(f);

	s->form = form;
	s->peek = peek;
	if (!parse_fetch_section(f->p, s))
		return false;
	s->label = make_label(f->p->a, name, s);
	f->a->sets_seen |= !s->peek;
	return form == FORM_BINARY_SIZE || parse_partial(f->p, s);
}

static const struct {
	const char *word; /* what stands before the bracket */
	const char *name;
	enum fetch_form form;
	bool peek;
} bodies[] = {
	{ "BODY", "BODY", FORM_BODY, false },
	{ "BODY.PEEK", "BODY", FORM_BODY, true },
	{ "BINARY", "BINARY", FORM_BINARY, false },
	{ "BINARY.PEEK", "BINARY", FORM_BINARY, true },
	{ "BINARY.SIZE", "BINARY.SIZE", FORM_BINARY_SIZE, true },
};

/* RFC 8970 3.2: "PREVIEW" [SP "(LAZY)"] */
static bool
parse_preview(struct fetch *f)
{
	f->a->items |= FI_PREVIEW;
	if (cur_peek(&f->p->c) == ' ' && cur_peek_at(&f->p->c, 1) == '(')
		return parse_sp(f->p) && cur_word(&f->p->c, "(LAZY)");
	return true;
}

/* A word without brackets. */
static bool
parse_word(struct fetch *f)
{
	struct slice word;

	if (!parse_atom(f->p, &word))
		return false;
	for (size_t i = 0; i < PH_LEN(words); i++)
		if (slice_ieq_str(word, words[i].word)) {
			f->a->items |= words[i].items;
			return true;
		}
	for (size_t i = 0; i < PH_LEN(olds); i++)
		if (slice_ieq_str(word, olds[i].word)) {
			struct fetch_section *s = add_section(f);

			s->form = FORM_RFC822;
			s->label = slice_str(olds[i].word);
			s->what = olds[i].what;
			s->peek = olds[i].peek;
			f->a->sets_seen |= !s->peek;
			return true;
		}
	if (slice_ieq_str(word, "PREVIEW"))
		return parse_preview(f);
	return cur_fail(&f->p->c, "no such FETCH item");
}

static bool
parse_item(struct fetch *f)
{
	struct cur *c = &f->p->c;

	if (++f->nsections > SECTIONS_MAX)
		return parse_refuse(f->p, "LIMIT", "too many items");
	for (size_t i = 0; i < PH_LEN(bodies); i++) {
		struct cur ahead = *c;

		if (!cur_skip_word(&ahead, bodies[i].word) ||
		    cur_peek(&ahead) != '[')
			continue;
		*c = ahead;
		return parse_body(
		    f, bodies[i].name, bodies[i].form, bodies[i].peek);
	}
	return parse_word(f);
}

static bool
parse_macro(struct fetch *f)
{
	for (size_t i = 0; i < PH_LEN(macros); i++)
		if (cur_skip_word(&f->p->c, macros[i].word)) {
			f->a->items |= macros[i].items;
			return true;
		}
	return parse_item(f);
}

static bool
parse_items(struct fetch *f)
{
	if (!cur_skip(&f->p->c, '('))
		return parse_macro(f);
	do {
		if (!parse_item(f))
			return false;
	} while (cur_skip(&f->p->c, ' '));
	return cur_byte(&f->p->c, ')');
}

/* fetch-modifier = "CHANGEDSINCE" SP mod-sequence-value / "VANISHED" /
 *                  "PARTIAL" SP partial-range */
static bool
parse_modifiers(struct parse *p, struct args_fetch *a)
{
	if (!cur_byte(&p->c, '('))
		return false;
	do {
		if (cur_skip_word(&p->c, "CHANGEDSINCE")) {
			a->has_since = true;
			/* CLIENTS D: iOS sends 0. */
			if (!parse_sp(p) || !parse_u63(p, &a->since))
				return false;
		} else if (cur_skip_word(&p->c, "VANISHED")) {
			a->vanished = true;
		} else if (cur_skip_word(&p->c, "PARTIAL")) {
			if (a->partial.text.p != NULL ||
			    !partial_parse(p, &a->partial))
				return cur_fail(&p->c, "bad PARTIAL");
		} else {
			return cur_fail(&p->c, "no such modifier");
		}
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')');
}

/* fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att /
 *         "(" fetch-att *(SP fetch-att) ")") [SP fetch-modifiers] */
bool
parse_fetch(struct parse *p, void **args_out)
{
	struct args_fetch *a = arena_alloc(p->a, sizeof(*a));
	struct fetch f = { .p = p, .a = a, .tail = &a->sections };

	*args_out = a;
	if (!parse_sp(p) || !parse_set(p, &a->set) || !parse_sp(p) ||
	    !parse_items(&f))
		return false;
	if (cur_skip(&p->c, ' ') && !parse_modifiers(p, a))
		return false;
	return parse_end(p);
}

bool
parse_fetch_list(struct parse *p, struct args_fetch *a)
{
	struct fetch f = { .p = p, .a = a, .tail = &a->sections };

	if (!cur_byte(&p->c, '('))
		return false;
	do {
		if (!parse_item(&f))
			return false;
	} while (cur_skip(&p->c, ' '));
	return cur_byte(&p->c, ')');
}
