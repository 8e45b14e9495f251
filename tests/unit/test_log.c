#include "lib/base/log.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct capture {
	int pipe[2];
	int stderr_was;
	char line[8192];
};

static void
begin(struct capture *c)
{
	assert_int_equal(pipe2(c->pipe, O_CLOEXEC | O_NONBLOCK), 0);
	c->stderr_was = dup(STDERR_FILENO);
	assert_true(c->stderr_was >= 0);
	assert_true(dup2(c->pipe[1], STDERR_FILENO) >= 0);
}

static const char *
end(struct capture *c)
{
	ssize_t n = read(c->pipe[0], c->line, sizeof(c->line) - 1);

	(void)dup2(c->stderr_was, STDERR_FILENO);
	close(c->stderr_was);
	close(c->pipe[0]);
	close(c->pipe[1]);
	c->line[n > 0 ? n : 0] = '\0';
	return c->line;
}

static void
line(void **state)
{
	struct capture c;
	const char *s;

	(void)state;
	log_init("imapd", LOG_INFO);
	begin(&c);
	log_info("c12", "login", "account=%s n=%d", "web1p1", 5);
	s = end(&c);
	/* 2024-01-02T03:04:05.678Z */
	assert_int_equal(s[10], 'T');
	assert_int_equal(s[23], 'Z');
	assert_string_equal(
	    s + 24, " info imapd c12 login account=web1p1 n=5\n");
	begin(&c);
	log_error(NULL, "start", "%s", "");
	assert_string_equal(end(&c) + 24, " error imapd start \n");
}

static void
levels(void **state)
{
	struct capture c;

	(void)state;
	log_init("x", LOG_WARN);
	assert_true(log_wants(LOG_ERROR));
	assert_true(log_wants(LOG_WARN));
	assert_false(log_wants(LOG_INFO));
	begin(&c);
	log_info(NULL, "no", "%s", "no");
	log_debug(NULL, "no", "%s", "no");
	assert_string_equal(end(&c), "");
	log_init("x", LOG_DEBUG);
	assert_true(log_wants(LOG_DEBUG));
}

/* One event is one line, however long, whatever is in it. */
static void
one_line(void **state)
{
	static char big[5000], id[3000];
	struct capture c;
	const char *s;

	(void)state;
	log_init("x", LOG_INFO);
	begin(&c);
	log_info("a\nb", "ev", "%s", "one\r\ntwo\x1b[0m");
	s = end(&c);
	assert_non_null(strstr(s, "one??two?[0m\n"));
	assert_non_null(strstr(s, "a?b"));
	assert_ptr_equal(strchr(s, '\n'), s + strlen(s) - 1);
	memset(big, 'x', sizeof(big) - 1);
	memset(id, 'i', sizeof(id) - 1);
	for (int with_id = 0; with_id < 2; with_id++) {
		begin(&c);
		log_info(with_id ? id : NULL, "ev", "%s", big);
		s = end(&c);
		assert_true(strlen(s) <= 2048);
		assert_true(strlen(s) > 2000);
		assert_ptr_equal(strchr(s, '\n'), s + strlen(s) - 1);
	}
}

static void
quoting(void **state)
{
	char big[300], all[256];
	const char *first, *s;

	(void)state;
	assert_string_equal(log_q(SLICE("")), "\"\"");
	assert_string_equal(log_q(slice_of(NULL, 0)), "\"\"");
	assert_string_equal(log_q(SLICE("a b")), "\"a b\"");
	assert_string_equal(log_q(SLICE("a\"\\\r\n\0\x7f\xff")),
	    "\"a\\x22\\x5c\\x0d\\x0a\\x00\\x7f\\xff\"");
	memset(big, '\xff', sizeof(big));
	s = log_q(slice_of(big, sizeof(big)));
	assert_int_equal(strlen(s), 200 * 4 + 5);
	assert_string_equal(s + 1 + 200 * 4, "...\"");
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	for (s = log_q(slice_of(all, 256)); *s != '\0'; s++)
		assert_in_range(*s, 0x20, 0x7e);
	/* Four more calls leave the first alone. */
	first = log_q(SLICE("first"));
	for (int i = 0; i < 4; i++)
		(void)log_q(SLICE("next"));
	assert_string_equal(first, "\"first\"");
}

static void
to_text(void *arg, struct slice line)
{
	assert_true(slice_copy(line, arg, 200));
}

static void
teed(void **state)
{
	struct capture c;
	char seen[200] = "";

	(void)state;
	log_init("submitd", LOG_ERROR);
	log_tee(to_text, seen);
	begin(&c);
	log_mail("Q1", "accept", "from=%s", "\n");
	assert_string_equal(seen + 24, " info submitd Q1 accept from=?\n");
	log_trail("Q2", "deliver", "accounts=%d", 5);
	assert_string_equal(seen + 24, " info submitd Q2 deliver accounts=5\n");
	assert_string_equal(end(&c), "");
	log_init("submitd", LOG_INFO);
	begin(&c);
	log_trail("Q2", "deliver", "accounts=%d", 5);
	log_info("s1", "close", "in=%d", 7);
	log_mail("Q3", "accept", "from=%d", 6);
	assert_string_equal(seen + 24, " info submitd Q3 accept from=6\n");
	log_tee(NULL, NULL);
	log_trail("Q4", "deliver", "accounts=%d", 5);
	assert_non_null(strstr(end(&c), "Q3 accept from=6\n"));
	assert_non_null(strstr(c.line, "s1 close in=7\n"));
	assert_null(strstr(c.line, "deliver"));
	assert_string_equal(seen + 24, " info submitd Q3 accept from=6\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line),
		cmocka_unit_test(levels),
		cmocka_unit_test(one_line),
		cmocka_unit_test(quoting),
		cmocka_unit_test(teed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
