#include "admin/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "admin/ctl.h"
#include "admin/host.h"
#include "admin/spawn.h"
#include "admin/tally.h"
#include "admin/traces.h"
#include "admin/warn.h"
#include "lib/base/clock.h"
#include "lib/base/control.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/account.h"

enum {
	LOCK_WAIT_MS = 30000,
	BEAT_MS = 1000,
	COMMANDS_MAX = 32, /* at once */
	END_SEC = 8,       /* for commands under way at the end */
	TEXT_MAX = 1 << 20,
	PURGE_MS = 3600000,
	TRACES_MS = 600000,
	PURGED_AT_ONCE = 100
};

struct keeper {
	struct conf *conf; /* replaced at reload; old ones stay */
	struct conf **old;
	size_t nold, old_cap;
	struct store *store;
	int admin_fd;
	pthread_t sweeper;
	atomic_bool ending;
	pthread_mutex_t lock; /* of commands, and for the conditions */
	pthread_cond_t idle;  /* commands went to 0 */
	pthread_cond_t wake;  /* the sweeper, early */
	atomic_size_t commands;
	atomic_uint_fast64_t total;
	struct figures *figures;
	atomic_bool changed; /* a command may have changed domains */
	uint64_t cpu_us;
};

/* One connection to the admin socket. */
struct visit {
	struct keeper *k;
	int fd;
};

static const struct conf *
current(struct keeper *k)
{
	return __atomic_load_n(&k->conf, __ATOMIC_ACQUIRE);
}

/* Waits for ms or the end; false at the end. */
static bool
sleep_ms(struct keeper *k, uint64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&k->lock);
	if (!k->ending)
		(void)pthread_cond_timedwait(&k->wake, &k->lock, &until);
	pthread_mutex_unlock(&k->lock);
	return !k->ending;
}

static void
warn(struct keeper *k, uint64_t *last_ms_io)
{
	const struct conf *conf = current(k);
	uint64_t now = clock_steady_ms();
	int rc;

	if (!conf->quota_warnings || now < *last_ms_io + conf->quota_time)
		return;
	*last_ms_io = now;
	if ((rc = warn_round(k->store, conf)) != 0)
		log_error(NULL, "quota-warnings", "failed=%s", err_name(rc));
}

/* Deleted accounts whose time is over. */
static void
purge(struct keeper *k, uint64_t *last_ms_io)
{
	const struct conf *conf = current(k);
	uint64_t every = conf->undelete_time / 4, now = clock_steady_ms();
	size_t gone = 0;
	int rc;

	if (now < *last_ms_io + (every < PURGE_MS ? every : PURGE_MS))
		return;
	*last_ms_io = now;
	rc = account_purge(k->store, clock_wall_sec(), PURGED_AT_ONCE, &gone);
	if (rc != 0)
		log_error(NULL, "purge", "failed=%s", err_name(rc));
	if (gone != 0)
		log_info(NULL, "purge", "accounts=%zu", gone);
}

/* What was written down about mail, when it is too old. */
static void
expire_traces(struct keeper *k, uint64_t *last_ms_io)
{
	const struct conf *conf = current(k);
	uint64_t now = clock_steady_ms();
	size_t gone;

	if (*last_ms_io != 0 && now < *last_ms_io + TRACES_MS)
		return;
	*last_ms_io = now;
	gone =
	    traces_expire(conf->state_dir, conf->trace_days, clock_wall_sec());
	if (gone != 0)
		log_info(NULL, "purge", "trace-files=%zu", gone);
}

static void *
sweep(void *arg)
{
	struct keeper *k = arg;
	uint64_t warned_ms = 0, purged_ms = 0, traces_ms = 0;
	struct tally tally;

	tally_init(&tally, k->store, k->figures, SPAWN_CONTROL_FD);
	tally_round(&tally, current(k)->state_dir, true);
	while (sleep_ms(k, current(k)->checkpoint_time)) {
		bool more = true;
		int rc = 0;

		while (more && !k->ending && rc == 0)
			rc = store_keep(k->store, &more);
		if (rc != 0)
			log_error(NULL, "keep", "failed=%s", err_name(rc));
		tally_round(&tally, current(k)->state_dir,
		    atomic_exchange(&k->changed, false));
		warn(k, &warned_ms);
		purge(k, &purged_ms);
		expire_traces(k, &traces_ms);
	}
	tally_fini(&tally);
	return NULL;
}

static void
to_visitor(void *arg, enum out_stream stream, struct slice bytes)
{
	struct visit *v = arg;

	/* A visitor who left misses the output; the command ends anyway. */
	(void)!ctl_send(v->fd, stream == OUT_STDERR ? 'E' : 'O', bytes);
}

static int
run_request(struct visit *v, struct ctl_request *r)
{
	struct cmd c;
	struct buf usage;
	int status;

	status = cmd_init(&c, r->nwords, (const char *const *)r->words);
	c.out.sink = to_visitor;
	c.out.arg = v;
	c.conf = current(v->k);
	c.conf_path = "";
	c.store = v->k->store;
	c.profile_fd = SPAWN_PROFILE_FD;
	c.input = buf_slice(&r->input);
	if (status == CMD_DONE && c.row->where != CMD_STORE)
		status = CMD_USAGE;
	if (status == CMD_DONE) {
		log_info(NULL, "admin", "command=\"%s\" word=%s", c.row->name,
		    log_q(
			slice_str(c.args.nwords != 0 ? c.args.words[0] : "")));
		status = cmd_run(&c);
		figures_add(v->k->figures, FIG_ADMIN, 1);
		v->k->changed = true;
	} else {
		buf_init(&usage, TEXT_MAX);
		cmd_usage(&c, &usage);
		to_visitor(v, OUT_STDERR, buf_slice(&usage));
		buf_fini(&usage);
	}
	cmd_fini(&c);
	return status;
}

static void *
visit_main(void *arg)
{
	struct visit *v = arg;
	struct keeper *k = v->k;
	struct ctl_request r;
	char status;

	if (ctl_read(v->fd, &r) == 0) {
		status = (char)run_request(v, &r);
		(void)!ctl_send(v->fd, 'X', slice_of(&status, 1));
	}
	ctl_request_fini(&r);
	close(v->fd);
	free(v);
	pthread_mutex_lock(&k->lock);
	if (--k->commands == 0)
		pthread_cond_signal(&k->idle);
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

static bool
start_visit(struct keeper *k, int fd)
{
	struct visit *v = xmalloc(sizeof(*v));
	pthread_attr_t attr;
	pthread_t thread;
	bool ok;

	*v = (struct visit){ k, fd };
	pthread_mutex_lock(&k->lock);
	k->commands++;
	pthread_mutex_unlock(&k->lock);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ok = pthread_create(&thread, &attr, visit_main, v) == 0;
	pthread_attr_destroy(&attr);
	if (ok)
		return true;
	pthread_mutex_lock(&k->lock);
	k->commands--;
	pthread_mutex_unlock(&k->lock);
	free(v);
	return false;
}

static void
let_in(struct keeper *k)
{
	const struct slice busy =
	    SLICE("posthof: too many commands at once; try again\n");
	const char status = CMD_REFUSED;
	int fd = accept4(k->admin_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (!ctl_may_ask(fd)) {
		log_warn(NULL, "admin",
		    "refused=1 why=\"not root and not our user\"");
		close(fd);
		return;
	}
	k->total++;
	if (k->commands < COMMANDS_MAX && start_visit(k, fd))
		return;
	(void)!ctl_send(fd, 'E', busy);
	(void)!ctl_send(fd, 'X', slice_of(&status, 1));
	close(fd);
}

static void
say(const void *p, size_t n)
{
	(void)control_say(SPAWN_CONTROL_FD, p, n, NULL, 0);
}

static void
say_beat(struct keeper *k)
{
	struct control_beat beat = { .kind = CONTROL_BEAT };
	struct store_stats st;

	if (store_stats_get(k->store, &st) == 0)
		beat.oldest_ms = st.oldest_call_ms < UINT32_MAX
				     ? (uint32_t)st.oldest_call_ms
				     : UINT32_MAX;
	beat.clients = (uint32_t)k->commands;
	beat.total_clients = k->total;
	say(&beat, sizeof(beat));
	figures_self(k->figures, &k->cpu_us);
}

static void
reload(struct keeper *k, int conf_fd, int profile_fd)
{
	char answer[2] = { CONTROL_RELOADED, '1' };
	struct conf *fresh = NULL;
	struct err e;

	if (dup3(profile_fd, SPAWN_PROFILE_FD, O_CLOEXEC) >= 0 &&
	    conf_passed(conf_fd, &fresh, &e) == 0) {
		k->old = mem_grow(
		    k->old, &k->old_cap, k->nold, sizeof(struct conf *));
		k->old[k->nold++] = k->conf;
		__atomic_store_n(&k->conf, fresh, __ATOMIC_RELEASE);
		answer[1] = '0';
	}
	say(answer, sizeof(answer));
}

/* One message of the supervisor; false: stop. */
static bool
on_control(struct keeper *k)
{
	struct control_msg m;
	int rc = control_read(SPAWN_CONTROL_FD, &m);

	if (rc == 0 && m.p[0] == CONTROL_RELOAD)
		reload(k, m.fds[0], m.fds[1]);
	control_done(&m);
	return rc == ERR_BUSY || (rc == 0 && m.p[0] != CONTROL_STOP);
}

static void
serve(struct keeper *k)
{
	struct pollfd pfd[2] = {
		{ .fd = SPAWN_CONTROL_FD, .events = POLLIN },
		{ .fd = k->admin_fd, .events = POLLIN },
	};
	const char up = CONTROL_UP;
	uint64_t beat_at = 0;

	say(&up, 1);
	for (;;) {
		uint64_t now = clock_steady_ms();

		if (now >= beat_at) {
			say_beat(k);
			beat_at = now + BEAT_MS;
		}
		if (poll(pfd, 2, (int)(beat_at - now)) <= 0)
			continue;
		if (pfd[1].revents != 0)
			let_in(k);
		if (pfd[0].revents != 0 && !on_control(k))
			return;
	}
}

/* Waits for commands under way; false when some did not end in time. */
static bool
drain(struct keeper *k)
{
	struct timespec until;
	bool idle;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_SEC;
	pthread_mutex_lock(&k->lock);
	while (k->commands != 0 && rc == 0)
		rc = pthread_cond_timedwait(&k->idle, &k->lock, &until);
	idle = k->commands == 0;
	pthread_mutex_unlock(&k->lock);
	return idle;
}

static void
end(struct keeper *k)
{
	char *path = host_path(current(k), "admin.sock");
	bool idle;

	close(k->admin_fd);
	(void)unlink(path);
	free(path);
	pthread_mutex_lock(&k->lock);
	k->ending = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	idle = drain(k);
	pthread_join(k->sweeper, NULL);
	if (!idle) {
		log_warn(NULL, "stop", "commands_left=%zu", k->commands);
		_exit(0);
	}
	store_close(&k->store);
	for (size_t i = 0; i < k->nold; i++)
		conf_free(&k->old[i]);
	free(k->old);
}

static int
start(struct keeper *k, struct err *e)
{
	struct store_conf sc = host_store_conf(k->conf, "keeper", STORE_KEEPER);
	int rc;

	if ((rc = store_open(&sc, LOCK_WAIT_MS, &k->store, e)) != 0)
		return rc;
	if ((k->admin_fd = ctl_listen(k->conf->run_dir, CTL_KEEPER, SOCK_STREAM,
		 CTL_BACKLOG, e)) < 0)
		return k->admin_fd;
	if (pthread_create(&k->sweeper, NULL, sweep, k) != 0)
		return err_set(e, ERR_IO, "cannot start a thread");
	return 0;
}

int
keeper_main(void)
{
	struct keeper k = { .admin_fd = -1,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.idle = PTHREAD_COND_INITIALIZER,
		.wake = PTHREAD_COND_INITIALIZER };
	struct err e = { 0 };

	if (!spawn_was_spawned("conf:control:profile:figures")) {
		log_error(NULL, "start",
		    "failed=\"the keeper is started by `posthof serve`\"");
		return CMD_USAGE;
	}
	(void)fcntl(SPAWN_CONTROL_FD, F_SETFD, FD_CLOEXEC);
	(void)fcntl(SPAWN_PROFILE_FD, F_SETFD, FD_CLOEXEC);
	(void)fcntl(SPAWN_FIGURES_FD, F_SETFD, FD_CLOEXEC);
	k.figures = figures_map(SPAWN_FIGURES_FD);
	figures_set(k.figures, FIG_STARTED, (uint64_t)clock_wall_sec());
	if (host_passed_conf("keeper", &k.conf) != 0)
		return CMD_REFUSED;
	if (start(&k, &e) != 0) {
		log_error(NULL, "start", "failed=\"%s\" detail=\"%s\"", e.text,
		    e.detail);
		return CMD_REFUSED;
	}
	serve(&k);
	end(&k);
	conf_free(&k.conf);
	return CMD_DONE;
}
