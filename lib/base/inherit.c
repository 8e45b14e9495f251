#include "lib/base/inherit.h"

#include <fcntl.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"

enum { FIRST_FD = 3, FDS_MAX = 4096 };

int
inherit_take(struct inherit *in, struct err *e)
{
	const char *count = getenv("LISTEN_FDS");
	struct slice names = slice_str(getenv("LISTEN_FDNAMES")), name;
	uint64_t n;

	*in = (struct inherit){ 0 };
	if (count == NULL || !num_parse(slice_str(count), FDS_MAX, &n))
		return err_set(e, ERR_INVALID,
		    "no LISTEN_FDS: daemons are started by `posthof serve`");
	in->v = xcalloc(n, sizeof(*in->v));
	while (in->n < n && slice_split(&names, ':', &name)) {
		int fd = FIRST_FD + (int)in->n;

		if (!slice_copy(
			name, in->v[in->n].name, sizeof(in->v[in->n].name)) ||
		    fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
			break;
		in->v[in->n++].fd = fd;
	}
	if (in->n == n)
		return 0;
	inherit_fini(in);
	return err_set(e, ERR_INVALID,
	    "LISTEN_FDS and LISTEN_FDNAMES do not fit each other");
}

int
inherit_find(const struct inherit *in, struct slice name, size_t index)
{
	for (size_t i = 0; i < in->n; i++)
		if (slice_eq(slice_str(in->v[i].name), name) && index-- == 0)
			return in->v[i].fd;
	return -1;
}

void
inherit_fini(struct inherit *in)
{
	free(in->v);
	*in = (struct inherit){ 0 };
}
