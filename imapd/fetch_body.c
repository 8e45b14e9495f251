#include "imapd/fetch.h"

#include "lib/base/cur.h"

enum { DEPTH_MAX = 300 };

/*
 * Walks over the text of a BODYSTRUCTURE that we wrote ourselves, and copies
 * what BODY has of it (RFC 9051 9, body-type-1part and body-type-mpart).
 */
struct walk {
	struct cur c;
	struct buf *out;
	unsigned depth;
};

static const struct cset word_end = {
	{ CSET_BIT(' ') | CSET_BIT('(') | CSET_BIT(')'), 0, 0, 0 }
};

/* Skips a quoted string or literal. */
static bool
skip_string(struct cur *c)
{
	struct slice s;
	uint64_t n;
	char b;

	if (cur_skip(c, '{'))
		return cur_u64(c, (uint64_t)(c->end - c->start), &n) &&
		       cur_byte(c, '}') && cur_byte(c, '\r') &&
		       cur_byte(c, '\n') && cur_take(c, (size_t)n, &s);
	if (!cur_byte(c, '"'))
		return false;
	while (cur_any(c, &b) && b != '"')
		if (b == '\\' && !cur_any(c, &b))
			return false;
	return cur_ok(c);
}

/* Skips a word, string or list, however deep. */
static bool
skip_value(struct cur *c)
{
	unsigned depth = 0;
	char b;

	do {
		int next = cur_peek(c);

		if (next == '"' || next == '{') {
			if (!skip_string(c))
				return false;
		} else if (next == '(') {
			depth++;
			(void)cur_any(c, &b);
		} else if (next == ')' && depth != 0) {
			depth--;
			(void)cur_any(c, &b);
		} else if (next == ' ' && depth != 0) {
			(void)cur_any(c, &b);
		} else if (next < 0 || cset_has(&word_end, (char)next)) {
			return cur_fail(c, "no value");
		} else {
			while (!cur_eof(c) &&
			       !cset_has(&word_end, (char)cur_peek(c)))
				(void)cur_any(c, &b);
		}
	} while (depth != 0);
	return cur_ok(c);
}

static bool
copy_value(struct walk *w)
{
	const char *from = w->c.p;

	if (!skip_value(&w->c))
		return false;
	buf_add(w->out, from, (size_t)(w->c.p - from));
	return true;
}

static bool
copy_space(struct walk *w)
{
	buf_add_char(w->out, ' ');
	return cur_byte(&w->c, ' ');
}

/* Drops extension data up to the end of the body. */
static bool
finish(struct walk *w)
{
	while (cur_skip(&w->c, ' '))
		if (!skip_value(&w->c))
			return false;
	buf_add_char(w->out, ')');
	return cur_byte(&w->c, ')');
}

static bool copy_body(struct walk *w);

/* 1*body SP media-subtype */
static bool
copy_multipart(struct walk *w)
{
	while (cur_peek(&w->c) == '(')
		if (!copy_body(w))
			return false;
	return copy_space(w) && copy_value(w) && finish(w);
}

/* Seven fields; of a message envelope, body and lines; of text lines. */
static bool
copy_part(struct walk *w)
{
	int next;

	for (unsigned i = 0; i < 7; i++)
		if ((i != 0 && !copy_space(w)) || !copy_value(w))
			return false;
	next = cur_peek(&w->c) == ' ' ? cur_peek_at(&w->c, 1) : -1;
	if (next == '(') {
		if (!copy_space(w) || !copy_value(w) || !copy_space(w) ||
		    !copy_body(w) || !copy_space(w) || !copy_value(w))
			return false;
	} else if (next >= '0' && next <= '9') {
		if (!copy_space(w) || !copy_value(w))
			return false;
	}
	return finish(w);
}

static bool
copy_body(struct walk *w)
{
	bool good;

	if (++w->depth > DEPTH_MAX)
		return cur_fail(&w->c, "too deep");
	buf_add_char(w->out, '(');
	if (!cur_byte(&w->c, '('))
		return false;
	good = cur_peek(&w->c) == '(' ? copy_multipart(w) : copy_part(w);
	w->depth--;
	return good;
}

bool
fetch_body_of(struct buf *out, struct slice extended)
{
	struct walk w = { .out = out };
	size_t before = buf_len(out);

	cur_init(&w.c, extended);
	if (copy_body(&w) && cur_end(&w.c))
		return true;
	buf_truncate(out, before);
	return false;
}
