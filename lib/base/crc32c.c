#include "lib/base/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>

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

static int
have_sse42(void)
{
	return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t
crc_sse42(uint32_t crc, const unsigned char *p, size_t n)
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
	return have_sse42() ? ~crc_sse42(~crc, p, n) : crc32c_plain(crc, p, n);
}
