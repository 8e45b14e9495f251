#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "submitd/reply.h"

static const struct {
	const char *in;
	enum reply_kind kind;
	int code;
	const char *line;
	size_t left; /* bytes behind the reply */
} cases[] = {
	{ "220 mx.example.net ESMTP\r\n", REPLY_DONE, 220,
	    "220 mx.example.net ESMTP", 0 },
	{ "250-a\r\n250-SIZE 10\r\n250 DSN\r\n", REPLY_DONE, 250,
	    "250-a 250-SIZE 10 250 DSN", 0 },
	{ "354\r\nrest", REPLY_DONE, 354, "354", 4 },
	{ "550 5.1.1 no\n", REPLY_DONE, 550, "550 5.1.1 no", 0 },
	{ "250 ok\r\n250 next\r\n", REPLY_DONE, 250, "250 ok", 10 },
	{ "550 a\x01"
	  "b\r\n",
	    REPLY_DONE, 550, "550 a?b", 0 },
	{ "250-a\r\n", REPLY_MORE, 250, "250-a", 0 },
	{ "250-a\r\n550 b\r\n", REPLY_BAD, 0, "", 0 },
	{ "SSH-2.0-x\r\n", REPLY_BAD, 0, "", 0 },
	{ "25\r\n", REPLY_BAD, 0, "", 0 },
	{ "600 x\r\n", REPLY_BAD, 0, "", 0 },
	{ "250x\r\n", REPLY_BAD, 0, "", 0 },
};

static void
test_cases(void **state)
{
	static struct reply r;
	char line[300];
	size_t used;

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice in = slice_str(cases[i].in);

		reply_init(&r);
		assert_int_equal(reply_feed(&r, in, &used), cases[i].kind);
		if (cases[i].kind == REPLY_BAD)
			continue;
		assert_int_equal(r.code, cases[i].code);
		assert_int_equal(in.n - used, cases[i].left);
		reply_line(&r, line, sizeof(line));
		assert_string_equal(line, cases[i].line);
	}
}

/* However the bytes come, the outcome is the same. */
static void
test_splits(void **state)
{
	static const char in[] = "250-mx\r\n250-PIPELINING\r\n250 SIZE 5\r\n";
	static struct reply r;
	struct slice all = SLICE(in);
	size_t used, at;

	(void)state;
	for (size_t cut = 1; cut < all.n; cut++) {
		enum reply_kind kind;
		struct slice args;

		reply_init(&r);
		kind = reply_feed(&r, slice_sub(all, 0, cut), &used);
		assert_int_equal(kind, REPLY_MORE);
		at = used;
		kind = reply_feed(&r, slice_from(all, at), &used);
		assert_int_equal(kind, REPLY_DONE);
		assert_int_equal(at + used, all.n);
		assert_true(reply_keyword(&r, "pipelining", &args));
		assert_true(reply_keyword(&r, "SIZE", &args));
		assert_true(slice_eq(args, SLICE("5")));
		/* The greeting line is no keyword; nor is a part of one. */
		assert_false(reply_keyword(&r, "mx", &args));
		assert_false(reply_keyword(&r, "PIPE", &args));
	}
}

static void
test_bounds(void **state)
{
	static struct reply r;
	static char longline[REPLY_LINE_MAX + 10];
	enum reply_kind kind = REPLY_MORE;
	char line[50];
	size_t used;

	(void)state;
	memset(longline, 'x', sizeof(longline));
	memcpy(longline, "250 ", 4);
	reply_init(&r);
	assert_int_equal(
	    reply_feed(&r, slice_of(longline, sizeof(longline)), &used),
	    REPLY_BAD);
	reply_init(&r);
	for (int i = 0; i <= REPLY_LINES_MAX && kind == REPLY_MORE; i++)
		kind = reply_feed(&r, SLICE("250-again and again\r\n"), &used);
	assert_int_equal(kind, REPLY_BAD);
	assert_true(r.n <= REPLY_TEXT_MAX);
	reply_line(&r, line, sizeof(line));
	assert_int_equal(strlen(line), sizeof(line) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_splits),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
