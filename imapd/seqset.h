/*
 * seqset.h - sequence sets, RFC 9051 9: as written, and as sorted ranges.
 */
#ifndef IMAPD_SEQSET_H
#define IMAPD_SEQSET_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/cur.h"

struct num_or_star {
	uint32_t n; /* 0 when star */
	bool star;
};

struct seqset_item {
	struct num_or_star a, b; /* in the order written */
};

struct seqset {
	struct seqset_item *v;
	size_t n;
	bool saved; /* "$", RFC 5182: v is empty */
};

struct seq_range {
	uint32_t lo, hi; /* lo <= hi */
};

/* Sorted, neither touching nor overlapping. */
struct ranges {
	struct seq_range *v;
	size_t n;
};

/* Reads a set; memory from the arena, linear in the text. */
bool seqset_parse(struct cur *c, struct arena *a, struct seqset *out);

/* "*" becomes max (nothing when max is 0). */
struct ranges seqset_resolve(
    const struct seqset *s, struct arena *a, uint32_t max);
/* Message numbers: false when a number written out is over max, RFC 9051 9
 * (seq-number).  A set that reaches "*" is accepted. */
bool seqset_fits(const struct seqset *s, uint32_t max);

bool ranges_has(const struct ranges *r, uint32_t n);
/* The smallest number in r that is >= from; false: none. */
bool ranges_next(const struct ranges *r, uint32_t from, uint32_t *out);
uint64_t ranges_count(const struct ranges *r);
/* Appends "1:3,7": neighbours rising by one become a range, the order stays.
 * Nothing for n == 0. */
void seqset_write(struct buf *out, const uint32_t *v, size_t n);

#endif
