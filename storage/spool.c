#include "storage/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/store_priv.h"

struct spool {
	struct store *s;
	struct buf mem; /* what is not in the file yet */
	uint64_t memory_bytes, max_bytes;
	uint64_t filed; /* bytes in the file */
	int fd;         /* -1: all in memory */
	int rc;
	void *map;
	size_t map_len;
};

struct spool *
spool_new(struct store *s, uint64_t memory_bytes, uint64_t max_bytes)
{
	struct spool *sp = xcalloc(1, sizeof(*sp));

	sp->s = s;
	sp->memory_bytes = memory_bytes;
	sp->max_bytes = max_bytes;
	sp->fd = -1;
	buf_init(&sp->mem, (size_t)max_bytes);
	return sp;
}

void
spool_free(struct spool **spp)
{
	struct spool *sp = *spp;

	*spp = NULL;
	if (sp == NULL)
		return;
	if (sp->map != NULL)
		(void)munmap(sp->map, sp->map_len);
	if (sp->fd >= 0)
		close(sp->fd);
	buf_fini(&sp->mem);
	free(sp);
}

uint64_t
spool_size(const struct spool *sp)
{
	return sp->filed + buf_len(&sp->mem);
}

int
spool_status(const struct spool *sp)
{
	return sp->rc;
}

bool
spool_wants_spill(const struct spool *sp)
{
	return sp->rc == 0 && buf_len(&sp->mem) != 0 &&
	       buf_len(&sp->mem) >= sp->memory_bytes;
}

/* A message that failed gives its memory back at once; the peer may go on
 * sending for long. */
static int
fail(struct spool *sp, int rc)
{
	sp->rc = rc;
	buf_fini(&sp->mem);
	buf_init(&sp->mem, 0);
	return rc;
}

int
spool_add(struct spool *sp, struct slice bytes)
{
	ph_assert(sp->map == NULL);
	if (sp->rc != 0)
		return sp->rc;
	if (bytes.n > sp->max_bytes - spool_size(sp))
		return fail(sp, ERR_TOOBIG);
	buf_add_slice(&sp->mem, bytes);
	return 0;
}

static int
scratch_file(struct store *s)
{
	char *dir = xasprintf("%s/mail", s->conf.state_dir), *path = NULL;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		path = xasprintf("%s/spool.XXXXXX", dir);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(path);
	}
	if (fd < 0) {
		fd = err_from_errno(errno);
		log_error(NULL, "spool", "dir=%s err=%s", dir, err_name(fd));
	}
	free(path);
	free(dir);
	return fd;
}

int
spool_spill(struct spool *sp)
{
	struct slice mem;
	int rc;

	if (sp->rc != 0)
		return sp->rc;
	if (sp->fd < 0) {
		rc = scratch_file(sp->s);
		if (rc < 0)
			return fail(sp, rc);
		sp->fd = rc;
	}
	mem = buf_slice(&sp->mem);
	rc = file_pwrite_all(sp->fd, mem.p, mem.n, (off_t)sp->filed);
	if (rc != 0)
		return fail(sp, rc);
	sp->filed += mem.n;
	buf_clear(&sp->mem);
	return 0;
}

int
spool_bytes(struct spool *sp, struct slice *bytes_out)
{
	int rc;

	*bytes_out = SLICE("");
	if (sp->rc != 0)
		return sp->rc;
	if (sp->fd < 0) {
		if (buf_len(&sp->mem) != 0)
			*bytes_out = buf_slice(&sp->mem);
		return 0;
	}
	if (buf_len(&sp->mem) != 0 && (rc = spool_spill(sp)) != 0)
		return rc;
	buf_shrink(&sp->mem);
	if (sp->map == NULL && sp->filed != 0) {
		sp->map_len = (size_t)sp->filed;
		sp->map =
		    mmap(NULL, sp->map_len, PROT_READ, MAP_PRIVATE, sp->fd, 0);
		if (sp->map == MAP_FAILED) {
			sp->map = NULL;
			return fail(sp, err_from_errno(errno));
		}
	}
	*bytes_out = slice_of(sp->map, sp->map_len);
	return 0;
}
