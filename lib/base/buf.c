#include "lib/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum { MIN_CAP = 256 };

void
buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max = max_bytes };
}

void
buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void
buf_clear(struct buf *b)
{
	b->start = 0;
	b->n = 0;
	b->failed = false;
}

void
buf_shrink(struct buf *b)
{
	if (b->start != b->n)
		return;
	free(b->p);
	b->p = NULL;
	b->start = b->n = b->cap = 0;
}

bool
buf_failed(const struct buf *b)
{
	return b->failed;
}

struct slice
buf_slice(const struct buf *b)
{
	if (b->p == NULL)
		return SLICE("");
	return (struct slice){ b->p + b->start, b->n - b->start };
}

char *
buf_reserve(struct buf *b, size_t n)
{
	size_t live = buf_len(b), cap;

	if (n > b->max || live > b->max - n || live + n > SIZE_MAX / 4) {
		b->failed = true;
		return NULL;
	}
	if (b->cap - b->n >= n && b->p != NULL)
		return b->p + b->n;
	if (b->start != 0 && b->p != NULL) {
		memmove(b->p, b->p + b->start, live);
		b->start = 0;
		b->n = live;
	}
	if (b->cap - b->n < n || b->p == NULL) {
		cap = b->cap != 0 ? b->cap : MIN_CAP;
		while (cap < live + n)
			cap *= 2;
		b->p = xrealloc(b->p, cap);
		b->cap = cap;
	}
	return b->p + b->n;
}

void
buf_advance(struct buf *b, size_t n)
{
	ph_assert(n <= b->cap - b->n);
	b->n += n;
}

void
buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_add_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[512], *big = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	ph_assert(n >= 0);
	if ((size_t)n < sizeof(small)) {
		buf_add(b, small, (size_t)n);
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&big, fmt, ap);
	va_end(ap);
	ph_assert(n >= 0);
	buf_add(b, big, (size_t)n);
	free(big);
}

void
buf_consume(struct buf *b, size_t n)
{
	ph_assert(n <= buf_len(b));
	b->start += n;
	if (b->start == b->n)
		b->start = b->n = 0;
}

void
buf_truncate(struct buf *b, size_t n)
{
	ph_assert(n <= buf_len(b));
	b->n = b->start + n;
}

char *
buf_take_str(struct buf *b)
{
	char *s = slice_dup(buf_slice(b));

	buf_fini(b);
	return s;
}

void
buf_move(struct buf *dst, struct buf *src)
{
	struct buf was = *dst;

	if (buf_len(dst) != 0 || buf_len(src) > dst->max) {
		buf_add_slice(dst, buf_slice(src));
		dst->failed = dst->failed || src->failed;
	} else {
		*dst = *src;
		dst->max = was.max;
		dst->failed = was.failed || src->failed;
		was.max = src->max;
		was.start = was.n = 0;
		was.failed = false;
		*src = was;
	}
	buf_clear(src);
}
