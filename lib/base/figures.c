#include "lib/base/figures.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/mem.h"

#define COUNTER true
#define GAUGE false
const struct figure_row figure_rows[FIG_COUNT] = {
#define FIG(id, name, labels, type, scale, who, help) \
	[FIG_##id] = { name, labels, who, help, type, scale },
#include "lib/base/figures.def"
#undef FIG
};

struct figures *
figures_new(int *fd_out)
{
	void *p = MAP_FAILED;
	int fd =
	    memfd_create("posthof-figures", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	*fd_out = -1;
	if (fd < 0)
		return NULL;
	if (ftruncate(fd, sizeof(struct figures)) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
		p = mmap(NULL, sizeof(struct figures), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		close(fd);
		return NULL;
	}
	*fd_out = fd;
	return p;
}

int
figures_reader(int fd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void *
map(int fd, int prot)
{
	void *p = MAP_FAILED;

	if (fd >= 0)
		p = mmap(NULL, sizeof(struct figures), prot, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		p = mmap(NULL, sizeof(struct figures), prot,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ph_assert(p != MAP_FAILED);
	return p;
}

struct figures *
figures_map(int fd)
{
	return map(fd, PROT_READ | PROT_WRITE);
}

const struct figures *
figures_look(int fd)
{
	return map(fd, PROT_READ);
}

void
figures_unmap(const struct figures *f)
{
	if (f != NULL)
		(void)munmap((void *)(uintptr_t)f, sizeof(*f));
}

void
figures_gone(struct figures *f)
{
	for (size_t i = 0; i < FIG_COUNT; i++)
		if (!figure_rows[i].is_counter)
			figures_set(f, (enum figure)i, 0);
}

static uint64_t
resident(void)
{
	char text[128];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	unsigned long long all, pages = 0;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%llu %llu", &all, &pages) != 2)
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void
figures_self(struct figures *f, uint64_t *cpu_us_io)
{
	struct rusage ru;
	uint64_t us;

	(void)getrusage(RUSAGE_SELF, &ru);
	us = (uint64_t)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000 +
	     (uint64_t)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec);
	figures_add(f, FIG_CPU, us - *cpu_us_io);
	*cpu_us_io = us;
	figures_set(f, FIG_MEMORY, resident());
}
