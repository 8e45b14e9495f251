#include "storage/store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "storage/store.h"

enum { VERSION_MAX = 200, LOCK_STEP_MS = 5 };

static const char version[] = "posthof-store 2 db 5.3.28 page 4096 word 64\n";

/* Shared memory over a file and flush after write are promises only a local
 * file system keeps. */
static const struct {
	uint32_t magic;
	const char *name;
} remote[] = {
	{ 0x6969, "NFS" },
	{ 0x517b, "SMB" },
	{ 0xfe534d42, "SMB" },
	{ 0xff534d42, "CIFS" },
	{ 0x01021997, "9P" },
	{ 0x65735546, "FUSE" },
	{ 0x5346414f, "AFS" },
	{ 0x00c36400, "Ceph" },
	{ 0x73757245, "Coda" },
	{ 0x564c, "NCP" },
	{ 0x01161970, "GFS2" },
	{ 0x7461636f, "OCFS2" },
};

static int
local_only(const char *dir, struct err *e)
{
	struct statfs fs;

	if (statfs(dir, &fs) != 0) {
		(void)err_set(e, err_from_errno(errno),
		    "the state directory cannot be examined: %s",
		    strerror(errno));
		err_detail(e, "statfs %s: %s", dir, strerror(errno));
		return err_from_errno(errno);
	}
	for (size_t i = 0; i < PH_LEN(remote); i++)
		if ((uint32_t)fs.f_type == remote[i].magic)
			return err_set(e, ERR_UNSUPPORTED,
			    "the state directory is on %s; the store needs a "
			    "local file system",
			    remote[i].name);
	return 0;
}

int
store_create(const char *state_dir, struct err *e)
{
	char *log = xasprintf("%s/index/log", state_dir);
	char *mail = xasprintf("%s/mail", state_dir);
	char *file = xasprintf("%s/VERSION", state_dir);
	int rc;

	if ((rc = file_mkdirs(state_dir, 0700, e)) != 0 ||
	    (rc = local_only(state_dir, e)) != 0)
		goto out;
	if (access(file, F_OK) == 0)
		goto out;
	if ((rc = file_mkdirs(log, 0700, e)) != 0 ||
	    (rc = file_mkdirs(mail, 0700, e)) != 0)
		goto out;
	rc = file_replace(file, SLICE(version), 0600, e);
out:
	free(log);
	free(mail);
	free(file);
	return rc;
}

static int
other_version(struct slice found, struct err *e)
{
	int rc = err_set(e, ERR_UNSUPPORTED,
	    "the store was written by another version: go back to it, run "
	    "`posthof export`, install this one, run `posthof import`");

	err_detail(e, "VERSION says %.*s, wanted %.*s",
	    (int)slice_trim(found).n, found.p, (int)sizeof(version) - 2,
	    version);
	return rc;
}

int
store_dir_check(const char *state_dir, struct err *e)
{
	char *file = xasprintf("%s/VERSION", state_dir);
	struct buf b;
	int rc;

	buf_init(&b, VERSION_MAX);
	rc = file_read(file, &b, e);
	if (rc == ERR_NOTFOUND)
		(void)err_set(e, rc,
		    "there is no store in the state directory: run `posthof "
		    "serve` or `posthof quickstart` first");
	else if (rc == 0 && !slice_eq(buf_slice(&b), SLICE(version)))
		rc = other_version(buf_slice(&b), e);
	if (rc == 0)
		rc = local_only(state_dir, e);
	buf_fini(&b);
	free(file);
	return rc;
}

static int
lock_wait(int fd, int how, uint64_t wait_ms)
{
	struct timespec step = { 0, LOCK_STEP_MS * 1000000L };
	uint64_t end = clock_steady_ms() + wait_ms;

	for (;;) {
		if (flock(fd, how | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_from_errno(errno);
		if (clock_steady_ms() >= end)
			return ERR_BUSY;
		(void)nanosleep(&step, NULL);
	}
}

int
store_dir_lock(const char *run_dir, bool exclusive, uint64_t wait_ms,
    int *fd_out, struct err *e)
{
	char *file = xasprintf("%s/env.lock", run_dir);
	int fd = -1, rc;

	*fd_out = -1;
	if ((rc = file_mkdirs(run_dir, 0700, e)) != 0)
		goto out;
	if ((fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0) {
		rc = err_set(e, err_from_errno(errno),
		    "the store's lock cannot be opened: %s", strerror(errno));
		err_detail(e, "%s: %s", file, strerror(errno));
		goto out;
	}
	rc = lock_wait(fd, exclusive ? LOCK_EX : LOCK_SH, wait_ms);
	if (rc == 0) {
		*fd_out = fd;
		fd = -1;
	} else
		(void)err_set(e, rc,
		    exclusive ? "the store is in use; stop `posthof serve` or "
				"ask it"
			      : "the store is being recovered");
out:
	if (fd >= 0)
		close(fd);
	free(file);
	return rc;
}
