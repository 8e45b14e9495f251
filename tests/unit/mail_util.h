/*
 * mail_util.h - what the tests of lib/mail share.
 */
#ifndef TESTS_UNIT_MAIL_UTIL_H
#define TESTS_UNIT_MAIL_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/mem.h"
#include "lib/base/slice.h"

enum { ROOMY = 64 << 20 };

/* The buffer's bytes are these; a difference is shown. */
static inline void
expect_bytes(const struct buf *b, struct slice want)
{
	struct slice got = buf_slice(b);

	assert_false(buf_failed(b));
	if (!slice_eq(got, want))
		fail_msg("got  \"%.*s\"\nwant \"%.*s\"", (int)got.n, got.p,
		    (int)want.n, want.p);
}

static inline void
expect_slice(struct slice got, const char *want)
{
	if (want == NULL) {
		assert_null(got.p);
		return;
	}
	assert_non_null(got.p);
	if (!slice_eq(got, slice_str(want)))
		fail_msg("got \"%.*s\" want \"%s\"", (int)got.n, got.p, want);
}

/* Calls fn with s in a heap block of exactly its size. */
static inline void
in_exact_block(struct slice s, void (*fn)(struct slice))
{
	char *p = malloc(s.n);

	if (s.n != 0)
		memcpy(p, s.p, s.n);
	fn(slice_of(p, s.n));
	free(p);
}

/* Every prefix, and every one-byte change by `step` of 256. */
static inline void
mangle(struct slice s, unsigned step, void (*fn)(struct slice))
{
	char *p = malloc(s.n + 1);

	for (size_t n = 0; n <= s.n; n++)
		in_exact_block(slice_sub(s, 0, n), fn);
	memcpy(p, s.p, s.n);
	for (size_t i = 0; i < s.n; i++) {
		for (unsigned c = 0; c < 256; c += step) {
			p[i] = (char)c;
			in_exact_block(slice_of(p, s.n), fn);
		}
		p[i] = s.p[i];
	}
	free(p);
}

/* n copies of `piece` between head and tail; the caller frees p. */
static inline struct slice
repeat(const char *head, const char *piece, size_t n, const char *tail)
{
	struct buf b;
	size_t len;
	char *p;

	buf_init(&b, (size_t)1 << 30);
	buf_add_str(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_add_str(&b, piece);
	buf_add_str(&b, tail);
	len = buf_len(&b);
	p = buf_take_str(&b);
	return slice_of(p, len);
}

static inline void
repeat_free(struct slice s)
{
	free((void *)(uintptr_t)s.p);
}

/* Processor milliseconds since start. */
static inline double
cpu_ms(clock_t start)
{
	return (double)(clock() - start) * 1000 / CLOCKS_PER_SEC;
}

/* Far above what linear time takes, even under sanitizers; far below what
 * quadratic time would. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAST_MS 30000
#else
#define FAST_MS 3000
#endif
#define EXPECT_FAST(start) assert_true(cpu_ms(start) < FAST_MS)

#endif
