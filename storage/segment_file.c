#include "storage/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/mem.h"

struct segment_file {
	uint32_t number;
	int fd;
	unsigned refs;
	uint64_t used; /* tick of the last get */
};

struct segment_files {
	int dir_fd;
	int dir_errno;
	pthread_mutex_t mtx;
	uint64_t tick;
	size_t n; /* of v; may pass the bound while all are in use */
	size_t cap;
	struct segment_file **v;
};

void
segment_name(uint32_t number, char out[SEGMENT_NAME_BYTES])
{
	(void)snprintf(out, SEGMENT_NAME_BYTES, "%08x.seg", number);
}

struct segment_files *
segment_files_new(const char *dir)
{
	struct segment_files *f = xcalloc(1, sizeof(*f));

	f->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->dir_errno = f->dir_fd < 0 ? errno : 0;
	pthread_mutex_init(&f->mtx, NULL);
	return f;
}

static void
file_close(struct segment_file *file)
{
	close(file->fd);
	free(file);
}

void
segment_files_free(struct segment_files **fp)
{
	struct segment_files *f = *fp;

	*fp = NULL;
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		file_close(f->v[i]);
	if (f->dir_fd >= 0)
		close(f->dir_fd);
	pthread_mutex_destroy(&f->mtx);
	free(f->v);
	free(f);
}

/* Call with the mutex. */
static struct segment_file *
find(struct segment_files *f, uint32_t number)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i]->number == number)
			return f->v[i];
	return NULL;
}

static void
drop(struct segment_files *f, size_t i)
{
	file_close(f->v[i]);
	f->v[i] = f->v[--f->n];
}

static void
evict(struct segment_files *f)
{
	size_t old = f->n;

	if (f->n < SEGMENT_FILES_MAX)
		return;
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i]->refs == 0 &&
		    (old == f->n || f->v[i]->used < f->v[old]->used))
			old = i;
	if (old < f->n)
		drop(f, old);
}

static int
open_number(struct segment_files *f, uint32_t number)
{
	char name[SEGMENT_NAME_BYTES];

	segment_name(number, name);
	if (f->dir_fd < 0) {
		errno = f->dir_errno;
		return -1;
	}
	return openat(f->dir_fd, name, O_RDONLY | O_CLOEXEC);
}

/* Somebody may have opened it meanwhile: then that one is used. */
static struct segment_file *
keep(struct segment_files *f, uint32_t number, int fd)
{
	struct segment_file *file = find(f, number);

	if (file != NULL) {
		close(fd);
		return file;
	}
	evict(f);
	f->v = mem_grow(f->v, &f->cap, f->n, sizeof(*f->v));
	file = xcalloc(1, sizeof(*file));
	file->number = number;
	file->fd = fd;
	f->v[f->n++] = file;
	return file;
}

int
segment_file_get(
    struct segment_files *f, uint32_t number, struct segment_file **file_out)
{
	struct segment_file *file;
	int fd, rc = 0;

	*file_out = NULL;
	pthread_mutex_lock(&f->mtx);
	file = find(f, number);
	if (file == NULL) {
		pthread_mutex_unlock(&f->mtx);
		fd = open_number(f, number);
		rc = fd < 0 ? err_from_errno(errno) : 0;
		pthread_mutex_lock(&f->mtx);
		if (rc == 0)
			file = keep(f, number, fd);
	}
	if (file != NULL) {
		file->refs++;
		file->used = ++f->tick;
		*file_out = file;
	}
	pthread_mutex_unlock(&f->mtx);
	return rc;
}

int
segment_file_fd(const struct segment_file *file)
{
	return file->fd;
}

void
segment_file_put(struct segment_files *f, struct segment_file **filep)
{
	struct segment_file *file = *filep;

	*filep = NULL;
	if (file == NULL)
		return;
	pthread_mutex_lock(&f->mtx);
	file->refs--;
	pthread_mutex_unlock(&f->mtx);
}

void
segment_files_sweep(struct segment_files *f)
{
	struct stat st;

	pthread_mutex_lock(&f->mtx);
	for (size_t i = f->n; i-- > 0;)
		if (f->v[i]->refs == 0 && fstat(f->v[i]->fd, &st) == 0 &&
		    st.st_nlink == 0)
			drop(f, i);
	pthread_mutex_unlock(&f->mtx);
}
