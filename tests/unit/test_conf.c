#include "lib/base/conf.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"

/* Parses text; the errors as one string the caller frees. */
static char *
parse(const char *text, struct conf **conf_out)
{
	struct buf errors;
	char *said;
	int rc;

	buf_init(&errors, 1 << 16);
	rc = conf_parse("f", slice_str(text), conf_out, &errors);
	assert_int_equal(rc, buf_len(&errors) != 0 ? ERR_INVALID : 0);
	assert_int_equal(rc == 0, *conf_out != NULL);
	said = buf_take_str(&errors);
	return said;
}

static struct conf *
good(const char *text)
{
	struct conf *c;
	char *said = parse(text, &c);

	assert_string_equal(said, "");
	free(said);
	return c;
}

static void
defaults(void **state)
{
	struct conf *c = good("");

	(void)state;
	assert_string_equal(c->state_dir, "/var/lib/posthof");
	assert_string_equal(c->hostname, "");
	assert_int_equal(c->listen_imap.n, 1);
	assert_string_equal(c->listen_imap.v[0], "*:143");
	assert_int_equal(c->listen_lmtp.n, 0);
	assert_int_equal(c->message_max, 50 << 20);
	assert_int_equal(c->imap_timeout, 30 * 60 * 1000);
	assert_int_equal(c->store_workers, 4);
	assert_false(c->plaintext_without_tls);
	assert_true(c->relay_ipv6);
	conf_free(&c);
	assert_null(c);
	conf_free(&c);
}

static void
values(void **state)
{
	struct conf *c = good("config-version = 1\n"
			      "line-max = 64K\n"
			      "message-max = \"1G\"   # as text too\n"
			      "auth-fail-delay = 250ms\n"
			      "login-timeout = \"2m\" // more\n"
			      "store-workers = 9 /* a\nb */ loops = \"3\"\n"
			      "relay-ipv6 = no\n"
			      "plaintext-without-tls = \"true\"\n"
			      "state-dir = /srv/a//b\n"
			      "run-dir = 'C'\n"
			      "lang = en\n"
			      "hostname = \"a # b \\\" c\"\n"
			      "listen-imap = {\"*:1143\", \"[::1]:0\",\n"
			      "  # one more\n"
			      "  localhost:65535}\n"
			      "listen-smtp = {}\n"
			      "listen-pop3 = \"127.0.0.1:110\"\n"
			      "listen-pop3s += {\"[::1]:1995\"}\n");

	(void)state;
	assert_int_equal(c->line_max, 65536);
	assert_int_equal(c->message_max, 1 << 30);
	assert_int_equal(c->auth_fail_delay, 250);
	assert_int_equal(c->login_timeout, 120000);
	assert_int_equal(c->store_workers, 9);
	assert_int_equal(c->loops, 3);
	assert_false(c->relay_ipv6);
	assert_true(c->plaintext_without_tls);
	assert_string_equal(c->state_dir, "/srv/a//b");
	assert_string_equal(c->run_dir, "C");
	assert_string_equal(c->lang, "en");
	assert_string_equal(c->hostname, "a # b \" c");
	assert_int_equal(c->listen_imap.n, 3);
	assert_string_equal(c->listen_imap.v[0], "*:1143");
	assert_string_equal(c->listen_imap.v[2], "localhost:65535");
	assert_int_equal(c->listen_smtp.n, 0);
	assert_int_equal(c->listen_pop3.n, 1);
	assert_int_equal(c->listen_pop3s.n, 2);
	assert_string_equal(c->listen_pop3s.v[0], "*:995");
	conf_free(&c);
}

static void
last_one_counts(void **state)
{
	struct conf *c = good("lang = de\nlisten-imap = {\"a:1\", \"b:2\"}\n"
			      "lang = en\nlisten-imap = {\"c:3\"}\n");

	(void)state;
	assert_string_equal(c->lang, "en");
	assert_int_equal(c->listen_imap.n, 1);
	assert_string_equal(c->listen_imap.v[0], "c:3");
	conf_free(&c);
	/* a list of texts holds anything */
	c = good("imap-withhold = {\"XLIST\", \" Old*: IDLE MOVE\"}\n");
	assert_int_equal(c->imap_withhold.n, 2);
	assert_string_equal(c->imap_withhold.v[1], "Old*: IDLE MOVE");
	conf_free(&c);
}

/* One mistake each: what must be said, with its line. */
static const struct {
	const char *in, *want;
} mistakes[] = {
	{ "\n\nline-max = 1M\n",
	    "f:3: line-max: must be 512 to 64K, not 1M\n" },
	{ "line-max = 511", "f:1: line-max: must be 512 to 64K, not 511\n" },
	{ "line-max = x", "f:1: line-max: not a size: x\n" },
	{ "loops = -1", "f:1: loops: not a number: -1\n" },
	{ "loops = 99999999999999999999",
	    "f:1: loops: not a number: 99999999999999999999\n" },
	{ "loops = \"\"", "f:1: loops: not a number: \n" },
	{ "login-timeout = 0.5s", "f:1: login-timeout: not a time: 0.5s\n" },
	{ "pop3-timeout = 9m",
	    "f:1: pop3-timeout: must be 10m to 1d, not 9m\n" },
	{ "relay-ipv6 = 1", "f:1: relay-ipv6: must be true or false\n" },
	{ "lang = fr", "f:1: lang: must be one of: de en\n" },
	{ "log-level = loud",
	    "f:1: log-level: must be one of: error warn info debug\n" },
	{ "user = ''", "f:1: user: must have 1 to 64 characters\n" },
	{ "listen-imap = {\"143\"}",
	    "f:1: listen-imap: an address is \"HOST:PORT\", \"[IPV6]:PORT\" or "
	    "\"*:PORT\", in quotes\n" },
	{ "config-version = 2",
	    "f:1: config-version: must be 1 to 1, not 2\n" },
	{ "# a\n// b\n/* c\nd */\nfoo = 1\n", "f:5: no such option 'foo'\n" },
	{ "foo", "f:1: no such option 'foo'\n" },
	{ "lang de", "f:1: missing equal sign after option 'lang'\n" },
	{ "lang =", "f:1: premature end of file\n" },
	{ "\nuser = \"x\nlang = de\n", "f:2: a quote is not closed\n" },
	{ "user = 'x", "f:1: a quote is not closed\n" },
};

static void
one_mistake(void **state)
{
	struct conf *c;

	(void)state;
	for (size_t i = 0; i < PH_LEN(mistakes); i++) {
		char *said = parse(mistakes[i].in, &c);

		if (strncmp(said, mistakes[i].want, strlen(mistakes[i].want)) !=
		    0)
			print_error("case %zu: %s", i, said);
		assert_int_equal(0,
		    strncmp(said, mistakes[i].want, strlen(mistakes[i].want)));
		free(said);
	}
}

/* Every mistake of the file is told in one go. */
static void
all_mistakes(void **state)
{
	struct conf *c;
	char *said = parse("line-max = 1\n"
			   "fuu = 3\n"
			   "lang = \"de\n"
			   "listen-imap = {\"a:1\",\n"
			   "  \"nonsense\",\n"
			   "  \"b:2\"}\n"
			   "}\n"
			   "loops = 65\n"
			   "bar = {1, 2}\n"
			   "user = x y\n"
			   "lang = xx\n",
	    &c);
	static const char *const lines[] = { "f:1: line-max",
		"f:2: ", "f:3: ", "f:5: listen-imap", "f:7: ", "f:8: loops",
		"f:9: ", "f:10: ", "f:11: lang" };

	(void)state;
	for (size_t i = 0; i < PH_LEN(lines); i++) {
		if (strstr(said, lines[i]) == NULL)
			print_error("%s is not in\n%s", lines[i], said);
		assert_non_null(strstr(said, lines[i]));
	}
	free(said);
}

static void
nul_byte(void **state)
{
	struct conf *c;
	struct buf errors;

	(void)state;
	buf_init(&errors, 100);
	assert_int_equal(
	    conf_parse("f", SLICE("lang = \0de"), &c, &errors), ERR_INVALID);
	assert_null(c);
	buf_fini(&errors);
}

/* Uncommented, the sample is a good file and means the defaults. */
static void
sample_is_good(void **state)
{
	struct buf sample, bare;
	struct slice rest, line;
	struct conf *c;
	char *text;
	size_t n = 0;

	(void)state;
	buf_init(&sample, 1 << 20);
	buf_init(&bare, 1 << 20);
	conf_sample(&sample);
	rest = buf_slice(&sample);
	assert_int_equal(rest.p[rest.n - 1], '\n');
	while (slice_split(&rest, '\n', &line)) {
		assert_true(line.n <= 80);
		if (line.n > 1 && line.p[0] == '#' && line.p[1] != ' ' &&
		    line.p[1] != '#') {
			line = slice_from(line, 1);
			n++;
		}
		buf_add_slice(&bare, line);
		buf_add_char(&bare, '\n');
	}
	assert_true(n > 50);
	text = buf_take_str(&bare);
	c = good(text);
	assert_int_equal(c->listen_submissions.n, 1);
	assert_int_equal(c->queue_expire, UINT64_C(5) * 86400000);
	conf_free(&c);
	free(text);
	text = buf_take_str(&sample);
	c = good(text);
	conf_free(&c);
	free(text);
}

/* Any prefix and any changed byte of a file: an answer, never a crash. */
static void
hostile(void **state)
{
	static const char text[] = "lang = \"de\" # x\nlisten-imap = "
				   "{\"a:1\", 'b:2'}\n/* c */ line-max = 4K\n";
	static const char evil[] = "\"'#{}=+,()\\/*\n\001\xff$";
	struct conf *c;
	char *copy;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		copy = slice_dup(slice_of(text, n));
		free(parse(copy, &c));
		conf_free(&c);
		free(copy);
	}
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		for (size_t j = 0; j < sizeof(evil) - 1; j++) {
			copy = slice_dup(SLICE(text));
			copy[i] = evil[j];
			free(parse(copy, &c));
			conf_free(&c);
			free(copy);
		}
}

static void
from_file(void **state)
{
	char path[] = "/tmp/test_conf.XXXXXX";
	struct conf *c;
	struct buf errors;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, "lang = en\n", 10), 0);
	close(fd);
	buf_init(&errors, 1000);
	assert_int_equal(conf_load(path, &c, &errors), 0);
	assert_string_equal(c->lang, "en");
	conf_free(&c);
	unlink(path);
	assert_int_equal(conf_load(path, &c, &errors), ERR_NOTFOUND);
	assert_null(c);
	assert_true(slice_starts(buf_slice(&errors), slice_str(path)));
	buf_fini(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(values),
		cmocka_unit_test(last_one_counts),
		cmocka_unit_test(one_mistake),
		cmocka_unit_test(all_mistakes),
		cmocka_unit_test(nul_byte),
		cmocka_unit_test(sample_is_good),
		cmocka_unit_test(hostile),
		cmocka_unit_test(from_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
