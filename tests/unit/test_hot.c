/*
 * Runs of the hot table: bytes there and back, damage refused.
 */
#include "tests/unit/unit.h"

#include "lib/base/err.h"
#include "storage/hot.h"

static void
there_and_back(void **state)
{
	struct hot_entry e = { .uid = 0x01020304,
		.flags = 0x1f,
		.keywords = 0xa1b2c3d4e5f6,
		.modseq = 0x1112131415161718 },
			 got;
	static const uint8_t want[HOT_ENTRY] = { 1, 2, 3, 4, 0, 0x1f, 0xa1,
		0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x11, 0x12, 0x13, 0x14, 0x15,
		0x16, 0x17, 0x18 };
	uint8_t bytes[2 * HOT_ENTRY] = { 0 };

	(void)state;
	hot_set(bytes, 1, &e);
	assert_memory_equal(bytes + HOT_ENTRY, want, sizeof(want));
	hot_get(bytes, 1, &got);
	assert_memory_equal(&got, &e, sizeof(e));
	assert_int_equal(hot_uid(bytes, 1), e.uid);
	assert_int_equal(hot_flags(bytes, 1), 0x1f);
}

static void
lower(void **state)
{
	uint8_t bytes[HOT_RUN_BYTES];

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		struct hot_entry e = { .uid = 10 + 2 * i };

		hot_set(bytes, i, &e);
	}
	assert_int_equal(hot_lower(bytes, 0, 5), 0);
	assert_int_equal(hot_lower(bytes, 10, 5), 0);
	assert_int_equal(hot_lower(bytes, 10, 10), 0);
	assert_int_equal(hot_lower(bytes, 10, 11), 1);
	assert_int_equal(hot_lower(bytes, 10, 28), 9);
	assert_int_equal(hot_lower(bytes, 10, 29), 10);
}

static void
decode(void **state)
{
	char value[1 + HOT_RUN_BYTES + HOT_ENTRY] = { 1 };
	struct slice packed;

	(void)state;
	for (uint32_t i = 0; i < HOT_RUN; i++) {
		struct hot_entry e = { .uid = 64 + i, .modseq = 1 };

		hot_set((uint8_t *)value + 1, i, &e);
	}
	for (size_t n = 0; n <= sizeof(value); n++) {
		struct slice s = unit_exact(value, n);
		bool whole =
		    n > 1 && n <= 1 + HOT_RUN_BYTES && (n - 1) % HOT_ENTRY == 0;

		assert_int_equal(
		    hot_decode(s, 2, &packed), whole ? 0 : ERR_CORRUPT);
		assert_int_equal(hot_decode(s, 3, &packed), ERR_CORRUPT);
		unit_free(s);
	}
	/* out of order, and another format */
	value[1 + 3] = 66;
	assert_int_equal(
	    hot_decode(slice_of(value, 41), 2, &packed), ERR_CORRUPT);
	value[1 + 3] = 64;
	value[0] = 2;
	assert_int_equal(
	    hot_decode(slice_of(value, 41), 2, &packed), ERR_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(lower),
		cmocka_unit_test(decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
