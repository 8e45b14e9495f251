#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/mem.h"
#include "pop3d/parse.h"

static const struct {
	const char *in, *name, *rest, *arg0, *arg1;
	unsigned nargs;
	bool ok;
} lines[] = {
	{ "STAT", "STAT", "", "", "", 0, true },
	{ "retr 1", "retr", "1", "1", "", 1, true },
	{ "TOP 1 10", "TOP", "1 10", "1", "10", 2, true },
	{ "TOP 1 10 5", "TOP", "1 10 5", "1", "10", 3, true },
	{ "LIST ", "LIST", "", "", "", 0, true },
	{ "LIST 1 ", "LIST", "1 ", "1", "", 1, true },
	{ "PASS two words ", "PASS", "two words ", "two", "words", 2, true },
	{ "", "", "", "", "", 0, false },
	{ "QU", "", "", "", "", 0, false },
	{ "HELLO", "", "", "", "", 0, false },
	{ "UTF8", "UTF8", "", "", "", 0, true },
	{ "A-B", "", "", "", "", 0, false },
	{ "STAT\t1", "", "", "", "", 0, false },
	{ "RETR 1\x01", "", "", "", "", 0, false },
};

static void
test_lines(void **state)
{
	struct pop3_line l;

	(void)state;
	for (size_t i = 0; i < PH_LEN(lines); i++) {
		bool ok = pop3_parse(slice_str(lines[i].in), &l);

		assert_int_equal(ok, lines[i].ok);
		if (!ok)
			continue;
		assert_true(slice_eq(l.name, slice_str(lines[i].name)));
		assert_true(slice_eq(l.rest, slice_str(lines[i].rest)));
		assert_int_equal(l.nargs, lines[i].nargs);
		if (l.nargs > 0)
			assert_true(
			    slice_eq(l.arg[0], slice_str(lines[i].arg0)));
		if (l.nargs > 1)
			assert_true(
			    slice_eq(l.arg[1], slice_str(lines[i].arg1)));
	}
}

static void
test_numbers(void **state)
{
	uint32_t n;

	(void)state;
	assert_true(pop3_number(SLICE("1"), &n) && n == 1);
	assert_true(pop3_number(SLICE("4294967295"), &n) && n == UINT32_MAX);
	assert_false(pop3_number(SLICE("4294967296"), &n));
	assert_false(pop3_number(SLICE("-1"), &n));
	assert_false(pop3_number(SLICE(""), &n));
	assert_false(pop3_number(SLICE("1x"), &n));
}

/* Every prefix and every one-byte change, each in a block of its own. */
static void
test_any_bytes(void **state)
{
	static const char good[] = "TOP 12 34";
	struct pop3_line l;

	(void)state;
	for (size_t n = 0; n < sizeof(good); n++) {
		char *p = xmemdup0(good, n);
		char *exact = xmalloc(n);

		memcpy(exact, p, n);
		(void)pop3_parse(slice_of(exact, n), &l);
		for (size_t i = 0; i < n; i++)
			for (int c = 0; c < 256; c++) {
				exact[i] = (char)c;
				(void)pop3_parse(slice_of(exact, n), &l);
				exact[i] = good[i];
			}
		free(exact);
		free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
