/*
 * meta.h - what the index keeps of a message's bytes: ENVELOPE,
 * BODYSTRUCTURE, offsets, the usual header fields, preview, thread.
 *
 * For storage/ only; pure.
 */
#ifndef STORAGE_META_H
#define STORAGE_META_H

#include "storage/message.h"

/* Fills header_bytes, thread and the slices (but prefix) of *m; memory from
 * the arena.  A piece over its cap is left out (p == NULL). */
void meta_make(struct arena *a, struct slice body, struct message *m);

/* The fields of a header block that msg_cached_header() names, raw; in the
 * arena, or borrowed when all bytes of both are in one of them. */
struct slice meta_join_headers(
    struct arena *a, struct slice prefix, struct slice headers);

#endif
