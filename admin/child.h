/*
 * child.h - the keeper and the daemons, as the supervisor sees them.
 */
#ifndef ADMIN_CHILD_H
#define ADMIN_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "admin/listen.h"
#include "admin/material.h"
#include "lib/base/control.h"

enum child_state {
	CHILD_NONE,     /* no process */
	CHILD_STARTING, /* no CONTROL_UP yet */
	CHILD_UP,
	CHILD_STOPPING /* asked to end */
};

enum child_reload { RELOAD_NONE, RELOAD_ASKED, RELOAD_GOOD, RELOAD_BAD };

struct child {
	const struct child_kind *kind;
	enum child_state state;
	enum child_reload reload;
	pid_t pid;         /* 0: no process */
	uint64_t failures; /* how often it was the one that failed */
	int control;       /* our end; -1: none */
	uint64_t started_ms, beat_ms;
	struct control_beat beat; /* the last one */
};

enum { CHILD_COUNT = 4 };

/* The keeper first, then the daemons. */
void child_init(struct child v[CHILD_COUNT]);
const char *child_name(const struct child *c);
bool child_is_keeper(const struct child *c);

PH_MUSTUSE int child_start(struct child *c, const struct material *m,
    const struct listen_set *listen, const struct user *user, struct err *e);

/* Reads all that waits on its control socket. */
void child_read(struct child *c);
/* NULL, or why it is as good as dead (Protocol K 4). */
const char *child_sick(const struct child *c, uint64_t now_ms);
void child_stop(struct child *c);
void child_reload(struct child *c, const struct material *m);
void child_kill(struct child *c);
/* waitpid() returned it: forget the process. */
void child_ended(struct child *c);

#endif
