/*
 * segment.h - the append-only files that hold the messages (FORMAT 2).
 *
 * For storage/ only.  Appends never sync: the flusher does.  One open segment
 * per process; any process reads all.  Thread-safe.
 */
#ifndef STORAGE_SEGMENT_H
#define STORAGE_SEGMENT_H

#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "storage/store.h"

struct body_loc {
	uint64_t id;
	uint32_t segment;
	uint64_t offset; /* of the record */
	uint64_t length; /* of the payload */
	uint32_t crc;
};

enum note_kind { NOTE_PLACE = 2, NOTE_CHANGE = 3 };

/* Appends one BODY record; the parts follow one another. */
PH_MUSTUSE int segment_put_body(struct store *s, const struct slice *parts,
    size_t nparts, int64_t internal_date, struct body_loc *loc_out);

/* Appends a note with the next sync; description is tagged (rec.h). */
PH_MUSTUSE int segment_put_note(
    struct store *s, enum note_kind kind, struct slice description);

/* Appends a record that is elsewhere, with the id it has there: the keeper
 * moves it. */
struct seg_rec;
PH_MUSTUSE int segment_put_copy(struct store *s, const struct seg_rec *rec,
    struct slice description, struct slice payload, struct body_loc *loc_out);

/* Who reads many records one after the other has the next ones read along with
 * one that lies just behind the one before.  Zero to begin with. */
struct segment_ahead {
	uint32_t segment;
	uint64_t end;  /* of the record read last */
	uint64_t from; /* bytes[0] is this one of the segment */
	size_t n;
	char *bytes;
};
void segment_ahead_fini(struct segment_ahead *a);

/* Appends payload bytes [off, off + n) to out (fewer at the end).  A read of
 * the whole payload of up to 1 MiB checks its CRC.  ERR_NOTFOUND: another
 * record is there now (the body moved: look it up again); ERR_CORRUPT.  ahead:
 * NULL, or what the caller has for many. */
PH_MUSTUSE int segment_read(struct store *s, const struct body_loc *loc,
    uint64_t off, uint64_t n, struct segment_ahead *ahead, struct buf *out);

/* The payload mapped read-only; for parsing large messages. */
struct segment_map {
	void *base;
	size_t map_len;
	struct slice bytes;
};
PH_MUSTUSE int segment_map(
    struct store *s, const struct body_loc *loc, struct segment_map *map_out);
void segment_unmap(struct segment_map *map);

#endif
