#include "tests/unit/unit.h"

#include "submitd/newline.h"

static const struct {
	const char *in, *want;
	size_t left; /* bytes behind the end */
} cases[] = {
	{ "a\r\n.\r\n", "a\r\n", 0 },
	{ "a\n.\nQUIT", "a\r\n", 4 },
	{ "a\rb\r.\rX", "a\r\nb\r\n", 1 },
	{ "a\r\r\n.\r\n", "a\r\n\r\n", 0 },
	{ "..a\n.b\n.\r\nRSET\r\n", ".a\r\nb\r\n", 6 },
	{ "\n.\r\n", "\r\n", 0 },
	{ ".\nx", "", 1 },
};

/* The same for every way of cutting the input in two. */
static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice in = slice_str(cases[i].in);

		for (size_t cut = 0; cut <= in.n; cut++) {
			struct slice head = unit_exact(in.p, cut);
			struct dotted d;
			struct buf out;
			size_t used;

			buf_init(&out, 100);
			dotted_init(&d, 0);
			used = newline_feed(&d, head, &out);
			assert_true(used <= cut);
			if (!d.done)
				used += newline_feed(
				    &d, slice_from(in, used), &out);
			assert_true(d.done);
			assert_int_equal(used, in.n - cases[i].left);
			assert_slice(buf_slice(&out), cases[i].want);
			assert_int_equal(
			    d.flags & (DOTTED_BARE_CR | DOTTED_BARE_LF), 0);
			buf_fini(&out);
			unit_free(head);
		}
	}
}

/* Chunks: dots are text, and every cut is the same. */
static void
test_chunks(void **state)
{
	static const struct {
		const char *in, *want;
	} chunks[] = {
		{ "a\r\n.\r\n", "a\r\n.\r\n" },
		{ "a\nb\rc\r\n", "a\r\nb\r\nc\r\n" },
		{ "\r\r\n\n\n\r", "\r\n\r\n\r\n\r\n\r\n" },
		{ "\n\r\n", "\r\n\r\n" },
		{ "no end", "no end" },
		{ "\r\nx", "\r\nx" },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(chunks); i++) {
		struct slice in = slice_str(chunks[i].in);

		for (size_t cut = 0; cut <= in.n; cut++) {
			struct slice head = unit_exact(in.p, cut);
			char last = '\0';
			struct buf out;

			buf_init(&out, 100);
			newline_chunk(&last, head, &out);
			newline_chunk(&last, slice_from(in, cut), &out);
			assert_slice(buf_slice(&out), chunks[i].want);
			buf_fini(&out);
			unit_free(head);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
