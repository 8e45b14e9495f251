#include "imapd/parse_sort.h"

#include "tests/unit/imap_parse.h"

static const struct imap_case cases[] = {
	{ parse_sort, " (SUBJECT) UTF-8 SINCE 1-Feb-1994", true },
	{ parse_sort, " (SUBJECT REVERSE DATE) US-ASCII ALL", true },
	{ parse_sort, " (reverse displayfrom cc to size arrival) utf-8 1:*",
	    true },
	{ parse_sort, " () UTF-8 ALL", false },
	{ parse_sort, " (REVERSE) UTF-8 ALL", false },
	{ parse_sort, " (FOO) UTF-8 ALL", false },
	{ parse_sort, " (DATE) UTF-8", false },
	{ parse_sort, " (DATE) X-NONE ALL", false },
	{ parse_sort, " DATE UTF-8 ALL", false },
	{ parse_thread, " REFERENCES UTF-8 SINCE 5-Mar-2000", true },
	{ parse_thread, " ORDEREDSUBJECT US-ASCII TEXT \"gewp\"", true },
	{ parse_thread, " REFS UTF-8 ALL", true },
	{ parse_thread, " FOO UTF-8 ALL", false },
	{ parse_thread, " REFERENCES UTF-8", false },
	{ parse_sort, " RETURN () (REVERSE DATE) UTF-8 UNDELETED", true },
	{ parse_sort, " RETURN (MIN MAX PARTIAL 1:2) (DATE) UTF-8 ALL", true },
	{ parse_sort, " RETURN (DATE) UTF-8 ALL", false },
	{ parse_sort, " RETURN () UTF-8 ALL", false },
	{ parse_thread, " RETURN () REFERENCES UTF-8 ALL", false },
};

static void
all_cases(void **state)
{
	(void)state;
	imap_cases(cases, PH_LEN(cases));
}

static void
too_many(void **state)
{
	struct arena a;
	struct buf b;
	void *args;

	(void)state;
	arena_init(&a);
	buf_init(&b, 4096);
	buf_add_str(&b, " (DATE");
	for (int i = 0; i < ORDER_MAX; i++)
		buf_add_str(&b, " DATE");
	buf_add_str(&b, ") UTF-8 ALL");
	assert_false(imap_run(
	    parse_sort, buf_slice(&b).p, buf_len(&b), &a, &args, NULL));
	buf_fini(&b);
	arena_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cases),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
