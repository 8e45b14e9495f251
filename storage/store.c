#include "storage/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/counter.h"
#include "storage/deliver_join.h"
#include "storage/flush.h"
#include "storage/generation.h"
#include "storage/image.h"
#include "storage/intent.h"
#include "storage/keep.h"
#include "storage/known.h"
#include "storage/notify_priv.h"
#include "storage/recover.h"
#include "storage/segment_priv.h"
#include "storage/shelf.h"
#include "storage/store_dir.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum { SPACE_MS = 1000, EMPTY_AGE_MS = 60000 };

static int
take_epoch(struct db_txn *t, void *arg)
{
	struct store *s = arg;

	return counter_next(t, SLICE("epoch"), 1, &s->epoch);
}

static int
open_db(struct store *s, struct err *e)
{
	bool recover = s->conf.role == STORE_RECOVER;
	enum db_mode mode = !recover       ? DB_JOIN
			    : s->conf.copy ? DB_RECOVER_COPY
					   : DB_RECOVER_ALONE;
	char *dir = xasprintf("%s/index", s->conf.state_dir);
	struct db_conf conf = { .dir = dir,
		.cache_bytes = s->conf.cache_bytes,
		.tables = store_tables,
		.ntables = T_COUNT };
	int rc;

	rc = db_open(&conf, mode, &s->db, e);
	if (rc == ERR_NOTFOUND && !recover)
		(void)err_set(
		    e, rc, "the index is not open: start with `posthof serve`");
	free(dir);
	if (rc != 0)
		return rc;
	if (recover && !s->conf.rebuild && (rc = recover_check(s, e)) != 0)
		return rc;
	if ((rc = db_update(s->db, take_epoch, s)) != 0)
		return err_set(e, rc, "the index cannot be written");
	s->last_id = s->epoch << 32;
	return 0;
}

/* The parts, in the order in which each needs those before it. */
/* Before anybody looks.  What cannot be done now is the keeper's. */
static void
finish_intents(struct store *s)
{
	bool more;
	int rc = intents_finish(s, INT64_MAX, SIZE_MAX - 1, &more);

	if (rc != 0)
		log_error(NULL, "intent", "error=%s", err_name(rc));
}

static int
open_parts(struct store *s, uint64_t lock_wait_ms, struct err *e)
{
	bool recover = s->conf.role == STORE_RECOVER;
	int rc;

	if ((rc = store_dir_lock(s->conf.run_dir, recover, lock_wait_ms,
		 &s->lock_fd, e)) != 0 ||
	    (rc = store_dir_check(s->conf.state_dir, e)) != 0 ||
	    (rc = open_db(s, e)) != 0 ||
	    (rc = segments_new(s, &s->segments, e)) != 0 ||
	    (rc = notifier_new(s, &s->notifier, e)) != 0 ||
	    (rc = generations_open(s->conf.run_dir, &s->generations, e)) != 0)
		return rc;
	s->images = images_new(s);
	s->shelf = shelf_new();
	s->keep = keep_new();
	s->known = known_new();
	s->joiner = joiner_new();
	if ((rc = flusher_new(s, &s->flusher, e)) != 0)
		return rc;
	if (!recover || s->conf.rebuild || (rc = recover_bodies(s, e)) != 0)
		return rc;
	finish_intents(s);
	return 0;
}

int
store_open(const struct store_conf *conf, uint64_t lock_wait_ms,
    struct store **store_out, struct err *e)
{
	struct store *s = xcalloc(1, sizeof(*s));
	int rc;

	*store_out = NULL;
	s->conf = *conf;
	s->conf.state_dir = xstrdup(conf->state_dir);
	s->conf.run_dir = xstrdup(conf->run_dir);
	s->conf.name = xstrdup(conf->name);
	s->lock_fd = -1;
	s->empty_age_ms = EMPTY_AGE_MS;
	rc = open_parts(s, lock_wait_ms, e);
	if (rc != 0)
		store_close(&s);
	*store_out = s;
	return rc;
}

/* A recovered index is left checkpointed, so that the daemons find nothing
 * to do; the lock goes last. */
void
store_close(struct store **sp)
{
	struct store *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	flusher_free(&s->flusher);
	shelf_free(&s->shelf);
	images_free(&s->images);
	generations_close(&s->generations);
	notifier_free(&s->notifier);
	segments_free(&s->segments);
	keep_free(&s->keep);
	known_free(&s->known);
	joiner_free(&s->joiner);
	if (s->db != NULL && db_checkpoint(s->db, 0, 0) != 0)
		log_warn(NULL, "checkpoint", "state=%s", s->conf.state_dir);
	db_close(&s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free((char *)(uintptr_t)s->conf.state_dir);
	free((char *)(uintptr_t)s->conf.run_dir);
	free((char *)(uintptr_t)s->conf.name);
	free(s);
}

uint64_t
store_new_id(struct store *s)
{
	return atomic_fetch_add(&s->last_id, 1) + 1;
}

static void
ask_space(struct store *s)
{
	struct statvfs fs;

	if (statvfs(s->conf.state_dir, &fs) == 0)
		atomic_store(&s->free_bytes,
		    (uint64_t)fs.f_bavail * (uint64_t)fs.f_frsize);
}

/* One thread asks the system, the others take what is known. */
static uint64_t
free_bytes(struct store *s)
{
	uint64_t now = clock_steady_ms(), at = atomic_load(&s->space_at_ms);

	if (at == 0) {
		ask_space(s);
		atomic_store(&s->space_at_ms, now);
	} else if (now >= at + SPACE_MS &&
		   atomic_compare_exchange_strong(&s->space_at_ms, &at, now))
		ask_space(s);
	return atomic_load(&s->free_bytes);
}

bool
store_has_space(struct store *s)
{
	return free_bytes(s) >= s->conf.free_floor_bytes;
}

bool
store_has_room(struct store *s, uint64_t bytes)
{
	return free_bytes(s) >= bytes;
}

uint64_t
store_oldest_call_ms(struct store *s)
{
	return db_oldest_call_ms(s->db);
}

int
store_stats_get(struct store *s, struct store_stats *out)
{
	struct db_stats d;
	int rc;

	memset(out, 0, sizeof(*out));
	/* First: while a call hangs, asking the library may hang too. */
	out->oldest_call_ms = db_oldest_call_ms(s->db);
	out->free_bytes = free_bytes(s);
	flusher_counts(s->flusher, &out->flushes, &out->flushed_waits);
	if ((rc = db_stats_get(s->db, &d)) != 0)
		return rc;
	out->deadlocks = d.deadlocks;
	out->locks_peak = d.locks_peak;
	out->locks_max = d.locks_max;
	out->cache_hit = d.cache_hit;
	out->cache_miss = d.cache_miss;
	out->last_checkpoint_sec = d.last_checkpoint_sec;
	return 0;
}
