#include "lib/base/ph.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

struct outer {
	int a;
	int b;
};

static void
macros(void **state)
{
	struct outer o;
	int five[5];

	(void)state;
	assert_ptr_equal(PH_CONTAINER(&o.b, struct outer, b), &o);
	assert_int_equal(PH_LEN(five), 5);
	ph_assert(1 + 1 == 2);
}

/* Says where, and stops. */
static void
fails(void **state)
{
	char said[200];
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		struct rlimit none = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGABRT, SIG_DFL);
		(void)dup2(fds[1], STDERR_FILENO);
		ph_assert(fds[0] == -1);
		_exit(0);
	}
	close(fds[1]);
	n = read(fds[0], said, sizeof(said) - 1);
	close(fds[0]);
	assert_true(n > 0);
	said[n] = '\0';
	assert_non_null(strstr(said, "test_ph.c:"));
	assert_non_null(strstr(said, "assertion failed: fds[0] == -1\n"));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macros),
		cmocka_unit_test(fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
