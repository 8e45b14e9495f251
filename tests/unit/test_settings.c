#include "tests/unit/unit.h"

#include "admin/settings.h"
#include "lib/base/utf8.h"

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

static struct settings_who
who(const char *lang)
{
	return (struct settings_who){ .account = "web100p1",
		.domain = "kunde.example",
		.address = "info@kunde.example",
		.lang = lang };
}

static bool
says(const struct buf *b, const char *text)
{
	return slice_find(buf_slice(b), slice_str(text)) != buf_len(b);
}

/* The safer door first, the real ports, closed doors left out. */
static void
both_languages(void **state)
{
	static const struct {
		const char *lang, *has[8];
	} cases[] = {
		{ "de", { "E-Mail-Einstellungen für web100p1", "10993, SSL/TLS",
			    "10143, STARTTLS", "587, STARTTLS", "kunde.example",
			    "info@kunde.example",
			    "Server erfordert Authentifizierung",
			    "IMAP oder POP3?" } },
		{ "en",
		    { "Mail settings for web100p1", "10993, SSL/TLS",
			"10143, STARTTLS", "587, STARTTLS", "kunde.example",
			"info@kunde.example", "Server requires authentication",
			"IMAP or POP3?" } },
	};

	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct settings_who w = who(cases[i].lang);
		struct buf out;

		buf_init(&out, 1 << 16);
		settings_text(*state, &w, &out);
		assert_true(utf8_valid(buf_slice(&out)));
		for (size_t k = 0; k < PH_LEN(cases[i].has); k++)
			assert_true(says(&out, cases[i].has[k]));
		assert_false(says(&out, "465"));
		assert_false(says(&out, "110"));
		assert_true(
		    slice_find(buf_slice(&out), SLICE("10993, SSL")) <
		    slice_find(buf_slice(&out), SLICE("10143, STARTTLS")));
		buf_fini(&out);
	}
}

static void
as_json(void **state)
{
	struct settings_who w = who("en");
	json_t *j = settings_json(*state, &w);
	json_t *imap = json_object_get(j, "imap"), *first;

	assert_string_equal(
	    json_string_value(json_object_get(j, "user")), "web100p1");
	assert_int_equal(json_array_size(json_object_get(imap, "ports")), 2);
	first = json_array_get(json_object_get(imap, "ports"), 0);
	assert_int_equal(
	    json_integer_value(json_object_get(first, "port")), 10993);
	assert_int_equal(json_array_size(json_object_get(
			     json_object_get(j, "pop3"), "ports")),
	    0);
	json_decref(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_languages),
		cmocka_unit_test(as_json),
	};

	return cmocka_run_group_tests(tests, load, drop);
}
