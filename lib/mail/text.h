/*
 * text.h - the readable text of a part, for SEARCH and PREVIEW.
 */
#ifndef LIB_MAIL_TEXT_H
#define LIB_MAIL_TEXT_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/mail/mime.h"

/*
 * Appends the body of a text part in UTF-8: transfer encoding and charset
 * undone.  Reads at most max_in bytes of the body, stops when out is full.
 * part must have its params (mime_parse() or mime_read_header()).  False when
 * it is no text, cannot be decoded, or lies outside msg.
 */
bool text_decode(struct buf *out_utf8, struct slice msg,
    const struct mime_part *part, uint64_t max_in);

/*
 * HTML to text, simply: tags, comments, style, script and title dropped,
 * character references decoded, blocks and breaks as a blank.  Linear time.
 */
void text_strip_html(struct buf *out, struct slice html_utf8);

#endif
