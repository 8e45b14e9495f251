/*
 * fuzz_line.c - the line framer on any bytes in any pieces: it tells the same
 * whether the bytes come at once or in pieces, and never reads past them.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/net/line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
	struct line_framer f;
	struct buf in;
	struct buf told;
	bool skipping;
};

/* One event; false when more bytes are needed. */
static bool
next_event(struct reader *r)
{
	struct slice in = buf_slice(&r->in), line;
	size_t used;
	enum line_kind kind;
	bool end;

	if (r->skipping) {
		used = line_skip(in, &end);
		ph_assert(used <= in.n && (end || used == in.n));
		buf_consume(&r->in, used);
		r->skipping = !end;
		return end;
	}
	kind = line_next(&r->f, in, &line, &used);
	ph_assert(used <= in.n && line.n <= r->f.max);
	ph_assert((kind == LINE_MORE) == (used == 0));
	if (kind == LINE_MORE) {
		ph_assert(in.n <= r->f.max + 1);
		return false;
	}
	ph_assert(kind != LINE_OK || slice_chr(line, '\r') == line.n);
	r->skipping = kind == LINE_TOO_LONG;
	buf_add_char(&r->told, (char)('0' + (int)kind));
	buf_add_slice(&r->told, line);
	buf_add_char(&r->told, '\n');
	buf_consume(&r->in, used);
	return true;
}

/* The bytes in pieces of `step`; what was told is the caller's. */
static struct buf
read_all(struct slice s, size_t max, bool lf_ends, size_t step)
{
	struct reader r = { .skipping = false };
	struct slice piece;

	line_init(&r.f, max, lf_ends);
	buf_init(&r.in, s.n + 1);
	buf_init(&r.told, 4 * s.n + 16);
	while (s.n != 0) {
		piece = slice_sub(s, 0, step);
		s = slice_from(s, piece.n);
		buf_add_slice(&r.in, piece);
		while (next_event(&r))
			;
	}
	buf_fini(&r.in);
	return r.told;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, pieces;
	struct slice s;

	/* The first byte: how; the second: size of the pieces. */
	if (size < 2 || size > 4096)
		return 0;
	s = slice_of(data + 2, size - 2);
	whole = read_all(s, data[0] >> 1, data[0] & 1, size);
	pieces = read_all(s, data[0] >> 1, data[0] & 1, (size_t)data[1] + 1);
	ph_assert(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
	buf_fini(&whole);
	buf_fini(&pieces);
	return 0;
}
