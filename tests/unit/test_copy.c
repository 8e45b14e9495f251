/*
 * Files to another place: bytes, holes, and what is there already.
 */
#include "lib/base/copy.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "tests/unit/unit.h"

static void
copies(void **state)
{
	char dir[] = "/tmp/ph-unit-XXXXXX", from[64], to[64];
	char bytes[5000];
	struct stat st;
	struct err e;
	struct buf b;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(from, sizeof(from), "%s/a", dir);
	(void)snprintf(to, sizeof(to), "%s/b", dir);
	memset(bytes, 'x', sizeof(bytes));
	fd = open(from, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(file_pwrite_all(fd, bytes, 100, 0), 0);
	assert_int_equal(file_pwrite_all(fd, bytes, 5000, 3 << 20), 0);
	assert_int_equal(ftruncate(fd, 8 << 20), 0);
	close(fd);
	assert_int_equal(copy_file(from, to, &e), 0);
	assert_int_equal(stat(to, &st), 0);
	assert_int_equal(st.st_size, 8 << 20);
	assert_true(st.st_blocks < 200); /* of 512: the rest are holes */
	buf_init(&b, 9 << 20);
	assert_int_equal(file_read(to, &b, &e), 0);
	assert_memory_equal(b.p, bytes, 100);
	assert_int_equal(b.p[100], 0);
	assert_memory_equal(b.p + (3 << 20), bytes, 5000);
	buf_fini(&b);
	assert_int_equal(copy_file(from, to, &e), ERR_EXISTS);
	assert_int_equal(unlink(to), 0);
	assert_int_equal(unlink(from), 0);
	assert_int_equal(copy_file(from, to, &e), ERR_NOTFOUND);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(copies) };

	return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
