#include "lib/base/num.h"

#include "tests/unit/unit.h"

static void
checked(void **state)
{
	uint64_t v;

	(void)state;
	assert_true(num_add(UINT64_MAX, 0, &v));
	assert_int_equal(v, UINT64_MAX);
	assert_false(num_add(UINT64_MAX, 1, &v));
	assert_true(num_mul(UINT64_C(1) << 32, (UINT64_C(1) << 32) - 1, &v));
	assert_false(num_mul(UINT64_C(1) << 32, UINT64_C(1) << 32, &v));
	assert_true(num_mul(0, UINT64_MAX, &v));
	assert_int_equal(v, 0);
}

/* At any alignment; memcmp order is number order. */
static void
big_endian(void **state)
{
	unsigned char b[24];

	(void)state;
	for (size_t at = 0; at < 8; at++) {
		num_put16(b + at, 0x0102);
		assert_memory_equal(b + at, "\x01\x02", 2);
		assert_int_equal(num_get16(b + at), 0x0102);
		num_put32(b + at, 0xf1020304);
		assert_memory_equal(b + at, "\xf1\x02\x03\x04", 4);
		assert_int_equal(num_get32(b + at), 0xf1020304);
		num_put64(b + at, UINT64_C(0xf102030405060708));
		assert_memory_equal(
		    b + at, "\xf1\x02\x03\x04\x05\x06\x07\x08", 8);
		assert_int_equal(
		    num_get64(b + at), UINT64_C(0xf102030405060708));
	}
	for (uint32_t v = 1; v < 100000; v += 7) {
		num_put32(b, v - 1);
		num_put32(b + 4, v);
		assert_true(memcmp(b, b + 4, 4) < 0);
	}
}

static void
parse(void **state)
{
	uint64_t v;

	(void)state;
	assert_true(num_parse(SLICE("10"), 10, &v));
	assert_int_equal(v, 10);
	assert_false(num_parse(SLICE("11"), 10, &v));
	assert_false(num_parse(SLICE("1 "), 10, &v));
	assert_false(num_parse(SLICE(""), 10, &v));
	assert_false(num_parse(SLICE("-1"), 10, &v));
	assert_false(num_parse(SLICE("0x1"), 10, &v));
	assert_false(num_parse(slice_of(NULL, 0), 10, &v));
}

static const struct {
	const char *in;
	bool ok;
	uint64_t want;
} sizes[] = {
	{ "0", true, 0 },
	{ "10", true, 10 },
	{ "10B", true, 10 },
	{ "64K", true, 65536 },
	{ "64k", true, 65536 },
	{ "64 KB", true, 65536 },
	{ "5MiB", true, 5 << 20 },
	{ "2G", true, UINT64_C(2) << 30 },
	{ "3TiB", true, UINT64_C(3) << 40 },
	{ "16777215T", true, UINT64_C(16777215) << 40 },
	{ "16777216T", false, 0 },
	{ "", false, 0 },
	{ "K", false, 0 },
	{ "5X", false, 0 },
	{ "5KK", false, 0 },
	{ "5.5K", false, 0 },
	{ "-5K", false, 0 },
};

static void
size(void **state)
{
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < PH_LEN(sizes); i++) {
		v = 77;
		assert_int_equal(
		    num_parse_size(slice_str(sizes[i].in), &v), sizes[i].ok);
		if (sizes[i].ok)
			assert_int_equal(v, sizes[i].want);
	}
}

static const struct {
	const char *in;
	bool ok;
	uint64_t want;
} times[] = {
	{ "30", true, 30000 },
	{ "30s", true, 30000 },
	{ "250ms", true, 250 },
	{ "5m", true, 300000 },
	{ "4h", true, 14400000 },
	{ "10d", true, 864000000 },
	{ "2w", true, 1209600000 },
	{ "5M", true, 300000 },
	{ "0ms", true, 0 },
	{ "30 s", true, 30000 },
	{ "s", false, 0 },
	{ "1y", false, 0 },
	{ "1h30m", false, 0 },
	{ "99999999999999999999d", false, 0 },
	{ "18446744073709551615d", false, 0 },
};

static void
duration(void **state)
{
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < PH_LEN(times); i++) {
		assert_int_equal(num_parse_duration(slice_str(times[i].in), &v),
		    times[i].ok);
		if (times[i].ok)
			assert_int_equal(v, times[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checked),
		cmocka_unit_test(big_endian),
		cmocka_unit_test(parse),
		cmocka_unit_test(size),
		cmocka_unit_test(duration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
