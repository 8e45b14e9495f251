/*
 * webd - see README.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/control.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/crypt/bundle.h"
#include "webd/serve.h"

enum { BEAT_MS = 1000, TEXT_MAX = 16 << 20, DOORS_MAX = 64 };

/* Programs whose figures may be among the descriptors. */
static const struct {
	const char *fd, *program;
	char letter;
} figures[] = {
	{ "figures-posthof", "posthof", 'h' },
	{ "figures-keeper", "keeper", 'k' },
	{ "figures-imapd", "imapd", 'i' },
	{ "figures-pop3d", "pop3d", 'p' },
	{ "figures-submitd", "submitd", 's' },
	{ "figures-webd", "webd", 'w' },
};

static int
take_conf(struct web *w, int fd, struct err *e)
{
	struct conf *fresh = NULL;
	int rc = conf_passed(fd, &fresh, e);

	if (rc != 0)
		return rc;
	conf_free(&w->conf);
	w->conf = fresh;
	w->host.conf = fresh;
	return 0;
}

static void
drop_profile(struct web *w)
{
	if (w->profile.p != NULL)
		mem_wipe(w->profile.p, w->profile.cap);
	buf_fini(&w->profile);
	w->host.chain_pem = w->host.key_pem = SLICE("");
}

static int
take_profile(struct web *w, int fd)
{
	struct bundle_entry en;
	struct slice rest;
	bool bad = false;
	int rc;

	drop_profile(w);
	buf_init(&w->profile, TEXT_MAX);
	if ((rc = file_read_fd(fd, &w->profile, NULL)) != 0)
		return rc;
	rest = buf_slice(&w->profile);
	if (bundle_next(&rest, &en, &bad)) {
		w->host.chain_pem = en.chain_pem;
		w->host.key_pem = en.key_pem;
	}
	return bad ? ERR_CORRUPT : 0;
}

static void
say(struct web *w, const void *p, size_t n)
{
	(void)control_say(w->control, p, n, NULL, 0);
}

static void
on_reload(struct web *w, const int fds[2])
{
	char answer[2] = { CONTROL_RELOADED, '0' };
	struct err e;

	if (take_conf(w, fds[0], &e) != 0 || take_profile(w, fds[1]) != 0) {
		answer[1] = '1';
		log_error(NULL, "reload", "failed=1");
	}
	say(w, answer, sizeof(answer));
}

/* One message of the supervisor; false: stop. */
static bool
on_message(struct web *w)
{
	struct control_msg m;
	int rc = control_read(w->control, &m);

	if (rc == 0 && m.p[0] == CONTROL_RELOAD)
		on_reload(w, m.fds);
	if (rc == 0 && m.p[0] == CONTROL_DOMAINS &&
	    domains_read(&w->domains, m.fds[0]) != 0)
		log_error(NULL, "domains", "failed=1");
	control_done(&m);
	return rc == ERR_BUSY || (rc == 0 && m.p[0] != CONTROL_STOP);
}

static void
beat(struct web *w, uint64_t *cpu_us_io)
{
	struct control_beat b = { .kind = CONTROL_BEAT,
		.clients = serve_clients(w) };

	figures_self(w->figures, cpu_us_io);
	b.total_clients = figures_get(w->figures, FIG_WEB_GOOD) +
			  figures_get(w->figures, FIG_WEB_BAD);
	say(w, &b, sizeof(b));
}

static void
serve(struct web *w)
{
	const char up = CONTROL_UP;
	uint64_t beat_at = 0, cpu_us = 0;

	say(w, &up, 1);
	for (;;) {
		struct pollfd pfd[1 + DOORS_MAX] = { { .fd = w->control,
		    .events = POLLIN } };
		uint64_t now = clock_steady_ms();
		int fds[DOORS_MAX];
		size_t n = serve_fds(w, fds, DOORS_MAX);

		for (size_t i = 0; i < n; i++)
			pfd[1 + i] =
			    (struct pollfd){ .fd = fds[i], .events = POLLIN };
		if (now >= beat_at) {
			beat(w, &cpu_us);
			beat_at = now + BEAT_MS;
		}
		(void)poll(pfd, 1 + n, serve_wait_ms(w, (int)(beat_at - now)));
		if (pfd[0].revents != 0 && !on_message(w))
			return;
		serve_step(w);
	}
}

static void
take_figures(struct web *w)
{
	w->figures = figures_map(inherit_find(&w->fds, SLICE("figures"), 0));
	figures_set(w->figures, FIG_STARTED, (uint64_t)clock_wall_sec());
	for (size_t i = 0; i < PH_LEN(figures); i++) {
		int fd = inherit_find(&w->fds, slice_str(figures[i].fd), 0);

		if (fd >= 0)
			w->pages[w->npages++] =
			    (struct metrics_page){ .program =
						       figures[i].program,
				    .letter = figures[i].letter,
				    .figures = figures_look(fd) };
	}
}

static int
open_all(struct web *w, struct err *e)
{
	int rc;

	if ((rc = inherit_take(&w->fds, e)) != 0)
		return rc;
	w->control = inherit_find(&w->fds, SLICE("control"), 0);
	if (w->control < 0)
		return err_set(e, ERR_INVALID, "no control socket was passed");
	if ((rc = take_conf(w, inherit_find(&w->fds, SLICE("conf"), 0), e)) !=
		0 ||
	    (rc = take_profile(
		 w, inherit_find(&w->fds, SLICE("profile"), 0))) != 0)
		return err_set(e, rc, "configuration or profile is bad");
	log_init("webd", log_level_named(w->conf->log_level));
	take_figures(w);
	return serve_open(w, e);
}

int
main(void)
{
	struct web w = { .control = -1 };
	struct err e = { 0 };

	log_init("webd", LOG_INFO);
	signal(SIGPIPE, SIG_IGN);
	/* The supervisor answers a terminal's signals for all of us. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	domains_init(&w.domains);
	w.host.domains = &w.domains;
	if (open_all(&w, &e) != 0) {
		log_error(NULL, "start", "failed=\"%s\" detail=\"%s\"", e.text,
		    e.detail);
		return 1;
	}
	serve(&w);
	serve_close(&w);
	drop_profile(&w);
	domains_fini(&w.domains);
	conf_free(&w.conf);
	for (size_t i = 0; i < w.npages; i++)
		figures_unmap(w.pages[i].figures);
	figures_unmap(w.figures);
	inherit_fini(&w.fds);
	return 0;
}
