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
#include "lib/base/figures.h"

enum child_state {
	CHILD_NONE,     /* no process */
	CHILD_STARTING, /* no CONTROL_UP yet */
	CHILD_UP,
	CHILD_STOPPING /* asked to end */
};

enum child_reload { RELOAD_NONE, RELOAD_ASKED, RELOAD_GOOD, RELOAD_BAD };

struct spawn_fd;

struct child {
	const struct child_kind *kind;
	enum child_state state;
	enum child_reload reload;
	pid_t pid;         /* 0: no process */
	uint64_t failures; /* how often it was the one that failed */
	int control;       /* our end; -1: none */
	uint64_t started_ms, beat_ms;
	struct control_beat beat; /* the last one */
	struct figures *figures;  /* its page, for all its lives */
	int figures_fd;
	int domains_fd;       /* the keeper sent it (CONTROL_DOMAINS); -1 */
	bool domains_new;     /* and it has not been handed on */
	uint64_t start_at_ms; /* a lone child that failed waits until then */
	uint64_t pause_ms;    /* and waited so long the last time */
};

enum { CHILD_COUNT = 5, CHILD_NFIGURES = CHILD_COUNT + 1 };

/* The keeper first, then the daemons, webd last. */
PH_MUSTUSE int child_init(struct child v[CHILD_COUNT], struct err *e);
void child_fini(struct child v[CHILD_COUNT]);
const char *child_name(const struct child *c);
bool child_is_keeper(const struct child *c);
/* It never opens the store: its end is no crash of the environment, and the
 * environment's is not its own. */
bool child_is_lone(const struct child *c);
/* Is there anything for it to do?  All but a lone one without a door. */
bool child_is_wanted(const struct child *c, const struct listen_set *listen);

/* What a child is born with. */
struct child_world {
	const struct material *m;
	const struct listen_set *listen;
	const struct user *user;
	/* To be read by webd, by their names: "figures-imapd", ... */
	const struct spawn_fd *figures;
	size_t nfigures;
};
PH_MUSTUSE int child_start(
    struct child *c, const struct child_world *w, struct err *e);

/* Reads all that waits on its control socket. */
void child_read(struct child *c);
/* NULL, or why it is as good as dead (Protocol K 4). */
const char *child_sick(const struct child *c, uint64_t now_ms);
void child_stop(struct child *c);
/* Hands on what the keeper sent; the descriptor stays the caller's. */
void child_tell_domains(struct child *c, int fd);
void child_reload(struct child *c, const struct material *m);
void child_kill(struct child *c);
/* waitpid() returned it: forget the process. */
void child_ended(struct child *c);

#endif
