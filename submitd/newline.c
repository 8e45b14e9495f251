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
