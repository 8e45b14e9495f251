#include "lib/base/siphash.h"

#include "tests/unit/unit.h"

/* Aumasson and Bernstein, SipHash, appendix A and the reference vectors: key
 * 00 01 .. 0f, input 00 01 .. n - 1. */
static const struct {
	size_t n;
	uint64_t want;
} cases[] = {
	{ 0, UINT64_C(0x726fdb47dd0e0e31) },
	{ 1, UINT64_C(0x74f839c593dc67fd) },
	{ 7, UINT64_C(0xab0200f58b01d137) },
	{ 8, UINT64_C(0x93f5f5799a932462) },
	{ 15, UINT64_C(0xa129ca6149be45e5) },
};

static void
vectors(void **state)
{
	char in[16];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)i;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		assert_true(siphash_key(slice_of(in, cases[i].n),
				UINT64_C(0x0706050403020100),
				UINT64_C(0x0f0e0d0c0b0a0908)) == cases[i].want);
}

static void
own_key(void **state)
{
	(void)state;
	assert_true(siphash(SLICE("a")) == siphash(SLICE("a")));
	assert_true(siphash(SLICE("a")) != siphash(SLICE("b")));
	assert_true(siphash(SLICE("a")) != siphash_key(SLICE("a"), 0, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(own_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
