#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/listen.h"
#include "admin/quickstart.h"
#include "lib/base/conf.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

enum { TEXT_MAX = 64 << 10 };

static void
the_configuration_is_good(void **state)
{
	struct quickstart q = { .dir = (char *)"/srv/h",
		.domain = "kunde.example",
		.user = "nobody",
		.port_offset = 20000,
		.v6 = true };
	struct conf *conf = NULL;
	struct buf text, errors;

	(void)state;
	buf_init(&text, TEXT_MAX);
	buf_init(&errors, TEXT_MAX);
	quickstart_conf(&q, &text);
	assert_int_equal(conf_parse("t", buf_slice(&text), &conf, &errors), 0);
	assert_string_equal(conf->hostname, "mail.kunde.example");
	assert_string_equal(conf->state_dir, "state");
	assert_string_equal(conf->user, "nobody");
	assert_int_equal(conf->listen_imaps.n, 2);
	assert_string_equal(conf->listen_imaps.v[0], "127.0.0.1:20993");
	assert_string_equal(conf->listen_imaps.v[1], "[::1]:20993");
	assert_string_equal(conf->listen_smtp.v[0], "127.0.0.1:20025");
	conf_free(&conf);
	buf_fini(&text);
	buf_fini(&errors);
}

static char *
whole(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct buf b;

	buf_init(&b, TEXT_MAX);
	assert_int_equal(file_read(path, &b, NULL), 0);
	free(path);
	return buf_take_str(&b);
}

static void
erase(const char *dir)
{
	static const char *const names[] = { "tls/ca.pem", "tls/ca.key",
		"tls/cert.pem", "tls/key.pem", "posthof.conf" };
	char *path;

	for (size_t i = 0; i < PH_LEN(names); i++) {
		path = xasprintf("%s/%s", dir, names[i]);
		assert_int_equal(unlink(path), 0);
		free(path);
	}
	path = xasprintf("%s/tls", dir);
	assert_int_equal(rmdir(path), 0);
	free(path);
	assert_int_equal(rmdir(dir), 0);
}

/* The second time everything stays; another domain needs a certificate from
 * the same CA. */
static void
again(void **state)
{
	char dir[] = "/tmp/posthof-quickstart-XXXXXX";
	struct quickstart q = { .domain = "a.example", .user = "" };
	char *ca, *cert, *conf, *now;
	struct stat st;

	(void)state;
	q.dir = mkdtemp(dir);
	assert_non_null(q.dir);
	assert_int_equal(quickstart_files(&q, NULL), 0);
	ca = whole(dir, "tls/ca.pem");
	cert = whole(dir, "tls/cert.pem");
	conf = whole(dir, "posthof.conf");
	assert_int_equal(quickstart_files(&q, NULL), 0);
	now = whole(dir, "tls/cert.pem");
	assert_string_equal(now, cert);
	free(now);
	q.domain = "b.example";
	assert_int_equal(quickstart_files(&q, NULL), 0);
	now = whole(dir, "tls/cert.pem");
	assert_string_not_equal(now, cert);
	free(now);
	now = whole(dir, "tls/ca.pem");
	assert_string_equal(now, ca);
	free(now);
	now = whole(dir, "posthof.conf");
	assert_string_equal(now, conf);
	free(now);
	now = xasprintf("%s/tls/ca.key", dir);
	assert_int_equal(stat(now, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	free(now);
	free(ca);
	free(cert);
	free(conf);
	erase(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_configuration_is_good),
		cmocka_unit_test(again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
