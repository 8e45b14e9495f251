/*
 * ascii_head.h - a header of UTF-8 (RFC 6532) for hosts that know only ASCII
 * (RFC 2047).  Pure.
 */
#ifndef SUBMITD_ASCII_HEAD_H
#define SUBMITD_ASCII_HEAD_H

#include <stdbool.h>

#include "lib/base/buf.h"

/*
 * Appends the header, and the line that ends it, with names and texts as
 * encoded words.  False where that cannot be: an address, a parameter or a
 * trace field is not ASCII, or it is no UTF-8.
 */
bool ascii_head(struct slice head, struct buf *out);

#endif
