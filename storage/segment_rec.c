#include "storage/segment_rec.h"

#include <string.h>

#include "lib/base/crc32c.h"
#include "lib/base/num.h"

static const char head_magic[8] = "PHSEG001";
static const char rec_magic[4] = "PHR1";

enum { CRC_AT = 32, CRC_BYTES = 32 };

void
seg_head_encode(uint8_t to[SEG_HEAD_USED], uint32_t number, uint64_t high)
{
	memcpy(to, head_magic, sizeof(head_magic));
	num_put32(to + 8, number);
	num_put32(to + 12, crc32c(0, to, 12));
	num_put64(to + 16, high);
	num_put32(to + 24, crc32c(0, to + 16, 8));
}

bool
seg_head_decode(
    const uint8_t from[SEG_HEAD_USED], uint32_t number, uint64_t *high_out)
{
	*high_out = UINT64_MAX;
	if (memcmp(from, head_magic, sizeof(head_magic)) != 0 ||
	    num_get32(from + 8) != number ||
	    num_get32(from + 12) != crc32c(0, from, 12))
		return false;
	if (num_get32(from + 24) == crc32c(0, from + 16, 8))
		*high_out = num_get64(from + 16);
	return true;
}

void
seg_rec_encode(
    uint8_t to[REC_HEADER], const struct seg_rec *rec, const void *desc)
{
	uint32_t crc;

	memset(to, 0, REC_HEADER);
	memcpy(to, rec_magic, sizeof(rec_magic));
	to[4] = (uint8_t)rec->kind;
	num_put32(to + 8, rec->desc_n);
	num_put32(to + 12, rec->crc);
	num_put64(to + 16, rec->length);
	num_put64(to + 24, rec->id);
	crc = crc32c(0, to, CRC_BYTES);
	num_put32(to + CRC_AT, crc32c(crc, desc, rec->desc_n));
}

bool
seg_rec_decode(const uint8_t from[REC_HEADER], struct seg_rec *rec_out)
{
	if (memcmp(from, rec_magic, sizeof(rec_magic)) != 0)
		return false;
	rec_out->kind = (enum rec_kind)from[4];
	rec_out->desc_n = num_get32(from + 8);
	rec_out->crc = num_get32(from + 12);
	rec_out->length = num_get64(from + 16);
	rec_out->id = num_get64(from + 24);
	return rec_out->kind >= REC_BODY && rec_out->kind <= REC_CHANGE &&
	       rec_out->desc_n <= REC_DESC_MAX &&
	       rec_out->length <= UINT64_MAX / 2;
}

bool
seg_rec_check(
    const uint8_t from[REC_HEADER], const struct seg_rec *rec, const void *desc)
{
	uint32_t crc = crc32c(0, from, CRC_BYTES);

	return num_get32(from + CRC_AT) == crc32c(crc, desc, rec->desc_n);
}

uint64_t
seg_rec_total(const struct seg_rec *rec)
{
	return seg_align(REC_HEADER + rec->desc_n + rec->length);
}
