/*
 * fuzz_newline.c - line ends put right, with dots and in chunks: no split of
 * the input changes what comes out, and no bare CR or LF is in it.  The first
 * byte says where it is split.
 */
#include <stddef.h>
#include <stdint.h>

#include "submitd/newline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
no_bare(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\n')
			ph_assert(i != 0 && s.p[i - 1] == '\r');
		else if (s.p[i] == '\r')
			ph_assert(i + 1 < s.n && s.p[i + 1] == '\n');
}

/* In steps of so many bytes; what is left is offered again. */
static bool
dotted(struct slice s, size_t step, struct buf *out)
{
	struct dotted d;
	size_t from = 0, have = 0, used;

	dotted_init(&d, 0);
	while (!d.done && from + have < s.n) {
		have = have + step < s.n - from ? have + step : s.n - from;
		used = newline_feed(&d, slice_sub(s, from, have), out);
		ph_assert(used <= have);
		from += used;
		have -= used;
	}
	ph_assert((d.flags & (DOTTED_BARE_CR | DOTTED_BARE_LF)) == 0);
	return d.done;
}

static void
chunks(struct slice s, size_t step, struct buf *out)
{
	char last = '\0';

	for (size_t at = 0; at < s.n; at += step)
		newline_chunk(&last, slice_sub(s, at, step), out);
	ph_assert(buf_len(out) <= 2 * s.n);
	no_bare(buf_slice(out));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf a, b;
	struct slice s;
	size_t step;

	if (size < 2 || size > 10000)
		return 0;
	step = (size_t)data[0] + 1;
	s = slice_of(data + 1, size - 1);
	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	ph_assert(dotted(s, s.n, &a) == dotted(s, step, &b));
	ph_assert(slice_eq(buf_slice(&a), buf_slice(&b)));
	buf_clear(&a);
	buf_clear(&b);
	chunks(s, s.n, &a);
	chunks(s, step, &b);
	ph_assert(slice_eq(buf_slice(&a), buf_slice(&b)));
	buf_fini(&a);
	buf_fini(&b);
	return 0;
}
