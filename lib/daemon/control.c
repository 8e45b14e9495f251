#include "lib/daemon/priv.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/control.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { BEAT_MS = 1000, TEXT_MAX = 16 << 20 };

static void
say(struct server *srv, const void *p, size_t n)
{
	(void)control_say(srv->priv->control, p, n, NULL, 0);
}

static void
say_beat(struct server *srv)
{
	struct server_priv *p = srv->priv;
	uint64_t oldest = loops_oldest_ms(srv), ms;
	struct control_beat beat = { .kind = CONTROL_BEAT };

	if ((ms = work_oldest_ms(srv->store_work)) > oldest)
		oldest = ms;
	if ((ms = work_oldest_ms(srv->auth_work)) > oldest)
		oldest = ms;
	/* Of threads that work for all, too (work_for_all). */
	if ((ms = store_oldest_call_ms(srv->store)) > oldest)
		oldest = ms;
	beat.oldest_ms = oldest < UINT32_MAX ? (uint32_t)oldest : UINT32_MAX;
	beat.clients = p->clients;
	beat.sessions = p->sessions;
	beat.total_clients = p->total_clients;
	say(srv, &beat, sizeof(beat));
	figures_set(srv->figures, FIG_CLIENTS, p->clients);
	figures_set(srv->figures, FIG_SESSIONS, p->sessions);
	figures_set(srv->figures, FIG_OLDEST, beat.oldest_ms);
	figures_set(srv->figures, FIG_LOOP_LAG, loops_lag_us(srv));
	figures_set(
	    srv->figures, FIG_WAITING_STORE, work_waiting(srv->store_work));
	figures_set(
	    srv->figures, FIG_WAITING_AUTH, work_waiting(srv->auth_work));
	figures_self(srv->figures, &p->cpu_us);
}

static int
reload_conf(struct server *srv, int fd, struct err *e)
{
	struct server_priv *p = srv->priv;
	struct conf *fresh = NULL;
	int rc = conf_passed(fd, &fresh, e);

	if (rc != 0)
		return rc;
	/* Threads may be reading the old one: it stays. */
	p->old_confs =
	    mem_grow(p->old_confs, &p->old_cap, p->nold, sizeof(struct conf *));
	p->old_confs[p->nold++] = (struct conf *)srv->conf;
	srv->conf = fresh;
	auth_set_conf(srv->auth, fresh);
	return 0;
}

static int
reload_tls(struct server *srv, int fd, struct err *e)
{
	struct buf bundle;
	int rc;

	buf_init(&bundle, TEXT_MAX);
	if ((rc = file_read_fd(fd, &bundle, e)) == 0)
		rc = tls_server_reload(srv->tls, buf_slice(&bundle), e);
	mem_wipe(bundle.p, bundle.cap);
	buf_fini(&bundle);
	return rc;
}

static void
on_reload(struct server *srv, const int fds[2])
{
	struct err e = { 0 };
	char answer[2] = { CONTROL_RELOADED, '0' };

	if (fds[0] < 0 || fds[1] < 0 || reload_conf(srv, fds[0], &e) != 0 ||
	    reload_tls(srv, fds[1], &e) != 0) {
		answer[1] = '1';
		log_error(NULL, "reload", "failed=\"%s\" detail=\"%s\"", e.text,
		    e.detail);
	} else {
		log_info(NULL, "reload", "done=1");
	}
	say(srv, answer, sizeof(answer));
}

/* False when the supervisor wants us to stop, or is gone. */
static bool
on_message(struct server *srv)
{
	struct control_msg m;
	int rc = control_read(srv->priv->control, &m);

	if (rc == 0 && m.p[0] == CONTROL_RELOAD)
		on_reload(srv, m.fds);
	control_done(&m);
	return rc == ERR_BUSY || (rc == 0 && m.p[0] != CONTROL_STOP);
}

void
control_serve(struct server *srv)
{
	struct server_priv *p = srv->priv;
	struct pollfd pfd[2] = {
		{ .fd = p->control, .events = POLLIN },
		{ .fd = p->notify_fd, .events = POLLIN },
	};
	uint64_t beat_at = 0;
	const char up = CONTROL_UP;

	say(srv, &up, 1);
	for (;;) {
		uint64_t now = clock_steady_ms();

		if (now >= beat_at) {
			say_beat(srv);
			beat_at = now + BEAT_MS;
		}
		if (poll(pfd, 2, (int)(beat_at - now)) <= 0)
			continue;
		if (pfd[1].revents != 0)
			loops_notify(srv);
		if (pfd[0].revents != 0 && !on_message(srv))
			return;
	}
}
