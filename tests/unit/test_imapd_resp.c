#include "imapd/resp.h"

#include "storage/view.h"
#include "tests/unit/unit.h"

static void
strings(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
	} cases[] = {
		{ "", 0, "\"\"" },
		{ "a b", 3, "\"a b\"" },
		{ "a\"\\", 3, "\"a\\\"\\\\\"" },
		{ "a\r\nb", 4, "{4}\r\na\r\nb" },
		{ "\xc3\xa4", 2, "{2}\r\n\xc3\xa4" },
		{ "a\0b", 3, "{2}\r\nab" },
	};
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		buf_clear(&b);
		resp_string(&b, slice_of(cases[i].in, cases[i].n));
		assert_slice(buf_slice(&b), cases[i].want);
	}
	buf_clear(&b);
	resp_nstring(&b, (struct slice){ NULL, 0 });
	assert_slice(buf_slice(&b), "NIL");
	buf_fini(&b);
}

static void
lines(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	resp_tagged(&b, SLICE("a1"), RESP_NO, "CANNOT", "no");
	resp_tagged(&b, SLICE(""), RESP_BAD, NULL, "what");
	resp_bye(&b, NULL, "bye");
	resp_bye(&b, "UNAVAILABLE", "bye");
	resp_ok_code(&b, "x", "UIDNEXT %u", 7u);
	resp_number(&b, 3, "EXISTS");
	resp_continue(&b, "idling");
	resp_challenge(&b, SLICE("abc"));
	assert_slice(buf_slice(&b),
	    "a1 NO [CANNOT] no\r\n* BAD what\r\n* BYE bye\r\n"
	    "* BYE [UNAVAILABLE] bye\r\n* OK [UIDNEXT 7] x\r\n"
	    "* 3 EXISTS\r\n+ idling\r\n+ YWJj\r\n");
	buf_fini(&b);
}

static void
flags(void **state)
{
	struct slice names[FOLDER_KEYWORDS_MAX] = { 0 };
	struct buf b;

	(void)state;
	names[0] = SLICE("$Junk");
	names[47] = SLICE("z");
	buf_init(&b, 4096);
	resp_flag_words(&b, 0, false, 0, NULL);
	assert_slice(buf_slice(&b), "");
	resp_flag_words(&b, MSG_SYSTEM_FLAGS, true, 0, NULL);
	assert_slice(buf_slice(&b),
	    "\\Answered \\Flagged \\Deleted \\Seen \\Draft \\Recent");
	buf_clear(&b);
	resp_flag_words(&b, MSG_SEEN, false, 1 | UINT64_C(1) << 47 | 2, names);
	assert_slice(buf_slice(&b), "\\Seen $Junk z");
	buf_clear(&b);
	resp_flag_words(&b, 0, false, 1, names);
	assert_slice(buf_slice(&b), "$Junk");
	buf_fini(&b);
}

/* No kind is without words. */
static void
kinds(void **state)
{
	(void)state;
	for (int kind = -1; kind > -ERR_COUNT; kind--) {
		assert_non_null(resp_fail(kind).code);
		assert_non_null(resp_fail(kind).text);
	}
	assert_string_equal(resp_fail(ERR_QUOTA).code, "OVERQUOTA");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(lines),
		cmocka_unit_test(flags),
		cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
