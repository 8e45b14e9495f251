/*
 * user.h - who the daemons run as when root started the host.
 */
#ifndef ADMIN_USER_H
#define ADMIN_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/err.h"

enum { USER_GROUPS_MAX = 64 };

struct user {
	bool drop; /* false: we are not root and stay who we are */
	uid_t uid;
	gid_t gid;
	gid_t groups[USER_GROUPS_MAX];
	int ngroups;
};

/* Nothing to look up for other users than root.  ERR_NOTFOUND: no such user;
 * ERR_INVALID: it is root itself.  The text says what to do. */
PH_MUSTUSE int user_lookup(const char *name, struct user *out, struct err *e);

/* Becomes that user for good.  Makes no library call that asks for names:
 * fit for a child between fork and exec. */
PH_MUSTUSE int user_become(const struct user *u);

/* Gives a path to the user; nothing without drop.  Links are not followed. */
PH_MUSTUSE int user_give(const struct user *u, const char *path, struct err *e);

#endif
