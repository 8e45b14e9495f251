/*
 * cmd.h - one command of the `posthof` program: its row and its run.
 *
 * Commands on the store run in the keeper while the host runs and in the
 * program itself while it is stopped; they cannot tell.
 */
#ifndef ADMIN_CMD_H
#define ADMIN_CMD_H

#include "admin/args.h"
#include "admin/out.h"
#include "lib/base/arena.h"
#include "lib/base/conf.h"
#include "storage/store.h"

/* Exit statuses. */
enum { CMD_DONE = 0, CMD_REFUSED = 1, CMD_USAGE = 2 };

enum cmd_where {
	CMD_LOCAL, /* in the program; conf is NULL */
	CMD_FILE,  /* in the program, which reads the configuration itself */
	CMD_CONF,  /* in the program, with the configuration */
	CMD_STORE, /* with the store: keeper, or alone */
	CMD_HIDDEN /* posthof starts itself so; not in the help */
};

enum { CMD_INPUT_MAX = 64 << 20 };

/* One command being run. */
struct cmd {
	const struct cmd_row *row;
	struct args args;
	const char *conf_path;
	const struct conf *conf;
	struct store *store;
	int profile_fd; /* profsign.h; -1: cannot be had */
	struct arena arena;
	struct out out;
	struct slice input; /* standard input, where the row asks for it */
	bool batch;         /* a line of provision: add means add or set, and
			     * all is synced once at the end */
	int refused;        /* enum ph_err of what was refused */
	struct err err;
};

struct cmd_row {
	const char *name;  /* "account add" */
	const char *usage; /* behind the name */
	const char *opts;  /* args.h; all have "json" too */
	size_t min, max;   /* words behind the name */
	enum cmd_where where;
	const char *input; /* reads standard input when this option is given;
			    * "*": always */
	int (*run)(struct cmd *c);
	const char *help;
};

/* The row for these words, and how many words are its name; NULL. */
const struct cmd_row *cmd_find(
    size_t argc, const char *const *argv, size_t *used_out);
/* i from 0; NULL behind the last. */
const struct cmd_row *cmd_at(size_t i);

/*
 * Fits row and arguments together.  conf, store, input and out's sink are
 * set by the caller afterwards; cmd_fini always.  CMD_DONE, or CMD_USAGE with
 * the reason in c->err.
 */
PH_MUSTUSE int cmd_init(struct cmd *c, size_t argc, const char *const *argv);
void cmd_fini(struct cmd *c);
/* Runs it; the exit status.  Everything has been handed to the sink.  With
 * --json there is always an answer: {"result": "ok"}, or {"result": "refused",
 * "error": a word of err_name(), "text": why} when the command had none. */
PH_MUSTUSE int cmd_run(struct cmd *c);
bool cmd_wants_input(const struct cmd *c);
void cmd_usage(struct cmd *c, struct buf *out);

/* For handlers: says "posthof: what: reason" and what to do, and returns
 * CMD_REFUSED.  rc: what the call returned, for errors without a text. */
int cmd_refuse(struct cmd *c, int rc, const char *fmt, ...) PH_PRINTF(3, 4);
/* Waits until all is on disk (unless in a batch); CMD_DONE or CMD_REFUSED. */
int cmd_sync(struct cmd *c);

#endif
