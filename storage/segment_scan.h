/*
 * segment_scan.h - reads a segment record by record, as recovery and rebuild
 * do.  For storage/ only.
 */
#ifndef STORAGE_SEGMENT_SCAN_H
#define STORAGE_SEGMENT_SCAN_H

#include <stdbool.h>

#include "lib/base/err.h"
#include "storage/segment_rec.h"

struct seg_found {
	struct seg_rec rec;
	uint64_t offset;   /* of the record */
	uint64_t payload;  /* offset of its payload */
	struct slice desc; /* borrowed until the callback returns */
};

struct seg_scan_result {
	uint64_t end;   /* behind the last whole record */
	uint32_t count; /* the highest running number met */
	bool clean;     /* nothing but zeros between and behind */
};

/*
 * Calls fn for each record whose header is whole, from `from` up to `to`;
 * fn's result other than 0 ends the scan and comes back.  Where no record is,
 * it looks on at every eighth byte, since a write that never ended leaves a
 * gap before others that did.  Payloads are not read.
 */
PH_MUSTUSE int segment_scan(int fd, uint64_t from, uint64_t to,
    int (*fn)(const struct seg_found *f, void *arg), void *arg,
    struct seg_scan_result *out);

/* 0, or ERR_CORRUPT when the payload's bytes are not those written. */
PH_MUSTUSE int segment_scan_payload(int fd, const struct seg_found *f);

#endif
