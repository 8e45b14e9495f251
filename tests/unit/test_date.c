#include "tests/unit/mail_util.h"

#include "lib/mail/date.h"

static void
test_parse(void **state)
{
	static const struct {
		const char *in;
		bool ok;
		int64_t sec;
		int tz;
	} cases[] = {
		/* RFC 5322 A.1.1, A.1.3, A.5, A.6.2, 4.3 */
		{ "Fri, 21 Nov 1997 09:55:06 -0600", true, 880127706, -360 },
		{ "Tue, 1 Jul 2003 10:52:37 +0200", true, 1057049557, 120 },
		{ "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n"
		  "      23:32\r\n               -0330 (Newfoundland Time)",
		    true, -27723480, -210 },
		{ "21 Nov 97 09:55:06 GMT", true, 880106106, 0 },
		{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", true,
		    880127706, -360 },
		{ "21 Nov 97 09:55:06 EST", true, 880124106, -300 },
		{ "21 Nov 97 09:55:06 pdt", true, 880131306, -420 },
		{ "21 Nov 97 09:55:06 Z", true, 880106106, 0 },
		{ "21 Nov 97 09:55:06 MESZ", true, 880106106, 0 },
		{ "21 Nov 97 09:55:06", true, 880106106, 0 },
		{ "21 Nov 49 00:00 +0000", true, 2521065600, 0 },
		{ "21 Nov 50 00:00 +0000", true, -603158400, 0 },
		{ "21 Nov 103 00:00 +0000", true, 1069372800, 0 },
		{ "Thu, 31 Dec 1998 23:59:60 +0000", true, 915148800, 0 },
		{ "29 Feb 2000 00:00:00 +0000", true, 951782400, 0 },
		{ "Fri 21-Nov-1997 9.55.06 -0600", true, 880127706, -360 },
		{ "1 January 1970 00:00:00 +0000", true, 0, 0 },
		{ "29 Feb 1900 00:00:00 +0000", false, 0, 0 },
		{ "31 Apr 2000 00:00:00 +0000", false, 0, 0 },
		{ "0 Apr 2000 00:00:00 +0000", false, 0, 0 },
		{ "1 Foo 2000 00:00:00 +0000", false, 0, 0 },
		{ "1 Apr 2000 24:00:00 +0000", false, 0, 0 },
		{ "1 Apr 2000 00:60:00 +0000", false, 0, 0 },
		{ "1 Apr 2000 00:00:61 +0000", false, 0, 0 },
		{ "1 Apr 2000 00:00:00 +0060", false, 0, 0 },
		{ "1 Apr 2000 00:00:00 +00", false, 0, 0 },
		{ "1 Apr 10000 00:00:00 +0000", false, 0, 0 },
		{ "99999999999999999999 Apr 2000 00:00:00", false, 0, 0 },
		{ "", false, 0, 0 },
		{ "(", false, 0, 0 },
		{ "yesterday", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		int64_t sec;
		int tz;
		bool ok = date_parse(slice_str(cases[i].in), &sec, &tz);

		if (ok != cases[i].ok || sec != cases[i].sec ||
		    tz != cases[i].tz)
			fail_msg("%s: %d %lld %d", cases[i].in, ok,
			    (long long)sec, tz);
	}
}

static void
parse_any(struct slice s)
{
	int64_t sec;
	int tz;

	(void)date_parse(s, &sec, &tz);
	(void)date_internal_parse(s, &sec, &tz);
	(void)date_day_parse(s, &sec);
}

static void
test_mangled(void **state)
{
	(void)state;
	mangle(SLICE("Fri, 21 Nov 1997 09(a\\)b):   55  :  06 -0600 (x)"), 1,
	    parse_any);
	mangle(SLICE("21 Nov 97 09:55:06 GMT"), 1, parse_any);
	mangle(SLICE("\"17-Jul-1996 02:44:25 -0700\""), 1, parse_any);
	mangle(SLICE(" 1-Feb-1994"), 1, parse_any);
}

static void
test_internal(void **state)
{
	static const struct {
		const char *in;
		bool ok;
		int64_t sec;
		int tz;
	} cases[] = {
		{ "\"17-Jul-1996 02:44:25 -0700\"", true, 837596665, -420 },
		{ "17-Jul-1996 02:44:25 -0700", true, 837596665, -420 },
		{ " 1-jan-1970 00:00:00 +0000", true, 0, 0 },
		{ "01-Jan-1970 00:00:00 +0000", true, 0, 0 },
		{ "1-Jan-1970 00:00:00 +0000", true, 0, 0 },
		{ "001-Jan-1970 00:00:00 +0000", false, 0, 0 },
		{ "\" 1-Jan-1970 00:00:00 +0000", false, 0, 0 },
		{ " 1-Jan-1970 00:00:00 +0000 ", false, 0, 0 },
		{ " 1-Jan-1970 00:00:00 GMT", false, 0, 0 },
		{ "31-Jun-1970 00:00:00 +0000", false, 0, 0 },
		{ " 1-Jan-70 00:00:00 +0000", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		int64_t sec;
		int tz;

		assert_int_equal(
		    date_internal_parse(slice_str(cases[i].in), &sec, &tz),
		    cases[i].ok);
		assert_int_equal(sec, cases[i].sec);
		assert_int_equal(tz, cases[i].tz);
	}
}

static void
test_day(void **state)
{
	int64_t sec;

	(void)state;
	assert_true(date_day_parse(SLICE("1-Feb-1994"), &sec));
	assert_int_equal(sec, 760060800);
	assert_true(date_day_parse(SLICE("01-FEB-1994"), &sec));
	assert_false(date_day_parse(SLICE("\"1-Feb-1994\""), &sec));
	assert_false(date_day_parse(SLICE("001-Feb-1994"), &sec));
	assert_false(date_day_parse(SLICE("29-Feb-1994"), &sec));
	assert_false(date_day_parse(SLICE("1-Feb-94"), &sec));
}

static void
expect_written(int64_t sec, int tz, const char *mail, const char *internal)
{
	struct buf b;

	buf_init(&b, 100);
	date_rfc5322(&b, sec, tz);
	expect_bytes(&b, slice_str(mail));
	buf_clear(&b);
	date_internal(&b, sec, tz);
	expect_bytes(&b, slice_str(internal));
	buf_fini(&b);
}

static void
test_write(void **state)
{
	(void)state;
	expect_written(880127706, -360, "Fri, 21 Nov 1997 09:55:06 -0600",
	    "\"21-Nov-1997 09:55:06 -0600\"");
	expect_written(0, 0, "Thu, 1 Jan 1970 00:00:00 +0000",
	    "\" 1-Jan-1970 00:00:00 +0000\"");
	expect_written(-1, 0, "Wed, 31 Dec 1969 23:59:59 +0000",
	    "\"31-Dec-1969 23:59:59 +0000\"");
	expect_written(1709164800, 330, "Thu, 29 Feb 2024 05:30:00 +0530",
	    "\"29-Feb-2024 05:30:00 +0530\"");
	expect_written(INT64_MAX, 9999999, "Fri, 31 Dec 9999 23:59:59 +0000",
	    "\"31-Dec-9999 23:59:59 +0000\"");
	expect_written(INT64_MIN, INT32_MIN, "Sat, 1 Jan 0000 00:00:00 +0000",
	    "\" 1-Jan-0000 00:00:00 +0000\"");
}

static void
test_round(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (int64_t t = -62000000000; t < 253000000000; t += 86399 * 373) {
		int tz = (int)(t % 840) / 15 * 15;
		int64_t sec;
		int got;

		buf_clear(&b);
		date_internal(&b, t, tz);
		assert_true(date_internal_parse(buf_slice(&b), &sec, &got));
		assert_int_equal(sec, t);
		assert_int_equal(got, tz);
		buf_clear(&b);
		date_rfc5322(&b, t, tz);
		assert_true(date_parse(buf_slice(&b), &sec, &got));
		assert_int_equal(sec, t);
	}
	buf_fini(&b);
}

static void
test_civil(void **state)
{
	int64_t day = date_from_civil(1996, 1, 1);
	int y, m, d;

	(void)state;
	for (int i = 0; i < 4000; i++, day += 86400) {
		date_to_civil(day + 86399, &y, &m, &d);
		assert_int_equal(date_from_civil(y, m, d), day);
	}
}

static void
test_large(void **state)
{
	struct slice s = repeat("Fri, 21 Nov", "(", 1000000, "");
	clock_t start = clock();

	(void)state;
	parse_any(s);
	EXPECT_FAST(start);
	repeat_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_mangled),
		cmocka_unit_test(test_internal),
		cmocka_unit_test(test_day),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_civil),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
