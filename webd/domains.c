#include "webd/domains.h"

#include "lib/base/file.h"

enum { TEXT_MAX = 64 << 20 };

void
domains_init(struct domains *d)
{
	map_init(&d->names);
	d->known = false;
}

void
domains_fini(struct domains *d)
{
	map_fini(&d->names, NULL);
}

int
domains_read(struct domains *d, int fd)
{
	/* The value only says that the key is there. */
	static const char is_there;
	struct slice rest, line;
	struct buf text;
	int rc;

	buf_init(&text, TEXT_MAX);
	if ((rc = file_read_fd(fd, &text, NULL)) == 0) {
		domains_fini(d);
		domains_init(d);
		d->known = true;
		rest = buf_slice(&text);
		while (slice_split(&rest, '\n', &line))
			if (line.n != 0)
				(void)map_put(&d->names, line,
				    (void *)(uintptr_t)&is_there);
	}
	buf_fini(&text);
	return rc;
}

bool
domains_has(const struct domains *d, struct slice name)
{
	return map_get(&d->names, name) != NULL;
}
