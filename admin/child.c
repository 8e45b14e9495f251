#include "admin/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/spawn.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

/* Which doors are whose; a NULL program is posthof itself. */
struct child_kind {
	const char *name;
	const char *program;
	const char *word; /* argument that makes posthof this child */
	const char *doors;
	bool tls;  /* gets certificates; else what signs profiles */
	bool lone; /* never opens the store */
};

static const struct child_kind kinds[CHILD_COUNT] = {
	{ "keeper", NULL, "keeper", "", false, false },
	{ "imapd", "imapd", NULL, "imap imaps", true, false },
	{ "pop3d", "pop3d", NULL, "pop3 pop3s", true, false },
	{ "submitd", "submitd", NULL, "submission submissions smtp lmtp", true,
	    false },
	{ "webd", "webd", NULL, "http metrics", false, true },
};

int
child_init(struct child v[CHILD_COUNT], struct err *e)
{
	for (size_t i = 0; i < CHILD_COUNT; i++)
		v[i] = (struct child){ .kind = &kinds[i],
			.control = -1,
			.figures_fd = -1,
			.domains_fd = -1 };
	for (size_t i = 0; i < CHILD_COUNT; i++)
		if ((v[i].figures = figures_new(&v[i].figures_fd)) == NULL)
			return err_set(e, ERR_IO, "no memory for figures");
	return 0;
}

void
child_fini(struct child v[CHILD_COUNT])
{
	for (size_t i = 0; i < CHILD_COUNT; i++) {
		if (v[i].figures == NULL)
			continue;
		figures_unmap(v[i].figures);
		close(v[i].figures_fd);
		if (v[i].domains_fd >= 0)
			close(v[i].domains_fd);
	}
}

const char *
child_name(const struct child *c)
{
	return c->kind->name;
}

bool
child_is_keeper(const struct child *c)
{
	return c->kind->program == NULL;
}

bool
child_is_lone(const struct child *c)
{
	return c->kind->lone;
}

static bool
has_door(const struct child_kind *k, const char *door)
{
	struct slice rest = slice_str(k->doors), word;

	while (slice_split(&rest, ' ', &word))
		if (slice_eq(word, slice_str(door)))
			return true;
	return false;
}

bool
child_is_wanted(const struct child *c, const struct listen_set *listen)
{
	for (size_t i = 0; i < listen->n; i++)
		if (has_door(c->kind, listen->v[i].door))
			return true;
	return !c->kind->lone;
}

/* Its doors, then what lib/base/control.h says; the keeper has no doors, so
 * these stand where spawn.h says. */
static struct spawn_fd *
list_fds(const struct child *c, const struct child_world *w, int control,
    size_t *n_out)
{
	struct spawn_fd *v =
	    xcalloc(w->listen->n + w->nfigures + 4, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < w->listen->n; i++)
		if (has_door(c->kind, w->listen->v[i].door))
			v[n++] = (struct spawn_fd){ w->listen->v[i].door,
				w->listen->v[i].fd };
	v[n++] = (struct spawn_fd){ "conf", w->m->conf_fd };
	v[n++] = (struct spawn_fd){ "control", control };
	if (c->kind->tls)
		v[n++] = (struct spawn_fd){ "tls", w->m->tls_fd };
	else
		v[n++] = (struct spawn_fd){ "profile", w->m->profile_fd };
	v[n++] = (struct spawn_fd){ "figures", c->figures_fd };
	for (size_t i = 0; c->kind->lone && i < w->nfigures; i++)
		v[n++] = w->figures[i];
	*n_out = n;
	return v;
}

static char *
find_program(const struct child *c, struct err *e)
{
	char *self;

	if (!child_is_keeper(c))
		return spawn_find(c->kind->program, e);
	free(spawn_own_dir(&self));
	return self;
}

int
child_start(struct child *c, const struct child_world *w, struct err *e)
{
	struct spawn s = { .argv0 = c->kind->name,
		.word = c->kind->word,
		.conf_name = "posthof.conf",
		.user = w->user };
	char *path = find_program(c, e);
	struct spawn_fd *fds;
	int sv[2], rc;

	if (path == NULL)
		return ERR_NOTFOUND;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) != 0) {
		free(path);
		return err_set(e, err_from_errno(errno), "socketpair: %s",
		    strerror(errno));
	}
	fds = list_fds(c, w, sv[1], &s.nfds);
	s.path = path;
	s.fds = fds;
	rc = spawn_start(&s, &c->pid, e);
	close(sv[1]);
	free(fds);
	free(path);
	if (rc != 0) {
		close(sv[0]);
		return rc;
	}
	c->control = sv[0];
	c->state = CHILD_STARTING;
	c->reload = RELOAD_NONE;
	c->started_ms = c->beat_ms = clock_steady_ms();
	c->beat = (struct control_beat){ 0 };
	figures_add(c->figures, FIG_STARTS, 1);
	return 0;
}

static void
on_message(struct child *c, struct control_msg *m)
{
	c->beat_ms = clock_steady_ms();
	if (m->p[0] == CONTROL_UP && c->state == CHILD_STARTING) {
		c->state = CHILD_UP;
		figures_set(c->figures, FIG_UP, 1);
	} else if (m->p[0] == CONTROL_BEAT && m->n == sizeof(c->beat)) {
		memcpy(&c->beat, m->p, m->n);
	} else if (m->p[0] == CONTROL_RELOADED && m->n == 2) {
		c->reload = m->p[1] == '0' ? RELOAD_GOOD : RELOAD_BAD;
	} else if (m->p[0] == CONTROL_DOMAINS && m->fds[0] >= 0) {
		if (c->domains_fd >= 0)
			close(c->domains_fd);
		c->domains_fd = m->fds[0];
		c->domains_new = true;
		m->fds[0] = -1;
	}
}

void
child_read(struct child *c)
{
	struct control_msg m;
	int rc;

	while (c->control >= 0 &&
	       (rc = control_read(c->control, &m)) != ERR_BUSY) {
		if (rc == 0) {
			on_message(c, &m);
			control_done(&m);
			continue;
		}
		/* SIGCHLD follows. */
		close(c->control);
		c->control = -1;
	}
}

const char *
child_sick(const struct child *c, uint64_t now_ms)
{
	if (c->state != CHILD_STARTING && c->state != CHILD_UP)
		return NULL;
	if (c->beat.oldest_ms >= CONTROL_DEAD_MS)
		return "one call runs for too long";
	if (now_ms > c->beat_ms && now_ms - c->beat_ms >= CONTROL_DEAD_MS)
		return c->state == CHILD_UP ? "no heartbeat"
					    : "did not come up";
	return NULL;
}

static void
say(struct child *c, char kind, const int *fds, size_t nfds)
{
	if (c->control >= 0 && !control_say(c->control, &kind, 1, fds, nfds))
		log_warn(NULL, "control", "program=%s unsent=%c", c->kind->name,
		    kind);
}

void
child_stop(struct child *c)
{
	if (c->pid == 0 || c->state == CHILD_STOPPING)
		return;
	c->state = CHILD_STOPPING;
	say(c, CONTROL_STOP, NULL, 0);
}

void
child_tell_domains(struct child *c, int fd)
{
	if (c->pid != 0 && fd >= 0)
		say(c, CONTROL_DOMAINS, &fd, 1);
}

void
child_reload(struct child *c, const struct material *m)
{
	const int fds[2] = { m->conf_fd,
		c->kind->tls ? m->tls_fd : m->profile_fd };

	if (c->pid == 0)
		return;
	c->reload = RELOAD_ASKED;
	say(c, CONTROL_RELOAD, fds, 2);
}

void
child_kill(struct child *c)
{
	if (c->pid != 0)
		(void)kill(c->pid, SIGKILL);
}

void
child_ended(struct child *c)
{
	if (c->control >= 0)
		close(c->control);
	c->control = -1;
	c->pid = 0;
	c->state = CHILD_NONE;
	figures_gone(c->figures);
}
