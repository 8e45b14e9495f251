#include "lib/base/buf.h"

#include "tests/unit/unit.h"

static void
adding(void **state)
{
	struct buf b;
	char *s;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(buf_len(&b), 0);
	assert_slice(buf_slice(&b), "");
	buf_add(&b, "ab", 2);
	buf_add(&b, NULL, 0);
	buf_add_str(&b, "cd");
	buf_add_char(&b, 'e');
	buf_add_slice(&b, SLICE("fg"));
	buf_add_slice(&b, slice_of(NULL, 0));
	buf_add_u64(&b, 0);
	buf_add_u64(&b, UINT64_MAX);
	buf_printf(&b, "-%d-%s", -5, "x");
	assert_slice(buf_slice(&b), "abcdefg018446744073709551615--5-x");
	s = buf_take_str(&b);
	assert_string_equal(s, "abcdefg018446744073709551615--5-x");
	assert_int_equal(buf_len(&b), 0);
	free(s);
	s = buf_take_str(&b);
	assert_string_equal(s, "");
	free(s);
	buf_fini(&b);
}

static void
printf_long(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5000);
	for (int n = 505; n < 520; n++) {
		buf_clear(&b);
		buf_printf(&b, "%*d", n, 7);
		assert_int_equal(buf_len(&b), n);
		assert_int_equal(buf_slice(&b).p[n - 1], '7');
	}
	buf_fini(&b);
}

/* What goes past the ceiling is dropped whole, and remembered. */
static void
ceiling(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	buf_add_str(&b, "abc");
	buf_add_str(&b, "def");
	assert_true(buf_failed(&b));
	assert_slice(buf_slice(&b), "abc");
	buf_add_str(&b, "de"); /* fits, yet the failure stays */
	assert_slice(buf_slice(&b), "abcde");
	assert_true(buf_failed(&b));
	assert_null(buf_reserve(&b, 1));
	assert_null(buf_reserve(&b, SIZE_MAX));
	buf_clear(&b);
	assert_false(buf_failed(&b));
	assert_null(buf_reserve(&b, 6));
	assert_true(buf_failed(&b));
	buf_fini(&b);
	assert_false(buf_failed(&b));
	buf_add_str(&b, "12345"); /* the ceiling survives fini */
	assert_false(buf_failed(&b));
	buf_add_char(&b, '6');
	assert_true(buf_failed(&b));
	buf_fini(&b);
}

/* A window of 10 live bytes slides over 100,000: memory does not grow. */
static void
sliding(void **state)
{
	struct buf b;
	size_t n = 0;

	(void)state;
	buf_init(&b, 10);
	for (int i = 0; i < 100000; i++) {
		buf_add_char(&b, (char)i);
		if (buf_len(&b) == 10) {
			assert_int_equal(buf_slice(&b).p[0], (char)n);
			buf_consume(&b, 7);
			n += 7;
		}
	}
	assert_false(buf_failed(&b));
	assert_true(b.cap <= 1024);
	buf_fini(&b);
}

static void
reserve_and_cut(void **state)
{
	struct buf b;
	char *p;

	(void)state;
	buf_init(&b, 4096);
	p = buf_reserve(&b, 4096);
	assert_non_null(p);
	memset(p, 'x', 4096);
	buf_advance(&b, 10);
	assert_int_equal(buf_len(&b), 10);
	buf_truncate(&b, 4);
	assert_slice(buf_slice(&b), "xxxx");
	buf_consume(&b, 1);
	buf_truncate(&b, 2);
	assert_slice(buf_slice(&b), "xx");
	buf_shrink(&b);
	assert_non_null(b.p);
	buf_consume(&b, 2);
	buf_shrink(&b);
	assert_null(b.p);
	buf_add_str(&b, "again");
	assert_slice(buf_slice(&b), "again");
	buf_fini(&b);
	/* Memory never handed out by doubling past what was asked for. */
	buf_init(&b, SIZE_MAX);
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_true(buf_failed(&b));
	buf_fini(&b);
}

static void
moving(void **state)
{
	struct buf a, b;

	(void)state;
	buf_init(&a, 100);
	buf_init(&b, 8);
	buf_add_str(&a, "0123");
	buf_move(&b, &a); /* swaps */
	assert_slice(buf_slice(&b), "0123");
	assert_int_equal(buf_len(&a), 0);
	buf_add_str(&a, "45");
	buf_move(&b, &a); /* appends */
	assert_slice(buf_slice(&b), "012345");
	buf_add_str(&a, "678");
	buf_move(&b, &a); /* over the ceiling */
	assert_true(buf_failed(&b));
	assert_slice(buf_slice(&b), "012345");
	assert_int_equal(buf_len(&a), 0);
	assert_int_equal(a.max, 100);
	assert_int_equal(b.max, 8);
	buf_clear(&b);
	buf_add_str(&a, "123456789");
	buf_move(&b, &a); /* a swap must not pass the ceiling either */
	assert_true(buf_failed(&b));
	assert_int_equal(buf_len(&b), 0);
	buf_fini(&a);
	buf_fini(&b);
}

/* A failure in the source is not lost on the way. */
static void
moving_failure(void **state)
{
	struct buf a, b;

	(void)state;
	buf_init(&a, 4);
	buf_init(&b, 100);
	buf_add_str(&a, "12345");
	assert_true(buf_failed(&a));
	buf_add_str(&b, "x");
	buf_move(&b, &a);
	assert_true(buf_failed(&b));
	buf_fini(&a);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adding),
		cmocka_unit_test(printf_long),
		cmocka_unit_test(ceiling),
		cmocka_unit_test(sliding),
		cmocka_unit_test(reserve_and_cut),
		cmocka_unit_test(moving),
		cmocka_unit_test(moving_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
