/*
 * dotted.h - the dots of SMTP DATA (RFC 5321 4.5.2) and POP3 (RFC 1939 3).
 *
 * Streaming in both directions: every split of the input gives the same
 * result.
 */
#ifndef LIB_MAIL_DOTTED_H
#define LIB_MAIL_DOTTED_H

#include <stdbool.h>

#include "lib/base/buf.h"

enum {
	DOTTED_BARE_CR = 1, /* CR without LF behind */
	DOTTED_BARE_LF = 2, /* LF without CR before */
	DOTTED_NUL = 4,
	DOTTED_LONG = 8, /* a line over max_line, CRLF counted */
	DOTTED_8BIT = 16 /* a byte past 0x7f */
};

struct dotted {
	unsigned state;  /* private */
	size_t line_len; /* private: bytes of the open line */
	size_t max_line;
	unsigned flags; /* DOTTED_*: seen so far */
	bool done;      /* CRLF "." CRLF has been read */
};

/* max_line counts the CRLF (1000 in RFC 5321 4.5.3.1.6); 0: no limit. */
void dotted_init(struct dotted *d, size_t max_line);

/*
 * Unstuffs into out.  Returns the bytes consumed: all, unless `done` became
 * true; what is behind the end is the next command.  Appends never more than
 * in.n + 1 bytes; when out is full the caller sees buf_failed(), and d goes on
 * right to the end of the data.  Bytes are kept as they are, only dots go;
 * whether to refuse is the caller's, by flags, at the end.
 */
size_t dotted_feed(struct dotted *d, struct slice in, struct buf *out);

struct dotted_enc {
	bool fix_line_ends; /* bare CR and bare LF become CRLF */
	unsigned state;     /* private */
};

void dotted_enc_init(struct dotted_enc *e, bool fix_line_ends);
/* Appends at most twice the bytes of chunk, plus one. */
void dotted_stuff(struct buf *out, struct slice chunk, struct dotted_enc *e);
/* The end: a missing CRLF, then "." CRLF. */
void dotted_stuff_end(struct buf *out, struct dotted_enc *e);

#endif
