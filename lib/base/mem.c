#include "lib/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
checked(void *p)
{
	if (p == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void *
xmalloc(size_t n)
{
	return checked(malloc(n != 0 ? n : 1));
}

void *
xcalloc(size_t count, size_t size)
{
	return checked(calloc(count != 0 ? count : 1, size != 0 ? size : 1));
}

void *
xrealloc(void *p, size_t n)
{
	return checked(realloc(p, n != 0 ? n : 1));
}

char *
xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *
xmemdup0(const void *p, size_t n)
{
	char *copy = xmalloc(n + 1);

	if (n != 0)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return checked(n < 0 ? NULL : s);
}

void *
mem_grow(void *array, size_t *cap, size_t used, size_t size)
{
	if (used < *cap)
		return array;
	ph_assert(*cap < SIZE_MAX / 4 / size);
	*cap = *cap != 0 ? *cap * 2 : 8;
	return xrealloc(array, *cap * size);
}

void
mem_wipe(void *p, size_t n)
{
	if (n != 0)
		explicit_bzero(p, n);
}
