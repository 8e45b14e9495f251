#include "tests/unit/mail_util.h"

#include "lib/base/utf8.h"
#include "lib/mail/charset.h"

static const struct {
	const char *name, *in, *want;
	bool known;
} cases[] = {
	{ "utf-8",
	    "gr\xc3\xbc\xc3\x9f"
	    "e",
	    "gr\xc3\xbc\xc3\x9f"
	    "e",
	    true },
	{ "UTF8", "a\xc3(\xff\xe2\x82",
	    "a\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd"
	    "\xef\xbf\xbd",
	    true },
	{ "iso-8859-1",
	    "gr\xfc\xdf"
	    "e \x80",
	    "gr\xc3\xbc\xc3\x9f"
	    "e \xe2\x82\xac",
	    true },
	{ "ISO_8859-1:1987", "\xfc", "\xc3\xbc", true },
	{ "iso-8859-15", "\xa4\xe4", "\xe2\x82\xac\xc3\xa4", true },
	{ "windows-1252", "\x84z\x93", "\xe2\x80\x9ez\xe2\x80\x9c", true },
	{ "us-ascii", "a\xfc\xc3\xbc", "a\xc3\xbc\xc3\xbc", true },
	{ "x-unknown", "a\xfc\xc3\xbc", "a\xc3\xbc\xc3\xbc", false },
	{ "", "\xe2\x82\xac\xe2\x82", "\xe2\x82\xac\xc3\xa2\xe2\x80\x9a",
	    false },
	{ "iso-8859-2", "\xb3", "\xc5\x82", true },
	{ "koi8-r", "\xd0\xd2", "\xd0\xbf\xd1\x80", true },
	{ "windows-1251", "\xcf", "\xd0\x9f", true },
	{ "shift_jis", "\x93\xfa\x96{", "\xe6\x97\xa5\xe6\x9c\xac", true },
	{ "iso-2022-jp", "\x1b$BF|K\\\x1b(B.", "\xe6\x97\xa5\xe6\x9c\xac.",
	    true },
	{ "gb2312", "\xc4\xe3", "\xe4\xbd\xa0", true },
	{ "big5",
	    "\xa7"
	    "A",
	    "\xe4\xbd\xa0", true },
	{ "euc-kr", "\xb0\xa1", "\xea\xb0\x80", true },
	{ "ks_c_5601-1987", "\xb0\xa1", "\xea\xb0\x80", true },
	{ "utf-7", "Hi Mom -+Jjo--!", "Hi Mom -\xe2\x98\xba-!", true },
	{ "utf-16be*en", "\x26\x3a", "\xe2\x98\xba", true },
	{ "euc-jp", "\xff\xc6\xfc", "\xef\xbf\xbd\xe6\x97\xa5", true },
};

/* Every split into three pieces. */
static void
test_splits(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice in = slice_str(cases[i].in);

		for (size_t k = 0; k <= in.n * in.n; k++) {
			size_t a = in.n != 0 ? k % in.n : 0;
			size_t b = in.n != 0 ? k / in.n : 0;
			struct charset c;
			struct buf out;

			if (b < a)
				continue;
			buf_init(&out, 100);
			assert_int_equal(
			    charset_init(&c, slice_str(cases[i].name)),
			    cases[i].known);
			charset_feed(&c, slice_sub(in, 0, a), &out);
			charset_feed(&c, slice_sub(in, a, b - a), &out);
			charset_feed(&c, slice_from(in, b), &out);
			charset_finish(&c, &out);
			charset_fini(&c);
			expect_bytes(&out, slice_str(cases[i].want));
			buf_fini(&out);
		}
	}
}

/* Each name in the table has a converter here, and any bytes come out as
 * valid UTF-8, whole or byte by byte. */
static void
test_any_bytes(void **state)
{
	static const char *const names[] = { "us-ascii", "utf-8", "iso-8859-1",
		"iso-8859-15", "iso-8859-2", "iso-8859-3", "iso-8859-4",
		"iso-8859-5", "iso-8859-6", "iso-8859-7", "iso-8859-8-i",
		"iso-8859-9", "iso-8859-10", "iso-8859-11", "iso-8859-13",
		"iso-8859-14", "iso-8859-16", "windows-874", "tis-620",
		"windows-1250", "windows-1251", "windows-1253", "windows-1254",
		"windows-1255", "windows-1256", "windows-1257", "windows-1258",
		"koi8-r", "koi8-u", "cp437", "cp850", "cp852", "cp866",
		"macintosh", "gb2312", "gb18030", "big5", "cp950", "big5-hkscs",
		"shift_jis", "euc-jp", "iso-2022-jp", "euc-kr", "iso-2022-kr",
		"viscii", "utf-7", "utf-16", "utf-16be", "utf-16le", "utf-32",
		"utf-32be", "utf-32le" };
	unsigned char bytes[2048];
	uint32_t r = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)((r = r * 1103515245 + 12345) >> 16);
	for (size_t i = 0; i < PH_LEN(names); i++) {
		struct charset c;
		struct buf out;

		buf_init(&out, ROOMY);
		if (!charset_convert(&out, slice_str(names[i]),
			slice_of(bytes, sizeof(bytes))))
			fail_msg("%s", names[i]);
		assert_true(utf8_valid(buf_slice(&out)));
		assert_true(charset_known(slice_str(names[i])));
		buf_clear(&out);
		(void)charset_init(&c, slice_str(names[i]));
		for (size_t k = 0; k < sizeof(bytes); k++)
			charset_feed(&c, slice_of(bytes + k, 1), &out);
		charset_finish(&c, &out);
		charset_fini(&c);
		assert_true(utf8_valid(buf_slice(&out)));
		buf_fini(&out);
	}
}

static void
test_names(void **state)
{
	(void)state;
	assert_false(charset_known(SLICE("")));
	assert_false(charset_known(SLICE("char")));
	assert_false(charset_known(SLICE("utf-8//IGNORE")));
	assert_false(charset_known(SLICE("iso-2022-cn-ext")));
	assert_false(charset_known(SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
	assert_true(charset_known(SLICE("US-ASCII")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
