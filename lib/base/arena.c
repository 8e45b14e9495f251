#include "lib/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum { BLOCK = 4000, ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	size_t n, cap;
	char bytes[] __attribute__((aligned(16)));
};

void
arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

void
arena_clear(struct arena *a)
{
	struct arena_block *b;

	while ((b = a->head) != NULL) {
		a->head = b->next;
		free(b);
	}
	a->used = 0;
}

static char *
take(struct arena *a, size_t n, size_t align)
{
	struct arena_block *b = a->head;
	size_t at = b != NULL ? (b->n + align - 1) & ~(align - 1) : 0;

	ph_assert(n < SIZE_MAX / 2);
	if (b == NULL || at > b->cap || b->cap - at < n) {
		size_t cap = n > BLOCK ? n : BLOCK;

		b = xmalloc(sizeof(*b) + cap);
		b->cap = cap;
		b->n = at = 0;
		b->next = a->head;
		a->head = b;
	}
	b->n = at + n;
	a->used += n;
	return b->bytes + at;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	return memset(take(a, n, ALIGN), 0, n);
}

char *
arena_bytes(struct arena *a, size_t n)
{
	return take(a, n, 1);
}

struct slice
arena_copy(struct arena *a, struct slice s)
{
	char *p = take(a, s.n, 1);

	if (s.n != 0)
		memcpy(p, s.p, s.n);
	return slice_of(p, s.n);
}

char *
arena_str(struct arena *a, struct slice s)
{
	char *p = take(a, s.n + 1, 1);

	if (s.n != 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	ph_assert(n >= 0);
	p = take(a, (size_t)n + 1, 1);
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}
