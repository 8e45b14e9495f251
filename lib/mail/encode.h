/*
 * encode.h - text we write ourselves: encoded words, quoted-printable.
 */
#ifndef LIB_MAIL_ENCODE_H
#define LIB_MAIL_ENCODE_H

#include "lib/base/buf.h"

/*
 * Unstructured header text: plain ASCII as it is, else encoded words of UTF-8
 * (RFC 2047 2: at most 75 characters each, never a split character), joined by
 * "\r\n ".  CR, LF and NUL become blanks, so that nothing can end the field.
 */
void encode_words(struct buf *out, struct slice utf8);

/* Whole text with CRLF line ends to quoted-printable, lines to 76 characters,
 * RFC 2045 6.7. */
void encode_qp(struct buf *out, struct slice text);

/* base64 in lines of 76 characters, each ended by CRLF, RFC 2045 6.8. */
void encode_base64(struct buf *out, struct slice bytes);

#endif
