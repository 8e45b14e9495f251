/*
 * One thread at a time runs transactions, for all who have their bodies
 * written: rows that all of them change (what a package holds, what lives in a
 * segment, a folder's counts) are changed once, and nobody waits for page locks
 * of his neighbour.  When a shared one fails nothing of it is left, and each is
 * tried alone: so one full mailbox costs nobody else his mail.  Who knows that
 * others are a moment behind leaves it to the last of them.
 */
#include "storage/deliver_join.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "storage/deliver_plan.h"
#include "storage/flush.h"
#include "storage/store_priv.h"

enum { AT_ONCE = 32, TARGETS_AT_ONCE = 128 };

struct joiner {
	pthread_mutex_t mtx;
	struct deliver_join *head, **tail;
	size_t waiting;
	bool running;
	uint64_t shared, deliveries;
};

struct joiner *
joiner_new(void)
{
	struct joiner *j = xcalloc(1, sizeof(*j));

	pthread_mutex_init(&j->mtx, NULL);
	j->tail = &j->head;
	return j;
}

void
joiner_free(struct joiner **jp)
{
	struct joiner *j = *jp;

	*jp = NULL;
	if (j == NULL)
		return;
	pthread_mutex_destroy(&j->mtx);
	free(j);
}

void
joiner_counts(struct joiner *j, uint64_t *shared_out, uint64_t *deliveries_out)
{
	pthread_mutex_lock(&j->mtx);
	*shared_out = j->shared;
	*deliveries_out = j->deliveries;
	pthread_mutex_unlock(&j->mtx);
}

static void
tell(struct store *s, struct deliver_join *j)
{
	if (j->plan != NULL)
		plan_fini(j->plan);
	free(j->plan);
	flusher_came(s->flusher);
	j->done(j); /* j may be gone after */
}

/* As many as may share a transaction; with the mutex. */
static size_t
take(struct joiner *jr, struct deliver_join *v[AT_ONCE])
{
	size_t n = 0, targets = 0;

	while (
	    jr->head != NULL && n < AT_ONCE &&
	    (n == 0 || targets + jr->head->plan->nitems <= TARGETS_AT_ONCE)) {
		v[n] = jr->head;
		targets += v[n]->plan->nitems;
		jr->waiting--;
		if ((jr->head = v[n++]->next) == NULL)
			jr->tail = &jr->head;
	}
	if (n > 1) {
		jr->shared++;
		jr->deliveries += n;
	}
	return n;
}

/* Tables are changed in the order of their keys. */
static void
sort_by_body(struct plan **v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct plan *p = v[i];
		size_t at = i;

		for (; at > 0 &&
		       v[at - 1]->bodies[0].loc.id > p->bodies[0].loc.id;
		     at--)
			v[at] = v[at - 1];
		v[at] = p;
	}
}

static bool
commit_all(struct deliver_join *const *v, size_t n)
{
	struct plan *parts[AT_ONCE], whole;
	struct deliver d;
	struct err e = { 0 };
	int rc;

	for (size_t i = 0; i < n; i++)
		parts[i] = v[i]->plan;
	sort_by_body(parts, n);
	plan_merge(&whole, &d, &e, parts, n);
	rc = deliver_commit(&whole);
	plan_fini(&whole);
	return rc == 0;
}

static void
commit(struct deliver_join *const *v, size_t n)
{
	if (n > 1 && commit_all(v, n))
		return; /* each rc is 0 */
	for (size_t i = 0; i < n; i++)
		v[i]->rc = deliver_commit(v[i]->plan);
}

/* Until nobody waits. */
static void
run(struct store *s, struct joiner *jr)
{
	struct deliver_join *v[AT_ONCE];
	bool more = true;
	size_t n;

	while (more) {
		pthread_mutex_lock(&jr->mtx);
		n = take(jr, v);
		pthread_mutex_unlock(&jr->mtx);
		commit(v, n);
		/* Given up before they are told: that may take a while. */
		pthread_mutex_lock(&jr->mtx);
		more = jr->running = jr->head != NULL;
		pthread_mutex_unlock(&jr->mtx);
		for (size_t i = 0; i < n; i++)
			tell(s, v[i]);
	}
}

/* Is it this thread that has to run?  With the mutex. */
static bool
begins(struct joiner *jr, bool (*more)(void))
{
	if (jr->head == NULL || jr->running ||
	    (more != NULL && jr->waiting < AT_ONCE && more()))
		return false;
	jr->running = true;
	return true;
}

void
deliver_join_go(struct store *s, bool (*more)(void))
{
	struct joiner *jr = s->joiner;
	bool mine;

	pthread_mutex_lock(&jr->mtx);
	mine = begins(jr, more);
	pthread_mutex_unlock(&jr->mtx);
	if (mine)
		run(s, jr);
}

void
deliver_join(struct store *s, struct deliver_join *j, bool (*more)(void))
{
	struct joiner *jr = s->joiner;
	bool mine;

	ph_assert(j->d.gone == NULL && j->d.nchanges == 0 && j->d.box == NULL &&
		  j->d.fate == NULL);
	flusher_coming(s->flusher);
	j->next = NULL;
	j->plan = xmalloc(sizeof(*j->plan));
	if ((j->rc = deliver_ready(j->plan, s, &j->d, &j->e)) != 0) {
		tell(s, j);
		deliver_join_go(s, more);
		return;
	}
	pthread_mutex_lock(&jr->mtx);
	*jr->tail = j;
	jr->tail = &j->next;
	jr->waiting++;
	mine = begins(jr, more);
	pthread_mutex_unlock(&jr->mtx);
	if (mine)
		run(s, jr);
}
