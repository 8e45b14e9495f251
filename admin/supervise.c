#include "admin/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/host.h"
#include "admin/spawn.h"
#include "admin/supctl.h"
#include "admin/supfig.h"
#include "admin/suplone.h"
#include "admin/supreload.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum {
	HOST_LOCK_MS = 3000,
	LOCK_TRY_MS = 20,
	LOCK_WARN_MS = 5000,
	TICK_MS = 1000,
	STOP_MS = 10000,
	SAME_MS = 500, /* asked twice at once is asked once */
	LATE_MS = 5000,
	ROOM_MS = 5000,    /* between looks whether the disk is still full */
	FREE_RESTARTS = 5, /* a minute; more are slowed down */
	MINUTE_MS = 60000,
	PAUSE_MIN_MS = 1000,
	PAUSE_MAX_MS = 60000,
	ERRORS_MAX = 64 << 10
};

static const struct {
	const char *name;
	unsigned to; /* states it may go to */
} states[] = {
	[SUP_LOCK] = { "locking", 1U << SUP_RECOVER | 1U << SUP_END },
	[SUP_RECOVER] = { "recovering",
	    1U << SUP_RUN | 1U << SUP_END | 1U << SUP_KILL | 1U << SUP_PAUSE },
	[SUP_RUN] = { "running", 1U << SUP_STOP | 1U << SUP_KILL },
	[SUP_STOP] = { "stopping", 1U << SUP_KILL | 1U << SUP_END },
	[SUP_KILL] = { "killing", 1U << SUP_PAUSE | 1U << SUP_END },
	[SUP_PAUSE] = { "pausing", 1U << SUP_LOCK | 1U << SUP_END },
	[SUP_END] = { "ended", 0 },
};

const char *
supervise_state_name(enum sup_state state)
{
	return states[state].name;
}

static void
set_state(struct supervisor *s, enum sup_state to)
{
	ph_assert(states[s->state].to & 1U << to);
	log_debug(NULL, "state", "from=%s to=%s", states[s->state].name,
	    states[to].name);
	s->state = to;
}

/* systemd's notify protocol: one datagram, KEY=VALUE. */
static void
tell_systemd(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n;
	int fd;

	if (path == NULL ||
	    !slice_copy(slice_str(path), sa.sun_path, sizeof(sa.sun_path)))
		return;
	n = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (sa.sun_path[0] == '@')
		sa.sun_path[0] = '\0';
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL,
	    (struct sockaddr *)&sa, (socklen_t)n);
	close(fd);
}

/* Of those that have the store open, or of all. */
static bool
any_left(const struct supervisor *s, bool lone_too)
{
	for (size_t i = 0; i < CHILD_COUNT; i++)
		if (s->children[i].pid != 0 &&
		    (lone_too || !child_is_lone(&s->children[i])))
			return true;
	return s->helper != 0;
}

static void
enter_lock(struct supervisor *s)
{
	set_state(s, SUP_LOCK);
	s->deadline_ms = clock_steady_ms() + LOCK_WARN_MS;
}

static void
enter_end(struct supervisor *s, int status)
{
	set_state(s, SUP_END);
	if (status != 0)
		s->exit_status = status;
}

static void
kill_all(struct supervisor *s)
{
	set_state(s, SUP_KILL);
	for (size_t i = 0; i < CHILD_COUNT; i++)
		if (!child_is_lone(&s->children[i]))
			child_kill(&s->children[i]);
	if (s->helper != 0)
		(void)kill(s->helper, SIGKILL);
}

/* Protocol K 1: no other process has the environment open when recovery
 * begins.  The helper takes the lock again for itself. */
static void
try_lock(struct supervisor *s, uint64_t now)
{
	struct err e;

	if (s->stopping) {
		enter_end(s, 0);
		return;
	}
	if (flock(s->env_lock, LOCK_EX | LOCK_NB) != 0) {
		if (now >= s->deadline_ms) {
			log_warn(NULL, "lock",
			    "waiting=1 why=\"a process of an earlier host "
			    "still "
			    "has the store open\"");
			s->deadline_ms = now + MINUTE_MS;
		}
		return;
	}
	(void)flock(s->env_lock, LOCK_UN);
	if (host_start_recovery(&s->m, &s->user, &s->helper, &e) != 0) {
		log_error(NULL, "recovery", "failed=\"%s\"", e.text);
		enter_end(s, 1);
		return;
	}
	set_state(s, SUP_RECOVER);
}

int
supervise_start(struct supervisor *s, struct child *c)
{
	const struct child_world w = { &s->m, &s->listen, &s->user,
		s->figure_fds, PH_LEN(s->figure_fds) };
	struct err e = { 0 };
	int rc = child_start(c, &w, &e);

	if (rc != 0)
		log_error(NULL, "start", "program=%s failed=\"%s\"",
		    child_name(c), e.text);
	else if (child_is_lone(c))
		child_tell_domains(c, s->children[0].domains_fd);
	return rc;
}

static void
start_children(struct supervisor *s)
{
	/* Waits at most for an administrator who came in between. */
	while (flock(s->env_lock, LOCK_SH) != 0 && errno == EINTR)
		continue;
	set_state(s, SUP_RUN);
	s->told_ready = false;
	for (size_t i = 0; i < CHILD_COUNT; i++) {
		struct child *c = &s->children[i];

		if (c->pid != 0 || !child_is_wanted(c, &s->listen) ||
		    (child_is_lone(c) && s->was_up) ||
		    supervise_start(s, c) == 0)
			continue;
		s->stopping = true;
		s->exit_status = 1;
		kill_all(s);
		return;
	}
}

/* A signal comes of pages of the index's cache that have no place on disk. */
static bool
disk_is_full(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) == HOST_NO_SPACE
				 : WTERMSIG(status) == SIGBUS;
}

static void
on_helper_end(struct supervisor *s, int status)
{
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	s->helper = 0;
	if (s->state != SUP_RECOVER)
		return;
	if (disk_is_full(status) && s->was_up && !s->stopping) {
		/* It was well before: somebody will make room. */
		log_error(NULL, "recovery",
		    "failed=1 why=\"no space\" again_ms=%d", ROOM_MS);
		set_state(s, SUP_PAUSE);
		s->deadline_ms = clock_steady_ms() + ROOM_MS;
	} else if (!good) {
		log_error(NULL, "recovery",
		    "failed=1 status=%d hint=\"the store cannot be opened; "
		    "see above, then try `posthof fsck` or restore a "
		    "backup\"",
		    status);
		enter_end(s, 1);
	} else if (s->stopping) {
		enter_end(s, 0);
	} else {
		start_children(s);
	}
}

/* Protocol K 4.  Before the host ever served, a failure is the operator's to
 * see, not ours to repeat. */
static void
fail(struct supervisor *s, struct child *c, const char *why)
{
	if (s->state != SUP_RUN && s->state != SUP_STOP)
		return;
	c->failures++;
	figures_add(c->figures, FIG_FAILURES, 1);
	log_error(NULL, s->state == SUP_STOP ? "stop" : "failure",
	    "program=%s why=\"%s\" pid=%d", child_name(c), why, (int)c->pid);
	if (s->state == SUP_STOP || !s->was_up) {
		if (!s->was_up && !s->stopping)
			log_error(NULL, "start",
			    "failed=\"%s did not start; its lines above say "
			    "why\"",
			    child_name(c));
		s->stopping = true;
		s->exit_status = 1;
	}
	kill_all(s);
}

static void
on_child_end(struct supervisor *s, struct child *c, int status)
{
	bool good = c->state == CHILD_STOPPING && WIFEXITED(status) &&
		    WEXITSTATUS(status) == 0;
	char why[64];

	if (!good &&
	    (child_is_lone(c) || s->state == SUP_RUN || s->state == SUP_STOP)) {
		(void)snprintf(why, sizeof(why), "%s %d",
		    WIFSIGNALED(status) ? "signal" : "exit status",
		    WIFSIGNALED(status) ? WTERMSIG(status)
					: WEXITSTATUS(status));
		if (child_is_lone(c) && s->was_up)
			suplone_failed(s, c, why);
		else
			fail(s, c, why);
	}
	child_ended(c);
}

static void
reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->helper)
			on_helper_end(s, status);
		for (size_t i = 0; i < CHILD_COUNT; i++)
			if (s->children[i].pid == pid)
				on_child_end(s, &s->children[i], status);
	}
}

/* The keeper goes last: its clean close is the final checkpoint. */
static void
stop_children(struct supervisor *s)
{
	bool daemons = false;

	for (size_t i = 0; i < CHILD_COUNT; i++)
		if (!child_is_keeper(&s->children[i]) &&
		    s->children[i].pid != 0) {
			child_stop(&s->children[i]);
			daemons = true;
		}
	for (size_t i = 0; i < CHILD_COUNT && !daemons; i++)
		child_stop(&s->children[i]);
}

void
supervise_stop(struct supervisor *s)
{
	uint64_t now = clock_steady_ms();

	if (s->stopping) {
		/* Asked twice: no more patience. */
		if (now - s->asked_ms < SAME_MS)
			return;
		if (s->state == SUP_STOP || s->state == SUP_RECOVER) {
			log_warn(NULL, "stop", "asked=2 killing=1");
			kill_all(s);
		}
		return;
	}
	log_info(NULL, "stop", "asked=1");
	tell_systemd("STOPPING=1");
	s->stopping = true;
	s->asked_ms = now;
	if (s->state != SUP_RUN)
		return;
	set_state(s, SUP_STOP);
	s->deadline_ms = now + STOP_MS;
	stop_children(s);
}

/* 0 for the first few in a minute, then 1 s, 2 s, 4 s, ...; small again only
 * after a minute without a failure. */
static uint64_t
back_off_ms(struct supervisor *s, uint64_t now)
{
	size_t newest =
		   (s->restarts + SUP_RESTARTS_KEPT - 1) % SUP_RESTARTS_KEPT,
	       recent = 0;

	if (s->restarts != 0 &&
	    now - s->restarted_ms[newest] > MINUTE_MS + s->pause_ms)
		s->pause_ms = 0;
	s->restarted_ms[s->restarts++ % SUP_RESTARTS_KEPT] = now;
	for (size_t i = 0; i < SUP_RESTARTS_KEPT; i++)
		recent += s->restarted_ms[i] != 0 &&
			  now - s->restarted_ms[i] < MINUTE_MS;
	if (s->pause_ms != 0)
		s->pause_ms *= 2;
	else if (recent > FREE_RESTARTS)
		s->pause_ms = PAUSE_MIN_MS;
	if (s->pause_ms > PAUSE_MAX_MS)
		s->pause_ms = PAUSE_MAX_MS;
	return s->pause_ms;
}

static void
after_kill(struct supervisor *s, uint64_t now)
{
	uint64_t pause;

	if (any_left(s, false))
		return;
	(void)flock(s->env_lock, LOCK_UN);
	if (s->stopping) {
		enter_end(s, 0);
		return;
	}
	pause = back_off_ms(s, now);
	figures_add(s->figures, FIG_RECOVERIES, 1);
	set_state(s, SUP_PAUSE);
	s->deadline_ms = now + pause;
	log_warn(NULL, "restart", "count=%llu pause_ms=%llu",
	    (unsigned long long)s->restarts, (unsigned long long)pause);
}

static void
check_run(struct supervisor *s, uint64_t now)
{
	bool all_up = true;

	for (size_t i = 0; i < CHILD_COUNT; i++) {
		struct child *c = &s->children[i];
		const char *why = child_sick(c, now);

		if (child_is_lone(c) && s->was_up)
			continue; /* suplone.c looks after it */
		if (why != NULL) {
			fail(s, c, why);
			return;
		}
		all_up = all_up && (c->state == CHILD_UP ||
				       !child_is_wanted(c, &s->listen));
	}
	if (!all_up || s->told_ready)
		return;
	s->told_ready = s->was_up = true;
	log_info(NULL, "ready", "pid=%d hostname=%s sockets=%zu", getpid(),
	    s->m.conf->hostname, s->listen.n);
	tell_systemd("READY=1");
}

static void
check_stop(struct supervisor *s, uint64_t now)
{
	stop_children(s);
	if (!any_left(s, true)) {
		enter_end(s, 0);
	} else if (now >= s->deadline_ms) {
		log_warn(NULL, "stop", "late=1 killing=1");
		s->exit_status = 1;
		kill_all(s);
	}
}

/* One step of whatever state we are in. */
static void
step(struct supervisor *s)
{
	uint64_t now = clock_steady_ms();

	if (s->state == SUP_PAUSE && s->stopping)
		enter_end(s, 0);
	if (s->state == SUP_PAUSE && now >= s->deadline_ms)
		enter_lock(s);
	if (s->state == SUP_LOCK)
		try_lock(s, now);
	if (s->state == SUP_RUN)
		check_run(s, now);
	if (s->state == SUP_STOP)
		check_stop(s, now);
	if (s->state == SUP_KILL)
		after_kill(s, now);
	suplone_step(s, now);
	supreload_check(s, now);
}

static void
take_signals(struct supervisor *s)
{
	struct signalfd_siginfo si;

	while (read(s->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGCHLD)
			reap(s);
		else if (si.ssi_signo == SIGHUP)
			supreload_by_signal(s);
		else
			supervise_stop(s);
	}
}

static int
poll_ms(const struct supervisor *s)
{
	if (s->state == SUP_LOCK)
		return LOCK_TRY_MS;
	if (s->state == SUP_PAUSE) {
		uint64_t now = clock_steady_ms();

		if (now >= s->deadline_ms)
			return 0;
		if (s->deadline_ms - now < TICK_MS)
			return (int)(s->deadline_ms - now);
	}
	return TICK_MS;
}

/* After the whole group was stopped (Ctrl-Z) or the machine slept, silence
 * was nobody's fault. */
static void
forgive(struct supervisor *s, uint64_t asleep_from)
{
	uint64_t now = clock_steady_ms();

	if (now - asleep_from < TICK_MS + LATE_MS)
		return;
	for (size_t i = 0; i < CHILD_COUNT; i++) {
		s->children[i].beat_ms = now;
		s->children[i].beat.oldest_ms = 0;
	}
}

static void
run(struct supervisor *s)
{
	enum { FDS = 2 + SUP_CLIENTS_MAX + CHILD_COUNT };

	while (s->state != SUP_END) {
		struct pollfd pfd[FDS] = { { .fd = s->signal_fd,
		    .events = POLLIN } };
		size_t n = 1 + supctl_poll(s, pfd + 1);
		uint64_t from = clock_steady_ms();

		for (size_t i = 0; i < CHILD_COUNT; i++)
			if (s->children[i].control >= 0)
				pfd[n++] =
				    (struct pollfd){ .fd =
							 s->children[i].control,
					    .events = POLLIN };
		(void)poll(pfd, n, poll_ms(s));
		for (size_t i = 0; i < CHILD_COUNT; i++)
			child_read(&s->children[i]);
		supfig_tick(s);
		forgive(s, from);
		take_signals(s);
		supctl_serve(s);
		step(s);
	}
}

static int
block_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Directories, locks, ports: all that can be refused before we serve. */
static int
prepare(struct supervisor *s, struct err *e)
{
	const struct conf *conf = s->m.conf;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t twins = conf->loops != 0 ? conf->loops
		       : cores > 0      ? (size_t)cores
					: 1;
	int rc;

	if ((rc = user_lookup(conf->user, &s->user, e)) != 0 ||
	    (rc = host_make_dirs(conf, &s->user, e)) != 0 ||
	    (rc = host_lock(conf, &s->user, HOST_LOCK_MS, &s->host_lock, e)) !=
		0 ||
	    (rc = host_env_lock(conf, &s->user, &s->env_lock, e)) != 0 ||
	    (rc = listen_open(&s->listen, conf, twins, &s->user, e)) != 0)
		return rc;
	spawn_raise_nofile(conf->connections_max + 4096);
	if ((s->signal_fd = block_signals()) < 0)
		return err_set(e, ERR_IO, "signalfd: %s", strerror(errno));
	return supctl_open(s, e);
}

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

int
supervise(const char *conf_path)
{
	struct supervisor s = { .conf_path = conf_path,
		.signal_fd = -1,
		.host_lock = -1,
		.env_lock = -1,
		.ctl_fd = -1,
		.state = SUP_PAUSE,
		.m = { .conf_fd = -1, .tls_fd = -1, .profile_fd = -1 } };
	struct buf errors;
	struct err e = { 0 };

	for (size_t i = 0; i < SUP_CLIENTS_MAX; i++)
		s.clients[i].fd = -1;
	buf_init(&errors, ERRORS_MAX);
	s.started_ms = clock_steady_ms();
	if (material_load(conf_path, &s.m, &errors) != 0) {
		(void)fprintf(stderr, "%.*s", (int)buf_len(&errors),
		    errors.p != NULL ? errors.p : "");
		s.exit_status = 1;
	} else if (supfig_open(&s, &e) != 0 || prepare(&s, &e) != 0) {
		(void)fprintf(stderr, "posthof: %s\n", e.text);
		s.exit_status = 1;
	} else {
		run(&s);
		suplone_end(&s);
		log_info(NULL, "end", "status=%d", s.exit_status);
	}
	listen_close(&s.listen);
	supctl_close(&s);
	supfig_close(&s);
	material_fini(&s.m);
	buf_fini(&errors);
	close_fd(s.signal_fd);
	close_fd(s.env_lock);
	close_fd(s.host_lock);
	return s.exit_status;
}
