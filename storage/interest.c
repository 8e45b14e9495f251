#include "storage/interest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/mem.h"

enum { SLOTS = 1 << 16, MAP_BYTES = SLOTS * 2 };

struct interest {
	char *path;
	uint16_t *map;
};

uint16_t
interest_slot(uint64_t account, uint64_t folder)
{
	uint64_t x = folder != 0 ? folder << 1 : account << 1 | 1;

	x *= 0x9e3779b97f4a7c15U; /* Fibonacci hashing */
	return (uint16_t)(x >> 48);
}

/* All its blocks are there before anybody touches them: a hole would be a
 * SIGBUS on a full disk. */
static int
make_file(const char *path, uint16_t **map_out)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), rc;
	void *p = MAP_FAILED;

	if (fd < 0)
		return err_from_errno(errno);
	rc = posix_fallocate(fd, 0, MAP_BYTES);
	if (rc == 0)
		p = mmap(
		    NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	*map_out = p == MAP_FAILED ? NULL : p;
	if (rc != 0)
		return err_from_errno(rc);
	return p == MAP_FAILED ? ERR_IO : 0;
}

int
interest_new(const char *path, struct interest **in_out)
{
	struct interest *in;
	uint16_t *map = NULL;
	int rc;

	*in_out = NULL;
	(void)unlink(path);
	if ((rc = make_file(path, &map)) != 0) {
		(void)unlink(path);
		return rc;
	}
	in = xcalloc(1, sizeof(*in));
	in->path = xstrdup(path);
	in->map = map;
	*in_out = in;
	return 0;
}

void
interest_free(struct interest **inp)
{
	struct interest *in = *inp;

	*inp = NULL;
	if (in == NULL)
		return;
	(void)unlink(in->path);
	(void)munmap(in->map, MAP_BYTES);
	free(in->path);
	free(in);
}

void
interest_add(struct interest *in, uint16_t slot, int by)
{
	(void)__atomic_fetch_add(
	    &in->map[slot], (uint16_t)by, __ATOMIC_ACQ_REL);
}

const uint16_t *
interest_map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size == MAP_BYTES)
		p = mmap(NULL, MAP_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return p == MAP_FAILED ? NULL : p;
}

void
interest_unmap(const uint16_t *map)
{
	if (map != NULL)
		(void)munmap((void *)(uintptr_t)map, MAP_BYTES);
}
