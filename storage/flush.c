#include "storage/flush.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/mem.h"
#include "storage/notify_priv.h"
#include "storage/segment_priv.h"
#include "storage/store_priv.h"

enum {
	LINGER_MS = 10, /* a notification alone waits so long */
	RETRY_MS = 100  /* and one that its receiver was too busy for */
};

struct flusher {
	struct store *s;
	pthread_mutex_t mtx;
	pthread_cond_t wake;     /* for the flusher */
	pthread_cond_t go, done; /* to and from the syncer */
	struct store_wait *head, **tail;
	bool resting; /* the flusher waits */
	bool notes;   /* notifications wait */
	bool retry;   /* for some it is a later try */
	bool stop;
	bool sync_stop; /* the syncer's end, after the flusher's */
	bool sync_wanted, sync_ended;
	int sync_rc;
	uint64_t queued; /* waits in the list */
	uint64_t batches, waits;
	pthread_t flusher, syncer;
	bool flushing, syncing; /* their threads run */
};

void
store_sync(struct store *s, struct store_wait *w)
{
	struct flusher *f = s->flusher;
	bool wake;

	w->next = NULL;
	pthread_mutex_lock(&f->mtx);
	wake = f->head == NULL && f->resting;
	*f->tail = w;
	f->tail = &w->next;
	f->queued++;
	pthread_mutex_unlock(&f->mtx);
	if (wake)
		pthread_cond_signal(&f->wake);
}

struct now_wait {
	struct store_wait w;
	pthread_mutex_t mtx;
	pthread_cond_t cond;
	bool done;
	int rc;
};

static void
now_done(struct store_wait *w, int rc, bool more)
{
	struct now_wait *n = PH_CONTAINER(w, struct now_wait, w);

	(void)more;
	pthread_mutex_lock(&n->mtx);
	n->rc = rc;
	n->done = true;
	pthread_cond_signal(&n->cond);
	pthread_mutex_unlock(&n->mtx);
}

int
store_sync_now(struct store *s)
{
	struct now_wait n = { .w = { NULL, now_done } };

	pthread_mutex_init(&n.mtx, NULL);
	pthread_cond_init(&n.cond, NULL);
	store_sync(s, &n.w);
	pthread_mutex_lock(&n.mtx);
	while (!n.done)
		pthread_cond_wait(&n.cond, &n.mtx);
	pthread_mutex_unlock(&n.mtx);
	pthread_cond_destroy(&n.cond);
	pthread_mutex_destroy(&n.mtx);
	return n.rc;
}

void
flusher_poke(struct flusher *f)
{
	bool wake;

	pthread_mutex_lock(&f->mtx);
	wake = !f->notes && f->head == NULL && f->resting;
	f->notes = true;
	pthread_mutex_unlock(&f->mtx);
	if (wake)
		pthread_cond_signal(&f->wake);
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
	int rc;

	pthread_mutex_lock(&f->mtx);
	for (;;) {
		while (!f->sync_wanted && !f->sync_stop)
			pthread_cond_wait(&f->go, &f->mtx);
		if (!f->sync_wanted)
			break;
		f->sync_wanted = false;
		pthread_mutex_unlock(&f->mtx);
		rc = segments_sync(f->s->segments);
		pthread_mutex_lock(&f->mtx);
		f->sync_rc = rc;
		f->sync_ended = true;
		pthread_cond_signal(&f->done);
	}
	pthread_mutex_unlock(&f->mtx);
	return NULL;
}

/* Log and segments side by side; both before anybody is answered. */
static int
make_durable(struct flusher *f)
{
	bool dirty = segments_dirty(f->s->segments);
	int rc;

	if (!dirty)
		return db_flush(f->s->db);
	pthread_mutex_lock(&f->mtx);
	f->sync_wanted = true;
	f->sync_ended = false;
	pthread_cond_signal(&f->go);
	pthread_mutex_unlock(&f->mtx);
	rc = db_flush(f->s->db);
	pthread_mutex_lock(&f->mtx);
	while (!f->sync_ended)
		pthread_cond_wait(&f->done, &f->mtx);
	if (rc == 0)
		rc = f->sync_rc;
	pthread_mutex_unlock(&f->mtx);
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

static void
linger(struct flusher *f)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += (f->retry ? RETRY_MS : LINGER_MS) * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	(void)pthread_cond_timedwait(&f->wake, &f->mtx, &until);
}

/* Waits until there is something to flush; false: the end has come. */
static bool
wait_for_batch(struct flusher *f)
{
	bool lingered = false;

	while (f->head == NULL) {
		if (f->notes && (lingered || f->stop))
			return true;
		if (f->stop)
			return false;
		f->resting = true;
		if (f->notes) {
			linger(f);
			lingered = true;
		} else
			pthread_cond_wait(&f->wake, &f->mtx);
		f->resting = false;
	}
	return true;
}

static void *
flusher_main(void *arg)
{
	struct flusher *f = arg;
	struct store_wait *batch;
	bool more;
	int rc;

	pthread_mutex_lock(&f->mtx);
	while (wait_for_batch(f)) {
		batch = f->head;
		f->head = NULL;
		f->tail = &f->head;
		f->notes = false;
		f->batches++;
		f->waits += f->queued;
		f->queued = 0;
		pthread_mutex_unlock(&f->mtx);
		notifier_take(f->s->notifier);
		rc = make_durable(f);
		more = notifier_send(f->s->notifier);
		answer(batch, rc);
		pthread_mutex_lock(&f->mtx);
		f->retry = more;
		if (more && !f->stop)
			f->notes = true;
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
	pthread_condattr_t attr;

	f->s = s;
	f->tail = &f->head;
	pthread_mutex_init(&f->mtx, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attr);
	pthread_cond_init(&f->go, &attr);
	pthread_cond_init(&f->done, &attr);
	pthread_condattr_destroy(&attr);
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
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->mtx);
	if (f->flushing)
		pthread_join(f->flusher, NULL);
	/* Only now: the flusher's last batch still needed the syncer. */
	pthread_mutex_lock(&f->mtx);
	f->sync_stop = true;
	pthread_cond_signal(&f->go);
	pthread_mutex_unlock(&f->mtx);
	if (f->syncing)
		pthread_join(f->syncer, NULL);
	pthread_cond_destroy(&f->wake);
	pthread_cond_destroy(&f->go);
	pthread_cond_destroy(&f->done);
	pthread_mutex_destroy(&f->mtx);
	free(f);
}
