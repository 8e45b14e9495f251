/*
 * The keeper's round: what must be done for all, by one process.
 *
 * A segment without live bytes is removed in this order: its row in a
 * transaction, the log to disk, the file.  Killed in between, recovery finds a
 * file without a row or does nothing.
 */
#include "storage/keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/event.h"
#include "storage/intent.h"
#include "storage/segment_priv.h"
#include "storage/segment_row.h"
#include "storage/sending.h"
#include "storage/store_priv.h"
#include "storage/submit.h"
#include "storage/sweep.h"

enum {
	CHECKPOINT_MS = 1000,
	CHECKPOINT_KIB = 4096,
	SWEEP_MS = 3600000,
	LOOK_MS = 10000, /* at segments and events so often */
	EMPTY_MAX = 64,  /* segments watched at a time */
	EVENTS_AT_ONCE = 500,
	INTENTS_AT_ONCE = 8,
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
	struct sweep *sweep;
	uint64_t sweep_at_ms; /* when its next step is due */
	struct empty empty[EMPTY_MAX];
	size_t nempty;
};

struct keep *
keep_new(void)
{
	return xcalloc(1, sizeof(struct keep));
}

void
keep_free(struct keep **k)
{
	if (*k != NULL)
		sweep_free(&(*k)->sweep);
	free(*k);
	*k = NULL;
}

static int
see_empty(uint32_t number, const struct segment_row *row, void *arg)
{
	struct keep *k = arg;
	size_t i = 0;

	if (row->state != SEGMENT_SEALED || row->live != 0)
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

static int
drop(struct store *s, uint32_t number)
{
	char name[SEGMENT_NAME_BYTES], *path;
	int rc;

	rc = db_update(s->db, drop_txn, &number);
	if (rc == ERR_CONFLICT || rc == ERR_NOTFOUND)
		return 0;
	if (rc != 0 || (rc = db_flush(s->db)) != 0)
		return rc;
	segment_name(number, name);
	path = xasprintf("%s/mail/%s", s->conf.state_dir, name);
	if (unlink(path) != 0 && errno != ENOENT)
		rc = err_from_errno(errno);
	log_info(NULL, "segment-removed", "segment=%08x err=%s", number,
	    err_name(rc));
	free(path);
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
	if (!k->events_wait && now < k->look_ms + LOOK_MS)
		return 0;
	k->look_ms = now;
	if ((rc = drop_empty(s, k)) != 0 ||
	    (rc = intents_finish(s, clock_wall_sec() - INTENT_AGE_SEC,
		 INTENTS_AT_ONCE, &more)) != 0)
		return rc;
	rc = event_sweep(
	    s, clock_wall_ms() - EVENT_KEEP_MS, EVENTS_AT_ONCE, &gone);
	more |= forget(s, k);
	k->events_wait = rc == 0 && (gone == EVENTS_AT_ONCE || more);
	*more_out |= k->events_wait;
	return rc;
}
