#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/mem.h"
#include "lib/net/line.h"

#define MAX_LINE 8

/* One letter per event: the whole story of an input as text. */
static const struct {
	const char *in;
	size_t n;
	bool lf_ends;
	const char *want;
} cases[] = {
	{ "", 0, false, "" },
	{ "A\r\n", 3, false, "ok(A)" },
	{ "\r\n", 2, false, "ok()" },
	{ "A\r\nB\r\nC", 7, false, "ok(A)ok(B)" },
	{ "12345678\r\n", 10, false, "ok(12345678)" },
	{ "123456789\r\nA\r\n", 14, false, "long ok(A)" },
	{ "123456789012345678901234567890\nB\r\n", 34, false, "long ok(B)" },
	{ "12345678\r\r\nB\r\n", 14, false, "long ok(B)" },
	{ "A\nB\r\n", 5, false, "bare(A)ok(B)" },
	{ "A\nB\r\n", 5, true, "ok(A)ok(B)" },
	{ "\n\n", 2, false, "bare()bare()" },
	{ "\n\n", 2, true, "ok()ok()" },
	{ "A\rB\r\n", 5, false, "bare(A\rB)" },
	{ "A\rB\r\n", 5, true, "bare(A\rB)" },
	{ "A\r\r\n", 4, false, "bare(A\r)" },
	{ "\r\r\n", 3, true, "bare(\r)" },
	{ "A\0B\r\n", 5, false, "nul(A\0B)" },
	{ "A\0\rB\n", 5, false, "bare(A\0\rB)" },
	{ "\r", 1, false, "" },
	{ "12345678\r", 9, false, "" },
};

static void
tell(struct buf *out, const char *what, struct slice line)
{
	buf_add_str(out, what);
	buf_add_char(out, '(');
	buf_add_slice(out, line);
	buf_add_char(out, ')');
}

/* What a daemon does with the bytes it has, until it needs more. */
static void
eat(struct line_framer *f, struct buf *in, bool *skipping, struct buf *out)
{
	struct slice line;
	size_t used;
	bool end;

	for (;;) {
		if (*skipping) {
			buf_consume(in, line_skip(buf_slice(in), &end));
			if (!end)
				return;
			*skipping = false;
		}
		switch (line_next(f, buf_slice(in), &line, &used)) {
		case LINE_MORE:
			assert_int_equal(used, 0);
			assert_true(buf_len(in) <= MAX_LINE + 1);
			return;
		case LINE_OK: tell(out, "ok", line); break;
		case LINE_BARE: tell(out, "bare", line); break;
		case LINE_NUL: tell(out, "nul", line); break;
		case LINE_TOO_LONG:
			buf_add_str(out, "long ");
			*skipping = true;
			break;
		}
		buf_consume(in, used);
	}
}

/* The input in three pieces, cut at a and b. */
static void
story(size_t i, size_t a, size_t b, struct buf *out)
{
	struct line_framer f;
	struct buf in;
	bool skipping = false;

	buf_init(&in, 1000);
	line_init(&f, MAX_LINE, cases[i].lf_ends);
	buf_add(&in, cases[i].in, a);
	eat(&f, &in, &skipping, out);
	buf_add(&in, cases[i].in + a, b - a);
	eat(&f, &in, &skipping, out);
	buf_add(&in, cases[i].in + b, cases[i].n - b);
	eat(&f, &in, &skipping, out);
	buf_fini(&in);
}

/* want may hold NULs; its length follows from the input's. */
static size_t
want_len(size_t i)
{
	if (strncmp(cases[i].want, "nul", 3) == 0)
		return strlen("nul(AxB)");
	if (strncmp(cases[i].want, "bare(A", 6) == 0 &&
	    memchr(cases[i].in, '\0', cases[i].n) != NULL)
		return strlen("bare(AxxB)");
	return strlen(cases[i].want);
}

static void
every_split_tells_the_same(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 10000);
	for (size_t i = 0; i < PH_LEN(cases); i++)
		for (size_t a = 0; a <= cases[i].n; a++)
			for (size_t b = a; b <= cases[i].n; b++) {
				story(i, a, b, &out);
				assert_int_equal(buf_len(&out), want_len(i));
				if (buf_len(&out) != 0)
					assert_memory_equal(buf_slice(&out).p,
					    cases[i].want, want_len(i));
				buf_clear(&out);
			}
	buf_fini(&out);
}

/* Blocks of exact size: the sanitizer sees any byte read past the end. */
static void
every_prefix(void **state)
{
	static const char text[] = "A1 LOGIN\r\nx\ry\nA2 \r\n";
	struct line_framer f;
	struct slice line;
	size_t used;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		char *p = malloc(n != 0 ? n : 1);

		assert_non_null(p);
		memcpy(p, text, n);
		line_init(&f, 100, false);
		(void)line_next(&f, slice_of(p, n), &line, &used);
		assert_true(used <= n);
		free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_split_tells_the_same),
		cmocka_unit_test(every_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
