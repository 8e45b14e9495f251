/*
 * segment_priv.h - the segments a process writes, and their helper threads'
 * meeting point.  For segment*.c, flush.c, recover.c and keep.c.
 */
#ifndef STORAGE_SEGMENT_PRIV_H
#define STORAGE_SEGMENT_PRIV_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "storage/segment_file.h"
#include "lib/base/buf.h"
#include "storage/segment_rec.h"

struct store;

enum {
	SEG_STEP = 1 << 20,        /* zeroed at once */
	SEG_ZERO_AHEAD = 32 << 20, /* of where the next record goes */
	SEG_HIGH_STEP = 4 << 20,
	SEG_MARK_MS = 1000,     /* the synced mark is written so often */
	SEG_ROOM_MIN = 64 << 10 /* with less left a segment is sealed */
};

/* A write at work, on its thread's stack. */
struct seg_write {
	uint64_t offset;
	struct seg_write *next;
};

/* A segment this process appends to; guarded by segments.mtx. */
struct seg_out {
	struct seg_out *next; /* in segments.old */
	uint32_t number;
	int fd;
	uint64_t size;               /* of the file */
	uint64_t at;                 /* where the next record goes */
	uint64_t high;               /* what the header says */
	uint64_t zeroed;             /* from `at` to here are written zeros */
	uint64_t zero_from, zero_to; /* being zeroed now; equal: nothing */
	uint64_t synced;             /* all below is on disk */
	uint64_t marked;             /* `synced` as the table has it */
	uint64_t written;            /* writes that ended, */
	uint64_t covered;            /* and those of them a sync has seen */
	uint32_t count;              /* running numbers given */
	unsigned busy;               /* syncs at work */
	struct seg_write *writes;
	bool failed; /* a write or sync failed: never again */
};

struct segments {
	struct store *s;
	char *dir;
	struct segment_files *files;
	pthread_mutex_t mtx;
	pthread_cond_t changed; /* for appenders */
	pthread_cond_t work;    /* for the maker */
	struct seg_out *cur, *next;
	struct seg_out *old; /* full, until on disk and sealed */
	bool turning;        /* somebody gets the next segment */
	bool preparing;      /* the maker makes `next` */
	bool stop, running;
	bool resting;        /* the maker sleeps and was not called yet, */
	bool drowsy;         /* for long: there was no mark to write */
	uint64_t mark_at_ms; /* when marks were written last */
	uint64_t sweep_at_ms;
	uint64_t retry_at_ms; /* a failed step_next() waits */
	pthread_t maker;
	pthread_mutex_t notes_mtx;
	struct buf notes; /* for the next sync */
	uint32_t nnotes;
};

/* Starts the maker thread. */
PH_MUSTUSE int segments_new(
    struct store *s, struct segments **g_out, struct err *e);
/* Syncs, hands the segments on to whoever comes next. */
void segments_free(struct segments **g);

/* Is there something that no sync has seen? */
bool segments_dirty(struct segments *g);
/* Everything whose append ended before the call is on disk after; else
 * ERR_IO, and that segment is never used again. */
PH_MUSTUSE int segments_sync(struct segments *g);

/* segment_make.c.  Call without the mutex, outside transactions: takes over
 * a segment without an owner or makes one, with room for `need` bytes. */
PH_MUSTUSE int segment_obtain(
    struct segments *g, uint64_t need, struct seg_out **o_out);
/* The thread that zeroes ahead, makes the next, seals the old and writes
 * marks. */
void *segment_maker(void *arg);
/* Writes the row of a segment this process owns.  Call without the mutex. */
PH_MUSTUSE int segment_note_row(
    struct segments *g, const struct seg_out *o, bool sealed, bool give_up);
/* Grows the header's `high` to cover `end`; with or without the mutex. */
PH_MUSTUSE int segment_raise(struct seg_out *o, uint64_t end);

#endif
