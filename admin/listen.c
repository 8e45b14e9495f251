#include "admin/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"

enum { FIRST_FD = 3, FDS_MAX = 1024 };

/* Doors and where their addresses stand. */
static const struct {
	const char *name;
	size_t at;
	bool single; /* its program has one loop */
} doors[] = {
	{ "imap", offsetof(struct conf, listen_imap), false },
	{ "imaps", offsetof(struct conf, listen_imaps), false },
	{ "pop3", offsetof(struct conf, listen_pop3), false },
	{ "pop3s", offsetof(struct conf, listen_pop3s), false },
	{ "submission", offsetof(struct conf, listen_submission), false },
	{ "submissions", offsetof(struct conf, listen_submissions), false },
	{ "smtp", offsetof(struct conf, listen_smtp), false },
	{ "lmtp", offsetof(struct conf, listen_lmtp), false },
	{ "http", offsetof(struct conf, listen_http), true },
	{ "metrics", offsetof(struct conf, listen_metrics), true },
};

static const char lmtp_door[] = "lmtp";

const char *
listen_door(
    const struct conf *conf, size_t i, const struct conf_list **list_out)
{
	if (i >= PH_LEN(doors))
		return NULL;
	*list_out =
	    (const void *)((const char *)(const void *)conf + doors[i].at);
	return doors[i].name;
}

bool
listen_split(const char *address, char host[256], char port[8])
{
	struct slice s = slice_str(address), h;
	size_t colon = slice_rchr(s, ':');
	uint64_t number;

	if (colon == s.n || !slice_copy(slice_from(s, colon + 1), port, 8) ||
	    !num_parse(slice_from(s, colon + 1), 65535, &number))
		return false;
	h = slice_sub(s, 0, colon);
	if (slice_eq(h, SLICE("*")))
		h = SLICE("");
	else if (h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = slice_sub(h, 1, h.n - 2);
	else if (h.n == 0)
		return false;
	return slice_copy(h, host, 256);
}

static int
resolve(
    const char *address, bool *any_out, struct addrinfo **ai_out, struct err *e)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	char host[256], port[8];
	int rc;

	*ai_out = NULL;
	if (!listen_split(address, host, port))
		return err_set(e, ERR_INVALID,
		    "%s is no address: write HOST:PORT, [IPV6]:PORT or *:PORT",
		    address);
	*any_out = host[0] == '\0';
	rc = getaddrinfo(*any_out ? NULL : host, port, &hints, ai_out);
	if (rc != 0)
		return err_set(
		    e, ERR_INVALID, "%s: %s", address, gai_strerror(rc));
	return 0;
}

int
listen_check(const char *address, struct err *e)
{
	struct addrinfo *ai;
	bool any;
	int rc = resolve(address, &any, &ai, e);

	if (ai != NULL)
		freeaddrinfo(ai);
	return rc;
}

/* A bound socket, not listening yet; -1 with errno. */
static int
bound(const struct addrinfo *ai, bool twin)
{
	int on = 1, saved;
	int fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (!twin || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
			  sizeof(on)) == 0) &&
	    (ai->ai_family != AF_INET6 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ==
		    0) &&
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static void
add(struct listen_set *set, const char *door, int fd)
{
	set->v = mem_grow(set->v, &set->cap, set->n, sizeof(*set->v));
	set->v[set->n].door = door;
	set->v[set->n++].fd = fd;
}

static int
refuse(const char *door, const char *address, int errnum, struct err *e)
{
	struct slice s = slice_str(address);
	const char *port = address + slice_rchr(s, ':') + 1;

	if (errnum == EADDRINUSE)
		return err_set(e, ERR_BUSY,
		    "port %s is in use by another program (%s at %s); find "
		    "it with `ss -ltnp sport = :%s` or change listen-%s",
		    port, door, address, port, door);
	if (errnum == EACCES)
		return err_set(e, ERR_DENIED,
		    "port %s (%s at %s) needs root; start as root or choose "
		    "a port from 1024 up in listen-%s",
		    port, door, address, door);
	return err_set(e, err_from_errno(errnum),
	    "cannot listen for %s at "
	    "%s: %s",
	    door, address, strerror(errnum));
}

/*
 * All twins of one address.  The first try is without SO_REUSEPORT: a second
 * host of the same user would else share the port and steal connections.
 */
static int
open_one(struct listen_set *set, const char *door, const struct addrinfo *ai,
    size_t twins)
{
	size_t from = set->n;
	int fd = bound(ai, false);

	if (fd < 0 || listen(fd, 1) != 0)
		goto failed;
	close(fd);
	while (set->n - from < twins) {
		if ((fd = bound(ai, true)) < 0)
			return errno;
		add(set, door, fd);
		if (listen(fd, SOMAXCONN) != 0)
			return errno;
	}
	return 0;
failed:
	from = (size_t)errno;
	if (fd >= 0)
		close(fd);
	return (int)from;
}

static int
open_address(struct listen_set *set, const char *door, const char *address,
    size_t twins, struct err *e)
{
	struct addrinfo *ai;
	size_t from = set->n;
	bool any;
	int rc = resolve(address, &any, &ai, e), errnum = 0;

	for (struct addrinfo *at = ai; rc == 0 && at != NULL;
	     at = at->ai_next) {
		int got = open_one(set, door, at, twins);

		/* "*" means the families this machine has. */
		if (got != 0 &&
		    !(any && (got == EAFNOSUPPORT || got == EADDRNOTAVAIL)))
			errnum = got;
	}
	if (ai != NULL)
		freeaddrinfo(ai);
	if (rc == 0 && errnum == 0 && set->n == from)
		errnum = EADDRNOTAVAIL;
	return rc != 0 || errnum == 0 ? rc : refuse(door, address, errnum, e);
}

/* A stale socket of an earlier host goes; anything else stays. */
static int
bind_unix(int fd, const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t mask;
	int rc;

	if (!slice_copy(slice_str(path), sa.sun_path, sizeof(sa.sun_path)))
		return ENAMETOOLONG;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
	mask = umask(0117);
	rc = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
		     listen(fd, SOMAXCONN) == 0
		 ? 0
		 : errno;
	(void)umask(mask);
	return rc;
}

/* One socket for all loops: each gets a descriptor of it. */
static void
add_shared(struct listen_set *set, const char *door, int fd, size_t twins)
{
	add(set, door, fd);
	for (size_t i = 1; i < twins; i++)
		if ((fd = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD)) >= 0)
			add(set, door, fd);
}

static int
open_lmtp_socket(struct listen_set *set, const struct conf *conf, size_t twins,
    const struct user *user, struct err *e)
{
	char *path = conf->lmtp_socket[0] != '\0'
			 ? xstrdup(conf->lmtp_socket)
			 : xasprintf("%s/lmtp.sock", conf->run_dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int errnum = fd < 0 ? errno : bind_unix(fd, path), rc;

	if (errnum != 0) {
		if (fd >= 0)
			close(fd);
		rc = err_set(e, err_from_errno(errnum),
		    "cannot listen for lmtp at %s: %s", path, strerror(errnum));
		free(path);
		return rc;
	}
	set->lmtp_path = path;
	add_shared(set, lmtp_door, fd, twins);
	return user_give(user, path, e);
}

/* What systemd passed: for these doors nothing is opened. */
static int
take_passed(struct listen_set *set, size_t twins, struct err *e)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	struct slice names = slice_str(getenv("LISTEN_FDNAMES")), name;
	uint64_t n, mine;

	if (count == NULL || pid == NULL ||
	    !num_parse(slice_str(pid), INT32_MAX, &mine) ||
	    mine != (uint64_t)getpid() ||
	    !num_parse(slice_str(count), FDS_MAX, &n))
		return 0;
	for (int fd = FIRST_FD; fd < FIRST_FD + (int)n; fd++) {
		const char *door = NULL;
		size_t copies = twins;

		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
		if (!slice_split(&names, ':', &name))
			name = SLICE("");
		for (size_t i = 0; i < PH_LEN(doors); i++)
			if (slice_eq(name, slice_str(doors[i].name))) {
				door = doors[i].name;
				copies = doors[i].single ? 1 : twins;
			}
		if (door == NULL)
			return err_set(e, ERR_INVALID,
			    "systemd passed a socket named %.*s; set "
			    "FileDescriptorName to imap, imaps, pop3, ...",
			    (int)name.n, name.p);
		add_shared(set, door, fd, copies);
	}
	return 0;
}

static bool
was_passed(const struct listen_set *set, size_t npassed, const char *door)
{
	for (size_t i = 0; i < npassed; i++)
		if (strcmp(set->v[i].door, door) == 0)
			return true;
	return false;
}

static void
note(struct err *first, const struct err *e)
{
	log_error(NULL, "listen", "failed=\"%s\"", e->text);
	if (first->kind == 0)
		*first = *e;
}

int
listen_open(struct listen_set *set, const struct conf *conf, size_t twins,
    const struct user *user, struct err *e)
{
	struct err one = { 0 };
	const struct conf_list *list;
	size_t npassed;

	*e = (struct err){ 0 };
	*set = (struct listen_set){ 0 };
	if (take_passed(set, twins, e) != 0)
		return e->kind;
	npassed = set->n;
	for (size_t i = 0; i < PH_LEN(doors); i++) {
		(void)listen_door(conf, i, &list);
		if (was_passed(set, npassed, doors[i].name))
			continue;
		for (size_t k = 0; k < list->n; k++)
			if (open_address(set, doors[i].name, list->v[k],
				doors[i].single ? 1 : twins, &one) != 0)
				note(e, &one);
	}
	if (!was_passed(set, npassed, lmtp_door) &&
	    open_lmtp_socket(set, conf, twins, user, &one) != 0)
		note(e, &one);
	return e->kind;
}

void
listen_close(struct listen_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		close(set->v[i].fd);
	if (set->lmtp_path != NULL)
		(void)unlink(set->lmtp_path);
	free(set->lmtp_path);
	free(set->v);
	*set = (struct listen_set){ 0 };
}

bool
listen_has_v6(void)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool can;

	if (fd < 0)
		return false;
	can = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
	close(fd);
	return can;
}
