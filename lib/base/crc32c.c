#include "lib/base/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t
crc_sse42(uint32_t crc, const unsigned char *p, size_t n)
{
	uint64_t c = crc, word;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&word, p, sizeof(word));
		c = _mm_crc32_u64(c, word);
	}
	for (; n != 0; p++, n--)
		c = _mm_crc32_u8((uint32_t)c, *p);
	return (uint32_t)c;
}

enum { LANE = 256 };

/* x^(8 * LANE - 33) and x^(16 * LANE - 33) modulo the polynomial, reflected: a
 * product of two reflected numbers is one bit short, and the instruction that
 * reduces it multiplies by x^32. */
static const uint32_t by_lane = 0xb9e02b86, by_two_lanes = 0xdd7e3b0c;

/* What a CRC becomes when zeros follow. */
__attribute__((target("sse4.2,pclmul"))) static uint64_t
moved_on(uint64_t crc, uint32_t by)
{
	__m128i product = _mm_clmulepi64_si128(
	    _mm_cvtsi64_si128((int64_t)crc), _mm_cvtsi64_si128(by), 0);

	return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

/* The instruction takes three cycles, but one can begin in each: three lanes
 * side by side, put together at their end. */
__attribute__((target("sse4.2,pclmul"))) static uint32_t
crc_lanes(uint32_t crc, const unsigned char *p, size_t n)
{
	uint64_t a = crc, b, c, word;

	for (; n >= 3 * LANE; n -= 3 * LANE, p += 3 * LANE) {
		b = c = 0;
		for (size_t i = 0; i < LANE; i += sizeof(word)) {
			memcpy(&word, p + i, sizeof(word));
			a = _mm_crc32_u64(a, word);
			memcpy(&word, p + LANE + i, sizeof(word));
			b = _mm_crc32_u64(b, word);
			memcpy(&word, p + 2 * LANE + i, sizeof(word));
			c = _mm_crc32_u64(c, word);
		}
		a = moved_on(a, by_two_lanes) ^ moved_on(b, by_lane) ^ c;
	}
	return crc_sse42((uint32_t)a, p, n);
}

static uint32_t
crc_fast(uint32_t crc, const unsigned char *p, size_t n)
{
	if (n >= 3 * LANE && __builtin_cpu_supports("pclmul"))
		return crc_lanes(crc, p, n);
	return crc_sse42(crc, p, n);
}

static int
have_sse42(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t
crc_fast(uint32_t crc, const unsigned char *p, size_t n)
{
	(void)p, (void)n;
	return crc;
}

static int
have_sse42(void)
{
	return 0;
}
#endif

/* Bit by bit, a nibble at a time: for processors without the instruction. */
uint32_t
crc32c_plain(uint32_t crc, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	static const uint32_t nibble[16] = {
		0x00000000,
		0x105ec76f,
		0x20bd8ede,
		0x30e349b1,
		0x417b1dbc,
		0x5125dad3,
		0x61c69362,
		0x7198540d,
		0x82f63b78,
		0x92a8fc17,
		0xa24bb5a6,
		0xb21572c9,
		0xc38d26c4,
		0xd3d3e1ab,
		0xe330a81a,
		0xf36e6f75,
	};

	crc = ~crc;
	for (; n != 0; p++, n--) {
		crc ^= *p;
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}

uint32_t
crc32c(uint32_t crc, const void *p, size_t n)
{
	return have_sse42() ? ~crc_fast(~crc, p, n) : crc32c_plain(crc, p, n);
}
