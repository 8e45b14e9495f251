/*
 * fuzz_frame.c - IMAP's framer: the same story however the bytes come, and no
 * byte of a literal becomes a command.
 */
#include <stddef.h>
#include <stdint.h>

#include "imapd/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decide(struct frame *f)
{
	if (f->literal.size % 3 == 0)
		frame_stream(f);
	else if (f->literal.size % 3 == 1 || !frame_keep(f))
		if (f->literal.size % 3 == 1)
			frame_refuse(f);
}

static void
eat(struct frame *f, struct buf *in, struct buf *story)
{
	enum frame_event ev;
	struct slice bytes;
	size_t used;

	do {
		ev = frame_next(f, buf_slice(in), &used, &bytes);
		ph_assert(used <= buf_len(in));
		if (ev == FRAME_STREAM)
			buf_add_slice(story, bytes);
		buf_consume(in, used);
		if (ev == FRAME_LITERAL) {
			decide(f);
		} else if (ev == FRAME_COMMAND || ev == FRAME_BAD) {
			buf_printf(story, "<%d %d>", ev, f->bad);
			if (ev == FRAME_COMMAND)
				buf_add_slice(story, frame_text(f));
			frame_reset(f);
		}
	} while (ev != FRAME_MORE);
}

static void
play(struct slice all, size_t step, struct buf *story)
{
	struct frame f;
	struct buf in;

	frame_init(&f, 64, 512);
	buf_init(&in, 1 << 20);
	while (all.n != 0) {
		size_t n = step < all.n ? step : all.n;

		buf_add(&in, all.p, n);
		all = slice_from(all, n);
		eat(&f, &in, story);
	}
	frame_fini(&f);
	buf_fini(&in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = { 1, 2, 7, 1 << 16 };
	struct buf first, story;

	if (size > 1 << 16)
		return 0;
	buf_init(&first, 1 << 20);
	buf_init(&story, 1 << 20);
	play(slice_of(data, size), 1 << 20, &first);
	for (size_t i = 0; i < PH_LEN(steps); i++) {
		buf_clear(&story);
		play(slice_of(data, size), steps[i], &story);
		ph_assert(slice_eq(buf_slice(&first), buf_slice(&story)));
	}
	buf_fini(&first);
	buf_fini(&story);
	return 0;
}
