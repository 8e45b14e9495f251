/*
 * supervise.h - `posthof serve`: Protocol K.
 *
 * Binds the ports, reads certificates, recovers the store through a helper,
 * starts keeper and daemons, and watches them: when one fails all are killed,
 * the store is recovered, and all are started again.  Never opens the store.
 */
#ifndef ADMIN_SUPERVISE_H
#define ADMIN_SUPERVISE_H

#include "admin/child.h"
#include "admin/spawn.h"

/* Serves until told to stop; the exit status.  conf_path: re-read at SIGHUP. */
int supervise(const char *conf_path);

/* The rest is for supctl.c, supreload.c and suplone.c. */
enum sup_state {
	SUP_LOCK,    /* waits for an old generation to die */
	SUP_RECOVER, /* the helper works */
	SUP_RUN,     /* keeper and daemons serve */
	SUP_STOP,    /* asked them to end */
	SUP_KILL,    /* killed them, waits for their bodies */
	SUP_PAUSE,   /* backs off */
	SUP_END
};

enum { SUP_CLIENTS_MAX = 8, SUP_RESTARTS_KEPT = 16 };

struct sup_client {
	int fd; /* -1: free */
	enum { ASKS_NOTHING, ASKS_RELOAD, ASKS_STOP } asks;
};

struct supervisor {
	const char *conf_path;
	struct material m;
	struct user user;
	struct listen_set listen;
	struct child children[CHILD_COUNT];
	struct figures *figures;                    /* our own page */
	struct spawn_fd figure_fds[CHILD_NFIGURES]; /* to read, for webd */
	uint64_t tick_at_ms, cpu_us;
	struct supfig_sample *samples; /* supfig.c */
	size_t nsamples;
	enum sup_state state;
	bool stopping;   /* an end was asked for */
	bool was_up;     /* all served at least once */
	bool told_ready; /* in this generation */
	int exit_status;
	pid_t helper;
	int signal_fd, host_lock, env_lock, ctl_fd;
	uint64_t deadline_ms; /* of the state, where it has one */
	uint64_t started_ms;
	uint64_t asked_ms; /* to stop */
	uint64_t restarts;
	uint64_t pause_ms;                        /* before the last restart */
	uint64_t restarted_ms[SUP_RESTARTS_KEPT]; /* a ring */
	bool reloading;
	uint64_t reload_until_ms;
	struct sup_client clients[SUP_CLIENTS_MAX];
};

void supervise_stop(struct supervisor *s);
/* Starts one child; what went wrong is in the log. */
PH_MUSTUSE int supervise_start(struct supervisor *s, struct child *c);
const char *supervise_state_name(enum sup_state state);

#endif
