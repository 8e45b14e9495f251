/*
 * rec.h - tagged values of the index and of segment notes (FORMAT).
 *
 * { u8 tag, varint length, bytes } behind a format byte.  Writing goes into a
 * buf; reading checks every length and keeps unknown tags out of the way.
 */
#ifndef STORAGE_REC_H
#define STORAGE_REC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

void rec_add(struct buf *b, uint8_t tag, struct slice bytes);
/* As 8 big-endian bytes; zero is left out (and read back as absent). */
void rec_add_u64(struct buf *b, uint8_t tag, uint64_t v);
void rec_add_varint(struct buf *b, uint64_t v);

/* Splits off the first field; false at the end or (*bad_out) on damage. */
bool rec_next(struct slice *rest, uint8_t *tag_out, struct slice *bytes_out,
    bool *bad_out);
/* A field of rec_add_u64; 0 when it has another length. */
uint64_t rec_u64(struct slice bytes);
bool rec_varint(struct slice *rest, uint64_t *out);

#endif
