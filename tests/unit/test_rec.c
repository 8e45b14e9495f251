#include "storage/rec.h"

#include "tests/unit/unit.h"

static const uint64_t numbers[] = { 0, 1, 127, 128, 300, 16383, 16384,
	UINT32_MAX, (uint64_t)1 << 63, UINT64_MAX };

static void
test_varint(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(numbers); i++) {
		struct slice s, exact;
		uint64_t back;
		struct buf b;

		buf_init(&b, 64);
		rec_add_varint(&b, numbers[i]);
		s = buf_slice(&b);
		assert_true(rec_varint(&s, &back));
		assert_int_equal(s.n, 0);
		assert_true(back == numbers[i]);
		for (size_t n = 0; n < buf_len(&b); n++) {
			exact = unit_exact(buf_slice(&b).p, n);
			s = exact;
			assert_false(rec_varint(&s, &back));
			unit_free(exact);
		}
		buf_fini(&b);
	}
}

static void
test_varint_refused(void **state)
{
	struct slice s = SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
	uint64_t v;

	(void)state;
	assert_false(rec_varint(&s, &v)); /* 65 bits */
	s = SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	assert_false(rec_varint(&s, &v));
}

static void
sample(struct buf *b)
{
	buf_init(b, 1024);
	rec_add(b, 1, SLICE("one"));
	rec_add_u64(b, 2, 77);
	rec_add_u64(b, 3, 0); /* left out */
	rec_add(b, 4, SLICE(""));
	for (int i = 0; i < 20; i++)
		rec_add(b, 9, SLICE("0123456789"));
}

static void
test_fields(void **state)
{
	struct slice rest, bytes;
	struct buf b;
	uint8_t tag;
	bool bad;

	(void)state;
	sample(&b);
	rest = buf_slice(&b);
	assert_true(rec_next(&rest, &tag, &bytes, &bad));
	assert_int_equal(tag, 1);
	assert_slice(bytes, "one");
	assert_true(rec_next(&rest, &tag, &bytes, &bad));
	assert_int_equal(tag, 2);
	assert_int_equal(rec_u64(bytes), 77);
	assert_true(rec_next(&rest, &tag, &bytes, &bad));
	assert_int_equal(tag, 4);
	assert_int_equal(bytes.n, 0);
	for (int i = 0; i < 20; i++)
		assert_true(rec_next(&rest, &tag, &bytes, &bad));
	assert_false(rec_next(&rest, &tag, &bytes, &bad));
	assert_false(bad);
	assert_int_equal(rec_u64(SLICE("short")), 0);
	buf_fini(&b);
}

/* Every prefix and every changed byte ends well. */
static void
test_damage(void **state)
{
	struct slice rest, bytes, exact;
	struct buf b;
	uint8_t tag;
	bool bad;
	char *p;

	(void)state;
	sample(&b);
	for (size_t n = 0; n <= buf_len(&b); n++) {
		exact = unit_exact(buf_slice(&b).p, n);
		rest = exact;
		while (rec_next(&rest, &tag, &bytes, &bad))
			assert_true(bytes.p + bytes.n <= exact.p + exact.n);
		unit_free(exact);
	}
	for (size_t i = 0; i < buf_len(&b); i++)
		for (int c = 0; c < 256; c += 5) {
			exact = unit_exact(buf_slice(&b).p, buf_len(&b));
			p = (char *)(uintptr_t)exact.p;
			p[i] = (char)c;
			rest = exact;
			while (rec_next(&rest, &tag, &bytes, &bad))
				;
			unit_free(exact);
		}
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_varint),
		cmocka_unit_test(test_varint_refused),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
