/*
 * fold.h - text in the form in which SEARCH compares it: i;unicode-casemap,
 * RFC 5051.
 */
#ifndef IMAPD_FOLD_H
#define IMAPD_FOLD_H

#include "lib/base/buf.h"

/*
 * Appends UTF-8 with each character in its (simple) title case and taken apart
 * into its compatible pieces, so that substring search on the result finds
 * what RFC 5051 2 calls a match.  Bytes that are no UTF-8 stay.
 */
void fold_add(struct buf *out, struct slice utf8);

#endif
