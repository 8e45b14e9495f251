/*
 * RETR and TOP: every way a message may end, from a store.
 */
#include "tests/unit/store_fixture.h"

#include "pop3d/read.h"
#include "tests/unit/store_mail.h"

/* What the peer gets; the caller frees. */
static char *
get(struct store_fixture *f, uint32_t uid, int64_t lines, bool ascii)
{
	struct read r = { 0 };
	struct buf out;
	bool done = false;

	buf_init(&out, 16 << 20);
	assert_int_equal(read_begin(&r, f->s, 1, f->inbox[1], uid, lines), 0);
	r.ascii = ascii;
	while (!done)
		assert_int_equal(read_more(&r, f->s, &out, &done), 0);
	assert_false(buf_failed(&out));
	read_end(&r);
	return buf_take_str(&out);
}

static const struct {
	const char *in;
	int64_t lines;
	const char *want;
} cases[] = {
	{ "A: 1\r\n\r\nx\r\n", -1, "A: 1\r\n\r\nx\r\n.\r\n" },
	{ "A: 1\r\n\r\n.x\r\n.\r\n", -1, "A: 1\r\n\r\n..x\r\n..\r\n.\r\n" },
	{ "A: 1\r\n\r\nno end", -1, "A: 1\r\n\r\nno end\r\n.\r\n" },
	/* the line that ends the header */
	{ "A: 1\r\n", -1, "A: 1\r\n\r\n.\r\n" },
	{ "A: 1", -1, "A: 1\r\n\r\n.\r\n" },
	{ "A: 1\r\n\r\n", -1, "A: 1\r\n\r\n.\r\n" },
	{ "\r\nbody\r\n", -1, "\r\nbody\r\n.\r\n" },
	{ "\r\n", -1, "\r\n.\r\n" },
	/* TOP */
	{ "A: 1\r\n\r\na\r\nb\r\n", 0, "A: 1\r\n\r\n.\r\n" },
	{ "A: 1\r\n\r\na\r\nb\r\n", 1, "A: 1\r\n\r\na\r\n.\r\n" },
	{ "A: 1\r\n\r\na\r\nb\r\n", 2, "A: 1\r\n\r\na\r\nb\r\n.\r\n" },
	{ "A: 1\r\n\r\na\r\nb\r\n", 99, "A: 1\r\n\r\na\r\nb\r\n.\r\n" },
	{ "A: 1\r\n\r\na\r\nb", 2, "A: 1\r\n\r\na\r\nb\r\n.\r\n" },
	{ "A: 1\r\n", 0, "A: 1\r\n\r\n.\r\n" },
	{ "A: 1\r\n\r\n", 5, "A: 1\r\n\r\n.\r\n" },
	{ "A: 1\r\n\r\n\r\n\r\n", 1, "A: 1\r\n\r\n\r\n.\r\n" },
};

static void
table(void **state)
{
	struct store_fixture *f = *state;

	for (size_t i = 0; i < PH_LEN(cases); i++) {
		uint32_t uid =
		    put_mail(f->s, 1, f->inbox[1], 0, slice_str(cases[i].in));
		char *got = get(f, uid, cases[i].lines, false);

		assert_string_equal(got, cases[i].want);
		free(got);
	}
}

static void
bytes(void **state)
{
	struct store_fixture *f = *state;
	uint32_t uid = put_mail(f->s, 1, f->inbox[1], 0,
	    SLICE("A: \xc3\xa4\0\r\n\r\n\xc3\xa4\0\r\n"));
	char *got = get(f, uid, -1, false);

	assert_string_equal(
	    got, "A: \xc3\xa4\x80\r\n\r\n\xc3\xa4\x80\r\n.\r\n");
	free(got);
	got = get(f, uid, -1, true);
	assert_string_equal(got, "A: ???\r\n\r\n\xc3\xa4\x80\r\n.\r\n");
	free(got);
}

/* Larger than is read at once. */
static void
large(void **state)
{
	struct store_fixture *f = *state;
	struct buf b, want;
	uint32_t uid;
	char *got;

	buf_init(&b, 4 << 20);
	buf_init(&want, 4 << 20);
	buf_add_str(&b, "Subject: large\r\n\r\n");
	for (unsigned i = 0; buf_len(&b) < 2500000; i++)
		buf_printf(&b, "%sline %u\r\n", i % 3 == 0 ? "." : "", i);
	uid = put_mail(f->s, 1, f->inbox[1], 0, buf_slice(&b));
	got = get(f, uid, -1, false);
	buf_add_str(&want, "Subject: large\r\n\r\n");
	for (unsigned i = 0; buf_len(&want) < strlen(got) - 3; i++)
		buf_printf(&want, "%sline %u\r\n", i % 3 == 0 ? ".." : "", i);
	buf_add_str(&want, ".\r\n");
	assert_int_equal(strlen(got), buf_len(&want));
	assert_memory_equal(got, buf_slice(&want).p, buf_len(&want));
	free(got);
	/* lines across the pieces */
	got = get(f, uid, 100000, false);
	assert_memory_equal(got, buf_slice(&want).p, strlen(got) - 3);
	buf_truncate(&want, strlen(got) - 3);
	assert_non_null(strstr(got, "\r\n..line 99999\r\n.\r\n"));
	free(got);
	buf_fini(&b);
	buf_fini(&want);
}

static void
not_there(void **state)
{
	struct store_fixture *f = *state;
	struct read r = { 0 };

	assert_int_equal(
	    read_begin(&r, f->s, 1, f->inbox[1], 99, -1), ERR_NOTFOUND);
	read_end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(table),
		FIXTURE_TEST(bytes),
		FIXTURE_TEST(large),
		FIXTURE_TEST(not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
