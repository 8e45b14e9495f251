#include "imapd/frame.h"

#include "tests/unit/unit.h"

enum { LINE_MAX_HERE = 30, TOTAL = 60, KEEP_MAX = 10 };

/*
 * What an owner does: keeps literals to KEEP_MAX bytes, streams those behind
 * "S", refuses larger ones.  The story is one text: [command] for what is
 * whole, "+" for a go-ahead, s(bytes)e for a stream, !n for a refusal.
 */
static void
decide(struct frame *f, struct buf *out)
{
	struct slice text = frame_text(f);
	bool streams = text.n != 0 && text.p[0] == 'S';

	if (streams)
		frame_stream(f);
	else if (f->literal.size > KEEP_MAX)
		frame_refuse(f);
	else if (!frame_keep(f))
		buf_add_char(out, '?');
	if (f->bad == FRAME_GOOD && f->literal.sync)
		buf_add_char(out, '+');
	if (f->bad == FRAME_GOOD && f->literal.binary)
		buf_add_char(out, '~');
	if (streams)
		buf_add_str(out, "s(");
}

static void
eat(struct frame *f, struct buf *in, struct buf *out)
{
	enum frame_event ev;
	struct slice bytes;
	size_t used;

	do {
		ev = frame_next(f, buf_slice(in), &used, &bytes);
		if (ev == FRAME_STREAM)
			buf_add_slice(out, bytes);
		buf_consume(in, used);
		switch (ev) {
		case FRAME_MORE:
		case FRAME_STREAM: break;
		case FRAME_COMMAND:
			buf_add_char(out, '[');
			buf_add_slice(out, frame_text(f));
			buf_add_char(out, ']');
			frame_reset(f);
			break;
		case FRAME_LITERAL: decide(f, out); break;
		case FRAME_STREAM_END: buf_add_str(out, ")e"); break;
		case FRAME_BAD:
			buf_printf(out, "!%d", f->bad);
			frame_reset(f);
			break;
		}
	} while (ev != FRAME_MORE);
}

static const struct {
	const char *in;
	size_t n;
	const char *want;
	size_t nwant;
} cases[] = {
#define CASE(in, want)                                     \
	{                                                  \
		in, sizeof(in) - 1, want, sizeof(want) - 1 \
	}
	CASE("", ""),
	CASE("a NOOP\r\n", "[a NOOP]"),
	CASE("a\r\nb\r\n", "[a][b]"),
	CASE("\r\n", "[]"),
	/* literals */
	CASE("a {3}\r\nxyz\r\n", "+[a {3}\r\nxyz]"),
	CASE("a {3+}\r\nxyz z\r\nb\r\n", "[a {3+}\r\nxyz z][b]"),
	CASE("a {2+}\r\n\r\n\r\n", "[a {2+}\r\n\r\n]"),
	CASE("a {0}\r\n\r\n", "+[a {0}\r\n]"),
	CASE("a {1+}\r\nx {1+}\r\ny\r\n", "[a {1+}\r\nx {1+}\r\ny]"),
	CASE("a ~{1+}\r\nx\r\n", "~[a ~{1+}\r\nx]"),
	CASE("a {10+}\r\n12\r\n{9}\r\n0\r\n", "[a {10+}\r\n12\r\n{9}\r\n0]"),
	/* no literals */
	CASE("a {3\r\n", "[a {3]"),
	CASE("a 3}\r\n", "[a 3}]"),
	CASE("a {}\r\n", "[a {}]"),
	CASE("a {+}\r\n", "[a {+}]"),
	CASE("a {x}\r\n", "[a {x}]"),
	CASE("a {3} \r\n", "[a {3} ]"),
	CASE("{3}\r\nabc\r\n", "+[{3}\r\nabc]"),
	/* streamed */
	CASE(
	    "S {4}\r\n1234 {1}\r\nx\r\n", "+s(1234)e+s(x)e[S {4}\r\n {1}\r\n]"),
	CASE("S ~{4+}\r\n1\r\n4\r\n", "~s(1\r\n4)e[S ~{4+}\r\n]"),
	CASE("S {0}\r\n\r\n", "+s()e[S {0}\r\n]"),
	/* refused: drained when the bytes come anyway */
	CASE("a {11}\r\nb\r\n", "!1[b]"),
	CASE("a {11+}\r\n1234567890\n x\r\nb\r\n", "!1[b]"),
	CASE("a {11+}\r\n12345678901 {2+}\r\nxx\r\nb\r\n", "!1[b]"),
	CASE("a {11+}\r\n12345678901 {2}\r\nb\r\n", "!1[b]"),
	CASE("a {99999999999999999999999}\r\nb\r\n", "!1[b]"),
	/* too much in all */
	CASE("a {9+}\r\n123456789 {9+}\r\n123456789 {9+}\r\n123456789 "
	     "{9+}\r\n123456789\r\nb\r\n",
	    "?!1[b]"),
	/* bad lines; what they announce is drained, too */
	CASE("a123456789012345678901234567890\r\nb\r\n", "!2[b]"),
	CASE("a1234567890123456789012345678901234567890 {5+}\r\n1\r\n34\r\n"
	     "b\r\n",
	    "!2[b]"),
	CASE("a1234567890123456789012345678901234567890 {5}\r\nb\r\n", "!2[b]"),
	CASE("a\nb\r\n", "!3[b]"),
	CASE("a\rb\r\nc\r\n", "!3[c]"),
	CASE("a {3+}\nxyz\r\nb\r\n", "!3[b]"),
	CASE("a\0\r\nb\r\n", "!4[b]"),
	CASE("a {1+}\r\n\0\r\n", "[a {1+}\r\n\0]"),
};

static void
play(size_t i, size_t split, struct buf *out)
{
	struct frame f;
	struct buf in;

	frame_init(&f, LINE_MAX_HERE, TOTAL);
	buf_init(&in, 1 << 16);
	buf_add(&in, cases[i].in, split);
	eat(&f, &in, out);
	buf_add(&in, cases[i].in + split, cases[i].n - split);
	eat(&f, &in, out);
	frame_fini(&f);
	buf_fini(&in);
}

static void
same(const struct buf *out, size_t i)
{
	struct slice want = slice_of(cases[i].want, cases[i].nwant);

	if (!slice_eq(buf_slice(out), want))
		fail_msg(
		    "case %zu: %.*s", i, (int)buf_len(out), buf_slice(out).p);
}

static void
every_split(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < PH_LEN(cases); i++)
		for (size_t at = 0; at <= cases[i].n; at++) {
			buf_clear(&out);
			play(i, at, &out);
			same(&out, i);
		}
	buf_fini(&out);
}

static void
byte_by_byte(void **state)
{
	struct buf out, in;
	struct frame f;

	(void)state;
	buf_init(&out, 4096);
	buf_init(&in, 4096);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		buf_clear(&out);
		frame_init(&f, LINE_MAX_HERE, TOTAL);
		for (size_t k = 0; k < cases[i].n; k++) {
			buf_add_char(&in, cases[i].in[k]);
			eat(&f, &in, &out);
		}
		assert_true(frame_empty(&f));
		frame_fini(&f);
		same(&out, i);
	}
	buf_fini(&out);
	buf_fini(&in);
}

/* Lines of SASL and DONE: a brace at the end means nothing. */
static void
plain_lines(void **state)
{
	struct slice bytes;
	struct frame f;
	size_t used;

	(void)state;
	frame_init(&f, LINE_MAX_HERE, TOTAL);
	frame_plain(&f, true);
	assert_int_equal(frame_next(&f, SLICE("DONE {3}\r\nx"), &used, &bytes),
	    FRAME_COMMAND);
	assert_int_equal(used, 10);
	assert_slice(frame_text(&f), "DONE {3}");
	frame_reset(&f);
	assert_true(frame_empty(&f));
	frame_idle(&f);
	assert_null(f.text.p);
	frame_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_split),
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(plain_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
