#include "storage/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "storage/store_priv.h"

enum { COUNTERS = 8192, OWN = 2 /* of them with one meaning only */ };

struct generations {
	_Atomic uint64_t *v; /* shared */
};

static size_t
slot_of(uint64_t id)
{
	if (id == 0 || id == GENERATION_ACCOUNTS)
		return id != 0;
	return OWN + (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) %
			 (COUNTERS - OWN);
}

uint64_t
generation_of(const struct store *s, uint64_t id)
{
	return atomic_load(&s->generations->v[slot_of(id)]);
}

void
generation_bump(struct store *s, uint64_t id)
{
	atomic_fetch_add(&s->generations->v[slot_of(id)], 1);
}

/* The file keeps whatever was counted: only changes matter.  It has all its
 * bytes before it is mapped, so that a full disk is an error here and no
 * signal later. */
static int
map_file(const char *path, struct generations *g)
{
	size_t n = COUNTERS * sizeof(*g->v);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc;
	void *p;

	if (fd < 0)
		return err_from_errno(errno);
	if ((rc = posix_fallocate(fd, 0, (off_t)n)) != 0) {
		close(fd);
		return err_from_errno(rc);
	}
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	rc = p == MAP_FAILED ? err_from_errno(errno) : 0;
	close(fd);
	g->v = rc == 0 ? p : NULL;
	return rc;
}

int
generations_open(const char *dir, struct generations **g_out, struct err *e)
{
	struct generations *g = xcalloc(1, sizeof(*g));
	char *path = xasprintf("%s/generations", dir);
	int rc = map_file(path, g);

	*g_out = NULL;
	free(path);
	if (rc != 0) {
		free(g);
		return err_set(e, rc, "the run directory is not fit");
	}
	*g_out = g;
	return 0;
}

void
generations_close(struct generations **gp)
{
	struct generations *g = *gp;

	*gp = NULL;
	if (g == NULL)
		return;
	(void)munmap((void *)(uintptr_t)g->v, COUNTERS * sizeof(*g->v));
	free(g);
}
