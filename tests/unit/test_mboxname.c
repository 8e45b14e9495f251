#include "imapd/mboxname.h"

#include "tests/unit/unit.h"

static const struct {
	const char *in;
	bool utf8;
	const char *want; /* NULL: refused */
} cases[] = {
	{ "INBOX", false, "INBOX" },
	{ "Entw&APw-rfe", false, "Entw\xc3\xbcrfe" },
	{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-", false, /* RFC 3501 5.1.3 */
	    "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
	    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" },
	{ "A&-B", false, "A&B" },
	{ "A&B", false, NULL },
	{ "A&B", true, "A&B" },
	{ "Entw\xc3\xbcrfe", false, "Entw\xc3\xbcrfe" },
	{ "Entw\xc3\xbcrfe", true, "Entw\xc3\xbcrfe" },
	{ "bad\xff", false, NULL },
	{ "bad\xff", true, NULL },
};

static void
decoding(void **state)
{
	struct arena a;
	struct slice out;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		bool good = mboxname_decode(
		    &a, slice_str(cases[i].in), cases[i].utf8, &out);

		assert_int_equal(good, cases[i].want != NULL);
		if (good)
			assert_slice(out, cases[i].want);
	}
	arena_clear(&a);
}

static void
writing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	mboxname_write(&b, SLICE("a \"b\" \\c"), false);
	assert_slice(buf_slice(&b), "\"a \\\"b\\\" \\\\c\"");
	buf_clear(&b);
	mboxname_write(&b, SLICE("A&B"), false);
	assert_slice(buf_slice(&b), "\"A&-B\"");
	buf_clear(&b);
	mboxname_write(&b, SLICE("A&B"), true);
	assert_slice(buf_slice(&b), "\"A&B\"");
	buf_clear(&b);
	mboxname_write(&b, SLICE("Gel\xc3\xb6scht"), false);
	assert_slice(buf_slice(&b), "\"Gel&APY-scht\"");
	buf_clear(&b);
	mboxname_write(&b, SLICE("Gel\xc3\xb6scht"), true);
	assert_slice(buf_slice(&b), "\"Gel\xc3\xb6scht\"");
	buf_fini(&b);
}

static void
trimming(void **state)
{
	(void)state;
	assert_slice(mboxname_trim(SLICE("a/")), "a");
	assert_slice(mboxname_trim(SLICE("a//")), "a/");
	assert_slice(mboxname_trim(SLICE("/")), "/");
	assert_slice(mboxname_trim(SLICE("")), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding),
		cmocka_unit_test(writing),
		cmocka_unit_test(trimming),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
