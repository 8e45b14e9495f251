#include "lib/net/line.h"

void
line_init(struct line_framer *f, size_t max, bool lf_ends)
{
	*f = (struct line_framer){ .max = max, .lf_ends = lf_ends };
}

/* No LF has come.  A trailing CR may be the first half of the end. */
static enum line_kind
unended(struct line_framer *f, struct slice in, size_t *used_out)
{
	size_t n = in.n;

	if (n != 0 && in.p[n - 1] == '\r')
		n--;
	if (n <= f->max) {
		f->scanned = in.n;
		return LINE_MORE;
	}
	f->scanned = 0;
	*used_out = in.n;
	return LINE_TOO_LONG;
}

enum line_kind
line_next(struct line_framer *f, struct slice in, struct slice *line_out,
    size_t *used_out)
{
	struct slice line;
	bool crlf;
	size_t at;

	*line_out = SLICE("");
	*used_out = 0;
	at = slice_chr(slice_from(in, f->scanned), '\n');
	if (f->scanned > in.n || (at += f->scanned) >= in.n)
		return unended(f, in, used_out);
	f->scanned = 0;
	crlf = at != 0 && in.p[at - 1] == '\r';
	line = slice_sub(in, 0, crlf ? at - 1 : at);
	if (line.n > f->max) {
		*used_out = at; /* line_skip() finds the LF itself */
		return LINE_TOO_LONG;
	}
	*line_out = line;
	*used_out = at + 1;
	if ((!crlf && !f->lf_ends) || slice_chr(line, '\r') != line.n)
		return LINE_BARE;
	return slice_chr(line, '\0') != line.n ? LINE_NUL : LINE_OK;
}

size_t
line_skip(struct slice in, bool *end_out)
{
	size_t at = slice_chr(in, '\n');

	*end_out = at != in.n;
	return *end_out ? at + 1 : in.n;
}
