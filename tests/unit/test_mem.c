#include "lib/base/mem.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void
blocks(void **state)
{
	char *p = xmalloc(0), *z = xcalloc(3, 5), *s;

	(void)state;
	assert_non_null(p);
	p = xrealloc(p, 10);
	memset(p, 'x', 10);
	p = xrealloc(p, 0);
	free(p);
	for (int i = 0; i < 15; i++)
		assert_int_equal(z[i], 0);
	free(z);
	free(xcalloc(0, 0));
	s = xstrdup("abc");
	assert_string_equal(s, "abc");
	free(s);
	s = xmemdup0("a\0b", 3);
	assert_memory_equal(s, "a\0b", 4);
	free(s);
	s = xmemdup0(NULL, 0);
	assert_string_equal(s, "");
	free(s);
	s = xasprintf("%d-%s", 7, "x");
	assert_string_equal(s, "7-x");
	free(s);
}

static void
growing(void **state)
{
	uint32_t *v = NULL;
	size_t cap = 0;

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		v = mem_grow(v, &cap, i, sizeof(*v));
		assert_true(cap > i);
		v[i] = (uint32_t)i;
	}
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(v[i], i);
	free(v);
}

static void
wiping(void **state)
{
	char secret[] = "password";

	(void)state;
	mem_wipe(secret + 1, 3);
	assert_memory_equal(secret, "p\0\0\0word", 9);
	mem_wipe(NULL, 0);
}

/* No memory: the process ends with a word, it does not go on with NULL. */
static void
out_of_memory(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct rlimit none = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &none);
		close(STDERR_FILENO);
		free(xcalloc(SIZE_MAX / 4, 8));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks),
		cmocka_unit_test(growing),
		cmocka_unit_test(wiping),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
