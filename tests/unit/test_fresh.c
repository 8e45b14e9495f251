/*
 * Rows that are brought to the runner: reserved until it has them, and whether
 * they are still what they were.
 */
#include "submitd/fresh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "lib/base/mem.h"

static struct server srv;
static struct server_loop sl;
static struct fresh *f;
static unsigned arrived;

static void
on_arrived(struct server_loop *of)
{
	assert_ptr_equal(of, &sl);
	arrived++;
	loop_stop(sl.loop);
}

static int
setup(void **state)
{
	(void)state;
	arrived = 0;
	assert_int_equal(loop_new(&sl.loop), 0);
	srv.loops = &sl;
	srv.nloops = 1;
	f = fresh_new(&srv, on_arrived);
	fresh_set_open(f, true);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fresh_free(&f);
	loop_free(&sl.loop);
	return 0;
}

static void
bring(uint64_t id, bool good)
{
	static const struct slice parts[] = { { "Subject: x\r\n", 12 },
		{ "\r\nbody\r\n", 8 } };
	struct queue_rcpt to = { .addr = SLICE("a@b@example.org") };
	struct queue_row row = { .id = id,
		.size = 20,
		.sender = SLICE("me@here.test"),
		.rcpts = &to,
		.nrcpts = 1 };
	struct errand_list list = TAILQ_HEAD_INITIALIZER(list);
	struct errand *e = errand_new(&row, parts, 2);

	TAILQ_INSERT_TAIL(&list, e, link);
	fresh_bring(f, &list, good);
	assert_true(TAILQ_EMPTY(&list));
}

/* The next is this one, and is (not) as it was. */
static void
take(uint64_t id, bool want)
{
	bool as_is = !want;
	struct errand *e = fresh_take(f, &as_is);

	assert_non_null(e);
	assert_int_equal(e->row.id, id);
	assert_int_equal(as_is, want);
	assert_false(fresh_has(f, id));
	errand_free(&e);
}

static void
brought_and_taken(void **state)
{
	uint64_t ids[] = { 7, 8 };
	struct errand *e;
	bool as_is;

	(void)state;
	assert_true(fresh_reserve(f, ids, 2));
	assert_true(fresh_has(f, 7) && fresh_has(f, 8) && !fresh_has(f, 9));
	bring(7, true);
	bring(8, true);
	assert_true(fresh_has(f, 7));
	loop_run(sl.loop);
	assert_int_equal(arrived, 1); /* once for both */
	e = fresh_take(f, &as_is);
	assert_string_equal(e->domain, "example.org");
	assert_true(slice_eq(e->body, SLICE("Subject: x\r\n\r\nbody\r\n")));
	assert_true(as_is);
	errand_free(&e);
	take(8, true);
	assert_null(fresh_take(f, &as_is));
}

/* By an operator, or because nobody knows whether it is on disk. */
static void
not_as_it_was(void **state)
{
	uint64_t ids[] = { 7, 8, 9 };

	(void)state;
	assert_true(fresh_reserve(f, ids, 3));
	fresh_changed(f, 7);
	fresh_changed(f, 4711); /* nobody's */
	assert_false(fresh_has(f, 4711));
	bring(7, true);
	bring(8, false);
	bring(9, true);
	fresh_changed(f, 9);
	take(7, false);
	take(8, false);
	take(9, false);
}

static void
shut_or_failed(void **state)
{
	uint64_t id = 7;

	(void)state;
	assert_true(fresh_reserve(f, &id, 1));
	fresh_release(f, &id, 1);
	assert_false(fresh_has(f, 7));
	fresh_set_open(f, false);
	assert_false(fresh_reserve(f, &id, 1));
	assert_false(fresh_has(f, 7));
}

/* What comes when the loop has ended is freed with it. */
static void
too_late(void **state)
{
	uint64_t id = 7;

	(void)state;
	assert_true(fresh_reserve(f, &id, 1));
	bring(7, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    brought_and_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(not_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    shut_or_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(too_late, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
