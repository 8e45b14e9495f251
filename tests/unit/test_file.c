#include "lib/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* Each test works in a directory of its own, and leaves it empty. */
static int
enter(void **state)
{
	char *dir = strdup("/tmp/test_file.XXXXXX");

	*state = dir;
	return mkdtemp(dir) == NULL || chdir(dir) != 0;
}

static int
leave(void **state)
{
	int rc = chdir("/") != 0 || rmdir(*state) != 0;

	free(*state);
	return rc;
}

static int
entries(void)
{
	DIR *d = opendir(".");
	int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static void
replace_and_read(void **state)
{
	struct buf b;
	struct stat st;
	struct err e;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(file_replace("f", SLICE("one"), 0600, &e), 0);
	assert_int_equal(file_replace("f", SLICE("two\0"), 0640, &e), 0);
	assert_int_equal(entries(), 1); /* no temporary stays behind */
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(file_read("f", &b, &e), 0);
	assert_int_equal(buf_len(&b), 4);
	assert_memory_equal(buf_slice(&b).p, "two\0", 4);
	assert_int_equal(file_replace("f", SLICE(""), 0600, NULL), 0);
	assert_int_equal(file_read("f", &b, NULL), 0); /* appends nothing */
	assert_int_equal(buf_len(&b), 4);
	unlink("f");
	buf_fini(&b);
}

static void
read_errors(void **state)
{
	struct buf b;
	struct err e;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(file_read("none", &b, &e), ERR_NOTFOUND);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_non_null(strstr(e.detail, "none"));
	assert_null(strstr(e.text, "none")); /* paths are for the log */
	assert_int_equal(file_read(".", &b, &e), ERR_IO);
	assert_int_equal(
	    file_replace("no/f", SLICE("x"), 0600, &e), ERR_NOTFOUND);
	assert_int_equal(buf_len(&b), 0);
	buf_fini(&b);
}

/* The ceiling of the buffer: a file of just that size is read. */
static void
read_limit(void **state)
{
	static char bytes[70000];
	struct buf b;
	struct err e;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(
	    file_replace("f", slice_of(bytes, sizeof(bytes)), 0600, &e), 0);
	for (size_t max = sizeof(bytes) - 2; max < sizeof(bytes) + 2; max++) {
		buf_init(&b, max);
		assert_int_equal(file_read("f", &b, &e),
		    max < sizeof(bytes) ? ERR_TOOBIG : 0);
		if (max >= sizeof(bytes))
			assert_int_equal(buf_len(&b), sizeof(bytes));
		buf_fini(&b);
	}
	buf_init(&b, 0);
	assert_int_equal(file_read("f", &b, &e), ERR_TOOBIG);
	assert_int_equal(file_replace("f", SLICE(""), 0600, &e), 0);
	assert_int_equal(file_read("f", &b, &e), 0);
	buf_fini(&b);
	unlink("f");
}

static void
positions(void **state)
{
	char got[6] = "";
	int fd = open("f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, "abc", 3), 0);
	assert_int_equal(file_write_all(fd, NULL, 0), 0);
	assert_int_equal(file_pwrite_all(fd, "XY", 2, 2), 0);
	assert_int_equal(file_pread_all(fd, got, 4, 0), 0);
	assert_string_equal(got, "abXY");
	assert_int_equal(file_pread_all(fd, got, 5, 0), ERR_CORRUPT);
	assert_int_equal(file_pread_all(fd, got, 0, 100), 0);
	close(fd);
	assert_int_equal(file_write_all(fd, "x", 1), ERR_IO);
	unlink("f");
}

static void
directories(void **state)
{
	struct stat st;
	struct err e;
	char path[4096];

	(void)state;
	assert_int_equal(file_mkdirs("a/b//c/", 0700, &e), 0);
	assert_int_equal(stat("a/b/c", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(file_mkdirs("a/b/c", 0755, &e), 0);
	assert_int_equal(stat("a/b/c", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	(void)snprintf(path, sizeof(path), "%s/a/d", (char *)*state);
	assert_int_equal(file_mkdirs(path, 0700, &e), 0);
	assert_int_equal(file_mkdirs("/", 0700, &e), 0);
	assert_int_equal(file_mkdirs("", 0700, &e), 0);
	assert_int_equal(file_sync_dir("a", &e), 0);
	assert_int_equal(file_sync_dir("x", &e), ERR_NOTFOUND);
	assert_int_equal(file_replace("f", SLICE(""), 0600, &e), 0);
	assert_int_equal(file_mkdirs("f", 0700, &e), ERR_IO);
	assert_int_equal(file_mkdirs("f/g", 0700, &e), ERR_IO);
	unlink("f");
	rmdir("a/b/c");
	rmdir("a/b");
	rmdir("a/d");
	rmdir("a");
}

static void
sealed(void **state)
{
	struct buf b;
	int fd = file_sealed("conf", SLICE("secret"));

	(void)state;
	buf_init(&b, 100);
	assert_true(fd >= 0);
	assert_int_equal(file_read_fd(fd, &b, NULL), 0);
	assert_int_equal(file_read_fd(fd, &b, NULL), 0); /* again from 0 */
	assert_slice(buf_slice(&b), "secretsecret");
	assert_true(pwrite(fd, "x", 1, 0) < 0);
	assert_true(ftruncate(fd, 0) < 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
	buf_fini(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replace_and_read),
		TEST(read_errors),
		TEST(read_limit),
		TEST(positions),
		TEST(directories),
		TEST(sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
