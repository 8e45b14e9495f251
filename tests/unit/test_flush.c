#include "storage/flush.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/num.h"
#include "storage/segment.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "tests/unit/store_tmp.h"

enum { THREADS = 6, EACH = 300 };

struct tally {
	atomic_int told, failed;
	pthread_t by; /* the thread that told last */
};

struct wait {
	struct store_wait w;
	struct tally *tally;
};

static void
told(struct store_wait *w, int rc, bool more)
{
	struct wait *x = PH_CONTAINER(w, struct wait, w);

	(void)more;
	x->tally->by = pthread_self();
	atomic_fetch_add(rc == 0 ? &x->tally->told : &x->tally->failed, 1);
	free(x); /* the flusher must not look at it again */
}

static void
ask(struct store *s, struct tally *tally, bool here)
{
	struct wait *x = malloc(sizeof(*x));

	assert_non_null(x);
	x->w.fn = told;
	x->tally = tally;
	if (here)
		store_sync_here(s, &x->w);
	else
		store_sync(s, &x->w);
}

static int
put_one(struct db_txn *t, void *arg)
{
	char key[8];

	num_put64(key, *(uint64_t *)arg);
	return db_put(t, T_EVENT, slice_of(key, 8), SLICE("\001x"));
}

static void
test_now(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	uint64_t n = 1, batches, waits;

	(void)state;
	for (int i = 0; i < 50; i++) {
		n++;
		assert_int_equal(db_update(s->db, put_one, &n), 0);
		assert_int_equal(store_sync_now(s), 0);
	}
	flusher_counts(s->flusher, &batches, &waits);
	assert_int_equal(waits, 50);
	assert_int_equal(batches, 50);
	store_tmp_stop(&t, &s);
}

/* A thread alone flushes itself; not while another is about to commit, which
 * the batch waits for, but not for ever. */
static void
test_here(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct tally tally = { 0 };

	(void)state;
	ask(s, &tally, true);
	assert_int_equal(tally.told, 1);
	assert_true(pthread_equal(tally.by, pthread_self()));
	flusher_coming(s->flusher);
	ask(s, &tally, true);
	while (tally.told != 2)
		sched_yield();
	assert_false(pthread_equal(tally.by, pthread_self()));
	flusher_came(s->flusher);
	ask(s, &tally, true); /* the flusher may not be through yet */
	while (tally.told != 3)
		sched_yield();
	store_tmp_stop(&t, &s);
}

struct worker {
	struct store *s;
	struct tally *tally;
	uint64_t base;
	int failed;
};

static void *
worker_main(void *arg)
{
	struct slice part = SLICE("a body");
	struct worker *w = arg;
	struct body_loc loc;

	for (uint64_t i = 0; i < EACH; i++) {
		uint64_t n = w->base + i;

		flusher_coming(w->s->flusher);
		if (segment_put_body(w->s, &part, 1, 0, &loc) != 0 ||
		    db_update(w->s->db, put_one, &n) != 0)
			w->failed++;
		flusher_came(w->s->flusher);
		ask(w->s, w->tally, i % 2 == 0);
	}
	return NULL;
}

/* Closing answers all that wait. */
static void
test_batches(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct tally tally = { 0 };
	struct worker w[THREADS];
	pthread_t th[THREADS];
	uint64_t batches, waits;

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ s, &tally, (uint64_t)i << 32, 0 };
		pthread_create(&th[i], NULL, worker_main, &w[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(th[i], NULL);
		assert_int_equal(w[i].failed, 0);
	}
	flusher_counts(s->flusher, &batches, &waits);
	assert_true(batches <= THREADS * EACH);
	store_close(&s);
	assert_int_equal(tally.told, THREADS * EACH);
	assert_int_equal(tally.failed, 0);
	store_tmp_fini(&t);
}

static void
test_close_drains(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct tally tally = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		ask(s, &tally, i % 2 != 0);
	store_close(&s);
	assert_int_equal(tally.told, 1000);
	store_tmp_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_here),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_close_drains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
