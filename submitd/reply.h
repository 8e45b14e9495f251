/*
 * reply.h - another server's reply (RFC 5321 4.2), taken in piece by piece.
 * Pure and bounded.
 */
#ifndef SUBMITD_REPLY_H
#define SUBMITD_REPLY_H

#include <stdbool.h>

#include "lib/base/slice.h"

enum {
	REPLY_TEXT_MAX = 4096, /* of all lines together; the rest is cut */
	REPLY_LINES_MAX = 200,
	REPLY_LINE_MAX = 2000 /* RFC 5321 4.5.3.1.5 says 512 */
};

enum reply_kind { REPLY_MORE, REPLY_DONE, REPLY_BAD };

struct reply {
	int code; /* 200..559 */
	size_t n; /* of text */
	unsigned lines;
	char text[REPLY_TEXT_MAX]; /* lines as they came, code included,
					 * joined by '\n' */
};

void reply_init(struct reply *r);
/* Takes whole lines off the front of in; *used_out is how many bytes.  After
 * REPLY_DONE the bytes behind belong to the next reply.  REPLY_BAD: not SMTP,
 * or past the bounds. */
enum reply_kind reply_feed(struct reply *r, struct slice in, size_t *used_out);

/* The text in one line, as queue and bounces show it; at most cap - 1. */
void reply_line(const struct reply *r, char *out, size_t cap);

/* Does an EHLO reply offer this keyword?  *args_out: what stands behind. */
bool reply_keyword(
    const struct reply *r, const char *word, struct slice *args_out);

#endif
