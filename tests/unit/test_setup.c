#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/setup/setup.h"
#include "lib/setup/srv.h"

static struct conf *
conf_of(const char *text)
{
	struct conf *conf = NULL;
	struct buf errors;

	buf_init(&errors, 4096);
	assert_int_equal(conf_parse("t", slice_str(text), &conf, &errors), 0);
	buf_fini(&errors);
	return conf;
}

static void
server_names(void **state)
{
	static const struct {
		const char *option, *want;
	} cases[] = {
		{ "%d", "kunde.example" },
		{ "mail.%d", "mail.kunde.example" },
		{ "mx.host.example", "mx.host.example" },
		{ "%d.mail.%d", "kunde.example.mail.kunde.example" },
	};
	char out[SETUP_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		char text[100];
		struct conf *conf;

		(void)snprintf(text, sizeof(text), "settings-server = \"%s\"\n",
		    cases[i].option);
		conf = conf_of(text);
		assert_true(
		    setup_server(conf, slice_str("kunde.example"), out));
		assert_string_equal(out, cases[i].want);
		conf_free(&conf);
	}
}

static void
too_long(void **state)
{
	struct conf *conf = conf_of("settings-server = \"%d%d%d%d%d\"\n");
	char out[SETUP_NAME_MAX + 1], domain[100];

	(void)state;
	memset(domain, 'a', sizeof(domain));
	assert_false(setup_server(conf, slice_of(domain, sizeof(domain)), out));
	conf_free(&conf);
}

static void
ports(void **state)
{
	struct conf *conf = conf_of("listen-imaps = {\"[::1]:1993\"}\n"
				    "listen-imap = {}\n");
	struct setup s;

	(void)state;
	assert_int_equal(setup_port(conf, "imaps"), 1993);
	assert_int_equal(setup_port(conf, "imap"), 0);
	assert_int_equal(setup_port(conf, "pop3s"), 995);
	assert_int_equal(setup_port(conf, "nosuch"), 0);
	setup_init(&s, conf);
	assert_int_equal(s.services[SETUP_IMAP].ndoors, 1);
	assert_int_equal(s.services[SETUP_POP3].ndoors, 2);
	assert_int_equal(s.services[SETUP_POP3].doors[0].port, 995);
	assert_true(s.services[SETUP_POP3].doors[1].starttls);
	conf_free(&conf);
}

static void
escaping(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "a<b>&\"c'", "a&lt;b&gt;&amp;&quot;c&#39;" },
		{ "gr\xc3\xbcn", "gr\xc3\xbcn" },
		{ "\x01\n\x7f", "???" },
		{ "\xff\xc3", "??" },
		{ "\xef\xbf\xbf", "?" },
	};
	struct buf out;

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		buf_init(&out, 4096);
		setup_escape(&out, slice_str(cases[i].in));
		assert_true(
		    slice_eq(buf_slice(&out), slice_str(cases[i].want)));
		buf_fini(&out);
	}
}

/* RFC 6186 3.4: what is closed has the target ".". */
static void
zone(void **state)
{
	struct conf *conf = conf_of("listen-pop3 = {}\nhostname = \"h.ex\"\n"
				    "listen-http = {\"127.0.0.1:8080\"}\n");
	static const char *const want[] = {
		"_imaps._tcp.k.ex. IN SRV 0 1 993 k.ex.\n",
		"_pop3._tcp.k.ex. IN SRV 0 0 0 .\n",
		"_submissions._tcp.k.ex. IN SRV 0 1 465 k.ex.\n",
		"autoconfig.k.ex. IN CNAME h.ex.\n",
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	srv_write(conf, "k.ex", "k.ex", &out);
	for (size_t i = 0; i < PH_LEN(want); i++)
		assert_true(slice_find(buf_slice(&out), slice_str(want[i])) !=
			    buf_len(&out));
	buf_fini(&out);
	conf_free(&conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_names),
		cmocka_unit_test(too_long),
		cmocka_unit_test(ports),
		cmocka_unit_test(escaping),
		cmocka_unit_test(zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
