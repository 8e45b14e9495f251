/*
 * decode.h - transfer encodings, RFC 2045 6.7 and 6.8; encoded words, RFC
 * 2047.
 *
 * Decoders are tolerant and streaming: any split of the input gives the same
 * bytes.  Output never exceeds input (plus what was pending).
 */
#ifndef LIB_MAIL_DECODE_H
#define LIB_MAIL_DECODE_H

#include <stdbool.h>

#include "lib/base/buf.h"

enum decode_kind { DECODE_NONE, DECODE_BASE64, DECODE_QP };

struct decoder {
	enum decode_kind kind;
	uint32_t acc;   /* base64: bits so far */
	unsigned nacc;  /* base64: characters in acc */
	char pend[128]; /* qp: bytes that wait for what follows */
	size_t npend;
	bool bad; /* something was not as the encoding has it */
};

void decode_init(struct decoder *d, enum decode_kind kind);
void decode_feed(struct decoder *d, struct slice in, struct buf *out);
/* The end of the input; flushes what is pending. */
void decode_finish(struct decoder *d, struct buf *out);

/*
 * Unfolded header text to UTF-8: encoded words decoded (RFC 2047 6.2, blanks
 * between two of them dropped), other 8-bit bytes kept if they are UTF-8, else
 * read as windows-1252.  Controls come out as they are.  Malformed encoded
 * words stay as text.
 */
void decode_words(struct buf *out_utf8, struct slice unfolded);

#endif
