#include "submitd/reply.h"

#include <string.h>

#include "lib/base/cset.h"

void
reply_init(struct reply *r)
{
	r->code = 0;
	r->n = 0;
	r->lines = 0;
}

static void
keep(struct reply *r, struct slice line)
{
	size_t room = sizeof(r->text) - r->n;

	if (r->n != 0 && room != 0) {
		r->text[r->n++] = '\n';
		room--;
	}
	if (line.n > room)
		line.n = room;
	/* A control byte has no business in our log, queue or bounce. */
	for (size_t i = 0; i < line.n; i++)
		r->text[r->n++] =
		    cset_has(&cset_ctl, line.p[i]) ? '?' : line.p[i];
}

/* Reply-line = Reply-code ( SP / "-" ) text; a bare code ends one too. */
static enum reply_kind
take_line(struct reply *r, struct slice line)
{
	int code = 0;

	if (line.n < 3 || ++r->lines > REPLY_LINES_MAX)
		return REPLY_BAD;
	for (size_t i = 0; i < 3; i++) {
		if (!cset_has(&cset_digit, line.p[i]))
			return REPLY_BAD;
		code = code * 10 + (line.p[i] - '0');
	}
	/* %x32-35 %x30-35 %x30-39, a little wider */
	if (code < 200 || code > 599 || (r->code != 0 && r->code != code) ||
	    (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-'))
		return REPLY_BAD;
	r->code = code;
	keep(r, line);
	return line.n > 3 && line.p[3] == '-' ? REPLY_MORE : REPLY_DONE;
}

enum reply_kind
reply_feed(struct reply *r, struct slice in, size_t *used_out)
{
	enum reply_kind kind = REPLY_MORE;

	*used_out = 0;
	while (kind == REPLY_MORE) {
		struct slice rest = slice_from(in, *used_out);
		size_t end = slice_chr(rest, '\n');
		struct slice line = slice_sub(rest, 0, end);

		if (end > REPLY_LINE_MAX)
			return REPLY_BAD;
		if (end == rest.n)
			return REPLY_MORE;
		/* Others' bare LF is tolerated: it ends nothing of ours. */
		if (line.n != 0 && line.p[line.n - 1] == '\r')
			line.n--;
		*used_out += end + 1;
		kind = take_line(r, line);
	}
	return kind;
}

void
reply_line(const struct reply *r, char *out, size_t cap)
{
	size_t n = r->n < cap - 1 ? r->n : cap - 1;

	memcpy(out, r->text, n);
	for (size_t i = 0; i < n; i++)
		if (out[i] == '\n')
			out[i] = ' ';
	out[n] = '\0';
}

bool
reply_keyword(const struct reply *r, const char *word, struct slice *args_out)
{
	struct slice rest = slice_of(r->text, r->n), line, want;
	bool first = true;

	*args_out = SLICE("");
	want = slice_str(word);
	while (slice_split(&rest, '\n', &line)) {
		line = slice_from(line, 4);
		/* The first line is a greeting, not a keyword. */
		if (!first && slice_istarts(line, want) &&
		    (line.n == want.n || line.p[want.n] == ' ' ||
			line.p[want.n] == '=')) {
			*args_out = slice_trim(slice_from(line, want.n));
			return true;
		}
		first = false;
	}
	return false;
}
