#include "admin/supctl.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/ctl.h"
#include "admin/supfig.h"
#include "admin/supreload.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { WORD_MAX = 16, ERRORS_MAX = 8 << 10 };

static const char sock_name[] = "supervisor.sock";

int
supctl_open(struct supervisor *s, struct err *e)
{
	int fd = ctl_listen(
	    s->m.conf->run_dir, sock_name, SOCK_SEQPACKET, SUP_CLIENTS_MAX, e);

	if (fd < 0)
		return fd;
	s->ctl_fd = fd;
	return 0;
}

static void
drop(struct sup_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct sup_client){ .fd = -1 };
}

void
supctl_close(struct supervisor *s)
{
	struct sockaddr_un sa;

	if (s->ctl_fd >= 0 &&
	    ctl_address(
		s->m.conf != NULL ? s->m.conf->run_dir : "", sock_name, &sa))
		(void)unlink(sa.sun_path);
	if (s->ctl_fd >= 0)
		close(s->ctl_fd);
	s->ctl_fd = -1;
	for (size_t i = 0; i < SUP_CLIENTS_MAX; i++)
		drop(&s->clients[i]);
}

size_t
supctl_poll(const struct supervisor *s, struct pollfd *pfd)
{
	size_t n = 0;

	pfd[n++] = (struct pollfd){ .fd = s->ctl_fd, .events = POLLIN };
	for (size_t i = 0; i < SUP_CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0)
			pfd[n++] = (struct pollfd){ .fd = s->clients[i].fd,
				.events = POLLIN };
	return n;
}

static void
let_in(struct supervisor *s)
{
	int fd = accept4(s->ctl_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	for (size_t i = 0; i < SUP_CLIENTS_MAX && ctl_may_ask(fd); i++)
		if (s->clients[i].fd < 0) {
			s->clients[i] = (struct sup_client){ .fd = fd };
			return;
		}
	close(fd);
}

static void
answer(struct sup_client *c, json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT);

	json_decref(j);
	if (text == NULL)
		return;
	(void)send(c->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
	free(text);
}

static json_t *
yes_or(const char *error)
{
	if (error == NULL)
		return json_pack("{s:b}", "ok", 1);
	return json_pack("{s:b,s:s}", "ok", 0, "error", error);
}

static json_t *
child_status(const struct supervisor *s, size_t i, uint64_t now)
{
	const struct child *c = &s->children[i];
	static const char *const names[] = { "none", "starting", "up",
		"stopping" };

	return json_pack("{s:s,s:i,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}",
	    "name", child_name(c), "pid", (int)c->pid, "state", names[c->state],
	    "uptime_sec",
	    (json_int_t)(c->pid != 0 ? (now - c->started_ms) / 1000 : 0),
	    "clients", (json_int_t)c->beat.clients, "sessions",
	    (json_int_t)c->beat.sessions, "clients_total",
	    (json_int_t)c->beat.total_clients, "oldest_call_ms",
	    (json_int_t)c->beat.oldest_ms, "failures", (json_int_t)c->failures,
	    "totals", supfig_totals(s, i), "per_minute",
	    supfig_per_minute(s, i));
}

static json_t *
status(const struct supervisor *s)
{
	uint64_t now = clock_steady_ms();
	json_t *list = json_array();

	for (size_t i = 0; i < CHILD_COUNT; i++)
		if (child_is_wanted(&s->children[i], &s->listen))
			(void)json_array_append_new(
			    list, child_status(s, i, now));
	return json_pack("{s:b,s:s,s:i,s:I,s:I,s:o}", "ok", 1, "state",
	    supervise_state_name(s->state), "pid", (int)getpid(), "uptime_sec",
	    (json_int_t)((now - s->started_ms) / 1000), "restarts",
	    (json_int_t)s->restarts, "daemons", list);
}

static void
ask_status(struct supervisor *s, struct sup_client *c)
{
	answer(c, status(s));
}

static void
ask_reload(struct supervisor *s, struct sup_client *c)
{
	struct buf errors;
	char *text;

	buf_init(&errors, ERRORS_MAX);
	c->asks = ASKS_RELOAD;
	if (supreload_start(s, &errors) != 0) {
		if (buf_len(&errors) != 0) /* the last newline */
			buf_truncate(&errors, buf_len(&errors) - 1);
		text = buf_take_str(&errors);
		answer(c, yes_or(text));
		free(text);
		drop(c);
	} else if (!s->reloading) {
		answer(c, yes_or(NULL));
		drop(c);
	}
	buf_fini(&errors);
}

static void
ask_stop(struct supervisor *s, struct sup_client *c)
{
	c->asks = ASKS_STOP;
	answer(c, yes_or(NULL));
	if (!s->stopping)
		supervise_stop(s);
}

static const struct {
	const char *word;
	void (*run)(struct supervisor *s, struct sup_client *c);
} requests[] = {
	{ "status", ask_status },
	{ "reload", ask_reload },
	{ "stop", ask_stop },
};

static void
hear(struct supervisor *s, struct sup_client *c)
{
	char word[WORD_MAX];
	ssize_t n = recv(c->fd, word, sizeof(word), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	for (size_t i = 0; i < PH_LEN(requests); i++)
		if (slice_eq(slice_of(word, (size_t)n),
			slice_str(requests[i].word))) {
			requests[i].run(s, c);
			return;
		}
	answer(c, yes_or("no such request"));
}

void
supctl_serve(struct supervisor *s)
{
	let_in(s);
	for (size_t i = 0; i < SUP_CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0)
			hear(s, &s->clients[i]);
}

void
supctl_reloaded(struct supervisor *s, const char *error)
{
	for (size_t i = 0; i < SUP_CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0 &&
		    s->clients[i].asks == ASKS_RELOAD) {
			answer(&s->clients[i], yes_or(error));
			drop(&s->clients[i]);
		}
}

static int
dial(const char *run_dir, int *fd_out, struct err *e)
{
	struct sockaddr_un sa;
	int fd, errnum;

	if (!ctl_address(run_dir, sock_name, &sa))
		return err_set(e, ERR_TOOBIG, "run-dir is too long");
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, ERR_IO, "socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0) {
		*fd_out = fd;
		return 0;
	}
	errnum = errno;
	close(fd);
	if (errnum == EACCES)
		return err_set(e, ERR_DENIED,
		    "%s: only root and the user who started the host may ask",
		    sa.sun_path);
	return err_set(e, ERR_NOTFOUND,
	    "the host is not running (nobody "
	    "answers at %s)",
	    sa.sun_path);
}

int
supctl_ask(const char *run_dir, const char *word, bool wait_end,
    char **answer_out, struct err *e)
{
	char *packet;
	ssize_t n;
	int fd = -1, rc;

	*answer_out = NULL;
	if ((rc = dial(run_dir, &fd, e)) != 0)
		return rc;
	packet = xmalloc(SUPCTL_PACKET_MAX);
	if (send(fd, word, strlen(word), MSG_NOSIGNAL) < 0 ||
	    (n = recv(fd, packet, SUPCTL_PACKET_MAX, 0)) <= 0) {
		rc = err_set(e, ERR_CLOSED,
		    "the supervisor does not answer; "
		    "are you root or the user who started it?");
	} else {
		*answer_out = xmemdup0(packet, (size_t)n);
		while (wait_end && (recv(fd, packet, 1, 0) > 0))
			continue;
	}
	free(packet);
	close(fd);
	return rc;
}
