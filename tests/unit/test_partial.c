#include "imapd/partial.h"

#include "tests/unit/imap_parse.h"

static const struct {
	const char *text;
	size_t n, from, count;
} windows[] = {
	{ " 1:500", 23764, 0, 500 }, /* RFC 9394 3.1 */
	{ " 23500:24000", 23764, 23499, 265 },
	{ " 24000:24500", 23764, 0, 0 },
	{ " -1:-100", 23764, 23664, 100 },
	{ " -100:-1", 23764, 23664, 100 },
	{ " 3:1", 5, 0, 3 },
	{ " -5:-9", 5, 0, 1 },
	{ " -6:-9", 5, 0, 0 },
	{ " 5:5", 5, 4, 1 },
	{ " 1:4294967295", 5, 0, 5 },
	{ " -1:-4294967295", 5, 0, 5 },
	{ " 1:1", 0, 0, 0 },
	{ " -1:-1", 0, 0, 0 },
};

static bool
whole(struct parse *p, void **args_out)
{
	struct partial *w = arena_alloc(p->a, sizeof(*w));

	*args_out = w;
	return partial_parse(p, w) && parse_end(p);
}

static void
window(void **state)
{
	size_t from, count;
	struct arena a;
	void *args;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < PH_LEN(windows); i++) {
		const char *text = windows[i].text;

		assert_true(
		    imap_run(whole, text, strlen(text), &a, &args, NULL));
		partial_window(args, windows[i].n, &from, &count);
		assert_int_equal(from, windows[i].from);
		assert_int_equal(count, windows[i].count);
		imap_mangle(whole, text, strlen(text));
	}
	arena_clear(&a);
}

/* Against counting one by one. */
static void
of_ranges(void **state)
{
	struct seq_range v[] = { { 2, 4 }, { 7, 7 }, { 9, 12 } };
	static const uint32_t flat[] = { 2, 3, 4, 7, 9, 10, 11, 12 };
	struct ranges in = { v, PH_LEN(v) }, out;
	struct arena a;

	(void)state;
	arena_init(&a);
	for (uint32_t lo = 1; lo < 11; lo++)
		for (uint32_t hi = lo; hi < 11; hi++)
			for (int end = 0; end < 2; end++) {
				struct partial w = {
					.lo = lo, .hi = hi, .from_end = end == 1
				};
				size_t from, count;
				uint32_t n = 0;

				partial_window(&w, PH_LEN(flat), &from, &count);
				out = partial_ranges(&w, &in, &a);
				assert_int_equal(ranges_count(&out), count);
				for (size_t i = 0; i < count; i++) {
					assert_true(
					    ranges_next(&out, n + 1, &n));
					assert_int_equal(n, flat[from + i]);
				}
			}
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window),
		cmocka_unit_test(of_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
