/*
 * cur.h - the only way a grammar reads bytes.
 *
 * A cursor walks over a slice.  The first failure sticks: every later call
 * fails too and reads nothing, so that a rule is a chain of calls and one
 * check.  Nothing here allocates or blocks.
 */
#ifndef LIB_BASE_CUR_H
#define LIB_BASE_CUR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/cset.h"
#include "lib/base/slice.h"

struct cur {
	const char *p; /* next byte */
	const char *end;
	const char *start;
	bool failed;
	const char *why; /* static text of the first failure, or NULL */
};

void cur_init(struct cur *c, struct slice s);

/* Always returns false; remembers the first reason (a static string). */
bool cur_fail(struct cur *c, const char *why);

static inline bool
cur_ok(const struct cur *c)
{
	return !c->failed;
}

static inline bool
cur_eof(const struct cur *c)
{
	return c->failed || c->p == c->end;
}

/* The next byte as 0..255 without reading it; -1 at the end or failed. */
static inline int
cur_peek(const struct cur *c)
{
	return cur_eof(c) ? -1 : (unsigned char)*c->p;
}

/* The byte `ahead` positions further; -1 past the end. */
int cur_peek_at(const struct cur *c, size_t ahead);

/* Reads exactly this byte. */
bool cur_byte(struct cur *c, char want);
/* Reads this byte if it is next; false leaves the cursor unharmed. */
bool cur_skip(struct cur *c, char maybe);
/* Reads any one byte. */
bool cur_any(struct cur *c, char *byte_out);
/* Reads this word, ASCII case ignored. */
bool cur_word(struct cur *c, const char *word);
/* Reads this word if it is next; false leaves the cursor unharmed. */
bool cur_skip_word(struct cur *c, const char *word);
/* The longest run of bytes of the class, perhaps none.  Never fails. */
struct slice cur_span(struct cur *c, const struct cset *cls);
/* As cur_span, at least one byte. */
bool cur_span1(struct cur *c, const struct cset *cls, struct slice *out);
/* Exactly n bytes. */
bool cur_take(struct cur *c, size_t n, struct slice *out);
/* All that is left; perhaps nothing. */
struct slice cur_rest(struct cur *c);
/* 1*DIGIT up to max; fails on overflow.  Leading zeros are read. */
bool cur_u64(struct cur *c, uint64_t max, uint64_t *out);
bool cur_u32(struct cur *c, uint32_t *out);
/* Fails unless everything has been read. */
bool cur_end(struct cur *c);
/* Bytes read so far. */
size_t cur_pos(const struct cur *c);

#endif
