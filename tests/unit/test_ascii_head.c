#include "tests/unit/unit.h"

#include "submitd/ascii_head.h"

static const struct {
	const char *in, *want; /* NULL: cannot be */
} cases[] = {
	{ "Subject: x\r\nTo: a@b.c\r\n\r\n",
	    "Subject: x\r\nTo: a@b.c\r\n\r\n" },
	{ "Subject: Gr\xc3\xbc\xc3\x9f"
	  "e\r\n\r\n",
	    "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n\r\n" },
	{ "From: J\xc3\xbcrgen <j@b.c>\r\n\r\n",
	    "From: =?UTF-8?B?SsO8cmdlbg==?= <j@b.c>\r\n\r\n" },
	{ "To: \"J\xc3\xbcrgen, x\" <j@b.c>, k@b.c\r\n\r\n",
	    "To: =?UTF-8?B?SsO8cmdlbiwgeA==?= <j@b.c>,\r\n <k@b.c>\r\n\r\n" },
	/* An address is what it is. */
	{ "To: j\xc3\xbcrgen@b.c\r\n\r\n", NULL },
	{ "To: J <j@b\xc3\xbc.c>\r\n\r\n", NULL },
	{ "Content-Type: text/plain; name=\xc3\xbc\r\n\r\n", NULL },
	{ "Content-Description: \xc3\xbc\r\n\r\n",
	    "Content-Description: =?UTF-8?B?w7w=?=\r\n\r\n" },
	{ "Message-ID: <\xc3\xbc@b.c>\r\n\r\n", NULL },
	{ "Subject: \xfc\r\n\r\n", NULL },
	{ "\xc3\xbc\r\n\r\n", NULL },
	{ "", "\r\n" },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice in = unit_exact(cases[i].in, strlen(cases[i].in));
		struct buf out;
		bool good;

		buf_init(&out, 4096);
		good = ascii_head(in, &out);
		assert_int_equal(good, cases[i].want != NULL);
		if (good) {
			buf_add_char(&out, '\0');
			assert_string_equal(buf_slice(&out).p, cases[i].want);
		}
		buf_fini(&out);
		unit_free(in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
