/* Counters of what was sent: windows, limits, when they free. */
#include "storage/sending.h"

#include "tests/unit/store_fixture.h"

static struct store_fixture f;
static const int64_t t0 = INT64_C(1795867200); /* a multiple of six hours */

UNIT_AROUND(fixture_new(&f), fixture_free(&f))

static int
count_txn(struct db_txn *t, void *arg)
{
	return sending_count_txn(t, arg);
}

static int
count(struct sending *s, int64_t now)
{
	s->now = now;
	s->hit = NULL;
	return db_update(f.s->db, count_txn, s);
}

static struct sending
of(const char *name, struct policy_limits l, const struct slice *rcpts,
    size_t n)
{
	return (struct sending){ .account = 1,
		.levels = { { POLICY_ACCOUNT, slice_str(name), l } },
		.nlevels = 1,
		.rcpts = rcpts,
		.nrcpts = n };
}

/* Three an hour; the oldest ten minutes free first. */
static void
test_messages(void **state)
{
	const struct slice to[] = { SLICE("a@x") };
	struct sending s =
	    of("m", (struct policy_limits){ .messages_hour = 3 }, to, 1);

	(void)state;
	assert_true(sending_is_limited(&s));
	assert_int_equal(count(&s, t0 + 599), 0);
	assert_int_equal(count(&s, t0 + 600), 0);
	assert_int_equal(count(&s, t0 + 3000), 0);
	assert_int_equal(count(&s, t0 + 3599), ERR_LIMIT);
	assert_int_equal(s.what, SENDING_MESSAGES);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.limit, 3);
	assert_int_equal(s.free_at, t0 + 3600);
	assert_int_equal(count(&s, s.free_at - 1), ERR_LIMIT);
	assert_int_equal(count(&s, s.free_at), 0);
	assert_int_equal(count(&s, t0 + 3600), ERR_LIMIT);
	assert_int_equal(s.free_at, t0 + 4200);
	/* A clock that goes back frees nothing. */
	assert_int_equal(count(&s, t0), ERR_LIMIT);
	/* Long after, all is free. */
	assert_int_equal(count(&s, t0 + 100000), 0);
}

static void
test_recipients(void **state)
{
	const struct slice to[] = { SLICE("a@x"), SLICE("b@x"), SLICE("c@x") };
	struct sending s =
	    of("r", (struct policy_limits){ .recipients_hour = 5 }, to, 3);

	(void)state;
	assert_int_equal(count(&s, t0), 0);
	assert_int_equal(count(&s, t0 + 1), ERR_LIMIT);
	assert_int_equal(s.what, SENDING_RECIPIENTS);
	assert_int_equal(s.count, 3);
	assert_int_equal(s.free_at, t0 + 3600);
	s.nrcpts = 2;
	assert_int_equal(count(&s, t0 + 1), 0);
	/* Never */
	s.levels[0].limits.recipients_hour = 1;
	assert_int_equal(count(&s, t0 + 9000), ERR_LIMIT);
	assert_int_equal(s.free_at, 0);
}

/* A refused message leaves no trace: its recipients are as new as before. */
static void
test_new(void **state)
{
	const struct slice to[] = { SLICE("a@y"), SLICE("b@y"), SLICE("c@y") };
	struct sending s =
	    of("n", (struct policy_limits){ .new_day = 2 }, to, 2);

	(void)state;
	assert_int_equal(count(&s, t0), 0);
	assert_int_equal(count(&s, t0), 0); /* known now */
	s.nrcpts = 3;
	assert_int_equal(count(&s, t0 + 86399), ERR_LIMIT);
	assert_int_equal(s.what, SENDING_NEW);
	assert_int_equal(s.free_at, t0 + 86400);
	assert_int_equal(count(&s, t0 + 86400), 0);
	/* After 90 days a friend is a stranger again. */
	s.levels[0].limits.new_day = 3;
	assert_int_equal(count(&s, t0 + 100 * 86400), 0);
	s.rcpts = &to[2];
	s.nrcpts = 1;
	s.levels[0].limits.new_day = 1;
	s.levels[0].name = SLICE("n2");
	assert_int_equal(count(&s, t0 + 101 * 86400), 0);
}

static void
test_tell(void **state)
{
	const struct slice to[] = { SLICE("a@x") };
	struct sending s =
	    of("t", (struct policy_limits){ .messages_hour = 1 }, to, 1);
	bool first;

	(void)state;
	assert_int_equal(count(&s, t0), 0);
	assert_int_equal(count(&s, t0 + 10), ERR_LIMIT);
	assert_int_equal(sending_tell(f.s, &s, &first), 0);
	assert_true(first);
	assert_int_equal(count(&s, t0 + 3500), ERR_LIMIT);
	assert_int_equal(sending_tell(f.s, &s, &first), 0);
	assert_false(first);
	assert_int_equal(count(&s, t0 + 3600), 0);
	assert_int_equal(count(&s, t0 + 3700), ERR_LIMIT);
	assert_int_equal(sending_tell(f.s, &s, &first), 0);
	assert_true(first);
}

static void
test_sweep(void **state)
{
	const struct slice to[] = { SLICE("a@z"), SLICE("b@z") };
	struct sending s =
	    of("s", (struct policy_limits){ .new_day = 100 }, to, 2);
	struct sending_use use;
	uint64_t at = 0;

	(void)state;
	for (s.account = 100; s.account < 1100; s.account++)
		assert_int_equal(count(&s, t0 + 200 * 86400),
		    (s.account < 150 ? 0 : ERR_LIMIT));
	/* Looked at in steps; what is young stays. */
	do
		assert_int_equal(
		    sending_sweep(f.s, t0 + 250 * 86400, 10, &at), 0);
	while (at != 0);
	s.account = 100;
	assert_int_equal(count(&s, t0 + 201 * 86400), 0);
	assert_int_equal(sending_use(f.s, POLICY_ACCOUNT, SLICE("s"),
			     t0 + 201 * 86400, &use),
	    0);
	assert_int_equal(use.messages_hour, 1);
	assert_int_equal(use.new_day, 0);
	do
		assert_int_equal(
		    sending_sweep(f.s, t0 + 292 * 86400, 10, &at), 0);
	while (at != 0);
	assert_int_equal(count(&s, t0 + 202 * 86400), 0);
	assert_int_equal(sending_use(f.s, POLICY_ACCOUNT, SLICE("s"),
			     t0 + 202 * 86400, &use),
	    0);
	assert_int_equal(use.new_day, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_tell),
		cmocka_unit_test(test_sweep),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
