#include "tests/unit/mail_util.h"

#include "lib/base/utf8.h"
#include "lib/mail/mutf7.h"

static void
test_both(void **state)
{
	static const char *const rows[][2] = {
		/* RFC 3501 5.1.3 */
		{ "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
		  "\xe6\x97\xa5\xe6\x9c\xac"
		  "\xe8\xaa\x9e",
		    "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
		{ "\xe2\x98\xba!", "&Jjo-!" },
		{ "\xe5\x8f\xb0\xe5\x8c\x97\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa"
		  "\x9e",
		    "&U,BTF2XlZyyKng-" },
		{ "INBOX", "INBOX" },
		{ "A&B", "A&-B" },
		{ "&&", "&-&-" },
		{ "Entw\xc3\xbcrfe", "Entw&APw-rfe" },
		{ "Gel\xc3\xb6schte Objekte", "Gel&APY-schte Objekte" },
		{ "\xc3\xbc&", "&APw-&-" },
		{ "\xf0\x9f\x93\xa7", "&2D3c5w-" },
		{ "\x7f\x01", "&AH8AAQ-" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 100);
		assert_true(mutf7_encode(&b, slice_str(rows[i][0])));
		expect_bytes(&b, slice_str(rows[i][1]));
		buf_clear(&b);
		assert_true(mutf7_decode(&b, slice_str(rows[i][1])));
		expect_bytes(&b, slice_str(rows[i][0]));
		buf_fini(&b);
	}
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "&", "a&", "&AGE-", "&Jjo", "&Jjo!",
		"&Jjo-&Jjo-", /* RFC 3501 5.1.3: superfluous shift */
		"&U,BTFw-&ZeVnLIqe-", "&A-", "&AP-", "&APx-", "&APwA-", "&AAA-",
		"&2D0-", "&3Oc-", "&2D3YPQ-", "\x7f", "\n", "\xc3\xbc",
		"&AP w-", "&APw=-" };
	static const char *const bad_utf8[] = { "\xff", "a\xc3",
		"\xed\xa0\x80" };
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < PH_LEN(bad); i++)
		if (mutf7_decode(&b, slice_str(bad[i])))
			fail_msg("%s", bad[i]);
	for (size_t i = 0; i < PH_LEN(bad_utf8); i++)
		assert_false(mutf7_encode(&b, slice_str(bad_utf8[i])));
	assert_false(mutf7_encode(&b, slice_of("a\0b", 3)));
	assert_false(mutf7_decode(&b, slice_of("a\0b", 3)));
	buf_fini(&b);
}

/* What decodes is the one form of its name. */
static void
canonical(struct slice s)
{
	struct buf b, c;

	buf_init(&b, 1000);
	buf_init(&c, 1000);
	if (mutf7_decode(&b, s)) {
		assert_true(utf8_valid(buf_slice(&b)));
		assert_true(mutf7_encode(&c, buf_slice(&b)));
		expect_bytes(&c, s);
	}
	buf_fini(&b);
	buf_fini(&c);
}

static void
test_mangled(void **state)
{
	(void)state;
	mangle(SLICE("~peter/&U,BTFw-/&ZeVnLIqe-&-x"), 1, canonical);
	mangle(SLICE("&2D3c5w-&-"), 1, canonical);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
