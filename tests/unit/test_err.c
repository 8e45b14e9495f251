#include "lib/base/err.h"

#include <errno.h>

#include "tests/unit/unit.h"

static void
names(void **state)
{
	(void)state;
	assert_string_equal(err_name(0), "ok");
	assert_string_equal(err_name(ERR_INTERNAL), "internal");
	assert_string_equal(err_name(ERR_CORRUPT), "corrupt");
	assert_string_equal(err_name(ERR_CONFLICT), "conflict");
	assert_string_equal(err_name(ERR_DNS), "dns");
	assert_string_equal(err_name(-ERR_COUNT), "unknown");
	assert_string_equal(err_name(1), "unknown");
	for (int i = 0; i < ERR_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(err_name(-i), err_name(-j));
}

static void
texts(void **state)
{
	struct err e;

	(void)state;
	memset(&e, 'x', sizeof(e));
	assert_int_equal(
	    err_set(&e, ERR_QUOTA, "%s is full", "web1p1"), ERR_QUOTA);
	assert_int_equal(e.kind, ERR_QUOTA);
	assert_string_equal(e.text, "web1p1 is full");
	assert_string_equal(e.detail, "");
	err_detail(&e, "limit %d", 5);
	assert_string_equal(e.detail, "limit 5");
	assert_int_equal(err_set(NULL, ERR_IO, "%s", "x"), ERR_IO);
	err_detail(NULL, "%s", "x");
}

/* What ends up in a reply is one line of plain ASCII, cut to fit. */
static void
hostile_texts(void **state)
{
	static char big[1000];
	struct err e;

	(void)state;
	(void)err_set(&e, ERR_INVALID, "%s", "a\r\nb\xc3\xa4\x7f");
	assert_string_equal(e.text, "a??b???");
	err_detail(&e, "%s", "x\ny");
	assert_string_equal(e.detail, "x?y");
	memset(big, 'x', sizeof(big) - 1);
	(void)err_set(&e, ERR_INVALID, "%s", big);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

static void
from_errno(void **state)
{
	(void)state;
	assert_int_equal(err_from_errno(ENOSPC), ERR_NOSPACE);
	assert_int_equal(err_from_errno(EDQUOT), ERR_NOSPACE);
	assert_int_equal(err_from_errno(ENOENT), ERR_NOTFOUND);
	assert_int_equal(err_from_errno(EEXIST), ERR_EXISTS);
	assert_int_equal(err_from_errno(EACCES), ERR_DENIED);
	assert_int_equal(err_from_errno(EPERM), ERR_DENIED);
	assert_int_equal(err_from_errno(EIO), ERR_IO);
	assert_int_equal(err_from_errno(0), ERR_IO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(texts),
		cmocka_unit_test(hostile_texts),
		cmocka_unit_test(from_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
