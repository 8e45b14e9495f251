/*
 * bench_store - durable commits a second, by how many wait at a time.
 *
 *	bench_store DIR [body-bytes]
 *
 * Four workers, as in a daemon.  Each commit appends a body, writes its row
 * and waits for the flusher, as a delivery does.  Built by hand:
 *	cc -O2 -D_GNU_SOURCE -I. tests/bench/bench_store.c $B/storage.a ...
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "storage/body.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum { WORKERS = 4, RUN_MS = 1500, MOST = 128 };

struct slot {
	struct store_wait w;
	struct bench *b;
	uint64_t began_us;
};

struct bench {
	struct store *s;
	struct slice part;
	bool with_body;
	pthread_mutex_t mtx;
	pthread_cond_t cond;
	struct slot slots[MOST], *idle[MOST];
	size_t nidle;
	bool stop;
	uint64_t done, slowest_us;
	atomic_int failed;
};

static int
add(struct db_txn *t, void *arg)
{
	return body_add(t, arg, 1);
}

static int
count(struct db_txn *t, void *arg)
{
	char key[8], value[65];

	num_put64(key, *(uint64_t *)arg);
	memset(value, 1, sizeof(value));
	return db_put(t, T_EVENT, slice_of(key, 8), slice_of(value, 65));
}

static void
answered(struct store_wait *w, int rc, bool more)
{
	struct slot *sl = PH_CONTAINER(w, struct slot, w);
	struct bench *b = sl->b;
	uint64_t us = clock_steady_us() - sl->began_us;

	(void)more;
	if (rc != 0)
		b->failed++;
	pthread_mutex_lock(&b->mtx);
	b->done++;
	if (us > b->slowest_us)
		b->slowest_us = us;
	b->idle[b->nidle++] = sl;
	pthread_cond_signal(&b->cond);
	pthread_mutex_unlock(&b->mtx);
}

static int
work(struct bench *b)
{
	struct body_loc loc;
	uint64_t id;
	int rc;

	if (!b->with_body) {
		id = store_new_id(b->s) * 2654435761U;
		return db_update(b->s->db, count, &id);
	}
	rc = segment_put_body(b->s, &b->part, 1, 0, &loc);
	return rc != 0 ? rc : db_update(b->s->db, add, &loc);
}

static void *
worker(void *arg)
{
	struct bench *b = arg;
	struct slot *sl;

	for (;;) {
		pthread_mutex_lock(&b->mtx);
		while (b->nidle == 0 && !b->stop)
			pthread_cond_wait(&b->cond, &b->mtx);
		if (b->stop)
			break;
		sl = b->idle[--b->nidle];
		pthread_mutex_unlock(&b->mtx);
		sl->began_us = clock_steady_us();
		if (work(b) != 0)
			b->failed++;
		store_sync(b->s, &sl->w);
	}
	pthread_mutex_unlock(&b->mtx);
	return NULL;
}

static uint64_t
cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void
run(struct bench *b, size_t waits)
{
	struct store_stats before, after;
	pthread_t th[WORKERS];
	uint64_t began, cpu;

	b->nidle = 0;
	for (size_t i = 0; i < waits; i++) {
		b->slots[i].b = b;
		b->slots[i].w.fn = answered;
		b->idle[b->nidle++] = &b->slots[i];
	}
	b->stop = false;
	b->done = b->slowest_us = 0;
	if (store_stats_get(b->s, &before) != 0)
		exit(1);
	began = clock_steady_us();
	cpu = cpu_us();
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&th[i], NULL, worker, b);
	usleep(RUN_MS * 1000);
	pthread_mutex_lock(&b->mtx);
	b->stop = true;
	pthread_cond_broadcast(&b->cond);
	pthread_mutex_unlock(&b->mtx);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(th[i], NULL);
	if (store_sync_now(b->s) != 0 || store_stats_get(b->s, &after) != 0)
		exit(1);
	began = clock_steady_us() - began;
	printf("%-7s waits %3zu: %7.0f/s  slowest %6.1f ms  cpu %5.1f us  "
	       "waits per flush %.1f  failed %d\n",
	    b->with_body ? "body" : "row", waits,
	    (double)b->done * 1e6 / (double)began, (double)b->slowest_us / 1000,
	    (double)(cpu_us() - cpu) / (double)(b->done + 1),
	    (double)(after.flushed_waits - before.flushed_waits) /
		(double)(after.flushes - before.flushes + 1),
	    b->failed);
}

int
main(int argc, char **argv)
{
	static const size_t waits[] = { 1, 8, 32, 128 };
	struct bench b = { .with_body = false };
	size_t n = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 4096;
	char state[200], rundir[200];
	struct store_conf conf = { .state_dir = state,
		.run_dir = rundir,
		.name = "bench",
		.cache_bytes = 64 << 20,
		.segment_bytes = 256 << 20,
		.role = STORE_RECOVER };
	struct err e;

	if (argc < 2)
		return 2;
	log_init("bench", LOG_WARN);
	(void)snprintf(state, sizeof(state), "%s/state", argv[1]);
	(void)snprintf(rundir, sizeof(rundir), "%s/run", argv[1]);
	if (store_create(state, &e) != 0 ||
	    store_open(&conf, 0, &b.s, &e) != 0) {
		fprintf(stderr, "%s %s\n", e.text, e.detail);
		return 1;
	}
	store_close(&b.s);
	conf.role = STORE_KEEPER;
	if (store_open(&conf, 0, &b.s, &e) != 0)
		return 1;
	pthread_mutex_init(&b.mtx, NULL);
	pthread_cond_init(&b.cond, NULL);
	b.part = slice_of(calloc(1, n), n);
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < PH_LEN(waits); j++) {
			b.with_body = i == 1;
			run(&b, waits[j]);
		}
	store_close(&b.s);
	return 0;
}
