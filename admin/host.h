/*
 * host.h - the host's directories and locks, and recovery.
 *
 * RUN/host.lock is held exclusive by whoever owns the host: `posthof serve`
 * for its life, or one administrating command while it is stopped.
 * RUN/env.lock is Protocol K's: shared by every process that has the
 * environment open, exclusive for recovery (storage/store.h).
 */
#ifndef ADMIN_HOST_H
#define ADMIN_HOST_H

#include <sys/types.h>

#include "admin/material.h"
#include "admin/user.h"
#include "storage/store.h"

/* RUN/name; the caller frees it. */
char *host_path(const struct conf *conf, const char *name) PH_MUSTUSE;

/* Makes run-dir and state-dir where missing and gives them to the user. */
PH_MUSTUSE int host_make_dirs(
    const struct conf *conf, const struct user *user, struct err *e);

/* The descriptor of RUN/host.lock, locked; ERR_BUSY: somebody has it, for
 * longer than wait_ms.  Blocks for so long. */
PH_MUSTUSE int host_lock(const struct conf *conf, const struct user *user,
    uint64_t wait_ms, int *fd_out, struct err *e);
/* The descriptor of RUN/env.lock, not locked. */
PH_MUSTUSE int host_env_lock(const struct conf *conf, const struct user *user,
    int *fd_out, struct err *e);

/* Starts the recovery helper: `posthof recover` as the user. */
PH_MUSTUSE int host_start_recovery(const struct material *m,
    const struct user *user, pid_t *pid_out, struct err *e);
/* The same and waits for its good end.  With host.lock held. */
PH_MUSTUSE int host_recover(
    const struct material *m, const struct user *user, struct err *e);

/* How every process opens the store. */
struct store_conf host_store_conf(
    const struct conf *conf, const char *name, enum store_role role);

/* Main of `posthof recover`, in the helper; the exit status: HOST_NO_SPACE
 * when nothing is wrong but that the disk is full. */
enum { HOST_NO_SPACE = 75 }; /* EX_TEMPFAIL, sysexits.h */
int host_recover_main(void);

/* The configuration passed as descriptor SPAWN_CONF_FD; ERR_INVALID when
 * there is none.  Starts the log under that program's name. */
PH_MUSTUSE int host_passed_conf(const char *program, struct conf **conf_out);

#endif
