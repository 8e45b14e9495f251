/*
 * store.h - the host's mail in one process: index, segments, flusher.
 *
 * Opened once per process, after fork.  Everything in storage/ is synchronous
 * and belongs on a worker thread, but store_sync() which never blocks.
 *
 * Durability: a change commits without waiting; the caller then hands a
 * store_wait to store_sync() and answers its peer only when that is called
 * back.  One flusher syncs segment and log side by side for all that wait.
 */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

struct store;

enum store_role {
	STORE_DAEMON, /* imapd, pop3d, submitd: join a running environment */
	STORE_KEEPER, /* the same; also checkpoints and sweeps */
	STORE_RECOVER /* alone: recover, create, verify unsynced bodies */
};

struct store_conf {
	const char *state_dir; /* index/, mail/, VERSION */
	const char *run_dir;   /* env.lock, notify/ */
	const char *name;      /* "imapd": for notify and segments */
	uint64_t cache_bytes, segment_bytes, free_floor_bytes;
	uint64_t sweep_ms; /* the keeper's: between two looks for mail that
			    * may go (sweep.h); 0: an hour */
	enum store_role role;
	bool copy;    /* with STORE_RECOVER: a hot copy (backup.h) */
	bool rebuild; /* with STORE_RECOVER: an empty index beside mail */
};

/*
 * Takes the shared lock on RUN/env.lock (exclusive for STORE_RECOVER, waiting
 * up to lock_wait_ms; ERR_BUSY then), checks VERSION, opens tables, starts
 * flusher and segment syncer.
 */
PH_MUSTUSE int store_open(const struct store_conf *conf, uint64_t lock_wait_ms,
    struct store **store_out, struct err *e);
/* Drains the flusher, closes. */
void store_close(struct store **s);

/* Makes state_dir ready for a new host (directories, VERSION); nothing
 * happens to one that is there.  Refuses network file systems. */
PH_MUSTUSE int store_create(const char *state_dir, struct err *e);

/* Called back on the thread that flushes when everything this process committed
 * before is durable (rc 0), or cannot be (rc < 0: answer "temporary"). */
struct store_wait {
	struct store_wait *next;
	/* more: others of the same batch are told right behind */
	void (*fn)(struct store_wait *w, int rc, bool more);
};
void store_sync(struct store *s, struct store_wait *w);
/* The same of a thread that has nothing else to do: it may flush itself, which
 * spares waking another, and has called w->fn then. */
void store_sync_here(struct store *s, struct store_wait *w);
/* The same, blocking; for tools and tests. */
PH_MUSTUSE int store_sync_now(struct store *s);

/* True while free space is over the floor; refreshed every second at most. */
bool store_has_space(struct store *s);
/* The same for so many bytes. */
bool store_has_room(struct store *s, uint64_t bytes);

/* A number never given before on this host; rising within a process. */
uint64_t store_new_id(struct store *s);

/* The environment's health for `posthof status` and the heartbeat. */
struct store_stats {
	uint64_t flushes, flushed_waits, deadlocks, locks_peak, locks_max;
	uint64_t cache_hit, cache_miss;
	uint64_t free_bytes;
	uint64_t oldest_call_ms;
	int64_t last_checkpoint_sec;
};
PH_MUSTUSE int store_stats_get(struct store *s, struct store_stats *out);
/* oldest_call_ms alone, without asking the library: safe on a loop, and while
 * a call hangs. */
uint64_t store_oldest_call_ms(struct store *s);

/* The keeper's round: checkpoint if due, trim logs and tables by age, close
 * and remove empty segments.  Bounded work; true when more waits. */
PH_MUSTUSE int store_keep(struct store *s, bool *more_out);

#endif
