#include "admin/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { FIRST_FD = 3, EXIT_NOEXEC = 127, ENV_BYTES_MAX = 64 << 10 };

extern char **environ;

/* What of our environment a child may see: a name, or a beginning ("X*"). */
static const char *const env_passed[] = { "PATH=", "TZ=", "LANG=", "LC_ALL=",
	"ASAN_OPTIONS=", "LSAN_OPTIONS=", "TSAN_OPTIONS=", "UBSAN_OPTIONS=",
	"MALLOC_", "POSTHOF_" };

static bool
is_passed(const char *var)
{
	for (size_t i = 0; i < PH_LEN(env_passed); i++)
		if (slice_starts(slice_str(var), slice_str(env_passed[i])))
			return true;
	return false;
}

/* A new environment; its last three strings are ours. */
static char **
make_env(const struct spawn *s)
{
	size_t cap = 0, n = 0;
	char **env = NULL;
	struct buf names;

	for (char **at = environ; *at != NULL; at++) {
		if (!is_passed(*at))
			continue;
		env = mem_grow(env, &cap, n, sizeof(*env));
		env[n++] = xstrdup(*at);
	}
	buf_init(&names, ENV_BYTES_MAX);
	buf_add_str(&names, "LISTEN_FDNAMES=");
	for (size_t i = 0; i < s->nfds; i++)
		buf_printf(&names, "%s%s", i != 0 ? ":" : "", s->fds[i].name);
	env = xrealloc(env, (n + 4) * sizeof(*env));
	env[n++] = buf_take_str(&names);
	env[n++] = xasprintf("LISTEN_FDS=%zu", s->nfds);
	env[n++] = xasprintf("POSTHOF_CONF_NAME=%s", s->conf_name);
	env[n] = NULL;
	return env;
}

static void
free_env(char **env)
{
	for (char **at = env; *at != NULL; at++)
		free(*at);
	free(env);
}

/* Puts the descriptors at 3, 4, ...; closes all others.  First out of the
 * way, then down, so that none is overwritten before it was copied. */
static bool
place_fds(const struct spawn *s)
{
	int above = FIRST_FD + (int)s->nfds;
	int *moved = xcalloc(s->nfds + 1, sizeof(*moved));

	for (size_t i = 0; i < s->nfds; i++)
		if ((moved[i] = fcntl(s->fds[i].fd, F_DUPFD, above)) < 0)
			return false;
	for (size_t i = 0; i < s->nfds; i++)
		if (dup2(moved[i], FIRST_FD + (int)i) < 0)
			return false;
	free(moved);
	return close_range((unsigned)above, ~0U, 0) == 0;
}

/* PR_SET_PDEATHSIG after the change of user, which resets it. */
static bool
shed_rights(const struct spawn *s, pid_t parent)
{
	sigset_t none;

	(void)umask(027);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
	       user_become(s->user) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

PH_NORETURN static void
child_main(const struct spawn *s, char **env, pid_t parent)
{
	char *argv[] = { (char *)s->argv0, (char *)s->word, NULL };
	const char *step = "descriptors";
	int program;

	/* Opened while we may: the user need not be able to walk there. */
	if (place_fds(s) &&
	    (program = open(s->path, O_PATH | O_CLOEXEC)) >= 0) {
		step = "rights";
		if (shed_rights(s, parent)) {
			step = "run";
			fexecve(program, argv, env);
		}
	}
	log_error(NULL, "start", "program=%s step=%s errno=%d text=\"%s\"",
	    s->path, step, errno, strerror(errno));
	_exit(EXIT_NOEXEC);
}

int
spawn_start(const struct spawn *s, pid_t *pid_out, struct err *e)
{
	char **env = make_env(s);
	pid_t parent = getpid(), pid = fork();
	int errnum = errno;

	if (pid == 0)
		child_main(s, env, parent);
	free_env(env);
	if (pid < 0)
		return err_set(e, err_from_errno(errnum), "cannot start %s: %s",
		    s->argv0, strerror(errnum));
	*pid_out = pid;
	return 0;
}

char *
spawn_own_dir(char **self_out)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));
	struct slice s;

	if (n <= 0 || n == (ssize_t)sizeof(path)) {
		if (self_out != NULL)
			*self_out = xstrdup("/usr/local/bin/posthof");
		return xstrdup("/usr/local/bin");
	}
	s = slice_of(path, (size_t)n);
	if (self_out != NULL)
		*self_out = slice_dup(s);
	return slice_dup(slice_sub(s, 0, slice_rchr(s, '/')));
}

char *
spawn_find(const char *program, struct err *e)
{
	static const char *const places[] = { "", "/../libexec/posthof" };
	char *dir = spawn_own_dir(NULL), *path;

	for (size_t i = 0; i < PH_LEN(places); i++) {
		path = xasprintf("%s%s/%s", dir, places[i], program);
		if (access(path, X_OK) == 0) {
			free(dir);
			return path;
		}
		free(path);
	}
	(void)err_set(e, ERR_NOTFOUND,
	    "the program %s is neither in %s nor in %s/../libexec/posthof",
	    program, dir, dir);
	free(dir);
	return NULL;
}

bool
spawn_was_spawned(const char *names)
{
	const char *got = getenv("LISTEN_FDNAMES");

	return got != NULL && strcmp(got, names) == 0 &&
	       fcntl(SPAWN_CONF_FD, F_SETFD, FD_CLOEXEC) == 0;
}

void
spawn_raise_nofile(uint64_t n)
{
	struct rlimit lim, want;

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0 || lim.rlim_cur >= n)
		return;
	want = (struct rlimit){ n, lim.rlim_max > n ? lim.rlim_max : n };
	if (setrlimit(RLIMIT_NOFILE, &want) == 0)
		return;
	lim.rlim_cur = lim.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &lim) == 0)
		log_info(NULL, "limits", "open_files=%llu wanted=%llu",
		    (unsigned long long)lim.rlim_max, (unsigned long long)n);
}
