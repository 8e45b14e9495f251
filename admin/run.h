/*
 * run.h - a command on the store, wherever the store is.
 */
#ifndef ADMIN_RUN_H
#define ADMIN_RUN_H

#include "admin/cmd.h"
#include "admin/material.h"
#include "admin/user.h"

/* Writes to our own standard output and error. */
void run_to_terminal(void *arg, enum out_stream stream, struct slice bytes);

/*
 * Runs c, whose words are argv: in the keeper while the host runs; else here,
 * with the host locked and the store recovered.  While the host is starting
 * it waits.  The exit status.
 */
PH_MUSTUSE int run_store_command(
    struct cmd *c, size_t argc, const char *const *argv);

/* The store for ourselves: the host must be stopped (host.lock is held).
 * Recovers in a helper, then gives up root for good. */
PH_MUSTUSE int run_open_store(const struct material *m, const struct user *user,
    struct store **store_out, struct err *e);

#endif
