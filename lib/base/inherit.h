/*
 * inherit.h - the descriptors a daemon is born with (lib/base/control.h).
 */
#ifndef LIB_BASE_INHERIT_H
#define LIB_BASE_INHERIT_H

#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

struct inherit {
	struct inherit_fd {
		char name[32];
		int fd;
	} * v;
	size_t n;
};

/* Reads LISTEN_FDS and LISTEN_FDNAMES and marks all close-on-exec.
 * ERR_INVALID when they are missing or do not fit each other. */
PH_MUSTUSE int inherit_take(struct inherit *in, struct err *e);
/* The index-th descriptor of that name, or -1. */
int inherit_find(const struct inherit *in, struct slice name, size_t index);
/* Frees the list; descriptors stay open. */
void inherit_fini(struct inherit *in);

#endif
