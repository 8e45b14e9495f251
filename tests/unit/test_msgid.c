#include "tests/unit/mail_util.h"

#include "lib/mail/msgid.h"

static const struct {
	const char *in, *want;
} cases[] = {
	{ "<1234@local.machine.example>", "1234@local.machine.example " },
	{ "<a@b>\r\n <c@d> <e@f>", "a@b c@d e@f " },
	{ "<a@b><c@d>", "a@b c@d " },
	{ "Your message of \"Mon\" <a@b> (was <c@d>)", "a@b c@d " },
	{ "< a@b >", "a@b " },
	{ "<a b@c> <d@e>", "d@e " },
	{ "<<a@b>>", "a@b " },
	{ "<a@b <c@d>", "c@d " },
	{ "<> <\r\n> a@b", "" },
	{ "<no-at-sign>", "no-at-sign " },
	{ "<a@b", "" },
	{ "a@b>", "" },
	{ "", "" },
};

static void
list(struct slice s, struct buf *out)
{
	struct slice id;

	while (msgid_next(&s, &id)) {
		assert_true(id.n != 0);
		buf_add_slice(out, id);
		buf_add_char(out, ' ');
	}
	assert_int_equal(id.n, 0);
	assert_int_equal(s.n, 0);
}

static void
list_any(struct slice s)
{
	struct buf b;

	buf_init(&b, 1000);
	list(s, &b);
	msgid_norm(&b, s);
	assert_false(buf_failed(&b));
	buf_fini(&b);
}

static void
test_next(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, 1000);
		list(slice_str(cases[i].in), &b);
		expect_bytes(&b, slice_str(cases[i].want));
		buf_fini(&b);
		mangle(slice_str(cases[i].in), 1, list_any);
	}
}

static void
test_norm(void **state)
{
	static const char *const rows[][2] = {
		/* RFC 5256, REFERENCES */
		{ "\"01KF8JCEOCBS0045PS\"@xxx.yyy.com",
		    "01KF8JCEOCBS0045PS@xxx.yyy.com" },
		{ "01KF8JCEOCBS0045PS@xxx.yyy.com",
		    "01KF8JCEOCBS0045PS@xxx.yyy.com" },
		{ "\"a\\b.c\"@d", "ab.c@d" },
		{ "\"a..b\"@c", "\"a..b\"@c" },
		{ "\"a,b\"@c", "\"a,b\"@c" },
		{ "\"\"@c", "\"\"@c" },
		{ "\"a@c", "\"a@c" },
		{ "\"a\\", "\"a\\" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 1000);
		msgid_norm(&b, slice_str(rows[i][0]));
		expect_bytes(&b, slice_str(rows[i][1]));
		buf_fini(&b);
		mangle(slice_str(rows[i][0]), 1, list_any);
	}
}

static void
test_large(void **state)
{
	static const char *const pieces[] = { "<", ">", "<>", "<a@b>", "\"<" };
	clock_t start = clock();

	(void)state;
	for (size_t i = 0; i < PH_LEN(pieces); i++) {
		struct slice s = repeat("<", pieces[i], 300000, ""), id;

		while (msgid_next(&s, &id))
			;
		repeat_free(
		    slice_of(s.p - (300000 * slice_str(pieces[i]).n + 1), 0));
	}
	EXPECT_FAST(start);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_norm),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
