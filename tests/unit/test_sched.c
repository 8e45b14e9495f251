#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/base/mem.h"
#include "submitd/sched.h"

static struct sched s;
static uint64_t last_id;

UNIT_AROUND(sched_init(&s, 64, 8, 4), sched_fini(&s))

static struct errand *
add(uint64_t account, const char *domain)
{
	struct errand *e = xcalloc(1, sizeof(*e));

	e->row.id = ++last_id;
	e->row.account = account;
	(void)snprintf(e->domain, sizeof(e->domain), "%s", domain);
	sched_add(&s, e, domain);
	return e;
}

static void
done(struct errand *e)
{
	sched_done(&s, e);
	errand_free(&e);
}

/* A new connection for the next; the errand. */
static struct errand *
start(struct dest **dest_out)
{
	struct errand *e = sched_take_new(&s, dest_out);

	if (e != NULL) {
		sched_attach(&s, *dest_out);
		sched_work(&s, e->share, 1);
	}
	return e;
}

static void
stop(struct errand *e, struct dest *d)
{
	sched_work(&s, e->share, -1);
	sched_detach(&s, d);
	done(e);
}

/* Claims what an account may have at once. */
static size_t
claim(uint64_t account, const char *domain)
{
	size_t room;
	struct share *h = sched_look(&s, &room);

	assert_non_null(h);
	assert_int_equal(h->account, account);
	for (size_t i = 0; i < room; i++)
		(void)add(account, domain);
	sched_looked(&s, h, 0, 10);
	return room;
}

/* Who has thousands due never has all the room. */
static void
test_claims(void **state)
{
	size_t room;
	struct share *h;

	(void)state;
	assert_null(sched_look(&s, &room));
	sched_told(&s, 1, 5, 10);
	assert_int_equal(claim(1, "a.test"), 32);
	/* Half of it has to go before more is claimed. */
	assert_null(sched_look(&s, &room));
	/* Another account's single mail. */
	sched_told(&s, 2, 10, 10);
	h = sched_look(&s, &room);
	assert_non_null(h);
	assert_int_equal(h->account, 2);
	assert_true(room >= 1);
	(void)add(2, "b.test");
	sched_looked(&s, h, INT64_MAX, 10);
	while ((h = map_get_u64(&s.shares, 1))->claimed > 8)
		done(LIST_FIRST(&h->errands));
	assert_true(claim(1, "a.test") >= 8);
}

/* What is brought is claimed if nothing of the account was due before. */
static void
test_accepts(void **state)
{
	struct share *h;
	size_t room;

	(void)state;
	assert_true(sched_accepts(&s, 1));
	(void)add(1, "a.test");
	assert_true(sched_accepts(&s, 1));
	sched_told(&s, 1, 20, 10); /* later */
	assert_true(sched_accepts(&s, 1));
	sched_told(&s, 1, 10, 10);
	assert_false(sched_accepts(&s, 1));
	assert_true(sched_accepts(&s, 2));
	h = sched_look(&s, &room);
	assert_false(sched_accepts(&s, 1)); /* it may read that very row */
	sched_looked(&s, h, INT64_MAX, 10);
	assert_true(sched_accepts(&s, 1));
	while (sched_accepts(&s, 1))
		(void)add(1, "a.test");
	assert_in_range(s.claimed.n, 1, 64);
	/* Others have room still. */
	assert_true(sched_accepts(&s, 2));
}

/* With all room taken, whoever has nothing gets one row in. */
static void
test_newcomers(void **state)
{
	size_t room;
	struct share *h;

	(void)state;
	for (uint64_t account = 1; account <= 64; account++)
		(void)add(account, "a.test");
	sched_told(&s, 1, 1, 10);
	sched_told(&s, 100, 1, 10);
	h = sched_look(&s, &room);
	assert_non_null(h);
	assert_int_equal(h->account, 100);
	assert_int_equal(room, 1);
	sched_looked(&s, h, INT64_MAX, 10);
}

static void
test_time(void **state)
{
	size_t room;
	struct share *h;

	(void)state;
	assert_true(sched_wake(&s, 10) == INT64_MAX);
	sched_told(&s, 1, 30, 10);
	sched_told(&s, 2, 20, 10);
	assert_int_equal(sched_wake(&s, 10), 20);
	assert_null(sched_look(&s, &room));
	assert_int_equal(sched_wake(&s, 20), 30);
	h = sched_look(&s, &room);
	assert_int_equal(h->account, 2);
	/* Told during the look: not forgotten. */
	sched_told(&s, 2, 25, 20);
	sched_looked(&s, h, INT64_MAX, 20);
	assert_int_equal(sched_wake(&s, 20), 25);
	assert_int_equal(sched_wake(&s, 25), 30);
	h = sched_look(&s, &room);
	assert_int_equal(h->account, 2);
	sched_looked(&s, h, INT64_MAX, 25);
	assert_null(map_get_u64(&s.shares, 2));
}

/* Connections in turn by account, and never all for one. */
static void
test_connections(void **state)
{
	struct dest *d;
	struct errand *e;
	char domain[20];

	(void)state;
	for (int i = 0; i < 20; i++) {
		(void)snprintf(domain, sizeof(domain), "d%d.test", i);
		(void)add(1, domain);
	}
	for (int i = 0; i < 6; i++)
		assert_int_equal(start(&d)->share->account, 1);
	assert_null(start(&d));
	(void)add(2, "d0.test");
	e = start(&d);
	assert_non_null(e);
	assert_int_equal(e->share->account, 2);
	assert_string_equal(d->key, "d0.test");
	/* It does not starve who has no connection. */
	assert_false(sched_starves(&s, e->share));
	(void)add(3, "x.test");
	assert_false(sched_starves(&s, map_get_u64(&s.shares, 1)));
	(void)start(&d);
	(void)add(4, "y.test");
	assert_true(sched_starves(&s, map_get_u64(&s.shares, 1)));
	assert_false(sched_starves(&s, e->share));
}

/* At one destination accounts take turns, whoever came first. */
static void
test_turns(void **state)
{
	struct dest *d;
	struct errand *e;

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)add(1, "a.test");
	(void)add(2, "a.test");
	e = start(&d);
	assert_int_equal(e->share->account, 1);
	e = sched_take_next(&s, d, e->share);
	assert_int_equal(e->share->account, 2);
	e = sched_take_next(&s, d, e->share);
	assert_int_equal(e->share->account, 1);
}

/* More connections while mail is taken, fewer when they fail. */
static void
test_adapts(void **state)
{
	struct dest *d, *first = NULL;
	struct errand *e[5];

	(void)state;
	for (int i = 0; i < 9; i++)
		(void)add((uint64_t)i, "a.test");
	for (int i = 0; i < 4; i++) {
		e[i] = start(&d);
		assert_non_null(e[i]);
		first = first == NULL ? d : first;
		assert_ptr_equal(d, first);
	}
	assert_null(start(&d)); /* dest_max */
	sched_bad(first);
	sched_bad(first);
	sched_bad(first);
	stop(e[3], first);
	stop(e[2], first);
	assert_null(start(&d)); /* limit 1, two are there */
	stop(e[1], first);
	stop(e[0], first);
	e[0] = start(&d);
	assert_non_null(e[0]);
	assert_null(start(&d));
	for (int i = 0; i < 40; i++)
		sched_good(&s, first);
	e[1] = start(&d);
	assert_non_null(e[1]);
	assert_true(first->limit <= 4);
}

/* An operator's change takes a waiting row out; nothing is left behind. */
static void
test_forget(void **state)
{
	struct errand *e = add(1, "a.test");
	struct dest *d;

	(void)state;
	assert_ptr_equal(sched_find(&s, e->row.id), e);
	done(e);
	assert_null(sched_find(&s, last_id));
	assert_null(start(&d));
	assert_int_equal(s.shares.n, 0);
	assert_int_equal(s.nidle, 1);
	/* What is remembered of destinations is bounded. */
	for (int i = 0; i < 5000; i++) {
		char domain[20];

		(void)snprintf(domain, sizeof(domain), "d%d.test", i);
		done(add(1, domain));
	}
	assert_true(s.dests.n <= 4096);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_claims),
		T(test_accepts),
		T(test_newcomers),
		T(test_time),
		T(test_connections),
		T(test_turns),
		T(test_adapts),
		T(test_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
