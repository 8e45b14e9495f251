/*
 * load - hands many messages over by LMTP, from one thread, as fast as they
 * are taken.
 *
 *	load SOCKET CONNECTIONS COUNT BYTES RCPT...
 *
 * Each message goes to the next of the recipients in turn (with "+N" in front,
 * to N of them at once).  Prints seconds, messages a second and the median and
 * 99th percentile of the time from DATA's end to the last 250.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 4096, BODY_MAX = 1 << 20 };

enum step { BANNER, LHLO, ENVELOPE, END };

struct link {
	int fd;
	enum step step;
	int replies; /* still to come in this step */
	double sent_at;
	char in[LINE];
	size_t n;
};

struct load {
	char **rcpts;
	int nrcpts, each; /* recipients a message */
	long left, done, turn;
	char body[BODY_MAX + 8];
	size_t body_len;
	double *times;
};

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
put(struct link *l, const char *p, size_t n)
{
	while (n != 0) {
		ssize_t put = send(l->fd, p, n, MSG_NOSIGNAL);

		if (put < 0)
			die("send");
		p += put;
		n -= (size_t)put;
	}
}

static void
make_body(struct load *w, size_t bytes)
{
	size_t n = (size_t)snprintf(w->body, BODY_MAX,
	    "From: Load <load@example.net>\r\nTo: You <you@posthof.test>\r\n"
	    "Subject: a message of %zu bytes\r\nMIME-Version: 1.0\r\n"
	    "Date: Mon, 23 Nov 2026 20:00:00 +0100\r\n"
	    "Message-ID: <load@example.net>\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n",
	    bytes);

	while (n + 72 < bytes && n + 72 < BODY_MAX) {
		memset(w->body + n, 'x', 70);
		memcpy(w->body + n + 70, "\r\n", 2);
		n += 72;
	}
	memcpy(w->body + n, ".\r\n", 3);
	w->body_len = n + 3;
}

/* MAIL, RCPTs and DATA in one write. */
static bool
next_message(struct load *w, struct link *l)
{
	char out[LINE * 4];
	size_t n;

	if (w->left == 0)
		return false;
	w->left--;
	n = (size_t)snprintf(out, sizeof(out),
	    "MAIL FROM:<load@example.net>"
	    "\r\n");
	for (int i = 0; i < w->each; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n,
		    "RCPT TO:<%s>\r\n", w->rcpts[w->turn++ % w->nrcpts]);
	n += (size_t)snprintf(out + n, sizeof(out) - n, "DATA\r\n");
	put(l, out, n);
	l->step = ENVELOPE;
	l->replies = 2 + w->each;
	return true;
}

/* False when this link has nothing more to do. */
static bool
on_reply(struct load *w, struct link *l, const char *line)
{
	if (line[0] != '2' && strncmp(line, "354", 3) != 0) {
		fprintf(stderr, "unexpected: %s\n", line);
		exit(1);
	}
	if (line[3] == '-' || --l->replies > 0)
		return true;
	switch (l->step) {
	case BANNER:
		put(l, "LHLO load\r\n", 11);
		l->step = LHLO;
		l->replies = 1;
		return true;
	case ENVELOPE:
		put(l, w->body, w->body_len);
		l->sent_at = now();
		l->step = END;
		l->replies = w->each;
		return true;
	case END: w->times[w->done++] = now() - l->sent_at; break;
	case LHLO: break;
	}
	return next_message(w, l);
}

static bool
on_input(struct load *w, struct link *l)
{
	ssize_t got = recv(l->fd, l->in + l->n, sizeof(l->in) - l->n, 0);
	char *from = l->in, *end;

	if (got <= 0)
		die("recv");
	l->n += (size_t)got;
	while (
	    (end = memchr(from, '\n', l->n - (size_t)(from - l->in))) != NULL) {
		*end = '\0';
		if (!on_reply(w, l, from))
			return false;
		from = end + 1;
	}
	l->n -= (size_t)(from - l->in);
	memmove(l->in, from, l->n);
	return true;
}

static int
open_link(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(to.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die(path);
	return fd;
}

static int
cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
run(struct load *w, struct link *links, struct pollfd *pfd, size_t n)
{
	size_t live = n;

	while (live != 0) {
		if (poll(pfd, n, 60000) <= 0)
			die("poll");
		for (size_t i = 0; i < n; i++) {
			if (pfd[i].revents == 0 || on_input(w, &links[i]))
				continue;
			pfd[i].fd = -1;
			live--;
		}
	}
}

int
main(int argc, char **argv)
{
	static struct load w;
	size_t n;
	struct link *links;
	struct pollfd *pfd;
	double begin, sec;

	if (argc < 6) {
		fputs("usage: load SOCKET CONNECTIONS COUNT BYTES [+N] "
		      "RCPT...\n",
		    stderr);
		return 2;
	}
	n = (size_t)strtoul(argv[2], NULL, 10);
	w.left = strtol(argv[3], NULL, 10);
	make_body(&w, (size_t)strtoul(argv[4], NULL, 10));
	w.rcpts = argv + 5;
	w.nrcpts = argc - 5;
	w.each = 1;
	if (w.rcpts[0][0] == '+') {
		w.each = (int)strtol(w.rcpts[0] + 1, NULL, 10);
		w.rcpts++;
		w.nrcpts--;
	}
	w.times = calloc((size_t)w.left + 1, sizeof(*w.times));
	links = calloc(n, sizeof(*links));
	pfd = calloc(n, sizeof(*pfd));
	if (w.times == NULL || links == NULL || pfd == NULL)
		die("calloc");
	for (size_t i = 0; i < n; i++) {
		links[i].fd = open_link(argv[1]);
		links[i].replies = 1;
		pfd[i] = (struct pollfd){ links[i].fd, POLLIN, 0 };
	}
	begin = now();
	run(&w, links, pfd, n);
	sec = now() - begin;
	qsort(w.times, (size_t)w.done, sizeof(*w.times), cmp_double);
	printf("%.3f %.0f %.2f %.2f\n", sec, (double)w.done / sec,
	    w.times[w.done / 2] * 1e3, w.times[w.done * 99 / 100] * 1e3);
	return 0;
}
