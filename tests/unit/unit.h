/*
 * unit.h - what cmocka needs before it, and bytes in blocks of exact size.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/slice.h"

/* setup() and teardown() around each test of a program with one fixture. */
#define UNIT_AROUND(begin, end)           \
	static int setup(void **state)    \
	{                                 \
		(void)state;              \
		begin;                    \
		return 0;                 \
	}                                 \
	static int teardown(void **state) \
	{                                 \
		(void)state;              \
		end;                      \
		return 0;                 \
	}

/* A copy in a heap block of exactly n bytes: a read past the end is seen by
 * the sanitizer.  The caller frees .p. */
static inline struct slice
unit_exact(const void *p, size_t n)
{
	char *copy = malloc(n != 0 ? n : 1);

	if (copy == NULL)
		abort();
	if (n != 0)
		memcpy(copy, p, n);
	return slice_of(copy, n);
}

static inline void
unit_free(struct slice s)
{
	free((void *)(uintptr_t)s.p);
}

/* The slice holds exactly this text. */
#define assert_slice(s, text)                                      \
	do {                                                       \
		struct slice got_ = (s);                           \
		assert_int_equal(got_.n, strlen(text));            \
		if (got_.n != 0)                                   \
			assert_memory_equal(got_.p, text, got_.n); \
	} while (0)

#endif
