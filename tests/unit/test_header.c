#include "tests/unit/mail_util.h"

#include "lib/mail/header.h"

#define CRLF "\r\n"

/* RFC 5322 A.1.1, with a folded field, a blank-padded name and a bad line. */
static const char sample[] =
    "From: John Doe <jdoe@machine.example>" CRLF
    "To: Mary Smith <mary@example.net>" CRLF "this is no field" CRLF
    "Subject: Saying" CRLF " Hello" CRLF
    "Date : Fri, 21 Nov 1997 09:55:06 -0600" CRLF "X-Empty:" CRLF CRLF
    "This is a message" CRLF;

static void
test_next(void **state)
{
	static const struct {
		const char *name, *value;
	} want[] = {
		{ "From", " John Doe <jdoe@machine.example>" },
		{ "To", " Mary Smith <mary@example.net>" },
		{ "", "this is no field" },
		{ "Subject", " Saying\r\n Hello" },
		{ "Date", " Fri, 21 Nov 1997 09:55:06 -0600" },
		{ "X-Empty", "" },
	};
	struct slice rest = SLICE(sample);
	struct header h;
	size_t raw = 0;

	(void)state;
	for (size_t i = 0; i < PH_LEN(want); i++) {
		assert_true(header_next(&rest, &h));
		expect_slice(h.name, want[i].name);
		expect_slice(h.value, want[i].value);
		assert_ptr_equal(h.raw.p, sample + raw);
		raw += h.raw.n;
	}
	assert_false(header_next(&rest, &h));
	expect_slice(rest, "This is a message\r\n");
	assert_int_equal(header_end(SLICE(sample)), raw + 2);
}

static void
test_odd(void **state)
{
	static const struct {
		const char *msg;
		size_t end;
		size_t fields;
	} cases[] = {
		{ "", 0, 0 },
		{ "\n", 1, 0 },
		{ "\r\n", 2, 0 },
		{ "\r\nbody", 2, 0 },
		{ "a: b", 4, 1 },
		{ "a: b\n", 5, 1 },
		{ "a: b\n\nc", 6, 1 },
		{ "a: b\n\r\nc", 7, 1 },
		{ "a: b\r\n\nc", 7, 1 },
		{ "a: b\r\n \r\n\r\n", 11, 1 }, /* obs-FWS */
		{ " folded first\r\na:b\r\n\r\n", 22, 2 },
		{ ":\r\n::\r\n\r\n", 9, 2 },
		{ "\r", 1, 1 },
		{ "a\rb: c\r\n\r\n", 10, 1 },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice rest = slice_str(cases[i].msg);
		struct header h;
		size_t n = 0;

		assert_int_equal(header_end(rest), cases[i].end);
		while (header_next(&rest, &h))
			n++;
		assert_int_equal(n, cases[i].fields);
		assert_int_equal(
		    slice_str(cases[i].msg).n - rest.n, cases[i].end);
	}
}

static void
test_find(void **state)
{
	struct slice s = SLICE(sample);

	(void)state;
	expect_slice(header_find(s, SLICE("SUBJECT")), "Saying\r\n Hello");
	expect_slice(
	    header_find(s, SLICE("date")), "Fri, 21 Nov 1997 09:55:06 -0600");
	expect_slice(header_find(s, SLICE("x-empty")), "");
	expect_slice(header_find(s, SLICE("x-none")), NULL);
	expect_slice(header_find(s, SLICE("")), NULL);
}

static void
test_unfold(void **state)
{
	static const struct {
		struct slice in, want;
	} cases[] = {
		/* RFC 5322 2.2.3 */
		{ { " This\r\n is a test", 17 }, { "This is a test", 14 } },
		{ { "a\r\n\tb\n c\0d \r\n", 13 }, { "a\tb cd", 6 } },
		{ { "", 0 }, { "", 0 } },
		{ { "\r\n \r\n", 5 }, { "", 0 } },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, 100);
		header_unfold(&b, cases[i].in);
		expect_bytes(&b, cases[i].want);
		buf_fini(&b);
	}
}

static void
check_fields(const char *msg, bool invert, const char *want)
{
	static const struct slice names[] = { { "subject", 7 }, { "TO", 2 },
		{ "", 0 } };
	struct buf b;

	buf_init(&b, 1000);
	header_fields(&b, slice_str(msg), names, PH_LEN(names), invert);
	expect_bytes(&b, slice_str(want));
	buf_fini(&b);
}

static void
test_fields(void **state)
{
	(void)state;
	check_fields(sample, false,
	    "To: Mary Smith <mary@example.net>\r\n"
	    "Subject: Saying\r\n Hello\r\n\r\n");
	check_fields(sample, true,
	    "From: John Doe <jdoe@machine.example>\r\nthis is no field\r\n"
	    "Date : Fri, 21 Nov 1997 09:55:06 -0600\r\nX-Empty:\r\n\r\n");
	check_fields("a: b\r\n\r\n", false, "\r\n");
	/* RFC 9051 6.4.5.1: no empty line where the message has none */
	check_fields("a: b\r\n", false, "");
	check_fields("", true, "");
	check_fields("a: b", true, "a: b");
}

/* Nothing is lost: the raw slices and the body are the message. */
static void
whole(struct slice msg)
{
	struct slice rest = msg;
	struct header h;
	size_t sum = 0;

	while (header_next(&rest, &h)) {
		assert_ptr_equal(h.raw.p, msg.p + sum);
		assert_true(h.name.n + h.value.n <= h.raw.n);
		sum += h.raw.n;
	}
	assert_true(msg.n - rest.n - sum <= 2);
	assert_int_equal(header_end(msg), msg.n - rest.n);
}

static void
test_mangled(void **state)
{
	(void)state;
	mangle(SLICE(sample), 1, whole);
}

static void
test_large(void **state)
{
	struct slice s = repeat("Subject: x\r\n", "a:b\r\n", 200000, "\r\n");
	struct slice t = repeat("X: y\r\n", " fold\r\n", 200000, "\r\n");
	struct slice u = repeat("", "no colon in here", 100000, "\r\n\r\n");
	clock_t start = clock();

	(void)state;
	assert_int_equal(header_end(s), s.n);
	expect_slice(header_find(s, SLICE("b")), NULL);
	whole(s);
	whole(t);
	whole(u);
	EXPECT_FAST(start);
	repeat_free(s);
	repeat_free(t);
	repeat_free(u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_unfold),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_mangled),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
