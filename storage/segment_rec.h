/*
 * segment_rec.h - the bytes of a segment's header and records (FORMAT 2).
 * For storage/ only; no I/O.
 */
#ifndef STORAGE_SEGMENT_REC_H
#define STORAGE_SEGMENT_REC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/slice.h"

enum {
	SEG_HEADER = 4096,  /* of the file; the first record follows */
	SEG_HEAD_USED = 28, /* of it, the rest is zeros */
	REC_HEADER = 40,
	REC_DESC_MAX = 4096,
	REC_BODY_DESC = 10, /* what a BODY's usually has: the date */
	REC_ALIGN = 8
};

enum rec_kind { REC_BODY = 1, REC_PLACE = 2, REC_CHANGE = 3 };

struct seg_rec {
	enum rec_kind kind;
	uint32_t desc_n;
	uint32_t crc;    /* of the payload */
	uint64_t length; /* of the payload */
	uint64_t id;
};

/* No record lies at or beyond `high`. */
void seg_head_encode(uint8_t to[SEG_HEAD_USED], uint32_t number, uint64_t high);
/* False: not this segment's header.  *high_out is UINT64_MAX when that part is
 * damaged. */
bool seg_head_decode(
    const uint8_t from[SEG_HEAD_USED], uint32_t number, uint64_t *high_out);

/* desc: rec->desc_n bytes. */
void seg_rec_encode(
    uint8_t to[REC_HEADER], const struct seg_rec *rec, const void *desc);
/* The header's fields, as far as they can be true; the checksum is not looked
 * at yet. */
bool seg_rec_decode(const uint8_t from[REC_HEADER], struct seg_rec *rec_out);
/* Header and description against their checksum. */
bool seg_rec_check(const uint8_t from[REC_HEADER], const struct seg_rec *rec,
    const void *desc);

/* Bytes of the whole record, with its padding. */
uint64_t seg_rec_total(const struct seg_rec *rec);

static inline uint64_t
seg_align(uint64_t n)
{
	return (n + REC_ALIGN - 1) & ~(uint64_t)(REC_ALIGN - 1);
}

#endif
