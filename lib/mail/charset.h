/*
 * charset.h - bytes in some charset to UTF-8.
 *
 * US-ASCII, UTF-8, ISO-8859-1 and -15 (read with windows-1252 in the place of
 * C1 controls) are done here, the others that mail uses by glibc's iconv.
 * Names outside the table never reach iconv: there, and in US-ASCII, bytes
 * past 0x7f are UTF-8 where that is valid and else windows-1252.
 * Other invalid sequences become U+FFFD.  Streaming: any split of the input
 * gives the same text.
 *
 * iconv_open() may load a converter from disk the first time it is asked for;
 * that is the only thing here that is not pure computing.
 */
#ifndef LIB_MAIL_CHARSET_H
#define LIB_MAIL_CHARSET_H

#include <stdbool.h>

#include "lib/base/buf.h"

struct charset {
	void *cd;               /* an iconv_t, or NULL */
	int kind;               /* private */
	unsigned char pend[16]; /* an incomplete sequence */
	size_t npend;
};

/* name may be empty.  False when it is unknown; it works all the same then.
 * Must be ended by charset_fini(). */
bool charset_init(struct charset *c, struct slice name);
void charset_feed(struct charset *c, struct slice in, struct buf *out_utf8);
/* Tells of an incomplete last sequence, too. */
void charset_finish(struct charset *c, struct buf *out_utf8);
void charset_fini(struct charset *c);

/* All of the above for one block; the result is charset_init()'s. */
bool charset_convert(struct buf *out_utf8, struct slice name, struct slice in);

/* Whether the name is in the table; for SEARCH CHARSET. */
bool charset_known(struct slice name);

#endif
