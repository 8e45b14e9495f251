/*
 * Reading ahead of a client that fetches one message after the other, with the
 * clock moved.
 */
#include "tests/unit/store_fixture.h"

#include "pop3d/ahead.h"
#include "storage/msg.h"
#include "tests/unit/store_mail.h"

enum { MANY = 100, T0 = 5000, BIG = 60, GONE = 50 };

struct world {
	struct store_fixture f;
	struct drop *d;
	struct ahead a;
};

static int
setup(void **state)
{
	static char big[2 * AHEAD_MESSAGE];
	struct world *w = calloc(1, sizeof(*w));
	uint32_t gone = GONE;
	char text[300];

	fixture_new(&w->f);
	memset(big, 'x', sizeof(big));
	for (unsigned i = 1; i <= MANY; i++)
		(void)put_mail(w->f.s, 1, w->f.inbox[1], 0,
		    i == BIG ? slice_of(big, sizeof(big))
			     : mail_text(text, sizeof(text), i));
	assert_int_equal(drop_open(w->f.s, 1, SLICE(""), &w->d), 0);
	assert_int_equal(
	    msg_expunge(w->f.s, 1, w->f.inbox[1], &gone, 1, false, NULL), 0);
	ahead_init(&w->a);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	ahead_clear(&w->a);
	drop_free(&w->d);
	fixture_free(&w->f);
	free(w);
	return 0;
}

/* The client has fetched these. */
static void
row(struct world *w, uint32_t from, uint32_t to)
{
	for (uint32_t seq = from; seq <= to; seq++)
		ahead_ask(&w->a, seq);
}

static void
assert_meta(struct world *w, uint32_t seq, uint64_t now)
{
	const struct msg_meta *m = ahead_meta(&w->a, w->d, seq, now);
	struct buf b;

	assert_non_null(m);
	assert_int_equal(m->uid, seq);
	buf_init(&b, 1 << 20);
	assert_int_equal(msg_read(w->f.s, m, 0, (size_t)m->size, &b), 0);
	assert_int_equal(buf_len(&b), m->size);
	buf_fini(&b);
}

static void
only_after_some_in_a_row(void **state)
{
	struct world *w = *state;

	row(w, 1, AHEAD_LEAST - 1);
	assert_null(ahead_meta(&w->a, w->d, AHEAD_LEAST, T0));
	ahead_ask(&w->a, 2);
	row(w, 4, 4 + AHEAD_LEAST - 1);
	assert_null(ahead_meta(&w->a, w->d, 4 + AHEAD_LEAST, T0));
	ahead_ask(&w->a, 4 + AHEAD_LEAST);
	assert_meta(w, 4 + AHEAD_LEAST, T0);
}

static void
known_for_some_time(void **state)
{
	struct world *w = *state;
	uint32_t uid = 31;

	row(w, 1, 30);
	assert_meta(w, 30, T0);
	assert_int_equal(
	    msg_expunge(w->f.s, 1, w->f.inbox[1], &uid, 1, false, NULL), 0);
	/* It was there when it was read ... */
	assert_non_null(ahead_meta(&w->a, w->d, 31, T0 + AHEAD_MS - 1));
	/* ... and is looked for again later. */
	assert_null(ahead_meta(&w->a, w->d, 31, T0 + AHEAD_MS));
	assert_meta(w, 32, T0 + AHEAD_MS);
	assert_null(ahead_meta(&w->a, w->d, GONE, T0 + AHEAD_MS));
	assert_meta(w, GONE + 1, T0 + AHEAD_MS);
	/* The last ones. */
	assert_meta(w, MANY, T0 + AHEAD_MS);
	assert_null(ahead_meta(&w->a, w->d, MANY + 1, T0 + AHEAD_MS));
}

static void
make(struct world *w, uint32_t seq, const char *text)
{
	buf_add_str(&w->a.bytes, text);
	ahead_made(&w->a, seq, strlen(text), T0);
}

static void
replies(void **state)
{
	struct world *w = *state;
	struct buf out;

	buf_init(&out, 1000);
	row(w, 1, 10);
	assert_false(ahead_has(&w->a, 11, T0));
	make(w, 11, "eleven");
	make(w, 12, "twelve");
	make(w, 13, "thirteen");
	assert_true(ahead_has(&w->a, 11, T0));
	assert_false(ahead_has(&w->a, 11, T0 + AHEAD_MS));
	assert_false(ahead_has(&w->a, 12, T0));
	assert_true(ahead_take(&w->a, 11, T0, &out));
	assert_true(ahead_take(&w->a, 12, T0, &out));
	assert_true(slice_eq(buf_slice(&out), SLICE("eleventwelve")));
	/* Another one than expected: the rest is for nothing. */
	assert_false(ahead_take(&w->a, 14, T0, &out));
	assert_false(ahead_take(&w->a, 13, T0, &out));
	make(w, 14, "fourteen");
	assert_false(ahead_take(&w->a, 14, T0 + AHEAD_MS, &out));
	buf_fini(&out);
}

static void
which_are_wanted(void **state)
{
	struct world *w = *state;
	uint32_t seq = 11;

	row(w, 1, 3);
	assert_false(ahead_wants(&w->a, w->d, 4, T0));
	row(w, 4, 10);
	drop_dele(w->d, 70);
	assert_true(ahead_wants(&w->a, w->d, 11, T0));
	assert_false(ahead_wants(&w->a, w->d, BIG, T0));
	assert_false(ahead_wants(&w->a, w->d, GONE, T0));
	assert_false(ahead_wants(&w->a, w->d, 70, T0));
	assert_true(ahead_wants(&w->a, w->d, MANY, T0));
	assert_false(ahead_wants(&w->a, w->d, MANY + 1, T0));
	for (; ahead_wants(&w->a, w->d, seq, T0); seq++)
		make(w, seq, "x");
	assert_int_equal(seq, 11 + AHEAD_FIRST);
}

/* Makes what is wanted behind seq and takes so many (at most all) at that
 * time; how many had been made. */
static uint32_t
fetch(struct world *w, uint32_t seq, uint32_t n, uint64_t at)
{
	uint32_t made = 0;
	struct buf out;

	buf_init(&out, 1000);
	for (; ahead_wants(&w->a, w->d, seq + made, T0); made++)
		make(w, seq + made, "x");
	for (uint32_t i = 0; i < n && i < made; i++)
		assert_true(ahead_take(&w->a, seq + i, at, &out));
	buf_fini(&out);
	return made;
}

/* As many as the client comes for in time: more when it is quick, fewer when
 * it is far away. */
static void
as_quick_as_the_client(void **state)
{
	struct world *w = *state;
	uint32_t most = AHEAD_REPLIES;
	struct buf out;

	buf_init(&out, 10);
	row(w, 1, 10);
	for (uint32_t n = AHEAD_FIRST; n < most; n *= 2)
		assert_int_equal(fetch(w, 11, most, T0 + 1), n);
	assert_int_equal(fetch(w, 11, most, T0 + 1), most);
	assert_int_equal(fetch(w, 11, 3, T0 + 1), most);
	assert_false(ahead_take(&w->a, 14, T0 + AHEAD_MS, &out));
	assert_int_equal(fetch(w, 11, most, T0 + AHEAD_MS - 1), 3);
	assert_int_equal(fetch(w, 11, 0, T0), 3);
	assert_false(ahead_take(&w->a, 11, T0 + AHEAD_MS, &out));
	assert_int_equal(fetch(w, 11, most, T0 + 1), 1);
	assert_int_equal(fetch(w, 11, most, T0 + 1), 2);
	buf_fini(&out);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(only_after_some_in_a_row),
		TEST(known_for_some_time),
		TEST(replies),
		TEST(which_are_wanted),
		TEST(as_quick_as_the_client),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
