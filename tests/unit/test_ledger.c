#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/base/mem.h"
#include "submitd/ledger.h"

/* What the ledger stands on, under our control. */
static int settle_rc;     /* what the store says */
static unsigned nsettled; /* changes that it has taken */
static uint64_t now;
static struct sjob *job; /* submitted, not run yet */
static unsigned nwritten;
static int last_rc;

int
queue_settle(struct store *s, const struct queue_change *ch, size_t n)
{
	(void)s;
	(void)ch;
	if (settle_rc == 0)
		nsettled += (unsigned)n;
	return settle_rc;
}

bool
errand_write(struct errand *e, struct server *srv, struct queue_change *ch)
{
	(void)srv;
	*ch = (struct queue_change){ .id = e->row.id };
	e->rc = 0;
	return true;
}

void
errand_log_state(const struct errand *e)
{
	assert_int_equal(e->rc, 0);
}

void
queue_id_text(uint64_t id, char out[24])
{
	(void)snprintf(out, 24, "Q%u", (unsigned)id);
}

uint64_t
loop_now_ms(const struct loop *l)
{
	(void)l;
	return now;
}

void
sjob_submit(struct server_loop *sl, struct sjob *j)
{
	(void)sl;
	assert_null(job);
	job = j;
}

static void
on_written(struct errand *e)
{
	nwritten++;
	last_rc = e->rc;
	free(e);
}

static struct server srv;
static struct server_loop sl = { .srv = &srv };
static struct ledger l;

static int
setup(void **state)
{
	(void)state;
	settle_rc = 0;
	nsettled = nwritten = 0;
	now = 1000;
	job = NULL;
	ledger_init(&l, &sl, on_written);
	return 0;
}

static void
add(uint64_t id)
{
	struct errand *e = xcalloc(1, sizeof(*e));

	e->row.id = id;
	ledger_add(&l, e);
}

/* Jobs run until there is none; how many there were. */
static unsigned
run(void)
{
	unsigned n = 0;

	for (; job != NULL; n++) {
		struct sjob *j = job;

		job = NULL;
		j->srv = &srv;
		j->rc = 0;
		j->work(j);
		j->done(j);
	}
	return n;
}

/* One job at a time; what comes meanwhile goes together. */
static void
test_together(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 2 * LEDGER_BATCH; i++)
		add(i);
	assert_false(ledger_empty(&l));
	assert_int_equal(run(), 3); /* 1, a batch, the rest */
	assert_int_equal(nwritten, 2 * LEDGER_BATCH);
	assert_int_equal(nsettled, 2 * LEDGER_BATCH);
	assert_true(ledger_empty(&l));
}

/* What is not written stays, and is tried again when it is time. */
static void
test_full_disk(void **state)
{
	(void)state;
	settle_rc = ERR_NOSPACE;
	add(1);
	add(2);
	assert_int_equal(run(), 2);
	assert_int_equal(nwritten, 0);
	assert_true(ledger_sick(&l));
	assert_false(ledger_empty(&l));
	ledger_tick(&l, now);
	assert_null(job);
	now += 10000;
	ledger_tick(&l, now);
	assert_int_equal(run(), 1);
	assert_true(ledger_sick(&l));
	settle_rc = 0;
	now += 10000;
	ledger_tick(&l, now);
	assert_true(ledger_sick(&l)); /* until it is done */
	assert_int_equal(run(), 1);
	assert_false(ledger_sick(&l));
	assert_int_equal(nwritten, 2);
	assert_int_equal(last_rc, 0);
	assert_true(ledger_empty(&l));
}

/* A row that an operator has dropped meanwhile is no trouble. */
static void
test_dropped(void **state)
{
	(void)state;
	settle_rc = ERR_NOTFOUND;
	add(1);
	(void)run();
	assert_false(ledger_sick(&l));
	assert_int_equal(nwritten, 1);
}

/* At the end one more try is the last. */
static void
test_stop(void **state)
{
	(void)state;
	settle_rc = ERR_NOSPACE;
	add(1);
	(void)run();
	ledger_stop(&l);
	(void)run();
	assert_int_equal(nwritten, 1);
	assert_int_equal(last_rc, ERR_NOSPACE);
	assert_true(ledger_empty(&l));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_together, setup),
		cmocka_unit_test_setup(test_full_disk, setup),
		cmocka_unit_test_setup(test_dropped, setup),
		cmocka_unit_test_setup(test_stop, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
