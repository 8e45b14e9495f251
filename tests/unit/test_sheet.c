#include "tests/unit/unit.h"

#include "lib/base/utf8.h"
#include "lib/setup/page.h"
#include "lib/setup/sheet.h"

static const char conf_text[] =
    "listen-imap = {\"127.0.0.1:10143\"}\n"
    "listen-imaps = {\"[::1]:10993\", \"127.0.0.1:10994\"}\n"
    "listen-pop3 = {}\nlisten-pop3s = {}\n"
    "listen-submission = {\"*:587\"}\nlisten-submissions = {}\n";

static int
load(void **state)
{
	struct conf *conf = NULL;
	struct buf errors;
	int rc;

	buf_init(&errors, 4096);
	rc = conf_parse("t", slice_str(conf_text), &conf, &errors);
	buf_fini(&errors);
	*state = conf;
	return rc;
}

static int
drop(void **state)
{
	struct conf *conf = *state;

	conf_free(&conf);
	return 0;
}

static struct setup
who(const struct conf *conf, const char *lang)
{
	struct setup s;

	setup_init(&s, conf);
	s.account = s.login = "web100p1";
	s.server = "kunde.example";
	s.address = "info@kunde.example";
	s.lang = lang;
	return s;
}

static bool
says(const struct buf *b, const char *text)
{
	return slice_find(buf_slice(b), slice_str(text)) != buf_len(b);
}

static const struct {
	const char *lang, *has[9];
} cases[] = {
	{ "de", { "E-Mail-Einstellungen", "web100p1", "10993", "10143",
		    "STARTTLS", "kunde.example", "info@kunde.example",
		    "Server erfordert Authentifizierung", "IMAP oder POP3?" } },
	{ "en", { "Mail settings", "web100p1", "10993", "10143", "STARTTLS",
		    "kunde.example", "info@kunde.example",
		    "Server requires authentication", "IMAP or POP3?" } },
};

/* The safer door first, the real ports, closed doors left out. */
static void
both_languages(void **state)
{
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct setup s = who(*state, cases[i].lang);
		struct buf out;

		buf_init(&out, 1 << 16);
		sheet_write(&s, &out);
		assert_true(utf8_valid(buf_slice(&out)));
		for (size_t k = 0; k < PH_LEN(cases[i].has); k++)
			assert_true(says(&out, cases[i].has[k]));
		assert_true(says(&out, "10993, SSL/TLS"));
		assert_false(says(&out, "465"));
		assert_false(says(&out, "110"));
		assert_true(
		    slice_find(buf_slice(&out), SLICE("10993, SSL")) <
		    slice_find(buf_slice(&out), SLICE("10143, STARTTLS")));
		buf_fini(&out);
	}
}

/* No line is longer than a terminal is wide; umlauts count once. */
static void
narrow(void **state)
{
	struct setup s = who(*state, "de");
	struct slice rest, line;
	struct buf out;

	buf_init(&out, 1 << 16);
	sheet_write(&s, &out);
	rest = buf_slice(&out);
	while (slice_split(&rest, '\n', &line)) {
		size_t n = 0;

		for (size_t i = 0; i < line.n; i++)
			n += ((unsigned char)line.p[i] & 0xc0) != 0x80;
		assert_true(n <= 78);
	}
	buf_fini(&out);
}

static void
as_page(void **state)
{
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct setup s = who(*state, cases[i].lang);
		struct buf out;

		buf_init(&out, 1 << 17);
		page_write(&s, PAGE_FILE, &out);
		assert_true(utf8_valid(buf_slice(&out)));
		for (size_t k = 0; k < PH_LEN(cases[i].has); k++)
			assert_true(says(&out, cases[i].has[k]));
		assert_false(says(&out, "<form"));
		assert_false(says(&out, "http"));
		assert_false(says(&out, "<script"));
		buf_clear(&out);
		s.account = "";
		s.login = s.address = "\"><script>@kunde.example";
		page_write(&s, PAGE_WEB, &out);
		assert_true(says(&out, "<form"));
		assert_false(says(&out, "<script"));
		assert_true(says(&out, "%22%3E%3Cscript%3E@kunde.example"));
		buf_fini(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_languages),
		cmocka_unit_test(narrow),
		cmocka_unit_test(as_page),
	};

	return cmocka_run_group_tests(tests, load, drop);
}
