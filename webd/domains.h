/*
 * domains.h - is a domain one of this host's?
 */
#ifndef WEBD_DOMAINS_H
#define WEBD_DOMAINS_H

#include "lib/base/map.h"

struct domains {
	struct map names;
	bool known; /* a list has been read */
};

void domains_init(struct domains *d);
void domains_fini(struct domains *d);
/* Replaces all by the lines of a file (folded names); an unreadable one
 * changes nothing and returns an error. */
PH_MUSTUSE int domains_read(struct domains *d, int fd);
bool domains_has(const struct domains *d, struct slice name);

#endif
