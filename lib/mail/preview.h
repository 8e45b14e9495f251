/*
 * preview.h - RFC 8970 PREVIEW.
 */
#ifndef LIB_MAIL_PREVIEW_H
#define LIB_MAIL_PREVIEW_H

#include "lib/base/buf.h"
#include "lib/mail/mime.h"

/*
 * Appends at most 200 characters of valid UTF-8 from the first text part of
 * the tree (made by mime_parse() from msg): decoded, without markup, blanks
 * collapsed, no controls.  Nothing when there is no text.  Looks at 64 KiB of
 * the part at most.
 */
void preview_make(
    struct buf *out_utf8, struct slice msg, const struct mime_part *root);

#endif
