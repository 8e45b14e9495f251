/*
 * Who flushes: the thread that commits, if it has nothing else to do and
 * nobody else is about to commit (no other has to be woken for it); else the
 * flusher's, which waits a little for those who are.  One batch at a time.
 */
#include "storage/flush.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "storage/notify_priv.h"
#include "storage/segment_priv.h"
#include "storage/store_priv.h"

enum {
	LINGER_US = 10000,   /* a notification alone waits so long */
	RETRY_US = 100000,   /* and one that its receiver was too busy for */
	GATHER_MAX_US = 2000 /* a batch waits for more, but never longer than
				a sync takes */
};

struct flusher {
	struct store *s;
	pthread_mutex_t mtx;
	sem_t wake;     /* for the flusher */
	sem_t go, done; /* to and from the syncer */
	struct store_wait *head, **tail;
	uint64_t queued;    /* waits in the list, */
	uint64_t queued_us; /* since when the first */
	uint64_t notes_us;  /* when notifications go alone; 0: none wait */
	bool busy;          /* a batch is under way */
	bool resting;       /* the flusher sleeps, */
	bool deep;          /* until it is woken */
	bool lately;        /* there was a batch since it last woke */
	bool stop;
	atomic_uint coming; /* threads that will commit soon */
	uint64_t batches, waits;
	uint64_t sync_us;      /* what a sync takes, about */
	atomic_bool sync_stop; /* the syncer's end, after the flusher's */
	int sync_rc;
	pthread_t flusher, syncer;
	bool flushing, syncing; /* their threads run */
};

static void
sleep_on(sem_t *sem)
{
	while (sem_wait(sem) != 0 && errno == EINTR)
		;
}

/* Is the flusher to be posted, now that there is work for it?  Once. */
static bool
rouse(struct flusher *f, bool want)
{
	want = want && f->resting;
	if (want)
		f->resting = false;
	return want;
}

void
flusher_coming(struct flusher *f)
{
	atomic_fetch_add(&f->coming, 1);
}

void
flusher_came(struct flusher *f)
{
	atomic_fetch_sub(&f->coming, 1);
}

static void run_batch(struct flusher *f);

static void
sync_from(struct store *s, struct store_wait *w, bool here)
{
	struct flusher *f = s->flusher;
	bool first, wake = false;

	w->next = NULL;
	pthread_mutex_lock(&f->mtx);
	if ((first = f->head == NULL))
		f->queued_us = clock_steady_us();
	*f->tail = w;
	f->tail = &w->next;
	f->queued++;
	if (!f->busy) {
		bool last = atomic_load(&f->coming) == 0;

		if (here && last)
			run_batch(f);
		wake = rouse(f,
		    f->stop || (f->head != NULL ? first || last
						: f->notes_us != 0 && f->deep));
	}
	pthread_mutex_unlock(&f->mtx);
	if (wake)
		(void)sem_post(&f->wake);
}

void
store_sync(struct store *s, struct store_wait *w)
{
	sync_from(s, w, false);
}

void
store_sync_here(struct store *s, struct store_wait *w)
{
	sync_from(s, w, true);
}

struct now_wait {
	struct store_wait w;
	sem_t done;
	int rc;
};

static void
now_done(struct store_wait *w, int rc, bool more)
{
	struct now_wait *n = PH_CONTAINER(w, struct now_wait, w);

	(void)more;
	n->rc = rc;
	(void)sem_post(&n->done);
}

int
store_sync_now(struct store *s)
{
	struct now_wait n = { .w = { NULL, now_done } };

	(void)sem_init(&n.done, 0, 0);
	store_sync_here(s, &n.w);
	sleep_on(&n.done);
	(void)sem_destroy(&n.done);
	return n.rc;
}

void
flusher_poke(struct flusher *f)
{
	bool wake = false;

	pthread_mutex_lock(&f->mtx);
	if (f->notes_us == 0) {
		f->notes_us = clock_steady_us() + LINGER_US;
		wake = rouse(f, !f->busy && f->head == NULL && f->deep);
	}
	pthread_mutex_unlock(&f->mtx);
	if (wake)
		(void)sem_post(&f->wake);
}

void
flusher_counts(struct flusher *f, uint64_t *batches_out, uint64_t *waits_out)
{
	pthread_mutex_lock(&f->mtx);
	*batches_out = f->batches;
	*waits_out = f->waits;
	pthread_mutex_unlock(&f->mtx);
}

static void *
syncer_main(void *arg)
{
	struct flusher *f = arg;

	(void)pthread_setname_np(pthread_self(), "syncer");
	for (;;) {
		sleep_on(&f->go);
		if (atomic_load(&f->sync_stop))
			return NULL;
		f->sync_rc = segments_sync(f->s->segments);
		(void)sem_post(&f->done);
	}
}

/* Log and segments side by side; both before anybody is answered. */
static int
make_durable(struct flusher *f)
{
	bool dirty = segments_dirty(f->s->segments);
	int rc;

	if (dirty)
		(void)sem_post(&f->go);
	rc = db_flush(f->s->db);
	if (dirty) {
		sleep_on(&f->done);
		if (rc == 0)
			rc = f->sync_rc;
	}
	return rc;
}

static void
answer(struct store_wait *w, int rc)
{
	struct store_wait *next;

	for (; w != NULL; w = next) {
		next = w->next; /* w may be gone after */
		w->fn(w, rc, next != NULL);
	}
}

/* With the mutex, which is given up meanwhile. */
static void
run_batch(struct flusher *f)
{
	struct store_wait *batch = f->head;
	uint64_t begun;
	bool later;
	int rc;

	f->head = NULL;
	f->tail = &f->head;
	f->notes_us = 0;
	f->batches++;
	f->waits += f->queued;
	f->queued = 0;
	f->busy = f->lately = true;
	pthread_mutex_unlock(&f->mtx);
	notifier_take(f->s->notifier);
	begun = clock_steady_us();
	rc = make_durable(f);
	begun = clock_steady_us() - begun;
	later = notifier_send(f->s->notifier);
	answer(batch, rc);
	pthread_mutex_lock(&f->mtx);
	f->busy = false;
	f->sync_us = (3 * f->sync_us + begun) / 4;
	if (later && !f->stop)
		f->notes_us = clock_steady_us() + RETRY_US;
}

/* When the batch that gathers has to go. */
static uint64_t
gathered_us(const struct flusher *f)
{
	if (f->stop || atomic_load(&f->coming) == 0)
		return 0;
	return f->queued_us +
	       (f->sync_us < GATHER_MAX_US ? f->sync_us : GATHER_MAX_US);
}

/* When the flusher has to look again; UINT64_MAX: when it is woken.  After a
 * batch it stays half awake for a while, so that a notification, which most
 * often goes with the next one, need not wake it. */
static uint64_t
next_look_us(struct flusher *f, uint64_t now)
{
	if (f->busy) /* by another thread, which sees to what comes */
		return now + LINGER_US;
	if (f->head != NULL)
		return gathered_us(f);
	if (f->notes_us != 0)
		return f->stop ? 0 : f->notes_us;
	if (!f->lately)
		return UINT64_MAX;
	f->lately = false;
	return now + LINGER_US;
}

static void
rest(struct flusher *f, uint64_t until_us)
{
	struct timespec ts = { (time_t)(until_us / 1000000),
		(long)(until_us % 1000000 * 1000) };

	f->resting = true;
	f->deep = until_us == UINT64_MAX;
	pthread_mutex_unlock(&f->mtx);
	if (until_us == UINT64_MAX)
		(void)sem_wait(&f->wake);
	else
		(void)sem_clockwait(&f->wake, CLOCK_MONOTONIC, &ts);
	pthread_mutex_lock(&f->mtx);
	f->resting = false;
}

static void *
flusher_main(void *arg)
{
	struct flusher *f = arg;

	(void)pthread_setname_np(pthread_self(), "flusher");
	pthread_mutex_lock(&f->mtx);
	while (!f->stop || f->busy || f->head != NULL || f->notes_us != 0) {
		uint64_t now = clock_steady_us(), at = next_look_us(f, now);

		if (at > now)
			rest(f, at);
		else
			run_batch(f);
	}
	pthread_mutex_unlock(&f->mtx);
	return NULL;
}

static int
start(struct flusher *f)
{
	f->syncing = pthread_create(&f->syncer, NULL, syncer_main, f) == 0;
	f->flushing = f->syncing &&
		      pthread_create(&f->flusher, NULL, flusher_main, f) == 0;
	return f->flushing ? 0 : ERR_INTERNAL;
}

int
flusher_new(struct store *s, struct flusher **f_out, struct err *e)
{
	struct flusher *f = xcalloc(1, sizeof(*f));

	f->s = s;
	f->tail = &f->head;
	pthread_mutex_init(&f->mtx, NULL);
	(void)sem_init(&f->wake, 0, 0);
	(void)sem_init(&f->go, 0, 0);
	(void)sem_init(&f->done, 0, 0);
	*f_out = f;
	if (start(f) == 0)
		return 0;
	flusher_free(f_out);
	return err_set(e, ERR_INTERNAL, "no thread for the flusher");
}

void
flusher_free(struct flusher **fp)
{
	struct flusher *f = *fp;

	*fp = NULL;
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->mtx);
	f->stop = true;
	pthread_mutex_unlock(&f->mtx);
	(void)sem_post(&f->wake);
	if (f->flushing)
		pthread_join(f->flusher, NULL);
	/* Only now: the flusher's last batch still needed the syncer. */
	atomic_store(&f->sync_stop, true);
	(void)sem_post(&f->go);
	if (f->syncing)
		pthread_join(f->syncer, NULL);
	(void)sem_destroy(&f->wake);
	(void)sem_destroy(&f->go);
	(void)sem_destroy(&f->done);
	pthread_mutex_destroy(&f->mtx);
	free(f);
}
