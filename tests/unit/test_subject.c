#include "tests/unit/mail_util.h"

#include "lib/mail/subject.h"

static const struct {
	const char *in, *want;
	bool reply;
} cases[] = {
	{ "Saying Hello", "Saying Hello", false },
	{ "Re: Saying Hello", "Saying Hello", true },
	{ "re: RE: rE : Saying Hello", "Saying Hello", true },
	{ "Fw: a", "a", true },
	{ "FWD: a", "a", true },
	{ "Re[2]: a", "a", true },
	{ "Re [list] : a", "a", true },
	{ "[list] Re: a", "a", true },
	{ "[a] [b]Re: x", "x", true },
	{ "[a] [b]  x", "x", false },
	{ "[a] [b]", "[b]", false },
	{ "[a]", "[a]", false },
	{ "Re: [a]", "[a]", true },
	{ "a (fwd)", "a", true },
	{ "a (FWD) (fwd)  ", "a", true },
	{ "Re: a (fwd)", "a", true },
	{ "[fwd: a]", "a", true },
	{ "[Fwd: Re: [x] a (fwd)] (fwd)", "a", true },
	{ "[fwd: [fwd: a]]", "a", true },
	{ "[fwd: a", "[fwd: a", false },
	{ " \t a \t\r\n b ", "a b", false },
	{ "Re:", "", true },
	{ "Re: Re:", "", true },
	{ "(fwd)", "", true },
	{ "[fwd:]", "", true },
	{ "Research: a", "Research: a", false },
	{ "Re a", "Re a", false },
	{ "AW: a", "AW: a", false }, /* the RFC knows no German */
	{ "[a [b] Re: c", "[a [b] Re: c", false },
	{ "", "", false },
	{ "]", "]", false },
};

static void
test_base(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct buf b;
		bool reply;

		buf_init(&b, 100);
		subject_base(&b, slice_str(cases[i].in), &reply);
		expect_bytes(&b, slice_str(cases[i].want));
		if (reply != cases[i].reply)
			fail_msg("%s", cases[i].in);
		buf_fini(&b);
	}
}

/* The base of a base is itself. */
static void
stable(struct slice s)
{
	struct buf b, c;
	bool reply;

	buf_init(&b, 1000);
	buf_init(&c, 1000);
	subject_base(&b, s, &reply);
	subject_base(&c, buf_slice(&b), &reply);
	expect_bytes(&c, buf_slice(&b));
	assert_false(reply);
	buf_fini(&b);
	buf_fini(&c);
}

static void
test_mangled(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++)
		mangle(slice_str(cases[i].in), 1, stable);
}

static void
one_large(const char *head, const char *piece, const char *tail)
{
	struct slice s = repeat(head, piece, 200000, tail);
	clock_t start = clock();
	struct buf b;
	bool reply;

	buf_init(&b, ROOMY);
	subject_base(&b, s, &reply);
	EXPECT_FAST(start);
	buf_fini(&b);
	repeat_free(s);
}

static void
test_large(void **state)
{
	(void)state;
	one_large("", "[a]", "");
	one_large("", "[a]", "x");
	one_large("", "[a]", "re");
	one_large("", "[", "");
	one_large("", "re:", "[x");
	one_large("", "[a]re:", "");
	one_large("", "re[a]:", "");
	one_large("", "re[a", "");
	one_large("x", "(fwd)", "");
	one_large("", "[fwd:", "");
	one_large("", "[fwd: ", "]]]]]]]]");
	one_large("[a][b]", "re:[a][b]", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_mangled),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
