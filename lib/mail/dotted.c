#include "lib/mail/dotted.h"

#include <string.h>

enum {
	BOL,   /* at the start of a line */
	TEXT,  /* in a line */
	CR,    /* in a line, behind CR */
	DOT,   /* behind the first dot of a line, which is dropped */
	DOT_CR /* behind dot and CR; the CR is held back */
};

void
dotted_init(struct dotted *d, size_t max_line)
{
	*d = (struct dotted){ .max_line = max_line };
}

static void
count(struct dotted *d, size_t n)
{
	d->line_len += n;
	if (d->max_line != 0 && d->line_len > d->max_line)
		d->flags |= DOTTED_LONG;
}

static void
check_cr(struct dotted *d, const char *p, size_t n)
{
	if (!(d->flags & DOTTED_BARE_CR) && n != 0 &&
	    memchr(p, '\r', n) != NULL)
		d->flags |= DOTTED_BARE_CR;
}

/* Text up to and with the next LF, or all there is; where it ends. */
static const char *
text_run(struct dotted *d, const char *p, const char *end)
{
	const char *nl = memchr(p, '\n', (size_t)(end - p));
	const char *stop = nl != NULL ? nl : end;
	bool cr = stop != p && stop[-1] == '\r';

	check_cr(d, p, (size_t)(stop - p) - cr);
	if (nl == NULL) {
		count(d, (size_t)(end - p));
		d->state = cr ? CR : TEXT;
		return end;
	}
	count(d, (size_t)(nl + 1 - p));
	d->line_len = 0;
	d->state = cr ? BOL : TEXT;
	if (!cr)
		d->flags |= DOTTED_BARE_LF;
	return nl + 1;
}

/* Behind a CR that ended the last piece. */
static const char *
after_cr(struct dotted *d, const char *p)
{
	if (*p != '\n') {
		d->flags |= DOTTED_BARE_CR;
		d->state = TEXT;
		return p;
	}
	count(d, 1);
	d->line_len = 0;
	d->state = BOL;
	return p + 1;
}

static bool
has_8bit(const char *p, size_t n)
{
	uint64_t all = 0, w;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&w, p, 8);
		all |= w;
	}
	for (; n != 0; n--)
		all |= (unsigned char)*p++;
	return (all & UINT64_C(0x8080808080808080)) != 0;
}

static void
check_bytes(struct dotted *d, const char *p, size_t n)
{
	if (n == 0)
		return;
	if (!(d->flags & DOTTED_NUL) && memchr(p, '\0', n) != NULL)
		d->flags |= DOTTED_NUL;
	if (!(d->flags & DOTTED_8BIT) && has_8bit(p, n))
		d->flags |= DOTTED_8BIT;
}

/* One step from the state DOT or DOT_CR; *from is where the bytes to keep
 * begin. */
static const char *
after_dot(struct dotted *d, const char *p, const char **from, struct buf *out)
{
	if (d->state == DOT && *p == '\r') {
		d->state = DOT_CR;
		*from = ++p;
	} else if (d->state == DOT_CR && *p == '\n') {
		d->done = true;
		*from = ++p;
	} else {
		if (d->state == DOT_CR) {
			d->flags |= DOTTED_BARE_CR;
			buf_add_char(out, '\r');
			count(d, 1);
		}
		d->state = TEXT;
	}
	return p;
}

size_t
dotted_feed(struct dotted *d, struct slice in, struct buf *out)
{
	const char *p = in.p, *from = in.p, *end = in.p + in.n;

	while (p != end && !d->done) {
		if (d->state == TEXT) {
			p = text_run(d, p, end);
		} else if (d->state == CR) {
			p = after_cr(d, p);
		} else if (d->state != BOL) {
			p = after_dot(d, p, &from, out);
		} else if (*p != '.') {
			d->state = TEXT;
		} else {
			buf_add(out, from, (size_t)(p - from));
			d->state = DOT;
			from = ++p;
		}
	}
	buf_add(out, from, (size_t)(p - from));
	check_bytes(d, in.p, (size_t)(p - in.p));
	return (size_t)(p - in.p);
}

void
dotted_enc_init(struct dotted_enc *e, bool fix_line_ends)
{
	*e = (struct dotted_enc){ .fix_line_ends = fix_line_ends };
}

/* A piece of one line, without CR and LF unless they are bare and stay. */
static const char *
stuff_text(
    struct buf *out, const char *p, const char *end, struct dotted_enc *e)
{
	const char *stop = memchr(p, '\n', (size_t)(end - p));
	const char *cr;

	if (stop == NULL)
		stop = end;
	cr = memchr(p, '\r', (size_t)(stop - p));
	if (cr != NULL) {
		buf_add(out, p, (size_t)(cr + 1 - p));
		e->state = CR;
		return cr + 1;
	}
	buf_add(out, p, (size_t)(stop - p));
	e->state = TEXT;
	if (stop == end)
		return end;
	if (e->fix_line_ends) {
		buf_add_char(out, '\r');
		e->state = BOL;
	}
	buf_add_char(out, '\n');
	return stop + 1;
}

/* The lines from p on that end in CRLF and have no bare CR or LF, up to one
 * that begins with a dot: all at once.  Returns p when there is none. */
static const char *
stuff_lines(
    struct buf *out, const char *p, const char *end, struct dotted_enc *e)
{
	const char *at = p, *cr;

	do {
		cr = memchr(at, '\r', (size_t)(end - at));
		if (cr == NULL || cr + 1 == end || cr[1] != '\n' ||
		    memchr(at, '\n', (size_t)(cr - at)) != NULL)
			break;
		at = cr + 2;
	} while (at != end && *at != '.');
	if (at == p)
		return p;
	buf_add(out, p, (size_t)(at - p));
	e->state = BOL;
	return at;
}

/* Behind a CR that is already in out. */
static const char *
stuff_after_cr(struct buf *out, const char *p, struct dotted_enc *e)
{
	if (*p == '\n') {
		p++;
	} else if (!e->fix_line_ends) {
		e->state = TEXT;
		return p;
	}
	buf_add_char(out, '\n');
	e->state = BOL;
	return p;
}

void
dotted_stuff(struct buf *out, struct slice chunk, struct dotted_enc *e)
{
	const char *p = chunk.p, *end = chunk.p + chunk.n, *at;

	while (p != end) {
		if (e->state == CR) {
			p = stuff_after_cr(out, p, e);
			continue;
		}
		if (e->state == BOL && *p == '.')
			buf_add_char(out, '.');
		at = stuff_lines(out, p, end, e);
		p = at != p ? at : stuff_text(out, p, end, e);
	}
}

void
dotted_stuff_end(struct buf *out, struct dotted_enc *e)
{
	if (e->state == CR)
		buf_add_char(out, '\n');
	else if (e->state != BOL)
		buf_add(out, "\r\n", 2);
	buf_add(out, ".\r\n", 3);
	e->state = BOL;
}
