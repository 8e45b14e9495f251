#include "imapd/seqset.h"

#include "tests/unit/unit.h"

static void
show(struct buf *b, const struct ranges *r)
{
	buf_clear(b);
	for (size_t i = 0; i < r->n; i++)
		buf_printf(
		    b, "%s%u-%u", i != 0 ? " " : "", r->v[i].lo, r->v[i].hi);
}

static void
resolving(void **state)
{
	static const struct {
		const char *in;
		uint32_t max;
		const char *want; /* NULL: refused */
	} cases[] = {
		{ "2,4:7,9,12:*", 15, "2-2 4-7 9-9 12-15" }, /* RFC 9051 9 */
		{ "*:4,5:7", 10, "4-10" },
		{ "1", 9, "1-1" },
		{ "*", 9, "9-9" },
		{ "1:*", 9, "1-9" },
		{ "12:*", 9, "9-12" },
		{ "3,2,1", 9, "1-3" },
		{ "7:5,1", 9, "1-1 5-7" },
		{ "1:2,3:4", 9, "1-4" },
		{ "1:3,2", 9, "1-3" },
		{ "4294967295,1:4294967295", 9, "1-4294967295" },
		{ "1:*", 0, "" },
		{ "*,3", 0, "3-3" },
		{ "0", 9, NULL },
		{ "4294967296", 9, NULL },
		{ "1:0", 9, NULL },
		{ "", 9, NULL },
		{ "1,", 9, NULL },
		{ ",1", 9, NULL },
		{ "1:", 9, NULL },
		{ "a", 9, NULL },
		{ "1:2:3", 9, NULL },
		{ "**", 9, NULL },
	};
	struct arena a;
	struct buf b;

	(void)state;
	arena_init(&a);
	buf_init(&b, 4096);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice in = unit_exact(cases[i].in, strlen(cases[i].in));
		struct seqset s;
		struct ranges r;
		struct cur c;
		bool good;

		cur_init(&c, in);
		good = seqset_parse(&c, &a, &s) && cur_end(&c);
		assert_int_equal(good, cases[i].want != NULL);
		if (good) {
			r = seqset_resolve(&s, &a, cases[i].max);
			show(&b, &r);
			assert_slice(buf_slice(&b), cases[i].want);
		}
		unit_free(in);
		arena_clear(&a);
	}
	buf_fini(&b);
}

static struct seqset
parsed(const char *text, struct arena *a)
{
	struct seqset s;
	struct cur c;

	cur_init(&c, slice_str(text));
	assert_true(seqset_parse(&c, a, &s) && cur_end(&c));
	return s;
}

static void
fitting(void **state)
{
	struct arena a;
	struct seqset s;

	(void)state;
	arena_init(&a);
	s = parsed("1:5", &a);
	assert_true(seqset_fits(&s, 5));
	assert_false(seqset_fits(&s, 4));
	s = parsed("9:*,*", &a);
	assert_true(seqset_fits(&s, 5));
	s = parsed("$", &a);
	assert_true(s.saved);
	assert_true(seqset_fits(&s, 0));
	arena_clear(&a);
}

static void
asking(void **state)
{
	struct arena a;
	struct seqset s;
	struct ranges r;
	uint32_t n;

	(void)state;
	arena_init(&a);
	s = parsed("2,4:7,9", &a);
	r = seqset_resolve(&s, &a, 100);
	assert_int_equal(ranges_count(&r), 6);
	assert_true(ranges_has(&r, 2) && ranges_has(&r, 7));
	assert_false(ranges_has(&r, 3) || ranges_has(&r, 10));
	assert_true(ranges_next(&r, 1, &n) && n == 2);
	assert_true(ranges_next(&r, 5, &n) && n == 5);
	assert_true(ranges_next(&r, 8, &n) && n == 9);
	assert_false(ranges_next(&r, 10, &n));
	arena_clear(&a);
}

/* A set as long as a line can be: linear, and right. */
static void
bomb(void **state)
{
	struct arena a;
	struct buf b;
	struct seqset s;
	struct ranges r;
	struct cur c;

	(void)state;
	arena_init(&a);
	buf_init(&b, 4 << 20);
	for (uint32_t i = 200000; i > 0; i--)
		buf_printf(&b, "%u%s", i * 3, i > 1 ? "," : "");
	cur_init(&c, buf_slice(&b));
	assert_true(seqset_parse(&c, &a, &s));
	r = seqset_resolve(&s, &a, 5);
	assert_int_equal(r.n, 200000);
	assert_true(ranges_has(&r, 300000));
	arena_clear(&a);
	buf_fini(&b);
}

static void
writing(void **state)
{
	static const uint32_t v[] = { 1, 2, 3, 7, 9, 10, 5, UINT32_MAX };
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	seqset_write(&b, v, 0);
	assert_slice(buf_slice(&b), "");
	seqset_write(&b, v, PH_LEN(v));
	assert_slice(buf_slice(&b), "1:3,7,9:10,5,4294967295");
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolving),
		cmocka_unit_test(fitting),
		cmocka_unit_test(asking),
		cmocka_unit_test(bomb),
		cmocka_unit_test(writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
