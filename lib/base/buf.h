/*
 * buf.h - a growing byte buffer with a ceiling from birth.
 *
 * Appends past the ceiling are dropped whole and remembered: check
 * buf_failed() once, before the bytes are used.
 */
#ifndef LIB_BASE_BUF_H
#define LIB_BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/slice.h"

struct buf {
	char *p;      /* NULL until the first append */
	size_t start; /* consumed bytes at the front */
	size_t n;     /* end of the data; live bytes are [start, n) */
	size_t cap;
	size_t max; /* ceiling of live bytes */
	bool failed;
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_fini(struct buf *b);
/* Forgets the bytes, keeps the memory. */
void buf_clear(struct buf *b);
/* Gives the memory back when empty; for idle connections. */
void buf_shrink(struct buf *b);

bool buf_failed(const struct buf *b);
static inline size_t
buf_len(const struct buf *b)
{
	return b->n - b->start;
}
struct slice buf_slice(const struct buf *b);

/* Room for n bytes behind the data, to be filled and then told with
 * buf_advance(); NULL (and failed) when over the ceiling. */
char *buf_reserve(struct buf *b, size_t n);
void buf_advance(struct buf *b, size_t n);

/* These are called for every few bytes of an answer. */
static inline bool
buf_has_room(const struct buf *b, size_t n)
{
	return b->cap - b->n >= n && n <= b->max && buf_len(b) <= b->max - n;
}
static inline void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *to;

	if (n == 0)
		return;
	ph_assert(p != NULL);
	to = buf_has_room(b, n) ? b->p + b->n : buf_reserve(b, n);
	if (to == NULL)
		return;
	memcpy(to, p, n);
	b->n += n;
}
static inline void
buf_add_slice(struct buf *b, struct slice s)
{
	buf_add(b, s.p, s.n);
}
static inline void
buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}
void buf_add_str(struct buf *b, const char *s);
void buf_add_u64(struct buf *b, uint64_t v); /* decimal */
void buf_printf(struct buf *b, const char *fmt, ...) PH_PRINTF(2, 3);

/* Drops n live bytes from the front. */
void buf_consume(struct buf *b, size_t n);
/* Shortens to the first n live bytes. */
void buf_truncate(struct buf *b, size_t n);

/* The bytes as a NUL-terminated string the caller frees; b is empty after. */
char *buf_take_str(struct buf *b) PH_MUSTUSE;

/* All live bytes of src to the end of dst; src is empty after.  Swaps the
 * memory when dst is empty. */
void buf_move(struct buf *dst, struct buf *src);

#endif
