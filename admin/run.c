#include "admin/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin/ctl.h"
#include "admin/host.h"
#include "admin/profsign.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

enum {
	LOCK_WAIT_MS = 10000,
	STARTING_MS = 20000,
	RETRY_MS = 50,
	ERRORS_MAX = 64 << 10
};

void
run_to_terminal(void *arg, enum out_stream stream, struct slice bytes)
{
	(void)arg;
	(void)!file_write_all(
	    stream == OUT_STDERR ? STDERR_FILENO : STDOUT_FILENO, bytes.p,
	    bytes.n);
}

/* All of standard input, up to CMD_INPUT_MAX. */
static int
read_input(struct buf *to, struct err *e)
{
	enum { PIECE = 16 << 10 };
	char *at;
	ssize_t n;

	do {
		if ((at = buf_reserve(to, PIECE)) == NULL)
			return err_set(
			    e, ERR_TOOBIG, "standard input is too long");
		n = read(STDIN_FILENO, at, PIECE);
		if (n > 0)
			buf_advance(to, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		return err_set(e, err_from_errno(errno), "standard input: %s",
		    strerror(errno));
	return 0;
}

int
run_open_store(const struct material *m, const struct user *user,
    struct store **store_out, struct err *e)
{
	struct store_conf sc = host_store_conf(m->conf, "admin", STORE_KEEPER);
	int rc;

	if ((rc = host_recover(m, user, e)) != 0)
		return rc;
	if ((rc = user_become(user)) != 0)
		return err_set(e, rc, "cannot become the daemons' user");
	return store_open(&sc, LOCK_WAIT_MS, store_out, e);
}

/* While we may still read the key; who needs it says when it is missing. */
static void
load_profile(struct cmd *c, struct material *m)
{
	struct buf errors;

	buf_init(&errors, ERRORS_MAX);
	if (profsign_load(m->conf, &m->profile_fd, &errors) != 0)
		out_error(&c->out, "%.*s", (int)buf_len(&errors),
		    errors.p != NULL ? errors.p : "");
	c->profile_fd = m->profile_fd;
	buf_fini(&errors);
}

static int
run_alone(struct cmd *c, struct material *m, int lock)
{
	struct user user;
	struct err e = { 0 };
	int rc, status;

	load_profile(c, m);
	/* What a helper has to say of its success is no news here. */
	(void)setenv("POSTHOF_QUIET", "1", 1);
	if ((rc = user_lookup(m->conf->user, &user, &e)) == 0 &&
	    (rc = host_make_dirs(m->conf, &user, &e)) == 0)
		rc = run_open_store(m, &user, &c->store, &e);
	if (rc != 0) {
		c->err = e;
		status = cmd_refuse(c, rc,
		    "the host is stopped and its store "
		    "cannot be opened");
	} else {
		status = cmd_run(c);
	}
	store_close(&c->store);
	close(lock);
	return status;
}

static int
forward(struct cmd *c, int fd, size_t argc, const char *const *argv)
{
	int status = CMD_REFUSED;

	if (ctl_ask(fd, argc, argv, c->input, c->out.sink, c->out.arg, &status,
		&c->err) != 0)
		status = cmd_refuse(c, c->err.kind, "%s", c->row->name);
	close(fd);
	return status;
}

/* Directories and lock of a stopped host; ERR_BUSY when it is not. */
static int
take_lock(const struct conf *conf, int *lock_out, struct err *e)
{
	struct user user;
	int rc;

	/* The lock file goes to the daemons' user, who opens it too. */
	if ((rc = user_lookup(conf->user, &user, e)) != 0 ||
	    (rc = host_make_dirs(conf, &user, e)) != 0)
		return rc;
	return host_lock(conf, &user, 0, lock_out, e);
}

/* The keeper or the lock, whichever can be had first. */
static int
reach(const struct conf *conf, int *fd_out, int *lock_out, struct err *e)
{
	const struct timespec pause = { 0, RETRY_MS * 1000000L };
	uint64_t until = clock_steady_ms() + STARTING_MS;
	int rc;

	*fd_out = *lock_out = -1;
	for (;;) {
		if ((rc = ctl_dial(conf->run_dir, fd_out, e)) != ERR_NOTFOUND ||
		    (rc = take_lock(conf, lock_out, e)) != ERR_BUSY)
			return rc;
		if (clock_steady_ms() >= until)
			return err_set(e, ERR_BUSY,
			    "the host is starting, recovering or stopping; "
			    "try again");
		(void)nanosleep(&pause, NULL);
	}
}

int
run_store_command(struct cmd *c, size_t argc, const char *const *argv)
{
	struct material m = { .conf_fd = -1, .tls_fd = -1, .profile_fd = -1 };
	struct buf errors, input;
	int fd, lock, rc, status = CMD_REFUSED;

	buf_init(&errors, ERRORS_MAX);
	buf_init(&input, CMD_INPUT_MAX);
	if (material_conf(c->conf_path, &m, &errors) != 0) {
		out_error(&c->out, "%.*s", (int)buf_len(&errors),
		    errors.p != NULL ? errors.p : "");
		goto out;
	}
	c->conf = m.conf;
	if (cmd_wants_input(c) && read_input(&input, &c->err) != 0) {
		status = cmd_refuse(c, c->err.kind, "%s", c->row->name);
		goto out;
	}
	c->input = buf_slice(&input);
	rc = reach(m.conf, &fd, &lock, &c->err);
	if (rc != 0)
		status = cmd_refuse(c, rc, "%s", c->row->name);
	else if (fd >= 0)
		status = forward(c, fd, argc, argv);
	else
		status = run_alone(c, &m, lock);
out:
	c->conf = NULL;
	material_fini(&m);
	buf_fini(&errors);
	if (input.p != NULL)
		mem_wipe(input.p, input.cap);
	buf_fini(&input);
	return status;
}
