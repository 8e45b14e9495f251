#include "tests/unit/mail_util.h"

#include "lib/mail/dotted.h"

static const struct {
	struct slice in, want;
	size_t used;
	bool done;
	unsigned flags;
} cases[] = {
#define IN(s)                    \
	{                        \
		s, sizeof(s) - 1 \
	}
	{ IN(".\r\n"), IN(""), 3, true, 0 },
	{ IN("Hi\r\n.\r\nQUIT\r\n"), IN("Hi\r\n"), 7, true, 0 },
	{ IN("a\r\n..b\r\n...\r\n.c\r\n.\r\n"), IN("a\r\n.b\r\n..\r\nc\r\n"),
	    20, true, 0 },
	{ IN("..\r\n.\r\n"), IN(".\r\n"), 7, true, 0 },
	{ IN("no end\r\n"), IN("no end\r\n"), 8, false, 0 },
	/* The end is CRLF "." CRLF and nothing else: SMTP smuggling. */
	{ IN("a\n.\r\nb\r\n.\r\n"), IN("a\n.\r\nb\r\n"), 11, true,
	    DOTTED_BARE_LF },
	{ IN("a\r\n.\nb\r\n.\r\n"), IN("a\r\n\nb\r\n"), 11, true,
	    DOTTED_BARE_LF },
	{ IN("a\n.\nb\r\n.\r\n"), IN("a\n.\nb\r\n"), 10, true, DOTTED_BARE_LF },
	{ IN("a\r.\rb\r\n.\r\n"), IN("a\r.\rb\r\n"), 10, true, DOTTED_BARE_CR },
	{ IN("a\r\n.\r.\r\n"), IN("a\r\n\r.\r\n"), 8, false, DOTTED_BARE_CR },
	{ IN("a\r\n.\r\r\n.\r\n"), IN("a\r\n\r\r\n"), 10, true,
	    DOTTED_BARE_CR },
	{ IN("a\r\r\n.\r\n"), IN("a\r\r\n"), 7, true, DOTTED_BARE_CR },
	{ IN("a\0b\r\n.\r\n"), IN("a\0b\r\n"), 8, true, DOTTED_NUL },
	{ IN("12345678\r\n.\r\n"), IN("12345678\r\n"), 13, true, 0 },
	{ IN(".12345678\r\n.\r\n"), IN("12345678\r\n"), 14, true, 0 },
	{ IN("123456789\r\n.\r\n"), IN("123456789\r\n"), 14, true,
	    DOTTED_LONG },
	{ IN("12345678901"), IN("12345678901"), 11, false, DOTTED_LONG },
	{ IN("J\xc3\xbc\r\n.\r\n"), IN("J\xc3\xbc\r\n"), 8, true, DOTTED_8BIT },
	/* behind the end nothing is looked at */
	{ IN(".\r\n\0\n\xff"), IN(""), 3, true, 0 },
	{ IN("\r\n.\r\n"), IN("\r\n"), 5, true, 0 },
	{ IN(""), IN(""), 0, false, 0 },
};

static void
check(size_t i, size_t cut1, size_t cut2)
{
	struct slice in = cases[i].in, pieces[3];
	struct dotted d;
	struct buf b;
	size_t used = 0;

	pieces[0] = slice_sub(in, 0, cut1);
	pieces[1] = slice_sub(in, cut1, cut2 - cut1);
	pieces[2] = slice_from(in, cut2);
	buf_init(&b, 100);
	dotted_init(&d, 10);
	for (size_t k = 0; k < 3 && !d.done; k++) {
		char *p = malloc(pieces[k].n);

		if (pieces[k].n != 0)
			memcpy(p, pieces[k].p, pieces[k].n);
		used += dotted_feed(&d, slice_of(p, pieces[k].n), &b);
		free(p);
	}
	expect_bytes(&b, cases[i].want);
	assert_int_equal(used, cases[i].used);
	assert_int_equal(d.done, cases[i].done);
	assert_int_equal(d.flags, cases[i].flags);
	buf_fini(&b);
}

static void
test_decode(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		for (size_t a = 0; a <= cases[i].in.n; a++)
			for (size_t b = a; b <= cases[i].in.n; b++)
				check(i, a, b);
}

/* A full buffer does not move the end. */
static void
test_full(void **state)
{
	struct dotted d;
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	dotted_init(&d, 0);
	assert_int_equal(dotted_feed(&d, SLICE("longer\r\n.\r\nx"), &b), 11);
	assert_true(d.done);
	assert_true(buf_failed(&b));
	buf_fini(&b);
}

static const struct {
	struct slice in;
	bool fix;
	struct slice want;
} encs[] = {
	{ IN(""), false, IN(".\r\n") },
	{ IN("a"), false, IN("a\r\n.\r\n") },
	{ IN("a\r\n"), false, IN("a\r\n.\r\n") },
	{ IN("a\r"), false, IN("a\r\n.\r\n") },
	{ IN(".a\r\n.\r\n..\r\nb"), false,
	    IN("..a\r\n..\r\n...\r\nb\r\n.\r\n") },
	{ IN("a\n.b\r.c\r\n"), false, IN("a\n.b\r.c\r\n.\r\n") },
	{ IN("a\n.b\r.c\r\n"), true, IN("a\r\n..b\r\n..c\r\n.\r\n") },
	{ IN("\n\n\r\r"), true, IN("\r\n\r\n\r\n\r\n.\r\n") },
	{ IN("\r\r\n\n"), true, IN("\r\n\r\n\r\n.\r\n") },
	{ IN("a\r\n\n."), false, IN("a\r\n\n.\r\n.\r\n") },
};

static void
test_encode(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(encs); i++)
		for (size_t a = 0; a <= encs[i].in.n; a++)
			for (size_t c = a; c <= encs[i].in.n; c++) {
				struct dotted_enc e;
				struct buf b;

				buf_init(&b, 100);
				dotted_enc_init(&e, encs[i].fix);
				dotted_stuff(
				    &b, slice_sub(encs[i].in, 0, a), &e);
				dotted_stuff(
				    &b, slice_sub(encs[i].in, a, c - a), &e);
				dotted_stuff(&b, slice_from(encs[i].in, c), &e);
				dotted_stuff_end(&b, &e);
				expect_bytes(&b, encs[i].want);
				buf_fini(&b);
			}
}

/* All short texts there and back; only the last line end may be added. */
static void
test_round(void **state)
{
	static const char alphabet[] = ".\r\na";
	char text[7];

	(void)state;
	for (unsigned n = 0; n < 1u << 14; n++) {
		struct slice in = { text, n >> 12 ? 7 : 6 };
		struct dotted_enc e;
		struct dotted d;
		struct buf b, c;

		for (unsigned k = 0; k < 7; k++)
			text[k] = alphabet[n >> (2 * k) & 3];
		buf_init(&b, 100);
		buf_init(&c, 100);
		dotted_enc_init(&e, false);
		dotted_stuff(&b, in, &e);
		dotted_stuff_end(&b, &e);
		dotted_init(&d, 0);
		assert_int_equal(
		    dotted_feed(&d, buf_slice(&b), &c), buf_len(&b));
		assert_true(d.done);
		assert_true(slice_starts(buf_slice(&c), in));
		assert_true(buf_len(&c) <= in.n + 2);
		buf_fini(&b);
		buf_fini(&c);
	}
}

static void
test_large(void **state)
{
	struct slice s = repeat("", ".\r\r.\n", 1000000, "\r\n.\r\n");
	clock_t start = clock();
	struct dotted d;
	struct buf b;

	(void)state;
	buf_init(&b, ROOMY);
	dotted_init(&d, 1000);
	assert_int_equal(dotted_feed(&d, s, &b), s.n);
	assert_true(d.done);
	EXPECT_FAST(start);
	buf_fini(&b);
	repeat_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
