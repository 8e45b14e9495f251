/*
 * partial.h - a window onto results, RFC 9394 3: "1:100", "-1:-100"; pure.
 */
#ifndef IMAPD_PARTIAL_H
#define IMAPD_PARTIAL_H

#include "imapd/parse.h"

struct partial {
	struct slice text; /* as written; p == NULL: none was asked for */
	uint32_t lo, hi;   /* 1 <= lo <= hi */
	bool from_end;     /* counted from the last result */
};

/* SP partial-range */
bool partial_parse(struct parse *p, struct partial *out);

/* Of n results, those from *from_out (from 0), *n_out many. */
void partial_window(
    const struct partial *w, size_t n, size_t *from_out, size_t *n_out);
/* The same of the numbers in r; memory from the arena. */
struct ranges partial_ranges(
    const struct partial *w, const struct ranges *r, struct arena *a);

#endif
