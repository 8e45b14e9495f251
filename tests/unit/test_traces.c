#include "admin/traces.h"

#include "tests/unit/unit.h"

static void
lines(void **state)
{
	struct slice rest = SLICE("2026-11-28T13:00:00.000Z info submitd s1-1 "
				  "accept id=Q1 to=\"a b\"\n"
				  "\n"
				  "info\n"
				  "2026 warn submitd s1-1 accept id=Q1\n"
				  "2026 info submitd Q2 queue\n"
				  "2026 info submitd Q2\n"
				  "2026 info submitd Q3 queue from-i");
	struct traces_line l;

	(void)state;
	assert_true(traces_next(&rest, &l));
	assert_true(slice_eq(l.at, SLICE("2026-11-28T13:00:00.000Z")));
	assert_true(slice_eq(l.id, SLICE("s1-1")));
	assert_true(slice_eq(l.event, SLICE("accept")));
	assert_true(slice_eq(l.pairs, SLICE("id=Q1 to=\"a b\"")));
	assert_true(traces_next(&rest, &l));
	assert_true(slice_eq(l.id, SLICE("Q2")));
	assert_int_equal(l.pairs.n, 0);
	assert_false(traces_next(&rest, &l));
	assert_int_equal(rest.n, 0);
}

static void
pairs(void **state)
{
	static const struct {
		const char *key, *value;
	} want[] = { { "id", "Q1" }, { "to", "a b=c" }, { "account", "" },
		{ "size", "5" }, { "cut", "off" } };
	struct slice rest =
	    SLICE("id=Q1 to=\"a b=c\" account= junk size=5 = cut=\"off");
	struct slice key, value;

	(void)state;
	for (size_t i = 0; i < PH_LEN(want); i++) {
		assert_true(traces_pair(&rest, &key, &value));
		assert_true(slice_eq(key, slice_str(want[i].key)));
		assert_true(slice_eq(value, slice_str(want[i].value)));
	}
	assert_false(traces_pair(&rest, &key, &value));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
