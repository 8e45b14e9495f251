/* Structs as tagged fields, and what a later version wrote. */
#include "storage/tagged.h"

#include "tests/unit/unit.h"

#include "lib/base/err.h"
#include "storage/rec.h"

struct thing {
	uint64_t big;
	uint32_t small;
	bool on;
	struct slice text;
};

static const struct tagged_field fields[] = {
	{ 1, TAGGED_U64, offsetof(struct thing, big) },
	{ 2, TAGGED_U32, offsetof(struct thing, small) },
	{ 3, TAGGED_BOOL, offsetof(struct thing, on) },
	{ 4, TAGGED_TEXT, offsetof(struct thing, text) },
};

static const struct tagged_def def = { fields, PH_LEN(fields) };

static void
test_there_and_back(void **state)
{
	struct thing in = { UINT64_MAX, UINT32_MAX, true, SLICE("text") };
	struct thing out = { 0 };
	struct slice unknown;
	struct arena a;
	struct buf b;

	(void)state;
	arena_init(&a);
	buf_init(&b, 1000);
	tagged_encode(&b, &def, &in, SLICE(""));
	assert_int_equal(
	    tagged_decode(buf_slice(&b), &def, &a, &out, &unknown), 0);
	assert_true(out.big == in.big && out.small == in.small && out.on);
	assert_slice(out.text, "text");
	assert_int_equal(unknown.n, 0);
	buf_clear(&b);
	in = out = (struct thing){ 0 };
	tagged_encode(&b, &def, &in, SLICE(""));
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(
	    tagged_decode(buf_slice(&b), &def, &a, &out, &unknown), 0);
	buf_fini(&b);
	arena_clear(&a);
}

static void
test_unknown(void **state)
{
	struct thing out = { 0 };
	struct slice unknown, again;
	struct arena a;
	struct buf b;

	(void)state;
	arena_init(&a);
	buf_init(&b, 1000);
	rec_add(&b, 99, SLICE("from the future"));
	rec_add_u64(&b, 1, 7);
	rec_add(&b, 98, SLICE(""));
	assert_int_equal(
	    tagged_decode(buf_slice(&b), &def, &a, &out, &unknown), 0);
	assert_int_equal(out.big, 7);
	assert_int_equal(unknown.n, 2 + 15 + 2);
	buf_clear(&b);
	out.big = 8;
	tagged_encode(&b, &def, &out, unknown);
	assert_int_equal(
	    tagged_decode(buf_slice(&b), &def, &a, &out, &again), 0);
	assert_int_equal(out.big, 8);
	assert_true(slice_eq(unknown, again));
	assert_int_equal(tagged_decode(buf_slice(&b), &def, &a, &out, NULL), 0);
	buf_fini(&b);
	arena_clear(&a);
}

static void
test_damage(void **state)
{
	static const struct slice bad[] = {
		SLICE("\1"),
		SLICE("\1\10"),
		SLICE("\1\10abc"),
		SLICE("\1\3abc"),
		SLICE("\2\10\0\0\0\1\0\0\0\0"),
		SLICE("\4\377\377\377\377\377\377\377\377\377\377\1"),
	};
	struct thing out = { 0 };
	struct slice unknown;
	struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < PH_LEN(bad); i++) {
		struct slice s = unit_exact(bad[i].p, bad[i].n);

		assert_int_equal(
		    tagged_decode(s, &def, &a, &out, &unknown), ERR_CORRUPT);
		unit_free(s);
	}
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
