#include "lib/base/crc32c.h"

#include "tests/unit/unit.h"

/* The definition: polynomial 0x1EDC6F41, reflected, bit by bit. */
static uint32_t
by_bits(const unsigned char *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	while (n-- != 0) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* RFC 3720 B.4 (iSCSI), and the usual check value. */
static void
vectors(void **state)
{
	unsigned char b[32];

	(void)state;
	assert_int_equal(crc32c(0, "", 0), 0);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	memset(b, 0, sizeof(b));
	assert_int_equal(crc32c(0, b, 32), 0x8a9136aa);
	memset(b, 0xff, sizeof(b));
	assert_int_equal(crc32c(0, b, 32), 0x62a8ab43);
	for (int i = 0; i < 32; i++)
		b[i] = (unsigned char)i;
	assert_int_equal(crc32c(0, b, 32), 0x46dd794e);
	for (int i = 0; i < 32; i++)
		b[i] = (unsigned char)(31 - i);
	assert_int_equal(crc32c(0, b, 32), 0x113fdb5c);
}

/* Any length, alignment and cut gives what the definition gives. */
static void
cuts(void **state)
{
	unsigned char b[80];

	(void)state;
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (unsigned char)(i * 101 + 7);
	for (size_t at = 0; at < 9; at++)
		for (size_t n = 0; n < sizeof(b) - 9; n++) {
			uint32_t want = by_bits(b + at, n);

			assert_int_equal(crc32c(0, b + at, n), want);
			assert_int_equal(crc32c_plain(0, b + at, n), want);
			assert_int_equal(crc32c_plain(crc32c(0, b + at, n / 2),
					     b + at + n / 2, n - n / 2),
			    want);
			for (size_t cut = 0; cut <= n; cut++)
				assert_int_equal(crc32c(crc32c(0, b + at, cut),
						     b + at + cut, n - cut),
				    want);
		}
}

/* Long ones go in lanes. */
static void
lanes(void **state)
{
	static unsigned char b[5000];
	uint32_t x = 1, whole = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(b); i++) {
		x = x * 1664525 + 1013904223;
		b[i] = (unsigned char)(x >> 24);
	}
	for (size_t n = 700; n < 2400; n += 7) {
		uint32_t want = by_bits(b + n % 9, n);

		assert_int_equal(crc32c(0, b + n % 9, n), want);
		assert_int_equal(
		    crc32c(crc32c(0, b + n % 9, 13), b + n % 9 + 13, n - 13),
		    want);
	}
	for (size_t at = 0; at < sizeof(b); at += 1000)
		whole = crc32c(whole, b + at, 1000);
	assert_int_equal(whole, by_bits(b, sizeof(b)));
	assert_int_equal(crc32c(0, b, sizeof(b)), whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(cuts),
		cmocka_unit_test(lanes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
