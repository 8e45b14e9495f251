/*
 * Events travel packed, many in a datagram, to every socket in RUN/notify/.
 * A receiver that is too slow has a short backlog here; when that overflows
 * it is told so (an event with folder 0) instead of all that was lost.
 */
#include "storage/notify.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/acl.h"
#include "storage/flush.h"
#include "storage/generation.h"
#include "storage/image.h"
#include "storage/interest.h"
#include "storage/notify_priv.h"
#include "storage/rec.h"
#include "storage/store_priv.h"

enum {
	DGRAM_MAX = 8192,
	BACKLOG_MAX = 16,   /* datagrams kept for a slow receiver */
	EVENT_MAX = 512,    /* bytes of one, encoded */
	SLOTS_MAX = 1024,   /* of a datagram's events */
	SCAN_FRESH_MS = 100 /* a directory changed so lately may change
				 * again without a new time */
};

struct dgram {
	struct dgram *next;
	unsigned kinds;
	size_t n, nslots;
	uint16_t slots[SLOTS_MAX]; /* of its NOTIFY_FOLDER events */
	char bytes[DGRAM_MAX];
};

/* A socket that wants to know. */
struct target {
	struct target *next;
	unsigned kinds;
	const uint16_t *wants; /* interest.h; NULL: everything */
	bool seen;             /* in the present scan */
	bool lost;             /* missed something: tell it first */
	size_t nbacklog;
	struct dgram *backlog, **backlog_tail;
	char path[];
};

struct notifier {
	struct store *s;
	char *dir;
	int out_fd;
	pthread_mutex_t mtx; /* guards queue */
	struct dgram *queue, **tail;
	struct dgram *last;     /* of queue, being filled */
	struct dgram *batch;    /* the flusher's */
	struct target *targets; /* the flusher's */
	struct timespec dir_time;
	bool dir_known;
	/* the receiving side */
	pthread_mutex_t in_mtx;
	int in_fd;
	unsigned kinds;
	char *in_path;
	struct interest *interest;
	char rest[DGRAM_MAX]; /* of a datagram with more than was asked for */
	size_t rest_at, rest_n;
};

/* Coding. */

void
notify_encode(struct buf *out, const struct notify_event *ev)
{
	uint32_t nruns = ev->nruns <= NOTIFY_RUNS_MAX ? ev->nruns : 0;
	struct slice entry;

	rec_add_varint(out, (uint64_t)ev->kind << 1 | ev->kick);
	rec_add_varint(out, ev->account);
	rec_add_varint(out, ev->folder);
	rec_add_varint(out, ev->modseq_from);
	rec_add_varint(out, ev->modseq_to);
	rec_add_varint(out, nruns);
	for (uint32_t i = 0; i < nruns; i++)
		rec_add_varint(out, ev->runs[i]);
	if (ev->kind != NOTIFY_METADATA)
		return;
	entry = slice_str(ev->entry);
	rec_add_varint(out, entry.n);
	buf_add_slice(out, entry);
}

static bool
take_u32(struct slice *rest, uint32_t max, uint32_t *out)
{
	uint64_t v;

	if (!rec_varint(rest, &v) || v > max)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool
take_entry(struct slice *rest, struct notify_event *ev)
{
	uint32_t n;

	if (!take_u32(rest, NOTIFY_ENTRY_MAX - 1, &n) || n > rest->n ||
	    !slice_copy(slice_sub(*rest, 0, n), ev->entry, sizeof(ev->entry)))
		return false;
	*rest = slice_from(*rest, n);
	return true;
}

bool
notify_decode(struct slice *rest, struct notify_event *ev)
{
	uint32_t kind;

	memset(ev, 0, sizeof(*ev));
	if (!take_u32(rest, NOTIFY_LAST << 1 | 1, &kind))
		return false;
	ev->kick = kind & 1;
	ev->kind = (enum notify_kind)(kind >> 1);
	if (!rec_varint(rest, &ev->account) || !rec_varint(rest, &ev->folder) ||
	    !rec_varint(rest, &ev->modseq_from) ||
	    !rec_varint(rest, &ev->modseq_to) ||
	    !take_u32(rest, NOTIFY_RUNS_MAX, &ev->nruns))
		return false;
	for (uint32_t i = 0; i < ev->nruns; i++)
		if (!take_u32(rest, UINT32_MAX, &ev->runs[i]))
			return false;
	return ev->kind != NOTIFY_METADATA || take_entry(rest, ev);
}

/* Adding, by any thread. */

static void
queue_add(struct notifier *n, const struct notify_event *ev, struct slice bytes)
{
	struct dgram *d = n->last;

	if (d == NULL || d->n + bytes.n > DGRAM_MAX ||
	    d->nslots + 2 > SLOTS_MAX) {
		d = xmalloc(sizeof(*d));
		d->next = NULL;
		d->kinds = 0;
		d->n = d->nslots = 0;
		*n->tail = d;
		n->tail = &d->next;
		n->last = d;
	}
	memcpy(d->bytes + d->n, bytes.p, bytes.n);
	d->n += bytes.n;
	d->kinds |= ev->kind;
	if (ev->kind == NOTIFY_FOLDER) {
		d->slots[d->nslots++] = interest_slot(ev->account, 0);
		d->slots[d->nslots++] = interest_slot(0, ev->folder);
	}
}

/* Rows of the queue are remembered by nobody. */
static void
count_on(struct store *s, const struct notify_event *ev)
{
	if (ev->kind == NOTIFY_FOLDER)
		generation_bump(s, ev->folder);
	else if (ev->kind != NOTIFY_QUEUE)
		generation_bump(s, ev->account);
	if (ev->kind & (NOTIFY_ACCOUNT | NOTIFY_ROUTES))
		generation_bump(s, GENERATION_ACCOUNTS);
}

void
notify_add(struct store *s, const struct notify_event *ev)
{
	struct notifier *n = s->notifier;
	struct buf b;

	count_on(s, ev);
	buf_init(&b, EVENT_MAX);
	notify_encode(&b, ev);
	pthread_mutex_lock(&n->mtx);
	queue_add(n, ev, buf_slice(&b));
	pthread_mutex_unlock(&n->mtx);
	buf_fini(&b);
	flusher_poke(s->flusher);
}

int
notify_routes(struct store *s, int rc)
{
	struct notify_event ev = { .kind = NOTIFY_ROUTES };

	if (rc == 0)
		notify_add(s, &ev);
	return rc;
}

void
notify_want(struct store *s, uint64_t account, uint64_t folder, int by)
{
	struct notifier *n = s->notifier;

	if (n != NULL && n->interest != NULL)
		interest_add(n->interest, interest_slot(account, folder), by);
}

/* Targets, on the flusher. */

static void
dgrams_free(struct dgram *d)
{
	struct dgram *next;

	for (; d != NULL; d = next) {
		next = d->next;
		free(d);
	}
}

static void
target_free(struct target *t)
{
	dgrams_free(t->backlog);
	interest_unmap(t->wants);
	free(t);
}

/* "1234.f": process and kinds. */
static bool
name_kinds(const char *name, unsigned *kinds_out)
{
	char *end;
	unsigned long pid, kinds;

	if (name[0] < '1' || name[0] > '9')
		return false;
	pid = strtoul(name, &end, 10);
	if (pid == 0 || *end != '.' || end[1] == '\0')
		return false;
	kinds = strtoul(end + 1, &end, 16);
	*kinds_out = (unsigned)kinds;
	return *end == '\0' && kinds != 0 && kinds <= 0xff;
}

/* Beside the socket; its name is no socket's (name_kinds). */
static char *
interest_path(const char *socket_path)
{
	return xasprintf("%s.map", socket_path);
}

static void
target_see(struct notifier *n, const char *name, unsigned kinds)
{
	size_t len = strlen(n->dir) + 1 + strlen(name) + 1;
	struct target *t = xcalloc(1, sizeof(*t) + len);
	char *map;

	(void)snprintf(t->path, len, "%s/%s", n->dir, name);
	for (struct target *o = n->targets; o != NULL; o = o->next)
		if (strcmp(o->path, t->path) == 0) {
			o->seen = true;
			free(t);
			return;
		}
	t->kinds = kinds;
	t->seen = true;
	t->backlog_tail = &t->backlog;
	map = interest_path(t->path);
	t->wants = interest_map(map);
	free(map);
	t->next = n->targets;
	n->targets = t;
}

static void
scan(struct notifier *n)
{
	struct target **at, *t;
	struct dirent *ent;
	unsigned kinds;
	DIR *d = opendir(n->dir);

	if (d == NULL)
		return;
	for (t = n->targets; t != NULL; t = t->next)
		t->seen = false;
	while ((ent = readdir(d)) != NULL)
		if (name_kinds(ent->d_name, &kinds))
			target_see(n, ent->d_name, kinds);
	closedir(d);
	for (at = &n->targets; (t = *at) != NULL;) {
		if (t->seen) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		target_free(t);
	}
}

static void
refresh(struct notifier *n)
{
	struct stat st;
	int64_t changed_ms;

	if (stat(n->dir, &st) != 0)
		return;
	if (n->dir_known && st.st_mtim.tv_sec == n->dir_time.tv_sec &&
	    st.st_mtim.tv_nsec == n->dir_time.tv_nsec)
		return;
	scan(n);
	changed_ms = st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	n->dir_time = st.st_mtim;
	n->dir_known = clock_wall_ms() - changed_ms > SCAN_FRESH_MS;
}

enum sent { SENT, SENT_LATER, SENT_NEVER };

static void
forget_dead(const char *socket_path)
{
	char *map = interest_path(socket_path);

	(void)unlink(map);
	(void)unlink(socket_path);
	free(map);
}

static enum sent
send_one(struct notifier *n, struct target *t, const void *p, size_t len)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	ssize_t put;

	if (!slice_copy(slice_str(t->path), to.sun_path, sizeof(to.sun_path)))
		return SENT_NEVER;
	do
		put = sendto(n->out_fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		    (struct sockaddr *)&to, sizeof(to));
	while (put < 0 && errno == EINTR);
	if (put >= 0)
		return SENT;
	if (errno == ECONNREFUSED) {
		forget_dead(t->path);
		return SENT_NEVER;
	}
	return errno == ENOENT ? SENT_NEVER : SENT_LATER;
}

/* "You missed something." */
static enum sent
send_lost(struct notifier *n, struct target *t)
{
	struct notify_event ev;
	enum sent how;
	struct buf b;

	buf_init(&b, DGRAM_MAX);
	for (unsigned kind = 1; kind <= NOTIFY_LAST; kind <<= 1) {
		memset(&ev, 0, sizeof(ev));
		ev.kind = (enum notify_kind)kind;
		if (t->kinds & kind && kind != NOTIFY_KICK)
			notify_encode(&b, &ev);
	}
	how = send_one(n, t, buf_slice(&b).p, buf_len(&b));
	buf_fini(&b);
	return how;
}

static enum sent
send_backlog(struct notifier *n, struct target *t)
{
	enum sent how = SENT;
	struct dgram *d;

	if (t->lost && (how = send_lost(n, t)) == SENT)
		t->lost = false;
	while (how == SENT && (d = t->backlog) != NULL) {
		how = send_one(n, t, d->bytes, d->n);
		if (how != SENT)
			break;
		if ((t->backlog = d->next) == NULL)
			t->backlog_tail = &t->backlog;
		t->nbacklog--;
		free(d);
	}
	return how;
}

static void
keep_for(struct target *t, const struct dgram *d)
{
	struct dgram *copy;

	if (t->lost)
		return;
	if (t->nbacklog == BACKLOG_MAX) {
		dgrams_free(t->backlog);
		t->backlog = NULL;
		t->backlog_tail = &t->backlog;
		t->nbacklog = 0;
		t->lost = true;
		return;
	}
	copy = xmalloc(sizeof(*copy));
	copy->next = NULL;
	copy->nslots = 0; /* it is wanted */
	copy->kinds = d->kinds;
	copy->n = d->n;
	memcpy(copy->bytes, d->bytes, d->n);
	*t->backlog_tail = copy;
	t->backlog_tail = &copy->next;
	t->nbacklog++;
}

static bool
is_wanted(const struct target *t, const struct dgram *d)
{
	unsigned common = d->kinds & t->kinds;

	if (common != NOTIFY_FOLDER || t->wants == NULL)
		return common != 0;
	for (size_t i = 0; i < d->nslots; i++)
		if (interest_has(t->wants, d->slots[i]))
			return true;
	return false;
}

static enum sent
send_to(struct notifier *n, struct target *t)
{
	enum sent how = send_backlog(n, t);

	for (const struct dgram *d = n->batch; d != NULL; d = d->next) {
		if (how == SENT_NEVER)
			break;
		if (!is_wanted(t, d))
			continue;
		if (how == SENT)
			how = send_one(n, t, d->bytes, d->n);
		if (how == SENT_LATER)
			keep_for(t, d);
	}
	return how;
}

void
notifier_take(struct notifier *n)
{
	pthread_mutex_lock(&n->mtx);
	n->batch = n->queue;
	n->queue = NULL;
	n->tail = &n->queue;
	n->last = NULL;
	pthread_mutex_unlock(&n->mtx);
}

bool
notifier_send(struct notifier *n)
{
	struct target **at, *t;
	bool later = false;
	enum sent how;

	if (n->batch != NULL)
		refresh(n);
	for (at = &n->targets; (t = *at) != NULL;) {
		how = send_to(n, t);
		if (how == SENT_NEVER) {
			*at = t->next;
			target_free(t);
			continue;
		}
		later = later || how == SENT_LATER;
		at = &t->next;
	}
	dgrams_free(n->batch);
	n->batch = NULL;
	return later;
}

/* Receiving. */

static int
bind_at(int fd, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	if (!slice_copy(slice_str(path), at.sun_path, sizeof(at.sun_path)))
		return ERR_TOOBIG;
	(void)unlink(path);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		return err_from_errno(errno);
	return 0;
}

int
notify_listen(struct store *s, unsigned kinds)
{
	struct notifier *n = s->notifier;
	char *path, *map;
	int fd, rc;

	if (n->in_fd >= 0)
		return ERR_EXISTS;
	if (kinds == 0 || kinds > 0xff)
		return ERR_INVALID;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_from_errno(errno);
	path = xasprintf("%s/%ld.%x", n->dir, (long)getpid(), kinds);
	map = interest_path(path);
	/* Before the socket, which is what senders look for. */
	if (kinds & NOTIFY_FOLDER && interest_new(map, &n->interest) != 0)
		log_warn(NULL, "notify-map", "path=%s", map);
	free(map);
	if ((rc = bind_at(fd, path)) != 0) {
		log_error(
		    NULL, "notify-bind", "path=%s err=%s", path, err_name(rc));
		close(fd);
		free(path);
		return rc;
	}
	pthread_mutex_lock(&n->in_mtx);
	n->in_fd = fd;
	n->in_path = path;
	n->kinds = kinds;
	pthread_mutex_unlock(&n->in_mtx);
	return fd;
}

/* Call with in_mtx. */
static bool
receive(struct notifier *n)
{
	ssize_t got;

	if (n->in_fd < 0)
		return false;
	do
		got = recv(n->in_fd, n->rest, sizeof(n->rest), MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return false;
	n->rest_at = 0;
	n->rest_n = (size_t)got;
	return true;
}

size_t
notify_read(struct store *s, struct notify_event *events, size_t cap)
{
	struct notifier *n = s->notifier;
	struct slice rest;
	size_t got = 0;

	pthread_mutex_lock(&n->in_mtx);
	while (got == 0 && (n->rest_at < n->rest_n || receive(n))) {
		rest = slice_of(n->rest + n->rest_at, n->rest_n - n->rest_at);
		while (got < cap && rest.n != 0) {
			if (!notify_decode(&rest, &events[got])) {
				rest.n = 0; /* not from us */
				break;
			}
			if (events[got].kind & n->kinds)
				got++;
		}
		n->rest_at = n->rest_n - rest.n;
		if (cap == 0)
			break;
	}
	pthread_mutex_unlock(&n->in_mtx);
	for (size_t i = 0; i < got; i++)
		if (events[i].kind == NOTIFY_FOLDER)
			images_stale(s, &events[i]);
		else if (events[i].kind == NOTIFY_RIGHTS)
			acl_changed(s);
	return got;
}

/* Life. */

/* While recovery holds the host alone, every socket is a dead process's. */
static void
clear_dead(const struct notifier *n)
{
	struct dirent *ent;
	DIR *d = opendir(n->dir);

	if (d == NULL)
		return;
	while ((ent = readdir(d)) != NULL)
		if (ent->d_name[0] != '.')
			(void)unlinkat(dirfd(d), ent->d_name, 0);
	closedir(d);
}

int
notifier_new(struct store *s, struct notifier **n_out, struct err *e)
{
	struct notifier *n = xcalloc(1, sizeof(*n));
	int rc;

	n->s = s;
	n->dir = xasprintf("%s/notify", s->conf.run_dir);
	n->tail = &n->queue;
	n->in_fd = -1;
	pthread_mutex_init(&n->mtx, NULL);
	pthread_mutex_init(&n->in_mtx, NULL);
	n->out_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*n_out = n;
	if (n->out_fd < 0)
		rc = err_set(e, ERR_IO, "no socket for notifications");
	else
		rc = file_mkdirs(n->dir, 0700, e);
	if (rc == 0 && s->conf.role == STORE_RECOVER)
		clear_dead(n);
	if (rc != 0)
		notifier_free(n_out);
	return rc;
}

void
notifier_free(struct notifier **np)
{
	struct notifier *n = *np;
	struct target *t;

	*np = NULL;
	if (n == NULL)
		return;
	if (n->in_path != NULL)
		(void)unlink(n->in_path);
	interest_free(&n->interest);
	if (n->in_fd >= 0)
		close(n->in_fd);
	if (n->out_fd >= 0)
		close(n->out_fd);
	while ((t = n->targets) != NULL) {
		n->targets = t->next;
		target_free(t);
	}
	dgrams_free(n->queue);
	dgrams_free(n->batch);
	pthread_mutex_destroy(&n->mtx);
	pthread_mutex_destroy(&n->in_mtx);
	free(n->in_path);
	free(n->dir);
	free(n);
}
