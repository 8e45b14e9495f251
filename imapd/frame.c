#include "imapd/frame.h"

#include <string.h>

#include "lib/base/cset.h"

enum {
	AT_LINE,
	AT_ASK,     /* a literal is announced */
	AT_KEEP,    /* bytes of a literal go into text */
	AT_STREAM,  /* to the owner */
	AT_DRAIN,   /* nowhere */
	AT_REFUSED, /* to be told */
	AT_OVER     /* told; waits for frame_reset() */
};

enum { HEAD = 128 }; /* kept of an overlong line, for its tag */

void
frame_init(struct frame *f, size_t line_max, size_t total_max)
{
	*f = (struct frame){ .line_max = line_max };
	buf_init(&f->text, total_max);
}

void
frame_fini(struct frame *f)
{
	buf_fini(&f->text);
}

void
frame_limits(struct frame *f, size_t line_max, size_t total_max)
{
	f->line_max = line_max;
	f->text.max = total_max;
}

void
frame_plain(struct frame *f, bool on)
{
	f->plain = on;
}

struct slice
frame_text(const struct frame *f)
{
	return buf_slice(&f->text);
}

bool
frame_empty(const struct frame *f)
{
	return f->state == AT_LINE && buf_len(&f->text) == 0 && !f->skipping;
}

void
frame_reset(struct frame *f)
{
	buf_clear(&f->text);
	f->literal = (struct frame_literal){ 0 };
	f->bad = FRAME_GOOD;
	f->scanned = 0;
	f->left = 0;
	f->ntail = 0;
	f->state = AT_LINE;
	f->skipping = false;
}

void
frame_idle(struct frame *f)
{
	buf_shrink(&f->text);
}

static void
spoil(struct frame *f, enum frame_bad why)
{
	if (f->bad == FRAME_GOOD)
		f->bad = why;
}

static void
add(struct frame *f, struct slice s)
{
	buf_add_slice(&f->text, s);
	if (buf_failed(&f->text))
		spoil(f, FRAME_LONG_LINE);
}

/*
 * literal = "{" number64 ["+"] "}" at the end of the line; literal8 has "~"
 * in front (RFC 9051 9, RFC 7888 8).
 */
static bool
ends_in_literal(struct slice line, struct frame_literal *out)
{
	size_t i = line.n;
	uint64_t v = 0, unit = 1;

	*out = (struct frame_literal){ .sync = true };
	if (i < 3 || line.p[--i] != '}')
		return false;
	if (line.p[i - 1] == '+') {
		out->sync = false;
		i--;
	}
	if (i == 0 || !cset_has(&cset_digit, line.p[i - 1]))
		return false;
	for (; i > 0 && cset_has(&cset_digit, line.p[i - 1]); i--) {
		uint64_t digit = (uint64_t)(line.p[i - 1] - '0'), part;

		if (digit != 0 &&
		    (unit == 0 || __builtin_mul_overflow(digit, unit, &part) ||
			__builtin_add_overflow(v, part, &v)))
			v = UINT64_MAX;
		if (__builtin_mul_overflow(unit, 10, &unit))
			unit = 0;
	}
	if (i == 0 || line.p[i - 1] != '{')
		return false;
	out->binary = i > 1 && line.p[i - 2] == '~';
	out->size = v;
	return true;
}

/* A line has ended. */
static enum frame_event
line_done(struct frame *f, struct slice line)
{
	if (f->plain || !ends_in_literal(line, &f->literal)) {
		f->state = AT_OVER;
		return f->bad == FRAME_GOOD ? FRAME_COMMAND : FRAME_BAD;
	}
	if (f->bad == FRAME_GOOD) {
		add(f, SLICE("\r\n"));
		f->state = AT_ASK;
		return FRAME_LITERAL;
	}
	if (f->literal.sync) { /* it is never asked for */
		f->state = AT_OVER;
		return FRAME_BAD;
	}
	f->left = f->literal.size;
	f->state = AT_DRAIN;
	return FRAME_MORE;
}

/* Looks at a line up to its LF, and takes the CR off. */
static struct slice
judge(struct frame *f, struct slice line)
{
	bool crlf = line.n != 0 && line.p[line.n - 1] == '\r';

	if (crlf)
		line.n--;
	if (!crlf || slice_chr(line, '\r') != line.n)
		spoil(f, FRAME_BARE);
	if (slice_chr(line, '\0') != line.n)
		spoil(f, FRAME_NUL);
	return line;
}

static void
keep_tail(struct frame *f, struct slice more)
{
	size_t keep, cap = sizeof(f->tail);

	spoil(f, FRAME_LONG_LINE);
	if (!f->skipping && buf_len(&f->text) == 0)
		buf_add_slice(&f->text, slice_sub(more, 0, HEAD));
	f->skipping = true;
	if (more.n > cap)
		more = slice_from(more, more.n - cap);
	keep = f->ntail < cap - more.n ? f->ntail : cap - more.n;
	memmove(f->tail, f->tail + f->ntail - keep, keep);
	memcpy(f->tail + keep, more.p, more.n);
	f->ntail = (uint8_t)(keep + more.n);
}

/* The end of a line over line_max. */
static struct slice
long_line(struct frame *f, struct slice last)
{
	keep_tail(f, last);
	if (f->tail[f->ntail - 1] == '\r')
		f->ntail--;
	f->skipping = false;
	return slice_of(f->tail, f->ntail);
}

/* Takes bytes of a line whose end has not come. */
static size_t
part_of_line(struct frame *f, struct slice in)
{
	if (!f->skipping && in.n <= f->line_max + 1) {
		f->scanned = in.n; /* left in the input until it is whole */
		return 0;
	}
	f->scanned = 0;
	if (in.n != 0)
		keep_tail(f, in);
	return in.n;
}

/* line goes up to its LF. */
static bool
too_long(const struct frame *f, struct slice line)
{
	if (line.n != 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line.n > f->line_max;
}

static enum frame_event
next_line(struct frame *f, struct slice in, size_t *used_out)
{
	size_t from = f->scanned <= in.n ? f->scanned : 0;
	size_t at = from + slice_chr(slice_from(in, from), '\n');
	struct slice line;

	if (at >= in.n) {
		*used_out = part_of_line(f, in);
		return FRAME_MORE;
	}
	f->scanned = 0;
	*used_out = at + 1;
	line = slice_sub(in, 0, at);
	if (f->skipping || too_long(f, line)) {
		line = long_line(f, line);
	} else {
		line = judge(f, line);
		add(f, line);
	}
	f->ntail = 0;
	return line_done(f, line);
}

/* Of a literal: as much as there is. */
static struct slice
literal_bytes(struct frame *f, struct slice in, size_t *used_out)
{
	struct slice s = in;

	if (s.n > f->left)
		s.n = (size_t)f->left;
	f->left -= s.n;
	*used_out = s.n;
	return s;
}

static void
back_to_line(struct frame *f)
{
	f->state = AT_LINE;
}

static enum frame_event
next_literal(
    struct frame *f, struct slice in, size_t *used_out, struct slice *bytes_out)
{
	struct slice s = literal_bytes(f, in, used_out);

	if (f->state == AT_STREAM) {
		*bytes_out = s;
		if (s.n != 0)
			return FRAME_STREAM;
		if (f->left != 0)
			return FRAME_MORE;
		back_to_line(f);
		return FRAME_STREAM_END;
	}
	if (f->state == AT_KEEP)
		add(f, s);
	if (f->left == 0)
		back_to_line(f);
	return FRAME_MORE;
}

enum frame_event
frame_next(
    struct frame *f, struct slice in, size_t *used_out, struct slice *bytes_out)
{
	enum frame_event ev = FRAME_MORE;
	size_t used = 0;

	*used_out = 0;
	*bytes_out = SLICE("");
	for (;;) {
		uint8_t before = f->state;

		ph_assert(before != AT_ASK && before != AT_OVER);
		if (before == AT_REFUSED) {
			f->state = AT_OVER;
			return FRAME_BAD;
		}
		ev = before == AT_LINE ? next_line(f, in, &used)
				       : next_literal(f, in, &used, bytes_out);
		*used_out += used;
		in = slice_from(in, used);
		if (ev != FRAME_MORE)
			return ev;
		if (used == 0 && f->state == before)
			return FRAME_MORE;
	}
}

bool
frame_keep(struct frame *f)
{
	ph_assert(f->state == AT_ASK);
	if (f->literal.size > f->text.max - buf_len(&f->text)) {
		frame_refuse(f);
		return false;
	}
	f->left = f->literal.size;
	f->state = AT_KEEP;
	return true;
}

void
frame_stream(struct frame *f)
{
	ph_assert(f->state == AT_ASK);
	f->left = f->literal.size;
	f->state = AT_STREAM;
}

void
frame_refuse(struct frame *f)
{
	ph_assert(f->state == AT_ASK);
	spoil(f, FRAME_REFUSED);
	f->left = f->literal.sync ? 0 : f->literal.size;
	f->state = f->literal.sync ? AT_REFUSED : AT_DRAIN;
}
