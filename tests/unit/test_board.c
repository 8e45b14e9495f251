#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/board.h"
#include "lib/base/ph.h"

static char path[64];

struct seen {
	size_t n;
	struct board_slot last;
};

static void
see(const struct board_slot *s, void *arg)
{
	struct seen *seen = arg;

	seen->n++;
	seen->last = *s;
}

static struct seen
look(void)
{
	struct seen seen = { 0 };

	assert_true(board_read(path, see, &seen));
	return seen;
}

static struct board_slot
slot(uint64_t n)
{
	struct board_slot s = { .number = n, .account = n };

	(void)snprintf(s.id, sizeof(s.id), "i%llu", (unsigned long long)n);
	(void)snprintf(s.name, sizeof(s.name), "web%llup%llu",
	    (unsigned long long)n, (unsigned long long)n);
	return s;
}

static void
test_enter_and_leave(void **state)
{
	struct board *b = board_new(path, 200);
	struct board_slot s = slot(7);
	int32_t at[200];

	(void)state;
	assert_non_null(b);
	assert_int_equal(look().n, 0);
	at[0] = board_enter(b, &s);
	board_client(b, at[0], SLICE("Thunderbird 115"));
	assert_int_equal(look().n, 1);
	assert_string_equal(look().last.name, "web7p7");
	assert_string_equal(look().last.client, "Thunderbird 115");
	for (uint64_t i = 1; i < 200; i++) {
		s = slot(i);
		at[i] = board_enter(b, &s);
		assert_int_not_equal(at[i], BOARD_NONE);
	}
	assert_int_equal(look().n, 200);
	/* Full: not shown, nothing worse. */
	assert_int_equal(board_enter(b, &s), BOARD_NONE);
	board_leave(b, BOARD_NONE);
	for (int i = 0; i < 199; i++)
		board_leave(b, at[i]);
	assert_int_equal(look().n, 1);
	assert_int_equal(look().last.number, 199);
	/* Places are used again. */
	assert_int_equal(board_enter(b, &s), at[198]);
	board_free(&b);
	assert_false(board_read(path, see, NULL));
}

static void
test_no_board(void **state)
{
	struct board_slot s = slot(1);
	struct board *b = board_new("/nonexistent/board", 10);

	(void)state;
	assert_null(b);
	assert_int_equal(board_enter(b, &s), BOARD_NONE);
	board_leave(b, 0);
	board_client(b, 0, SLICE("x"));
	board_free(&b);
}

/* What is no board, or only half of one, has nobody on it. */
static void
test_damaged(void **state)
{
	static const char *const texts[] = { "", "x", "BHP1", "1BHP\0\0\0\0" };
	struct board *b;
	struct board_slot s = slot(1);

	(void)state;
	for (size_t i = 0; i < PH_LEN(texts); i++) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		(void)fputs(texts[i], f);
		(void)fclose(f);
		assert_int_equal(look().n, 0);
	}
	b = board_new(path, 10);
	(void)board_enter(b, &s);
	assert_int_equal(look().n, 1);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(look().n, 0);
	assert_int_equal(truncate(path, 1 << 16), 0);
	board_free(&b);
}

static void
check(const struct board_slot *s, void *arg)
{
	char name[64];

	(*(size_t *)arg)++;
	(void)snprintf(name, sizeof(name), "web%llup%llu",
	    (unsigned long long)s->number, (unsigned long long)s->account);
	assert_string_equal(s->name, name);
}

static void *
coming_and_going(void *arg)
{
	for (uint64_t i = 0; i < 20000; i++) {
		struct board_slot s = slot(i);
		int32_t at = board_enter(arg, &s);

		board_client(arg, at, SLICE("c"));
		board_leave(arg, at);
	}
	return NULL;
}

/* A reader sees whole slots, whatever writers do. */
static void
test_whole(void **state)
{
	struct board *b = board_new(path, 8);
	struct board_slot s = slot(1);
	pthread_t threads[2];
	size_t n = 0;

	(void)state;
	(void)board_enter(b, &s);
	for (size_t i = 0; i < PH_LEN(threads); i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, coming_and_going, b), 0);
	for (int i = 0; i < 2000; i++)
		assert_true(board_read(path, check, &n));
	for (size_t i = 0; i < PH_LEN(threads); i++)
		(void)pthread_join(threads[i], NULL);
	assert_in_range(n, 2000, 6000);
	board_free(&b);
}

static void
test_numbers(void **state)
{
	static const struct {
		const char *id;
		uint64_t number; /* 0: that is none */
	} cases[] = {
		{ "i1-3fa2", UINT64_C(0x100003fa2) },
		{ "pffffffff-1", UINT64_C(0xffffffff00000001) },
		{ "pffffffff0-1", 0 },
		{ "i1", 0 },
		{ "i1-2-3", 0 },
		{ "1-23", 0 },
		{ "i1-g", 0 },
		{ "web100p1", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		uint64_t n = 0;

		assert_int_equal(board_number(slice_str(cases[i].id), &n),
		    cases[i].number != 0);
		if (cases[i].number != 0)
			assert_int_equal(n, cases[i].number);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enter_and_leave),
		cmocka_unit_test(test_no_board),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_numbers),
	};

	(void)snprintf(path, sizeof(path), "/tmp/ph-board-%ld", (long)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
