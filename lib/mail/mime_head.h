/*
 * mime_head.h - the Content-* fields of one part, RFC 2045 3; for mime.c.
 */
#ifndef LIB_MAIL_MIME_HEAD_H
#define LIB_MAIL_MIME_HEAD_H

#include <stdbool.h>

#include "lib/mail/mime.h"

struct mime_head {
	struct arena *a;
	uint32_t params_left; /* how many parameters may still be kept */
	bool truncated;       /* there were more */
};

/* Whether a field that starts with these bytes is "Content-...". */
static inline bool
mime_head_wants(const char *p, size_t n)
{
	return n > 8 && (*p | 0x20) == 'c' && p[7] == '-';
}

/*
 * Sets what this field (raw, folded, with its line end) says of the part; the
 * first of two with the same name counts.  Other fields are ignored.
 */
void mime_head_field(
    struct mime_head *h, struct mime_part *part, struct slice raw);

/* After the last field: fills in the defaults of RFC 2045 5.2 and RFC 2046
 * 5.1.5 (in_digest) and sets is_text, is_html and cte. */
void mime_head_done(struct mime_part *part, bool in_digest);

#endif
