/*
 * spawn.h - a child process with named descriptors and no rights.
 *
 * The conventions are those of lib/base/control.h.  For single-threaded
 * callers only.
 */
#ifndef ADMIN_SPAWN_H
#define ADMIN_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "admin/user.h"
#include "lib/base/err.h"

/* Where `posthof keeper` and `posthof recover` find theirs. */
enum {
	SPAWN_CONF_FD = 3,
	SPAWN_CONTROL_FD = 4,
	SPAWN_PROFILE_FD = 5,
	SPAWN_FIGURES_FD = 6
};

struct spawn_fd {
	const char *name;
	int fd;
};

struct spawn {
	const char *path;  /* the program's file */
	const char *argv0; /* its name in ps */
	const char *word;  /* first argument, or NULL */
	const struct spawn_fd *fds;
	size_t nfds;
	const char *conf_name; /* for messages */
	const struct user *user;
};

/*
 * Starts it: rights dropped, no new ones to be had, killed when we die, only
 * the given descriptors and 0 to 2 open, umask 027.  When the program cannot
 * be run the child says so in the log and ends with 127.
 */
PH_MUSTUSE int spawn_start(
    const struct spawn *s, pid_t *pid_out, struct err *e);

/* The directory of the running program's file, which the caller frees;
 * *self_out (may be NULL) is the file. */
char *spawn_own_dir(char **self_out) PH_MUSTUSE;

/* The file of a daemon: beside our own, else in ../libexec/posthof.  The
 * caller frees it.  NULL and e when there is none. */
char *spawn_find(const char *program, struct err *e) PH_MUSTUSE;

/* Are descriptors 3 and up those of `posthof keeper` or `recover`? */
bool spawn_was_spawned(const char *names);

/* Raises the limit of open files to at least n, or as far as it goes. */
void spawn_raise_nofile(uint64_t n);

#endif
