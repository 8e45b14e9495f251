/*
 * line.h - the line framer of IMAP, POP3 and SMTP.
 *
 * Pure: looks at the bytes that have come and says whether a whole line is
 * there.  Lines end in CRLF; a bare CR or LF is told, not repaired, unless
 * `lf_ends` relaxes it.
 */
#ifndef LIB_NET_LINE_H
#define LIB_NET_LINE_H

#include "lib/base/slice.h"

enum line_kind {
	LINE_MORE,     /* no end yet */
	LINE_OK,       /* *line_out, without its end */
	LINE_TOO_LONG, /* over max; *used_out bytes are to be dropped, and
			 * the rest up to the next LF with line_skip() */
	LINE_BARE,     /* has a bare CR or LF; *line_out up to the next LF */
	LINE_NUL       /* has a NUL; *line_out is the line */
};

struct line_framer {
	size_t max;     /* bytes without the end */
	bool lf_ends;   /* bare LF ends a line too */
	size_t scanned; /* bytes known to hold no end; private */
};

void line_init(struct line_framer *f, size_t max, bool lf_ends);

/* Looks for a line at the front of in.  *used_out: bytes to consume with it
 * (0 for LINE_MORE). */
enum line_kind line_next(struct line_framer *f, struct slice in,
    struct slice *line_out, size_t *used_out);

/* After LINE_TOO_LONG: bytes to drop; *end_out when the LF was among them. */
size_t line_skip(struct slice in, bool *end_out);

#endif
