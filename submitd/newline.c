#include "submitd/newline.h"

size_t
newline_feed(struct dotted *d, struct slice in, struct buf *out)
{
	size_t at = 0;

	while (at < in.n && !d->done) {
		struct slice rest = slice_from(in, at);
		size_t lf = slice_chr(rest, '\n');
		size_t cr = slice_chr(slice_sub(rest, 0, lf), '\r');

		(void)dotted_feed(d, slice_sub(rest, 0, cr), out);
		at += cr;
		if (at == in.n)
			break;
		if (cr != lf) {
			if (at + 1 == in.n)
				break; /* is there a LF behind it? */
			at++;
			if (in.p[at] == '\n')
				at++;
		} else {
			at++;
		}
		(void)dotted_feed(d, SLICE("\r\n"), out);
	}
	return at;
}

void
newline_chunk(char *last, struct slice in, struct buf *out)
{
	for (size_t at = 0; at < in.n; at++) {
		struct slice rest = slice_from(in, at);
		size_t lf = slice_chr(rest, '\n');
		size_t end = slice_chr(slice_sub(rest, 0, lf), '\r');

		buf_add_slice(out, slice_sub(rest, 0, end));
		if (end != 0)
			*last = rest.p[end - 1];
		at += end;
		if (at == in.n)
			break;
		if (in.p[at] == '\r' || *last != '\r')
			buf_add(out, "\r\n", 2);
		*last = in.p[at];
		/* "CR LF" is one end, which its CR has made already. */
		if (*last == '\n')
			*last = '\0';
	}
}
