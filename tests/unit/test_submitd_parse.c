#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/mem.h"
#include "storage/queue.h"
#include "submitd/parse.h"

static const struct {
	const char *in;
	bool lenient, ok;
	const char *addr, *local, *domain;
	unsigned nparams;
} paths[] = {
	/* RFC 5321 4.1.2 and appendix D */
	{ "FROM:<Smith@bar.com>", false, true, "Smith@bar.com", "Smith",
	    "bar.com", 0 },
	{ "from:<>", false, true, "", "", "", 0 },
	{ "FROM:<> BODY=8BITMIME SIZE=10", false, true, "", "", "", 2 },
	{ "FROM:<a@b> SMTPUTF8 ", false, true, "a@b", "a", "b", 1 },
	{ "FROM:<@x.org,@y.org:a@b.org>", false, true, "a@b.org", "a", "b.org",
	    0 },
	{ "FROM:<\"a b\\\"c\"@b.org>", false, true, "\"a b\\\"c\"@b.org",
	    "\"a b\\\"c\"", "b.org", 0 },
	{ "FROM:<a@[192.0.2.1]>", false, true, "a@[192.0.2.1]", "a",
	    "[192.0.2.1]", 0 },
	{ "FROM:<a@[IPv6:2001:db8::1]>", false, true, "a@[IPv6:2001:db8::1]",
	    "a", "[IPv6:2001:db8::1]", 0 },
	{ "FROM:<web100p1>", false, true, "web100p1", "web100p1", "", 0 },
	{ "FROM:<\xc3\xbc@b.org>", false, true, "\xc3\xbc@b.org", "\xc3\xbc",
	    "b.org", 0 },
	/* CLIENTS D: Outlook's blank, and a path without <> */
	{ "FROM: <a@b>", true, true, "a@b", "a", "b", 0 },
	{ "FROM: <a@b>", false, false, "", "", "", 0 },
	{ "FROM:a@b", true, true, "a@b", "a", "b", 0 },
	{ "FROM:a@b", false, false, "", "", "", 0 },
	{ "FROM:<a@b", false, false, "", "", "", 0 },
	{ "FROM:<a@>", false, false, "", "", "", 0 },
	{ "FROM:<@b>", false, false, "", "", "", 0 },
	{ "FROM:<a b@c>", false, false, "", "", "", 0 },
	{ "FROM:<a@b>SIZE=1", false, false, "", "", "", 0 },
	{ "FROM:<a@b> =1", false, false, "", "", "", 0 },
	{ "FROM:<\"a@b>", false, false, "", "", "", 0 },
	{ "TO:<a@b>", false, false, "", "", "", 0 },
	{ "", false, false, "", "", "", 0 },
};

static void
test_paths(void **state)
{
	struct smtp_path p;
	const char *why;

	(void)state;
	for (size_t i = 0; i < PH_LEN(paths); i++) {
		why = NULL;
		assert_int_equal(smtp_parse_path(slice_str(paths[i].in), "FROM",
				     paths[i].lenient, &p, &why),
		    paths[i].ok);
		if (!paths[i].ok) {
			assert_non_null(why);
			continue;
		}
		assert_true(slice_eq(p.addr, slice_str(paths[i].addr)));
		assert_true(slice_eq(p.local, slice_str(paths[i].local)));
		assert_true(slice_eq(p.domain, slice_str(paths[i].domain)));
		assert_int_equal(p.nparams, paths[i].nparams);
	}
}

static void
test_limits(void **state)
{
	char line[400];
	struct smtp_path p;
	const char *why;

	(void)state;
	(void)snprintf(line, sizeof(line), "TO:<%065d@b.org>", 0);
	assert_false(smtp_parse_path(slice_str(line), "TO", false, &p, &why));
	(void)snprintf(line, sizeof(line), "TO:<%064d@b.org>", 0);
	assert_true(smtp_parse_path(slice_str(line), "TO", false, &p, &why));
	(void)snprintf(line, sizeof(line), "TO:<a@%0256d>", 0);
	assert_false(smtp_parse_path(slice_str(line), "TO", false, &p, &why));
	assert_false(
	    smtp_parse_path(SLICE("TO:<a@b> A B C D E F G H I J K L M"), "TO",
		false, &p, &why));
}

static void
test_words(void **state)
{
	struct smtp_line l;
	struct buf out;
	unsigned notify;

	(void)state;
	assert_true(smtp_parse_line(SLICE("mail FROM:<> "), &l));
	assert_true(slice_eq(l.verb, SLICE("mail")));
	assert_true(slice_eq(l.rest, SLICE("FROM:<>")));
	assert_false(smtp_parse_line(SLICE("\x16\x03\x01"), &l));
	assert_true(smtp_helo_ok(SLICE("[192.0.2.1]")));
	assert_true(smtp_helo_ok(SLICE("my_pc.local")));
	assert_false(smtp_helo_ok(SLICE("")));
	assert_false(smtp_helo_ok(SLICE("a b")));
	assert_false(smtp_helo_ok(SLICE("a\"b")));
	buf_init(&out, 100);
	assert_true(smtp_xtext(&out, SLICE("a+3Db+2B")));
	assert_true(slice_eq(buf_slice(&out), SLICE("a=b+")));
	assert_false(smtp_xtext(&out, SLICE("a+3")));
	assert_false(smtp_xtext(&out, SLICE("a+3g")));
	buf_fini(&out);
	assert_true(smtp_parse_notify(SLICE("SUCCESS,delay"), &notify));
	assert_int_equal(notify, NOTIFY_ON_SUCCESS | NOTIFY_ON_DELAY);
	assert_true(smtp_parse_notify(SLICE("NEVER"), &notify));
	assert_false(smtp_parse_notify(SLICE("NEVER,SUCCESS"), &notify));
	assert_false(smtp_parse_notify(SLICE("NOW"), &notify));
	assert_false(smtp_parse_notify(SLICE(""), &notify));
}

/* Every prefix and every one-byte change, each in a block of exact size. */
static void
test_any_bytes(void **state)
{
	static const char good[] = "TO:<@r:\"a\\b\"@[::1]> ORCPT=x;y A";
	struct smtp_path p;
	const char *why;

	(void)state;
	for (size_t n = 0; n < sizeof(good); n++) {
		char *exact = xmalloc(n);

		memcpy(exact, good, n);
		(void)smtp_parse_path(slice_of(exact, n), "TO", true, &p, &why);
		for (size_t i = 0; i < n; i++)
			for (int c = 0; c < 256; c++) {
				exact[i] = (char)c;
				(void)smtp_parse_path(
				    slice_of(exact, n), "TO", c & 1, &p, &why);
				exact[i] = good[i];
			}
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
