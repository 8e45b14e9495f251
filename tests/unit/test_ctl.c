#include "tests/unit/unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/ctl.h"

/* The keeper's side: answers with what it got. */
static void *
keeper(void *arg)
{
	int fd = *(int *)arg;
	struct ctl_request r;
	const char status = CMD_REFUSED;

	if (ctl_read(fd, &r) == 0) {
		for (size_t i = 0; i < r.nwords; i++)
			(void)!ctl_send(fd, 'O', slice_str(r.words[i]));
		(void)!ctl_send(fd, 'E', buf_slice(&r.input));
		(void)!ctl_send(fd, 'X', slice_of(&status, 1));
	}
	ctl_request_fini(&r);
	close(fd);
	return NULL;
}

static void
collect(void *arg, enum out_stream stream, struct slice bytes)
{
	struct buf *to = arg;

	buf_add_slice(&to[stream == OUT_STDERR], bytes);
}

static void
there_and_back(void **state)
{
	static const char *const words[] = { "account", "", "web1p1" };
	struct slice input;
	struct buf got[2];
	pthread_t thread;
	char *big = malloc(300000);
	int sv[2], status = 0;

	(void)state;
	memset(big, 'x', 300000);
	input = slice_of(big, 300000);
	buf_init(&got[0], 1 << 20);
	buf_init(&got[1], 1 << 20);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(pthread_create(&thread, NULL, keeper, &sv[1]), 0);
	assert_int_equal(ctl_ask(sv[0], PH_LEN(words), words, input, collect,
			     got, &status, NULL),
	    0);
	pthread_join(thread, NULL);
	close(sv[0]);
	assert_int_equal(status, CMD_REFUSED);
	assert_slice(buf_slice(&got[0]), "accountweb1p1");
	assert_true(slice_eq(buf_slice(&got[1]), input));
	buf_fini(&got[0]);
	buf_fini(&got[1]);
	free(big);
}

/* Bytes no client of ours sends: refused, nothing leaks, nothing hangs. */
static void
bad_requests(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		int want;
	} cases[] = {
		{ "", 0, ERR_CLOSED },
		{ "A", 1, ERR_CLOSED },
		{ "A\0\0\0\5abc", 8, ERR_CLOSED },
		{ "Z\0\0\0\0", 5, ERR_INVALID },
		{ "A\0\0\0\3a\0b", 8, ERR_INVALID },
		{ "A\0\2\0\0", 5, ERR_TOOBIG },
		{ "I\0\2\0\0", 5, ERR_TOOBIG },
		{ "A\377\377\377\377", 5, ERR_TOOBIG },
		{ "A\0\0\0\1xI\0\0\0\1yG\0\0\0\0", 17, 0 },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct ctl_request r;
		int sv[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
		assert_int_equal(write(sv[0], cases[i].bytes, cases[i].n),
		    (ssize_t)cases[i].n);
		close(sv[0]);
		assert_int_equal(ctl_read(sv[1], &r), cases[i].want);
		ctl_request_fini(&r);
		close(sv[1]);
	}
}

static void
too_many_words(void **state)
{
	struct ctl_request r;
	struct buf b;
	int sv[2];

	(void)state;
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i <= PH_LEN(r.words); i++)
		buf_add(&b, "A\0\0\0\1w", 6);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(write(sv[0], b.p, buf_len(&b)), (ssize_t)buf_len(&b));
	close(sv[0]);
	buf_fini(&b);
	assert_int_equal(ctl_read(sv[1], &r), ERR_TOOBIG);
	ctl_request_fini(&r);
	close(sv[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(bad_requests),
		cmocka_unit_test(too_many_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
