/*
 * num.h - checked sums, big-endian fields, numbers from our own text.
 */
#ifndef LIB_BASE_NUM_H
#define LIB_BASE_NUM_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/slice.h"

/* a + b, a * b; false on overflow. */
static inline bool
num_add(uint64_t a, uint64_t b, uint64_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

static inline bool
num_mul(uint64_t a, uint64_t b, uint64_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

/* Big-endian integers at any alignment: memcmp order is number order. */
static inline void
num_put16(void *to, uint16_t v)
{
	v = htobe16(v);
	memcpy(to, &v, sizeof(v));
}

static inline void
num_put32(void *to, uint32_t v)
{
	v = htobe32(v);
	memcpy(to, &v, sizeof(v));
}

static inline void
num_put64(void *to, uint64_t v)
{
	v = htobe64(v);
	memcpy(to, &v, sizeof(v));
}

static inline uint16_t
num_get16(const void *from)
{
	uint16_t v;

	memcpy(&v, from, sizeof(v));
	return be16toh(v);
}

static inline uint32_t
num_get32(const void *from)
{
	uint32_t v;

	memcpy(&v, from, sizeof(v));
	return be32toh(v);
}

static inline uint64_t
num_get64(const void *from)
{
	uint64_t v;

	memcpy(&v, from, sizeof(v));
	return be64toh(v);
}

/* The whole slice is a decimal number of at most max. */
bool num_parse(struct slice s, uint64_t max, uint64_t *out);
/* "10", "64K", "2G", "5MiB": binary units, optional "B"/"iB". */
bool num_parse_size(struct slice s, uint64_t *bytes_out);
/* "30s", "5m", "4h", "10d", "250ms"; a bare number is seconds. */
bool num_parse_duration(struct slice s, uint64_t *ms_out);

#endif
