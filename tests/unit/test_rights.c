/*
 * RFC 4314's letters, and the virtual ones.
 */
#include "storage/rights.h"

#include "storage/view.h"
#include "tests/unit/unit.h"

static const struct {
	const char *in, *out; /* NULL: refused */
} cases[] = {
	{ "", "" },
	{ "lrswipkxtea", "lrswipkxtecda" },
	{ "lrswida", "lrswiteda" },     /* RFC 4314 2.1.1 */
	{ "lrswikda", "lrswiktecda" },  /* the same */
	{ "lrswicda", "lrswikxtecda" }, /* 3.1 */
	{ "x", "xc" },
	{ "t", "td" },
	{ "rl", "lr" },
	{ "ll", "l" },
	{ "lrQ", NULL },
	{ "lrq", NULL },
	{ "0", NULL },
	{ "l r", NULL },
	{ "-l", NULL },
};

static void
letters(void **state)
{
	unsigned rights;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		bool good = rights_parse(slice_str(cases[i].in), &rights);

		assert_int_equal(good, cases[i].out != NULL);
		if (!good)
			continue;
		buf_init(&b, 100);
		rights_write(&b, rights);
		if (!slice_eq(buf_slice(&b), slice_str(cases[i].out)))
			fail_msg("%s", cases[i].in);
		buf_fini(&b);
	}
	for (int c = 0; c < 256; c++) {
		char one = (char)c;

		assert_int_equal(rights_parse(slice_of(&one, 1), &rights),
		    c != 0 && strchr("lrswipkxtecda", c) != NULL);
	}
}

static void
flags(void **state)
{
	(void)state;
	assert_int_equal(rights_flags(RIGHTS_ALL), MSG_SYSTEM_FLAGS);
	assert_int_equal(rights_flags(RIGHT_SEEN), MSG_SEEN);
	assert_int_equal(rights_flags(RIGHT_DELETE), MSG_DELETED);
	assert_int_equal(
	    rights_flags(RIGHT_WRITE), MSG_ANSWERED | MSG_FLAGGED | MSG_DRAFT);
	assert_int_equal(rights_flags(RIGHT_INSERT | RIGHT_EXPUNGE), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters),
		cmocka_unit_test(flags),
	};

	return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
