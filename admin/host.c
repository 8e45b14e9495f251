#include "admin/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "admin/spawn.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { RECOVER_LOCK_MS = 60000, LOCK_PAUSE_MS = 20 };

char *
host_path(const struct conf *conf, const char *name)
{
	return xasprintf("%s/%s", conf->run_dir, name);
}

static int
make_dir(const char *path, mode_t mode, const struct user *user, struct err *e)
{
	struct err why;
	int rc;

	if ((rc = file_mkdirs(path, mode, &why)) != 0)
		return err_set(e, rc, "cannot make %s: %s", path, why.text);
	return user_give(user, path, e);
}

int
host_make_dirs(const struct conf *conf, const struct user *user, struct err *e)
{
	int rc;

	if ((rc = make_dir(conf->run_dir, 0755, user, e)) != 0)
		return rc;
	return make_dir(conf->state_dir, 0750, user, e);
}

/* Lock files belong to the user, who opens them too. */
static int
open_lock_file(const struct conf *conf, const char *name,
    const struct user *user, int *fd_out, struct err *e)
{
	char *path = host_path(conf, name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = 0;

	if (fd < 0 || (user->drop && fchown(fd, user->uid, user->gid) != 0)) {
		rc = err_from_errno(errno);
		(void)err_set(
		    e, rc, "cannot open %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	*fd_out = fd;
	free(path);
	return rc;
}

static void
pause_ms(long ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&ts, NULL);
}

int
host_lock(const struct conf *conf, const struct user *user, uint64_t wait_ms,
    int *fd_out, struct err *e)
{
	uint64_t until = clock_steady_ms() + wait_ms;
	int rc = open_lock_file(conf, "host.lock", user, fd_out, e);

	if (rc != 0)
		return rc;
	while (flock(*fd_out, LOCK_EX | LOCK_NB) != 0) {
		if (clock_steady_ms() >= until) {
			close(*fd_out);
			*fd_out = -1;
			return err_set(e, ERR_BUSY,
			    "this host is in use: `posthof serve` or another "
			    "posthof command has %s/host.lock",
			    conf->run_dir);
		}
		pause_ms(LOCK_PAUSE_MS);
	}
	return 0;
}

int
host_env_lock(const struct conf *conf, const struct user *user, int *fd_out,
    struct err *e)
{
	return open_lock_file(conf, "env.lock", user, fd_out, e);
}

int
host_start_recovery(const struct material *m, const struct user *user,
    pid_t *pid_out, struct err *e)
{
	const struct spawn_fd fds[] = { { "conf", m->conf_fd } };
	char *self;
	char *dir = spawn_own_dir(&self);
	const struct spawn s = { .path = self,
		.argv0 = "posthof",
		.word = "recover",
		.fds = fds,
		.nfds = PH_LEN(fds),
		.conf_name = "posthof.conf",
		.user = user };
	int rc = spawn_start(&s, pid_out, e);

	free(dir);
	free(self);
	return rc;
}

int
host_recover(const struct material *m, const struct user *user, struct err *e)
{
	pid_t pid;
	int rc, status = 0;

	if ((rc = host_start_recovery(m, user, &pid, e)) != 0)
		return rc;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(
			    e, ERR_IO, "waitpid: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, ERR_CORRUPT,
		    "recovery of %s failed, the log above says why",
		    m->conf->state_dir);
	return 0;
}

struct store_conf
host_store_conf(const struct conf *conf, const char *name, enum store_role role)
{
	return (struct store_conf){ .state_dir = conf->state_dir,
		.run_dir = conf->run_dir,
		.name = name,
		.cache_bytes = conf->store_cache,
		.segment_bytes = conf->segment_size,
		.free_floor_bytes = conf->free_floor,
		.sweep_ms = conf->pop3_remove_time,
		.role = role };
}

int
host_passed_conf(const char *program, struct conf **conf_out)
{
	struct err e;
	int rc;

	log_init(program, LOG_INFO);
	/* The supervisor answers a terminal's signals for all of us. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	rc = conf_passed(SPAWN_CONF_FD, conf_out, &e);
	if (rc == 0)
		log_init(
		    program, getenv("POSTHOF_QUIET") != NULL
				 ? LOG_WARN
				 : log_level_named((*conf_out)->log_level));
	else
		log_error(NULL, "start", "failed=\"bad configuration\"");
	return rc;
}

int
host_recover_main(void)
{
	struct conf *conf = NULL;
	struct store *store = NULL;
	struct store_conf sc;
	struct err e = { 0 };
	uint64_t from = clock_steady_ms();
	int rc;

	if (!spawn_was_spawned("conf")) {
		log_error(NULL, "start",
		    "failed=\"recovery is started by posthof itself\"");
		return 2;
	}
	if (host_passed_conf("recover", &conf) != 0)
		return 1;
	sc = host_store_conf(conf, "recover", STORE_RECOVER);
	if ((rc = store_create(conf->state_dir, &e)) == 0)
		rc = store_open(&sc, RECOVER_LOCK_MS, &store, &e);
	store_close(&store);
	conf_free(&conf);
	if (rc != 0)
		log_error(NULL, "recovery", "failed=\"%s\" detail=\"%s\"",
		    e.text, e.detail);
	else
		log_info(NULL, "recovery", "done=1 ms=%llu",
		    (unsigned long long)(clock_steady_ms() - from));
	return rc == ERR_NOSPACE ? HOST_NO_SPACE : rc != 0;
}
