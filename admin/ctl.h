/*
 * ctl.h - RUN/admin.sock: a command goes to the keeper, its output comes
 * back.
 *
 * Frames are a kind byte, a 32-bit big-endian length, and so many bytes.  To
 * the keeper: 'A' for each word, 'I' standard input (any number of them), 'G'
 * go.  From it: 'O' standard output, 'E' standard error, 'X' with one byte:
 * the exit status, the last frame.
 */
#ifndef ADMIN_CTL_H
#define ADMIN_CTL_H

#include <sys/un.h>

#include "admin/cmd.h"

enum { CTL_WORD_MAX = 64 << 10, CTL_BACKLOG = 64 };
#define CTL_KEEPER "admin.sock"

/* The other side of a command: the keeper's. */
struct ctl_request {
	char *words[ARGS_WORDS_MAX + ARGS_OPTS_MAX * 2];
	size_t nwords;
	struct buf input;
};

/* The address RUN/name; false when it is too long for one. */
bool ctl_address(
    const char *run_dir, const char *name, struct sockaddr_un *out);
/* A listening socket there, for us and root, in place of a stale one: the
 * caller holds the lock that says so.  Negative on error. */
PH_MUSTUSE int ctl_listen(const char *run_dir, const char *name, int type,
    int backlog, struct err *e);
/* May this peer give commands?  root and our own user. */
bool ctl_may_ask(int fd);
/* Reads a whole request; ERR_CLOSED, ERR_TOOBIG, ERR_TIMEOUT.  Blocks. */
PH_MUSTUSE int ctl_read(int fd, struct ctl_request *r);
/* Wipes and frees. */
void ctl_request_fini(struct ctl_request *r);
PH_MUSTUSE int ctl_send(int fd, char kind, struct slice bytes);

/* Connects; ERR_NOTFOUND when nobody listens, ERR_DENIED. */
PH_MUSTUSE int ctl_dial(const char *run_dir, int *fd_out, struct err *e);
/* Sends words and input, hands what comes back to the sink; the exit status
 * in *status_out. */
PH_MUSTUSE int ctl_ask(int fd, size_t argc, const char *const *argv,
    struct slice input,
    void (*sink)(void *arg, enum out_stream stream, struct slice bytes),
    void *arg, int *status_out, struct err *e);

#endif
