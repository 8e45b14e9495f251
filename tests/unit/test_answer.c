#include "tests/unit/unit.h"

#include <unistd.h>

#include "lib/base/file.h"
#include "webd/answer.h"

static const char conf_text[] = "hostname = \"mx.host.example\"\n"
				"lang = \"de\"\n";

struct world {
	struct conf *conf;
	struct domains domains;
	struct answer_host host;
};

static int
open_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct buf errors;
	int fd = file_sealed(
	    "domains", SLICE("kunde.example\nxn--mller-kva.example\n"));

	assert_non_null(w);
	buf_init(&errors, 4096);
	assert_int_equal(
	    conf_parse("t", slice_str(conf_text), &w->conf, &errors), 0);
	buf_fini(&errors);
	domains_init(&w->domains);
	assert_int_equal(domains_read(&w->domains, fd), 0);
	close(fd);
	w->host =
	    (struct answer_host){ .conf = w->conf, .domains = &w->domains };
	*state = w;
	return 0;
}

static int
close_world(void **state)
{
	struct world *w = *state;

	domains_fini(&w->domains);
	conf_free(&w->conf);
	free(w);
	return 0;
}

#define NONE ((struct slice){ NULL, 0 })

static const struct {
	enum answer_method method;
	const char *path, *host, *address;
	unsigned status;
	const char *has;
} cases[] = {
	{ METHOD_GET, "/mail/config-v1.1.xml", "", "a@kunde.example", 200,
	    "<username>a@kunde.example<" },
	{ METHOD_GET, "/MAIL/Config-v1.1.XML", "", "A@KUNDE.example", 200,
	    "<username>a@kunde.example<" },
	{ METHOD_GET, "/mail/config-v1.1.xml", "", "a@m\xc3\xbcller.example",
	    200, "<domain>xn--mller-kva.example<" },
	{ METHOD_GET, "/mail/config-v1.1.xml", "autoconfig.kunde.example:8080",
	    NULL, 200, "%EMAILADDRESS%" },
	{ METHOD_GET, "/mail/config-v1.1.xml", "kunde.example", NULL, 200,
	    "%EMAILADDRESS%" },
	{ METHOD_GET, "/mail/config-v1.1.xml", "other.example", NULL, 404, "" },
	{ METHOD_GET, "/mail/config-v1.1.xml", "", NULL, 400, "missing" },
	{ METHOD_GET, "/mail/config-v1.1.xml", "kunde.example", "", 400, "" },
	{ METHOD_GET, "/mail/config-v1.1.xml", "", "@kunde.example", 400, "" },
	{ METHOD_GET, "/mail/config-v1.1.xml", "", "a@other.example", 404, "" },
	{ METHOD_GET, "/mail/config-v1.1.xml", "", "a b@kunde.example", 200,
	    "a+b@" },
	{ METHOD_POST, "/mail/config-v1.1.xml", "", "a@kunde.example", 405,
	    "" },
	{ METHOD_GET, "/Autodiscover/Autodiscover.xml", "", NULL, 200,
	    ">600<" },
	{ METHOD_POST, "/autodiscover/autodiscover.xml", "", NULL, 200,
	    ">600<" },
	{ METHOD_GET, "/autodiscover/autodiscover.json/v1.0/a@kunde.example",
	    "", NULL, 200, "AutodiscoverV1" },
	{ METHOD_GET, "/autodiscover/autodiscover.json", "", "a@kunde.example",
	    200, "autodiscover.kunde.example" },
	{ METHOD_GET, "/autodiscover/autodiscover.json/v1.0/a@b.example", "",
	    NULL, 404, "UserNotFound" },
	{ METHOD_GET, "/mail.mobileconfig", "", "a@kunde.example", 200,
	    "com.apple.mail.managed" },
	{ METHOD_GET, "/mail.mobileconfig", "", NULL, 400, "" },
	{ METHOD_GET, "/", "", NULL, 200, "<form" },
	{ METHOD_GET, "/settings", "", "a@kunde.example", 200, "993" },
	{ METHOD_GET, "/settings", "", "a@other.example", 404, "alert" },
	{ METHOD_GET, "/settings", "", "<script>", 404, "alert" },
	{ METHOD_OTHER, "/settings", "", NULL, 405, "" },
	{ METHOD_GET, "/settings/", "", NULL, 404, "" },
	{ METHOD_GET, "", "", NULL, 404, "" },
};

static void
requests(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct ask a = { .method = cases[i].method,
			.path = slice_str(cases[i].path),
			.host = slice_str(cases[i].host),
			.address = cases[i].address != NULL
				       ? slice_str(cases[i].address)
				       : NONE,
			.lang = NONE,
			.accept_language = NONE,
			.body = SLICE("") };
		struct answer an;

		answer_make(&w->host, &a, &an);
		assert_int_equal(an.status, cases[i].status);
		assert_true(slice_find(buf_slice(&an.body),
				slice_str(cases[i].has)) != buf_len(&an.body) ||
			    cases[i].has[0] == '\0');
		assert_true(slice_find(buf_slice(&an.body), SLICE("<script")) ==
			    buf_len(&an.body));
		assert_true((an.status == 405) == (an.allow != NULL));
		buf_fini(&an.body);
	}
}

static void
languages(void **state)
{
	static const struct {
		const char *query, *accept, *want;
	} langs[] = {
		{ "", "", "de" },
		{ "en", "de", "en" },
		{ "", "en-US,en;q=0.9,de;q=0.8", "en" },
		{ "", "fr, de-AT", "de" },
		{ "", "fr,EN", "en" },
		{ "xx", "fr", "de" },
		{ "", ",;,,e,", "de" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < PH_LEN(langs); i++) {
		struct ask a = { .method = METHOD_GET,
			.path = SLICE("/"),
			.lang = slice_str(langs[i].query),
			.accept_language = slice_str(langs[i].accept) };
		struct answer an;

		answer_make(&w->host, &a, &an);
		assert_string_equal(an.lang, langs[i].want);
		buf_fini(&an.body);
	}
}

/* Nothing is told before the domains have come. */
static void
early(void **state)
{
	struct world *w = *state;
	struct domains none;
	struct answer_host host = w->host;
	struct ask a = { .method = METHOD_GET, .path = SLICE("/") };
	struct answer an;

	domains_init(&none);
	host.domains = &none;
	answer_make(&host, &a, &an);
	assert_int_equal(an.status, 503);
	buf_fini(&an.body);
	domains_fini(&none);
}

static void
bodies(void **state)
{
	(void)state;
	assert_int_equal(answer_body_max(SLICE("/settings")), 0);
	assert_int_equal(answer_body_max(SLICE("/nothing")), 0);
	assert_int_equal(
	    answer_body_max(SLICE("/AutoDiscover/AutoDiscover.xml")),
	    ANSWER_BODY_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(languages),
		cmocka_unit_test(early),
		cmocka_unit_test(bodies),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
