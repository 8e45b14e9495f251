#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/mem.h"

static int
failed(struct err *e, const char *what, const char *path)
{
	int errnum = errno, kind = err_from_errno(errnum);

	(void)err_set(e, kind, "%s: %s", what, strerror(errnum));
	err_detail(e, "%s %s: %s", what, path, strerror(errnum));
	return kind;
}

int
file_read_fd(int fd, struct buf *out, struct err *e)
{
	off_t at = 0;
	ssize_t n;
	char *to, beyond;

	for (;;) {
		bool full = buf_len(out) >= out->max;

		if (full)
			to = &beyond;
		else if ((to = buf_reserve(out, 1)) == NULL)
			return err_set(e, ERR_TOOBIG, "file too large");
		n = pread(fd, to, full ? 1 : out->cap - out->n, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(e, "read", "descriptor");
		if (n == 0)
			return 0;
		if (full || buf_len(out) + (size_t)n > out->max)
			return err_set(e, ERR_TOOBIG, "file too large");
		buf_advance(out, (size_t)n);
		at += n;
	}
}

int
file_read(const char *path, struct buf *out, struct err *e)
{
	int fd, rc;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return failed(e, "open", path);
	if ((rc = file_read_fd(fd, out, e)) != 0)
		err_detail(e, "%s: %s", path, err_name(rc));
	close(fd);
	return rc;
}

int
file_write_all(int fd, const void *p, size_t n)
{
	const char *from = p;
	ssize_t put;

	while (n != 0) {
		put = write(fd, from, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_from_errno(errno);
		from += put;
		n -= (size_t)put;
	}
	return 0;
}

int
file_pwrite_all(int fd, const void *p, size_t n, off_t at)
{
	const char *from = p;
	ssize_t put;

	while (n != 0) {
		put = pwrite(fd, from, n, at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_from_errno(errno);
		from += put;
		at += put;
		n -= (size_t)put;
	}
	return 0;
}

int
file_pread_all(int fd, void *p, size_t n, off_t at)
{
	char *to = p;
	ssize_t got;

	while (n != 0) {
		got = pread(fd, to, n, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_from_errno(errno);
		if (got == 0)
			return ERR_CORRUPT;
		to += got;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

int
file_sync_dir(const char *path, struct err *e)
{
	int fd, rc = 0;

	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return failed(e, "open", path);
	if (fsync(fd) != 0)
		rc = failed(e, "fsync", path);
	close(fd);
	return rc;
}

static int
sync_parent(const char *path, struct err *e)
{
	char *dir = xstrdup(path), *slash = strrchr(dir, '/');
	int rc;

	if (slash == NULL)
		rc = file_sync_dir(".", e);
	else {
		slash[slash == dir ? 1 : 0] = '\0';
		rc = file_sync_dir(dir, e);
	}
	free(dir);
	return rc;
}

int
file_replace(const char *path, struct slice bytes, mode_t mode, struct err *e)
{
	char *tmp = xasprintf("%s.tmp.%ld", path, (long)getpid());
	int fd = -1, rc;

	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0) {
		rc = failed(e, "create", tmp);
		goto out;
	}
	if (file_write_all(fd, bytes.p, bytes.n) != 0 ||
	    fchmod(fd, mode) != 0 || fsync(fd) != 0 || rename(tmp, path) != 0) {
		rc = failed(e, "write", path);
		(void)unlink(tmp);
		goto out;
	}
	rc = sync_parent(path, e);
out:
	if (fd >= 0)
		close(fd);
	free(tmp);
	return rc;
}

static int
one_dir(const char *path, mode_t mode, struct err *e)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
	}
	return failed(e, "mkdir", path);
}

int
file_mkdirs(const char *path, mode_t mode, struct err *e)
{
	char *work = xstrdup(path);
	int rc = 0;

	for (char *p = work;; p++) {
		char was = *p;

		if (was != '/' && was != '\0')
			continue;
		*p = '\0';
		if (work[0] != '\0' && (rc = one_dir(work, mode, e)) != 0)
			break;
		*p = was;
		if (was == '\0')
			break;
	}
	free(work);
	return rc;
}

int
file_sealed(const char *name, struct slice bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc;

	if (fd < 0)
		return err_from_errno(errno);
	if ((rc = file_write_all(fd, bytes.p, bytes.n)) == 0 &&
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
		rc = err_from_errno(errno);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}
