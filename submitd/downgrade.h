/*
 * downgrade.h - mail for a host that takes no 8-bit data: parts re-encoded,
 * RFC 6152 3.  Pure.
 */
#ifndef SUBMITD_DOWNGRADE_H
#define SUBMITD_DOWNGRADE_H

#include <stdbool.h>

#include "lib/base/buf.h"

/*
 * The message in 7 bits: text parts in quoted-printable, others in base64.
 * False when that cannot be: a header field has 8-bit bytes, a signature would
 * break, a structure is over our limits, or out is full.  Memory: that of out.
 */
bool downgrade(struct slice msg, struct buf *out);

#endif
