#include "lib/base/board.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/ph.h"

enum { MAGIC = 0x50484231, STEP = 64, TRIES = 100 };

/* A writer makes seq odd, writes, and makes it even: a reader who sees an odd
 * one or two different ones looks again. */
struct cell {
	_Atomic uint32_t seq;
	uint32_t used;
	struct board_slot slot;
};

struct head {
	uint32_t magic, cell_bytes;
	_Atomic uint32_t cells; /* so many are in the file */
	uint32_t pad;
};

struct board {
	pthread_mutex_t lock;
	char *path;
	int fd;
	struct head *map;
	size_t map_bytes;
	uint32_t max, *spare, nspare; /* indexes to use again */
	uint32_t next;                /* the first that never was */
};

static struct cell *
cell_at(struct head *h, uint32_t i)
{
	return (struct cell *)(void *)(h + 1) + i;
}

static size_t
bytes_of(uint32_t cells)
{
	return sizeof(struct head) + (size_t)cells * sizeof(struct cell);
}

struct board *
board_new(const char *path, uint32_t max)
{
	struct board *b;
	int fd;
	void *map;

	(void)unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	map = mmap(
	    NULL, bytes_of(max), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED ||
	    posix_fallocate(fd, 0, (off_t)bytes_of(0)) != 0) {
		if (map != MAP_FAILED)
			(void)munmap(map, bytes_of(max));
		(void)unlink(path);
		close(fd);
		return NULL;
	}
	b = xcalloc(1, sizeof(*b));
	(void)pthread_mutex_init(&b->lock, NULL);
	b->path = xstrdup(path);
	b->fd = fd;
	b->map = map;
	b->map_bytes = bytes_of(max);
	b->max = max;
	b->spare = xcalloc(max, sizeof(*b->spare));
	b->map->magic = MAGIC;
	b->map->cell_bytes = sizeof(struct cell);
	return b;
}

void
board_free(struct board **bp)
{
	struct board *b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	(void)munmap(b->map, b->map_bytes);
	(void)unlink(b->path);
	close(b->fd);
	(void)pthread_mutex_destroy(&b->lock);
	free(b->path);
	free(b->spare);
	free(b);
}

/* The lowest that never was, in pages the disk has promised. */
static int32_t
grow(struct board *b)
{
	uint32_t have = b->map->cells, want;

	if (b->next == b->max)
		return BOARD_NONE;
	if (b->next == have) {
		want = b->max - have < STEP ? b->max : have + STEP;
		if (posix_fallocate(b->fd, 0, (off_t)bytes_of(want)) != 0)
			return BOARD_NONE;
		b->map->cells = want;
	}
	return (int32_t)b->next++;
}

static void
write_cell(struct cell *c, const struct board_slot *s)
{
	uint32_t seq = c->seq;

	atomic_store_explicit(&c->seq, seq + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	c->used = s != NULL;
	if (s != NULL)
		c->slot = *s;
	atomic_store_explicit(&c->seq, seq + 2, memory_order_release);
}

int32_t
board_enter(struct board *b, const struct board_slot *s)
{
	int32_t at;

	if (b == NULL)
		return BOARD_NONE;
	(void)pthread_mutex_lock(&b->lock);
	at = b->nspare != 0 ? (int32_t)b->spare[--b->nspare] : grow(b);
	if (at != BOARD_NONE)
		write_cell(cell_at(b->map, (uint32_t)at), s);
	(void)pthread_mutex_unlock(&b->lock);
	return at;
}

void
board_leave(struct board *b, int32_t at)
{
	if (b == NULL || at == BOARD_NONE)
		return;
	(void)pthread_mutex_lock(&b->lock);
	write_cell(cell_at(b->map, (uint32_t)at), NULL);
	b->spare[b->nspare++] = (uint32_t)at;
	(void)pthread_mutex_unlock(&b->lock);
}

void
board_client(struct board *b, int32_t at, struct slice client)
{
	struct board_slot s;

	if (b == NULL || at == BOARD_NONE)
		return;
	(void)pthread_mutex_lock(&b->lock);
	s = cell_at(b->map, (uint32_t)at)->slot;
	(void)slice_copy(slice_sub(client, 0, sizeof(s.client) - 1), s.client,
	    sizeof(s.client));
	write_cell(cell_at(b->map, (uint32_t)at), &s);
	(void)pthread_mutex_unlock(&b->lock);
}

/* False: it is empty, or is being written all the time. */
static bool
read_cell(struct cell *c, struct board_slot *out)
{
	for (int i = 0; i < TRIES; i++) {
		uint32_t used,
		    seq = atomic_load_explicit(&c->seq, memory_order_acquire);

		used = c->used;
		*out = c->slot;
		atomic_thread_fence(memory_order_acquire);
		if (seq % 2 == 0 &&
		    seq == atomic_load_explicit(&c->seq, memory_order_relaxed))
			return used != 0;
	}
	return false;
}

/* A file of another version, or one that ends early, has no sessions. */
static uint32_t
cells_of(struct head *h, size_t bytes)
{
	uint32_t n;

	if (bytes < sizeof(*h) || h->magic != MAGIC ||
	    h->cell_bytes != sizeof(struct cell))
		return 0;
	n = h->cells;
	return bytes_of(n) <= bytes ? n : 0;
}

bool
board_number(struct slice id, uint64_t *number_out)
{
	uint64_t part[2] = { 0, 0 };
	size_t which = 0;

	if (id.n < 4 || id.p[0] < 'a' || id.p[0] > 'z')
		return false;
	for (size_t i = 1; i < id.n; i++) {
		char ch = ascii_lower(id.p[i]);
		bool digit = ch >= '0' && ch <= '9';

		if (ch == '-' && which == 0) {
			which = 1;
			continue;
		}
		if (!digit && (ch < 'a' || ch > 'f'))
			return false;
		part[which] = part[which] << 4 |
			      (uint64_t)(digit ? ch - '0' : ch - 'a' + 10);
		if (part[which] > UINT32_MAX)
			return false;
	}
	*number_out = part[0] << 32 | part[1];
	return which == 1;
}

bool
board_read(const char *path, void (*fn)(const struct board_slot *s, void *arg),
    void *arg)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct board_slot s;
	struct stat st;
	void *map;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || st.st_size == 0 ||
	    (map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd,
		 0)) == MAP_FAILED) {
		close(fd);
		return true;
	}
	for (uint32_t i = 0, n = cells_of(map, (size_t)st.st_size); i < n; i++)
		if (read_cell(cell_at(map, i), &s))
			fn(&s, arg);
	(void)munmap(map, (size_t)st.st_size);
	close(fd);
	return true;
}
