/*
 * utf8.h - RFC 3629: no surrogates, no overlong forms, nothing past 10FFFF.
 */
#ifndef LIB_BASE_UTF8_H
#define LIB_BASE_UTF8_H

#include "lib/base/buf.h"

/* Reads one character from the front of *s and moves on; false (and *s
 * unchanged) when it is malformed or empty. */
bool utf8_next(struct slice *s, uint32_t *cp_out);
bool utf8_valid(struct slice s);
bool utf8_is_ascii(struct slice s);
void utf8_add(struct buf *out, uint32_t cp);

#endif
