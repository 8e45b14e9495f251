/*
 * mutf7.h - mailbox names in modified UTF-7, RFC 3501 5.1.3 (RFC 9051 A.1).
 *
 * Strict: there is one form for each name.
 */
#ifndef LIB_MAIL_MUTF7_H
#define LIB_MAIL_MUTF7_H

#include <stdbool.h>

#include "lib/base/buf.h"

/* False when utf8 is malformed or has a NUL; out may hold a part then. */
bool mutf7_encode(struct buf *out, struct slice utf8);
/*
 * False when the name is not canonical: 8-bit bytes or controls, an open or
 * empty shift, bad base64, bits left over, lone surrogates, printable ASCII
 * in base64, two shifts in a row.  out may hold a part then.
 */
bool mutf7_decode(struct buf *out_utf8, struct slice name);

#endif
