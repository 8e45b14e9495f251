/*
 * The keeper's round: what must be done for all, by one process.
 *
 * A segment without live bytes, whose notes have been moved, is removed in
 * this order: its file is set aside, its row goes in a transaction, the log to
 * disk, the file.  Killed in between, recovery puts it back or takes it away.
 */
#include "storage/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/compact.h"
#include "storage/event.h"
#include "storage/gone_trim.h"
#include "storage/intent.h"
#include "storage/segment_priv.h"
#include "storage/segment_row.h"
#include "storage/sending.h"
#include "storage/store_priv.h"
#include "storage/submit.h"
#include "storage/sweep.h"
#include "storage/trash.h"

enum {
	CHECKPOINT_MS = 1000,
	CHECKPOINT_KIB = 4096,
	SWEEP_MS = 3600000,
	TRIM_MS = 3600000,
	LOOK_MS = 10000, /* at segments and events so often */
	EMPTY_MAX = 64,  /* segments watched at a time */
	EVENTS_AT_ONCE = 500,
	INTENTS_AT_ONCE = 8,
	TRASH_AT_ONCE = 4,  /* transactions */
	INTENT_AGE_SEC = 60 /* younger ones are still worked on */
};

#define EVENT_KEEP_MS (INT64_C(30) * 24 * 3600 * 1000)

struct empty {
	uint32_t number;
	uint64_t since_ms;
	bool seen;
};

struct keep {
	uint64_t checkpoint_ms, look_ms;
	uint64_t known_at; /* where sending_sweep() goes on */
	bool events_wait;
	bool compact_waits;
	struct compact *compact;
	struct sweep *sweep;
	uint64_t sweep_at_ms; /* when its next step is due */
	uint64_t gone_next, gone_at_ms;
	struct empty empty[EMPTY_MAX];
	size_t nempty;
};

struct keep *
keep_new(void)
{
	struct keep *k = xcalloc(1, sizeof(*k));

	k->compact = compact_new();
	return k;
}

void
keep_free(struct keep **k)
{
	if (*k != NULL) {
		sweep_free(&(*k)->sweep);
		compact_free(&(*k)->compact);
	}
	free(*k);
	*k = NULL;
}

static int
see_empty(uint32_t number, const struct segment_row *row, void *arg)
{
	struct keep *k = arg;
	size_t i = 0;

	/* Its notes may be of use when its bodies are not. */
	if (row->state != SEGMENT_SEALED || row->live != 0 ||
	    !compact_done(k->compact, number))
		return 0;
	while (i < k->nempty && k->empty[i].number != number)
		i++;
	if (i == EMPTY_MAX)
		return 0; /* its turn comes */
	if (i == k->nempty) {
		k->empty[i].number = number;
		k->empty[i].since_ms = clock_steady_ms();
		k->nempty++;
	}
	k->empty[i].seen = true;
	return 0;
}

static int
see_txn(struct db_txn *t, void *arg)
{
	return segment_row_each(t, see_empty, arg);
}

static int
drop_txn(struct db_txn *t, void *arg)
{
	const uint32_t *number = arg;
	struct segment_row row;
	int rc;

	if ((rc = segment_row_get(t, *number, true, &row)) != 0)
		return rc;
	if (row.state != SEGMENT_SEALED || row.live != 0)
		return ERR_CONFLICT;
	return segment_row_del(t, *number);
}

/* Set aside first: a death behind the row's end leaves a file of which
 * recovery knows that it may go, and before it one that it puts back. */
static int
drop(struct store *s, uint32_t number)
{
	char name[SEGMENT_NAME_BYTES];
	char *path, *aside;
	int rc = 0;

	segment_name(number, name);
	path = xasprintf("%s/mail/%s", s->conf.state_dir, name);
	aside = xasprintf("%s" SEGMENT_ASIDE, path);
	if (rename(path, aside) != 0 && errno != ENOENT)
		rc = err_from_errno(errno);
	if (rc == 0)
		rc = db_update(s->db, drop_txn, &number);
	if (rc == ERR_CONFLICT || rc == ERR_NOTFOUND)
		rc = rename(aside, path) == 0 ? 0 : err_from_errno(errno);
	else if (rc == 0 && (rc = db_flush(s->db)) == 0) {
		if (unlink(aside) != 0 && errno != ENOENT)
			rc = err_from_errno(errno);
		segment_files_sweep(s->segments->files);
		log_info(NULL, "segment-removed", "segment=%08x err=%s", number,
		    err_name(rc));
	}
	free(path);
	free(aside);
	return rc;
}

static int
drop_empty(struct store *s, struct keep *k)
{
	uint64_t now;
	int rc;

	for (size_t i = 0; i < k->nempty; i++)
		k->empty[i].seen = false;
	if ((rc = db_read(s->db, see_txn, k)) != 0)
		return rc;
	now = clock_steady_ms();
	for (size_t i = k->nempty; i-- > 0;) {
		struct empty *e = &k->empty[i];

		/* Somebody may have learnt a place in it just before. */
		if (e->seen && now < e->since_ms + s->empty_age_ms)
			continue;
		if (e->seen && (rc = drop(s, e->number)) != 0)
			return rc;
		if (e->seen)
			compact_forget(k->compact, e->number);
		*e = k->empty[--k->nempty];
	}
	return 0;
}

static int
checkpoint(struct store *s, struct keep *k, uint64_t now)
{
	bool due = now >= k->checkpoint_ms + CHECKPOINT_MS;
	int rc = db_checkpoint(s->db, due ? 0 : CHECKPOINT_KIB, 0);

	if (rc == 0 && due)
		k->checkpoint_ms = now;
	return rc;
}

/* Mail that POP3 has fetched.  What is wrong there stops nothing else. */
static bool
sweep(struct store *s, struct keep *k, uint64_t now)
{
	uint64_t every = s->conf.sweep_ms != 0 ? s->conf.sweep_ms : SWEEP_MS;
	bool more;
	int rc;

	if (now < k->sweep_at_ms)
		return false;
	if (k->sweep == NULL)
		k->sweep = sweep_new();
	rc = sweep_step(s, k->sweep, clock_wall_sec(), &more);
	if (rc != 0)
		log_error(NULL, "sweep", "failed=%s", err_name(rc));
	if (!more)
		k->sweep_at_ms = now + every;
	return more;
}

/* What submissions leave behind (submit.h, sending.h). */
static bool
forget(struct store *s, struct keep *k)
{
	size_t gone = 0;
	int rc = submit_sweep(s, clock_wall_sec(), EVENTS_AT_ONCE, &gone);

	if (rc == 0)
		rc = sending_sweep(
		    s, clock_wall_sec(), EVENTS_AT_ONCE, &k->known_at);
	if (rc != 0)
		log_error(NULL, "forget", "failed=%s", err_name(rc));
	return rc == 0 && gone == EVENTS_AT_ONCE;
}

/* What QRESYNC is told of messages that are long gone. */
static bool
trim_gone(struct store *s, struct keep *k, uint64_t now)
{
	bool more;
	int rc;

	if (now < k->gone_at_ms)
		return false;
	rc = gone_trim_step(s, GONE_KEEP, &k->gone_next, &more);
	if (rc != 0)
		log_error(NULL, "gone-trim", "failed=%s", err_name(rc));
	if (!more || rc != 0) {
		k->gone_at_ms = now + TRIM_MS;
		k->gone_next = 0;
		return false;
	}
	return true;
}

/* What large expunges have left behind. */
static bool
empty_trash(struct store *s)
{
	bool more = true;
	int rc = 0;

	for (int i = 0; rc == 0 && more && i < TRASH_AT_ONCE; i++)
		rc = trash_step(s, &more);
	if (rc != 0)
		log_error(NULL, "trash", "failed=%s", err_name(rc));
	return rc == 0 && more;
}

int
store_keep(struct store *s, bool *more_out)
{
	struct keep *k = s->keep;
	uint64_t now = clock_steady_ms();
	size_t gone = 0;
	bool more;
	int rc;

	*more_out = false;
	if ((rc = checkpoint(s, k, now)) != 0)
		return rc;
	*more_out = sweep(s, k, now);
	*more_out |= trim_gone(s, k, now);
	*more_out |= empty_trash(s);
	if (!k->events_wait && !k->compact_waits && now < k->look_ms + LOOK_MS)
		return 0;
	k->look_ms = now;
	if (s->in_backup) {
		k->compact_waits = false;
		return 0;
	}
	if ((rc = compact_step(s, k->compact, &k->compact_waits)) != 0 ||
	    (rc = drop_empty(s, k)) != 0 ||
	    (rc = intents_finish(s, clock_wall_sec() - INTENT_AGE_SEC,
		 INTENTS_AT_ONCE, &more)) != 0)
		return rc;
	rc = event_sweep(
	    s, clock_wall_ms() - EVENT_KEEP_MS, EVENTS_AT_ONCE, &gone);
	more |= forget(s, k);
	k->events_wait = rc == 0 && (gone == EVENTS_AT_ONCE || more);
	*more_out |= k->events_wait || k->compact_waits;
	return rc;
}
