/*
 * downgrade.h - mail for a host that takes no 8-bit data, and binary mail for
 * anybody: parts re-encoded, RFC 6152 3 and RFC 3030 3.  Pure.
 */
#ifndef SUBMITD_DOWNGRADE_H
#define SUBMITD_DOWNGRADE_H

#include <stdbool.h>

#include "lib/base/buf.h"

/*
 * The message in 7 bits: text parts in quoted-printable, others in base64.
 * utf8: the header may be UTF-8 and becomes encoded words (ascii_head.h).
 * False when that cannot be: a header field has 8-bit bytes, a signature would
 * break, a structure is over our limits, or out is full.  Memory: that of out.
 */
bool downgrade(struct slice msg, bool utf8, struct buf *out);

/*
 * The message as lines (RFC 5322 2.1.1): parts with NUL, bare CR or LF or long
 * lines in base64, the others as they are.  False as above; a header has to be
 * lines already.
 */
bool downgrade_binary(struct slice msg, struct buf *out);

#endif
