/*
 * store_priv.h - the inside of a store.  For storage/ only.
 *
 * Members are set by store_open() and stay; each part guards itself.
 */
#ifndef STORAGE_STORE_PRIV_H
#define STORAGE_STORE_PRIV_H

#include <stdatomic.h>

#include "lib/db/db.h"
#include "storage/store.h"

struct flusher;
struct generations;
struct images;
struct joiner;
struct known;
struct notifier;
struct segments;
struct shelf;

struct store {
	struct store_conf conf; /* its texts belong to the store */
	int lock_fd;            /* RUN/env.lock, locked for life */
	struct db *db;
	struct segments *segments;       /* segment_priv.h */
	struct notifier *notifier;       /* notify_priv.h */
	struct generations *generations; /* generation.h */
	struct images *images;           /* image.h */
	struct shelf *shelf;             /* shelf.h */
	struct flusher *flusher;         /* flush.h */
	struct joiner *joiner;           /* deliver_join.h */
	struct known *known;             /* known.h */
	uint64_t epoch;                  /* of this process; never 0 */
	_Atomic uint64_t last_id;
	_Atomic uint64_t space_at_ms; /* when free_bytes was asked for */
	_Atomic uint64_t free_bytes;
	/* Nobody on the host shares anything: known until then, unless the
	 * count moves (acl.c). */
	_Atomic uint64_t unshared_until_ms, shares_changed;
	_Atomic bool in_backup; /* no segment is removed */
	struct keep *keep;      /* keep.c */
	uint64_t empty_age_ms;  /* an empty segment is kept so long */
};

#endif
