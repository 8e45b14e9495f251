/*
 * mime_param.h - parameters of Content-Type and Content-Disposition: RFC 2045
 * 5.1, RFC 2231.
 */
#ifndef LIB_MAIL_MIME_PARAM_H
#define LIB_MAIL_MIME_PARAM_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/mail/mime.h"

/* The first value of this name as written, or {NULL, 0}. */
struct slice mime_param_raw(const struct mime_param *params, struct slice name);
/*
 * The value of this parameter in UTF-8, appended: RFC 2231 continuations
 * joined, percent-encoding and charset undone, encoded words (as many mailers
 * write them in quotes) decoded.  False when there is none.
 */
bool mime_param_get(
    struct buf *out_utf8, const struct mime_param *params, struct slice name);

#endif
