#include "lib/net/work.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum { MAX_THREADS = 1024, LANES = 4096, LATE_TURN = 4 };

/* The waiting jobs of some flows, first come first served. */
struct lane {
	struct job *head, **tail;
	struct lane *next; /* that has jobs, too */
};

/* Lanes with jobs, in turn. */
struct ring {
	struct lane *first, **last;
};

struct worker {
	struct work *work;
	pthread_t thread;
	sem_t wake; /* without the lock: a condition would take it again */
	struct worker *below; /* on the stack of the idle */
	uint64_t since_ms;    /* the running job's start; 0: none */
};

struct work {
	pthread_mutex_t lock; /* of everything below */
	struct lane *lanes;   /* LANES, and as many for late jobs */
	struct ring rings[2]; /* of late jobs: 1 */
	unsigned turn;
	struct worker *idle; /* the last to fall idle is the first to be woken:
			      * its memory is still in the caches */
	size_t waiting;
	bool waking; /* somebody was woken and is not up yet */
	bool ending;
	size_t nworkers;
	struct worker *workers;
};

/* This thread's, if it is one. */
static _Thread_local struct worker *self;

/* Until somebody takes this worker off the stack. */
static void
wait_idle(struct work *w, struct worker *me)
{
	me->below = w->idle;
	w->idle = me;
	pthread_mutex_unlock(&w->lock);
	while (sem_wait(&me->wake) != 0 && errno == EINTR)
		;
	pthread_mutex_lock(&w->lock);
	w->waking = false;
}

/* The worker to be woken, off the stack; NULL: all are busy. */
static struct worker *
pop_idle(struct work *w)
{
	struct worker *me = w->idle;

	if (me != NULL)
		w->idle = me->below;
	return me;
}

static void
ring_add(struct ring *r, struct lane *l)
{
	l->next = NULL;
	*r->last = l;
	r->last = &l->next;
}

static void
push(struct work *w, struct job *j)
{
	struct lane *l = &w->lanes[j->flow % LANES + (j->late ? LANES : 0)];

	if (l->head == NULL) {
		l->tail = &l->head;
		ring_add(&w->rings[j->late], l);
	}
	*l->tail = j;
	l->tail = &j->next;
	w->waiting++;
}

/* Whose turn it is. */
static struct ring *
choose(struct work *w)
{
	bool late = ++w->turn % LATE_TURN == 0;

	return &w->rings[w->rings[late].first != NULL ? late : !late];
}

/* The first job of the lane whose turn it is; NULL: nothing waits. */
static struct job *
pop(struct work *w)
{
	struct ring *r = choose(w);
	struct lane *l = r->first;
	struct job *j;

	if (l == NULL)
		return NULL;
	if ((r->first = l->next) == NULL)
		r->last = &r->first;
	j = l->head;
	w->waiting--;
	if ((l->head = j->next) != NULL)
		ring_add(r, l);
	return j;
}

/* The worker to be woken for what is queued, if any.  One at a time: it wakes
 * the next when there is more than it can take, so that a burst of short jobs
 * costs few wake-ups.  Signal it without the lock, or it would only wait for
 * that. */
static struct worker *
to_wake(struct work *w)
{
	struct worker *me = NULL;

	if (w->waiting != 0 && !w->waking)
		me = pop_idle(w);
	if (me != NULL)
		w->waking = true;
	return me;
}

/* Takes the next job; NULL when the pool ends and nothing is queued. */
static struct job *
next_job(struct work *w, struct worker *me)
{
	struct worker *next;
	struct job *j;

	pthread_mutex_lock(&w->lock);
	me->since_ms = 0;
	while (w->waiting == 0 && !w->ending)
		wait_idle(w, me);
	if ((j = pop(w)) != NULL)
		me->since_ms = clock_steady_ms();
	next = to_wake(w);
	pthread_mutex_unlock(&w->lock);
	if (next != NULL)
		(void)sem_post(&next->wake);
	return j;
}

static void *
worker_main(void *arg)
{
	struct worker *me = arg;
	struct job *j;

	self = me;
	while ((j = next_job(me->work, me)) != NULL)
		/* A parked job may be gone by now: it is not looked at. */
		if (j->run(j) == JOB_DONE)
			job_finish(j);
	return NULL;
}

static int
start_worker(struct work *w, const char *name, size_t i)
{
	struct worker *me = &w->workers[i];
	char full[16];

	me->work = w;
	(void)sem_init(&me->wake, 0, 0);
	if (pthread_create(&me->thread, NULL, worker_main, me) != 0) {
		(void)sem_destroy(&me->wake);
		return ERR_IO;
	}
	(void)snprintf(full, sizeof(full), "%.10s-%zu", name, i % 1000);
	(void)pthread_setname_np(me->thread, full);
	return 0;
}

int
work_new(const char *name, size_t threads, struct work **work_out)
{
	struct work *w = xcalloc(1, sizeof(*w));
	sigset_t all, was;
	int rc = 0;

	*work_out = NULL;
	ph_assert(threads != 0 && threads <= MAX_THREADS);
	pthread_mutex_init(&w->lock, NULL);
	w->lanes = xcalloc(2 * LANES, sizeof(*w->lanes));
	for (size_t i = 0; i < PH_LEN(w->rings); i++)
		w->rings[i].last = &w->rings[i].first;
	w->workers = xcalloc(threads, sizeof(*w->workers));
	/* Signals are for the main thread; the mask is inherited. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	for (size_t i = 0; i < threads && rc == 0; i++)
		if ((rc = start_worker(w, name, i)) == 0)
			w->nworkers++;
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (rc != 0)
		work_free(&w);
	*work_out = w;
	return rc;
}

void
work_free(struct work **wp)
{
	struct work *w = *wp;
	struct worker *me;

	if (w == NULL)
		return;
	*wp = NULL;
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	while ((me = pop_idle(w)) != NULL)
		(void)sem_post(&me->wake);
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < w->nworkers; i++)
		pthread_join(w->workers[i].thread, NULL);
	/* Only now: the last of them may have woken each other. */
	for (size_t i = 0; i < w->nworkers; i++)
		(void)sem_destroy(&w->workers[i].wake);
	pthread_mutex_destroy(&w->lock);
	free(w->workers);
	free(w->lanes);
	free(w);
}

static void
job_done(struct loop_msg *m)
{
	struct job *j = PH_CONTAINER(m, struct job, msg);

	j->done(j);
}

void
work_submit(struct work *w, struct loop *loop, struct job *j)
{
	struct worker *me;

	j->loop = loop;
	j->msg.fn = job_done;
	j->next = NULL;
	pthread_mutex_lock(&w->lock);
	ph_assert(!w->ending);
	push(w, j);
	me = to_wake(w);
	pthread_mutex_unlock(&w->lock);
	if (me != NULL)
		(void)sem_post(&me->wake);
}

void
job_finish(struct job *j)
{
	loop_post(j->loop, &j->msg);
}

void
job_finish_quiet(struct job *j)
{
	loop_post_quiet(j->loop, &j->msg);
}

bool
work_spare(void)
{
	struct worker *me = self;
	bool spare;

	if (me == NULL)
		return false;
	pthread_mutex_lock(&me->work->lock);
	spare = me->work->waiting == 0 && me->work->idle != NULL;
	if (spare)
		me->since_ms = 0;
	pthread_mutex_unlock(&me->work->lock);
	return spare;
}

void
work_for_all(void)
{
	struct worker *me = self;

	if (me == NULL)
		return;
	pthread_mutex_lock(&me->work->lock);
	me->since_ms = 0;
	pthread_mutex_unlock(&me->work->lock);
}

bool
work_brief_next(void)
{
	struct worker *me = self;
	const struct lane *l;
	bool brief;

	if (me == NULL)
		return false;
	pthread_mutex_lock(&me->work->lock);
	l = me->work->rings[0].first;
	brief = l != NULL && l->head->brief && me->work->rings[1].first == NULL;
	pthread_mutex_unlock(&me->work->lock);
	return brief;
}

size_t
work_waiting(struct work *w)
{
	size_t n;

	pthread_mutex_lock(&w->lock);
	n = w->waiting;
	pthread_mutex_unlock(&w->lock);
	return n;
}

uint64_t
work_oldest_ms(struct work *w)
{
	uint64_t now = clock_steady_ms(), oldest = now;

	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < w->nworkers; i++)
		if (w->workers[i].since_ms != 0 &&
		    w->workers[i].since_ms < oldest)
			oldest = w->workers[i].since_ms;
	pthread_mutex_unlock(&w->lock);
	return now - oldest;
}
