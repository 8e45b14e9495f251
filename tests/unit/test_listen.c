#include "tests/unit/unit.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/listen.h"
#include "lib/base/mem.h"

static const struct {
	const char *in, *host, *port;
} cases[] = {
	{ "127.0.0.1:143", "127.0.0.1", "143" },
	{ "*:25", "", "25" },
	{ "[::1]:993", "::1", "993" },
	{ "[::]:993", "::", "993" },
	{ "mail.example:587", "mail.example", "587" },
	{ "127.0.0.1", NULL, NULL },
	{ ":143", NULL, NULL },
	{ "[]:143", "[]", "143" }, /* getaddrinfo() refuses it */
	{ "h:65536", NULL, NULL },
	{ "h:", NULL, NULL },
	{ "h:x", NULL, NULL },
	{ "", NULL, NULL },
};

static void
addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		char host[256], port[8];

		if (cases[i].host == NULL) {
			assert_false(listen_split(cases[i].in, host, port));
			continue;
		}
		assert_true(listen_split(cases[i].in, host, port));
		assert_string_equal(host, cases[i].host);
		assert_string_equal(port, cases[i].port);
	}
}

/* A port nobody has, and the socket that keeps it (not listening). */
static unsigned
some_port(int *fd_out)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	*fd_out = fd;
	return ntohs(sa.sin_port);
}

static struct conf *
conf_for(const char *dir, unsigned port)
{
	char *text = xasprintf("run-dir = \"%s\"\nlisten-imap = {}\n"
			       "listen-pop3 = {}\nlisten-pop3s = {}\n"
			       "listen-submission = {}\nlisten-smtp = {}\n"
			       "listen-submissions = {}\n"
			       "listen-imaps = {\"127.0.0.1:%u\"}\n",
	    dir, port);
	struct conf *conf = NULL;
	struct buf errors;

	buf_init(&errors, 4096);
	assert_int_equal(conf_parse("t", slice_str(text), &conf, &errors), 0);
	buf_fini(&errors);
	free(text);
	return conf;
}

static void
twins_and_refusal(void **state)
{
	char dir[] = "/tmp/posthof-listen-XXXXXX";
	struct user user = { .drop = false };
	struct listen_set set, other;
	struct err e = { 0 };
	struct conf *conf;
	int keep;
	unsigned port = some_port(&keep);

	(void)state;
	assert_non_null(mkdtemp(dir));
	conf = conf_for(dir, port);
	/* Somebody has it: refused, and the text names the port. */
	assert_int_equal(listen(keep, 1), 0);
	assert_int_equal(listen_open(&set, conf, 3, &user, &e), ERR_BUSY);
	assert_true(slice_find(slice_str(e.text), SLICE("is in use")) <
		    slice_str(e.text).n);
	listen_close(&set);
	close(keep);
	/* Now it is free: three twins, and three of the LMTP socket. */
	assert_int_equal(listen_open(&set, conf, 3, &user, &e), 0);
	assert_int_equal(set.n, 6);
	for (size_t i = 0; i < set.n; i++)
		assert_string_equal(set.v[i].door, i < 3 ? "imaps" : "lmtp");
	/* A second host of ours does not share the port. */
	assert_int_equal(listen_open(&other, conf, 3, &user, &e), ERR_BUSY);
	listen_close(&other);
	listen_close(&set);
	conf_free(&conf);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(twins_and_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
