#include "lib/base/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/slice.h"

enum { PIECE = 1 << 20, HOLE = 4096 };

static bool
all_zero(const char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* The pieces of a block that are not zeros. */
static int
write_block(int out, const char *p, size_t n, off_t at)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i += HOLE) {
		size_t k = n - i < HOLE ? n - i : HOLE;

		if (!all_zero(p + i, k))
			rc = file_pwrite_all(out, p + i, k, at + (off_t)i);
	}
	return rc;
}

static int
copy_bytes(int in, int out)
{
	char *p = xmalloc(PIECE);
	struct stat st;
	ssize_t got = 1;
	off_t at = 0;
	int rc = 0;

	if (fstat(in, &st) != 0)
		rc = err_from_errno(errno);
	while (rc == 0 && at < st.st_size) {
		size_t n =
		    st.st_size - at < PIECE ? (size_t)(st.st_size - at) : PIECE;

		got = pread(in, p, n, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		rc = write_block(out, p, (size_t)got, at);
		at += got;
	}
	if (rc == 0 && got < 0)
		rc = err_from_errno(errno);
	if (rc == 0 && (ftruncate(out, at) != 0 || fsync(out) != 0))
		rc = err_from_errno(errno);
	free(p);
	return rc;
}

int
copy_file(const char *from, const char *to, struct err *e)
{
	int in, out = -1, rc = 0;

	if ((in = open(from, O_RDONLY | O_CLOEXEC)) < 0 ||
	    (out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		rc = err_from_errno(errno);
	if (rc == 0)
		rc = copy_bytes(in, out);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	if (rc != 0) {
		(void)err_set(e, rc, "a file cannot be copied");
		err_detail(e, "%s to %s", from, to);
	}
	return rc;
}

static int
copy_named(const char *from, const char *to, const char *name, struct err *e)
{
	char *a = xasprintf("%s/%s", from, name);
	char *b = xasprintf("%s/%s", to, name);
	struct stat st;
	int rc = 0;

	if (stat(a, &st) == 0 && S_ISREG(st.st_mode))
		rc = copy_file(a, b, e);
	if (rc == ERR_NOTFOUND)
		rc = 0;
	free(a);
	free(b);
	return rc;
}

int
copy_files(const char *from, const char *to, const char *tail, struct err *e)
{
	struct slice end = slice_str(tail);
	DIR *d = opendir(from);
	struct dirent *ent;
	int rc = 0;

	if (d == NULL)
		return err_set(
		    e, err_from_errno(errno), "a folder cannot be read");
	while (rc == 0 && (ent = readdir(d)) != NULL) {
		struct slice name = slice_str(ent->d_name);

		if (name.n >= end.n &&
		    slice_eq(slice_from(name, name.n - end.n), end))
			rc = copy_named(from, to, ent->d_name, e);
	}
	closedir(d);
	return rc == 0 ? file_sync_dir(to, e) : rc;
}
