/*
 * b64.h - base64, RFC 4648 4: padded, strict, no line breaks.
 */
#ifndef LIB_BASE_B64_H
#define LIB_BASE_B64_H

#include "lib/base/buf.h"

void b64_encode(struct buf *out, struct slice in);
/* What this letter of the alphabet stands for; negative: it is none. */
int b64_value(char c);
/* False when in is not canonical base64; out may hold a part then. */
bool b64_decode(struct buf *out, struct slice in);

#endif
