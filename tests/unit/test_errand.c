#include "tests/unit/unit.h"

#include "submitd/errand.h"

/* Doubles, up to the ceiling, and never by more than a fifth beside it. */
static void
test_backoff(void **state)
{
	static const uint64_t want[] = { 100, 100, 200, 400, 800, 1000, 1000 };

	(void)state;
	for (uint32_t n = 0; n < PH_LEN(want); n++)
		for (uint32_t random = 0; random < 5000; random += 7) {
			uint64_t ms = errand_backoff_ms(100, 1000, n, random);

			assert_in_range(
			    ms, want[n] * 8 / 10, want[n] * 12 / 10);
		}
	assert_in_range(errand_backoff_ms(1, UINT64_MAX / 4, UINT32_MAX, 5),
	    UINT64_MAX / 8, UINT64_MAX / 2);
	assert_int_equal(errand_backoff_ms(1000, 10, 1, 0), 8);
}

static void
fill(struct errand *e, size_t n)
{
	*e = (struct errand){ 0 };
	e->row.rcpts = arena_alloc(&e->arena, n * sizeof(*e->row.rcpts));
	e->row.nrcpts = n;
	e->out = arena_alloc(&e->arena, n * sizeof(*e->out));
	for (size_t i = 0; i < n; i++)
		e->row.rcpts[i].addr = SLICE("a@example.net");
}

static void
test_outcomes(void **state)
{
	struct errand e;

	(void)state;
	fill(&e, 3);
	e.row.rcpts[1].state = RCPT_DELIVERED;
	assert_true(errand_wants(&e, 0));
	assert_false(errand_wants(&e, 1));
	errand_set(&e, 0, OUT_PERM, "mx [192.0.2.1]", "550 no");
	assert_false(errand_wants(&e, 0));
	assert_slice(e.row.rcpts[0].reply, "550 no");
	assert_slice(e.row.rcpts[0].remote, "mx [192.0.2.1]");
	/* What is settled stays as it is. */
	errand_set_all(&e, OUT_TEMP, "", "451 later");
	assert_int_equal(e.out[0], OUT_PERM);
	assert_int_equal(e.out[1], OUT_NONE);
	assert_int_equal(e.out[2], OUT_TEMP);
	assert_slice(e.row.rcpts[2].reply, "451 later");
	arena_clear(&e.arena);
}

/* Replies are kept within bounds, and as UTF-8. */
static void
test_replies(void **state)
{
	char big[2000];
	struct errand e;

	(void)state;
	fill(&e, 3);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	errand_set(&e, 0, OUT_TEMP, "", big);
	assert_int_equal(e.row.rcpts[0].reply.n, QUEUE_REPLY_MAX - 1);
	errand_set(&e, 1, OUT_TEMP, "", "450 f\xc3\xbcr");
	assert_slice(e.row.rcpts[1].reply, "450 f\xc3\xbcr");
	errand_set(&e, 2, OUT_TEMP, "", "450 f\xfcr");
	assert_slice(e.row.rcpts[2].reply, "450 f?r");
	arena_clear(&e.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
