/*
 * fuzz_decode.c - the streaming codecs: cut in two at a place chosen by
 * the first byte, they must do what they do in one piece.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/base/utf8.h"
#include "lib/mail/charset.h"
#include "lib/mail/decode.h"
#include "lib/mail/dotted.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decode(struct slice s, size_t cut, enum decode_kind kind, struct buf *out)
{
	struct decoder d;

	buf_clear(out);
	decode_init(&d, kind);
	decode_feed(&d, slice_sub(s, 0, cut), out);
	decode_feed(&d, slice_from(s, cut), out);
	decode_finish(&d, out);
}

static void
unstuff(struct slice s, size_t cut, struct dotted *d, struct buf *out)
{
	size_t used;

	buf_clear(out);
	dotted_init(d, 20);
	used = dotted_feed(d, slice_sub(s, 0, cut), out);
	ph_assert(d->done ? used <= cut : used == (cut < s.n ? cut : s.n));
	if (!d->done)
		(void)dotted_feed(d, slice_from(s, cut), out);
}

static void
stuff(struct slice s, size_t cut, bool fix, struct buf *out)
{
	struct dotted_enc e;

	buf_clear(out);
	dotted_enc_init(&e, fix);
	dotted_stuff(out, slice_sub(s, 0, cut), &e);
	dotted_stuff(out, slice_from(s, cut), &e);
	dotted_stuff_end(out, &e);
}

static void
convert(struct slice s, size_t cut, struct slice name, struct buf *out)
{
	struct charset c;

	buf_clear(out);
	(void)charset_init(&c, name);
	charset_feed(&c, slice_sub(s, 0, cut), out);
	charset_feed(&c, slice_from(s, cut), out);
	charset_finish(&c, out);
	charset_fini(&c);
	ph_assert(utf8_valid(buf_slice(out)));
}

static void
same(const struct buf *a, const struct buf *b)
{
	ph_assert(!buf_failed(a) && !buf_failed(b));
	ph_assert(slice_eq(buf_slice(a), buf_slice(b)));
}

static void
all(struct slice s, size_t cut, struct buf *a, struct buf *b)
{
	struct dotted d, e;

	for (int k = DECODE_NONE; k <= DECODE_QP; k++) {
		decode(s, cut, (enum decode_kind)k, a);
		decode(s, s.n, (enum decode_kind)k, b);
		same(a, b);
	}
	unstuff(s, cut, &d, a);
	unstuff(s, s.n, &e, b);
	same(a, b);
	ph_assert(d.done == e.done && d.flags == e.flags);
	for (int fix = 0; fix < 2; fix++) {
		stuff(s, cut, fix != 0, a);
		stuff(s, s.n, fix != 0, b);
		same(a, b);
		unstuff(buf_slice(a), s.n, &d, b);
		ph_assert(d.done);
	}
	convert(s, cut, SLICE(""), a);
	convert(s, s.n, SLICE(""), b);
	same(a, b);
	convert(s, cut, SLICE("utf-8"), a);
	convert(s, s.n, SLICE("utf-8"), b);
	same(a, b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "iso-2022-jp", "shift_jis",
		"gb18030", "big5-hkscs", "euc-kr", "utf-7", "utf-16",
		"windows-1258" };
	struct slice s = slice_of(data, size);
	struct buf a, b;
	size_t cut;

	if (size == 0)
		return 0;
	cut = data[0];
	s = slice_from(s, 1);
	buf_init(&a, 64 << 20);
	buf_init(&b, 64 << 20);
	all(s, cut, &a, &b);
	convert(s, cut, slice_str(names[cut % PH_LEN(names)]), &a);
	buf_fini(&a);
	buf_fini(&b);
	return 0;
}
