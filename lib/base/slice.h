/*
 * slice.h - bytes from outside: borrowed, counted, without a NUL.
 */
#ifndef LIB_BASE_SLICE_H
#define LIB_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/ph.h"

struct slice {
	const char *p;
	size_t n;
};

/* A slice of a string literal. */
#define SLICE(lit) ((struct slice){ (lit), sizeof(lit) - 1 })

/* A slice of a NUL-terminated string; NULL gives the empty slice. */
struct slice slice_str(const char *s);

static inline struct slice
slice_of(const void *p, size_t n)
{
	return (struct slice){ p, n };
}

/* The bytes from `from`; clipped, never past the end. */
static inline struct slice
slice_from(struct slice s, size_t from)
{
	if (from > s.n)
		from = s.n;
	if (from == 0) /* p may be NULL */
		return s;
	return slice_of(s.p + from, s.n - from);
}
/* At most n bytes from `from`; clipped. */
static inline struct slice
slice_sub(struct slice s, size_t from, size_t n)
{
	s = slice_from(s, from);
	return slice_of(s.p, n < s.n ? n : s.n);
}
/* Without leading and trailing SP, TAB, CR, LF. */
struct slice slice_trim(struct slice s);

bool slice_eq(struct slice a, struct slice b);
/* ASCII letters compare without case. */
bool slice_ieq(struct slice a, struct slice b);
bool slice_ieq_str(struct slice a, const char *b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_istarts(struct slice s, struct slice prefix);
/* memcmp order, then length. */
int slice_cmp(struct slice a, struct slice b);

/* Index of the first `c`, or s.n. */
size_t slice_chr(struct slice s, char c);
/* Index of the last `c`, or s.n. */
size_t slice_rchr(struct slice s, char c);
/* Index of the first `needle`, or hay.n.  An empty needle is at 0. */
size_t slice_find(struct slice hay, struct slice needle);

/* Splits off the bytes before the first `sep` into *head_out, moves *rest
 * behind it.  False when *rest is exhausted (p == NULL). */
bool slice_split(struct slice *rest, char sep, struct slice *head_out);

/* A new NUL-terminated string; the caller frees it. */
char *slice_dup(struct slice s) PH_MUSTUSE;

/* Copies into out[cap] with a NUL; false and "" when it does not fit or s
 * holds a NUL byte. */
bool slice_copy(struct slice s, char *out, size_t cap);

/* ASCII only; the locale is never asked. */
char ascii_lower(char c);
char ascii_upper(char c);

#endif
