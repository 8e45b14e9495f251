#include "tests/unit/mail_util.h"

#include "lib/base/utf8.h"
#include "lib/mail/decode.h"
#include "lib/mail/encode.h"
#include "lib/mail/header.h"

static void
test_words(void **state)
{
	static const char *const rows[][2] = {
		{ "Plain text, (as) is: 100%", "Plain text, (as) is: 100%" },
		{ "", "" },
		{ "Wartungsarbeiten f\xc3\xbcr heute abend",
		    "=?UTF-8?Q?Wartungsarbeiten_f=C3=BCr_heute_abend?=" },
		{ "\xc3\xbc\xc3\xb6\xc3\xa4", "=?UTF-8?B?w7zDtsOk?=" },
		{ "a\r\nBcc: x", "=?UTF-8?B?YSAgQmNjOiB4?=" },
		{ "looks =?like?=", "=?UTF-8?B?bG9va3MgPT9saWtlPz0=?=" },
		{ "tab\there and there", "=?UTF-8?Q?tab=09here_and_there?=" },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(rows); i++) {
		struct buf b;

		buf_init(&b, 1000);
		encode_words(&b, slice_str(rows[i][0]));
		expect_bytes(&b, slice_str(rows[i][1]));
		buf_fini(&b);
	}
}

/* Long text comes back, in words of at most 75 characters, none of which
 * cuts a character. */
static void
check_round(struct slice text)
{
	struct buf b, back, line;
	struct slice rest, word;

	buf_init(&b, 100000);
	buf_init(&line, 100000);
	buf_init(&back, 100000);
	encode_words(&b, text);
	rest = buf_slice(&b);
	while (slice_split(&rest, '\n', &word)) {
		word = slice_trim(word);
		assert_true(word.n <= 75);
		buf_clear(&back);
		decode_words(&back, word);
		assert_true(utf8_valid(buf_slice(&back)));
	}
	header_unfold(&line, buf_slice(&b));
	buf_clear(&back);
	decode_words(&back, buf_slice(&line));
	expect_bytes(&back, text);
	buf_fini(&b);
	buf_fini(&line);
	buf_fini(&back);
}

static void
test_long_words(void **state)
{
	struct slice s;

	(void)state;
	for (size_t n = 1; n < 100; n++) {
		s = repeat("", "\xc3\xbc", n, "");
		check_round(s);
		repeat_free(s);
		s = repeat("x", "\xe2\x82\xac", n, "");
		check_round(s);
		repeat_free(s);
		s = repeat("", "viel Text ", n, "f\xc3\xbcr nichts");
		check_round(s);
		repeat_free(s);
	}
}

static void
test_qp(void **state)
{
	static const char *const rows[][2] = {
		{ "Hello\r\nWorld\r\n", "Hello\r\nWorld\r\n" },
		{ "a=b \r\n.\r\nFrom x\r\n\tt",
		    "a=3Db=20\r\n=2E\r\n=46rom x\r\n\tt" },
		{ "\xc3\xbc", "=C3=BC" },
		{ "a\nb\rc", "a=0Ab=0Dc" },
		{ "", "" },
	};
	struct slice s;
	struct buf b;

	(void)state;
	buf_init(&b, 100000);
	for (size_t i = 0; i < PH_LEN(rows); i++) {
		buf_clear(&b);
		encode_qp(&b, slice_str(rows[i][0]));
		expect_bytes(&b, slice_str(rows[i][1]));
	}
	for (size_t n = 70; n < 90; n++) {
		struct slice rest, line;

		s = repeat("", "x", n, "\xc3\xbc yes\r\n");
		buf_clear(&b);
		encode_qp(&b, s);
		rest = buf_slice(&b);
		while (slice_split(&rest, '\n', &line))
			assert_true(line.n <= 77); /* with its CR */
		repeat_free(s);
	}
	buf_fini(&b);
}

static void
test_base64(void **state)
{
	struct slice s = repeat("", "x", 58, "");
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	encode_base64(&b, s);
	expect_bytes(
	    &b, SLICE("eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"
		      "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\r\neA==\r\n"));
	buf_fini(&b);
	repeat_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_long_words),
		cmocka_unit_test(test_qp),
		cmocka_unit_test(test_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
