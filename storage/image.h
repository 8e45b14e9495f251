/*
 * image.h - folders in memory (view.h), shared by all sessions of a process.
 * For storage/ only.
 *
 * image -> leaves of 64 runs -> runs of 32 messages.  All three are immutable
 * and counted; a new image shares with the old one every leaf and run that did
 * not change, so to compare two is to compare pointers.
 */
#ifndef STORAGE_IMAGE_H
#define STORAGE_IMAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "storage/hot.h"
#include "storage/notify.h"

struct store;
struct note_names;

enum { LEAF_RUNS = 64 };

struct run {
	atomic_uint refs;
	uint32_t nr; /* UID / HOT_RUN */
	uint32_t n;
	uint32_t unseen;
	uint8_t bytes[]; /* packed as in hot.h */
};

struct leaf {
	atomic_uint refs;
	uint32_t nr; /* run / LEAF_RUNS */
	uint32_t nruns;
	uint32_t n, unseen;
	size_t bytes;
	struct run *run[LEAF_RUNS];
	uint32_t before[LEAF_RUNS]; /* messages of the leaf before the run */
};

struct image {
	atomic_uint refs;
	uint64_t folder, account, modseq;
	uint32_t uidvalidity, uidnext;
	uint32_t n, unseen;
	_Atomic uint64_t octets; /* of all messages */
	size_t bytes;
	uint32_t nleaves, cap;
	struct leaf **leaf;
	uint32_t *before; /* messages before the leaf */
};

/* Part of struct store; see also images_stale(). */
struct images *images_new(struct store *s);
void images_free(struct images **im);
struct note_names *images_note_names(struct store *s);

/* What a commit changed: from this process after its commit, from others by
 * notify_read().  Never blocks. */
void images_stale(struct store *s, const struct notify_event *ev);

/* A folder's place in the cache, held while somebody looks at it. */
struct image_slot;
struct image_slot *image_slot_get(struct store *s, uint64_t folder);
void image_slot_put(struct store *s, struct image_slot **slot);
/* The highest MODSEQ heard of; never blocks. */
uint64_t image_slot_heard(const struct image_slot *slot);
/* The folder as it is now; the caller's reference.  ERR_NOTFOUND: no such
 * folder (any more).  Reads the index only when the folder's generation says
 * so. */
PH_MUSTUSE int image_get(struct store *s, struct image_slot *slot,
    struct image **im_out, uint32_t *recent_from_out);
/* The same when nothing need be read; never blocks. */
bool image_get_now(struct store *s, struct image_slot *slot,
    struct image **im_out, uint32_t *recent_from_out);
/* Has something been committed since image_get()?  Never blocks. */
bool image_slot_stale(const struct store *s, const struct image_slot *slot);

struct image *image_ref(struct image *im);
void image_unref(struct image **im);

/* seq: 1..n. */
void image_at(const struct image *im, uint32_t seq, struct hot_entry *out);
/* seq, seq + 1 ..., at most cap; how many. */
size_t image_read(
    const struct image *im, uint32_t seq, struct hot_entry *out, size_t cap);
/* UIDs of seq, seq + 1 ..., at most cap; how many. */
size_t image_uids(
    const struct image *im, uint32_t seq, uint32_t *uids, size_t cap);
/* The first sequence number whose UID is >= uid; n + 1: none. */
uint32_t image_lower(const struct image *im, uint32_t uid);
/* The sequence number of this UID, or 0. */
uint32_t image_find(const struct image *im, uint32_t uid);
/* The first without \Seen, or 0. */
uint32_t image_first_unseen(const struct image *im);

#endif
