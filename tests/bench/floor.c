/*
 * floor - what this machine charges for a dialogue in which the server does
 * nothing: one thread, epoll, fixed replies; no users, no store, no log.
 *
 *	floor pop3|imap CHAIN.pem KEY.pem
 *
 * Listens on two free ports of 127.0.0.1, the second with TLS from the start,
 * and prints both.  TLS has what it needs and no more: one certificate, AES-128
 * first, no tickets, no session cache, no close_notify.  A line is answered by
 * its first word (imap: the second); RETR and FETCH bring 5.6 KiB.  Ends when
 * standard input does.
 */
#define _GNU_SOURCE /* accept4 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 5600, IN = 16384, OUT = 65536, EVENTS = 64 };

struct reply {
	const char *word;
	const char *text;
	bool message; /* MESSAGE bytes and `end` follow */
	const char *end;
	bool last;
};

/* The row without a word is for all others. */
static const struct reply pop3[] = {
	{ "RETR", "+OK 5600 octets\r\n", true, "\r\n.\r\n", false },
	{ "UIDL", "+OK\r\n.\r\n", false, "", false },
	{ "LIST", "+OK\r\n.\r\n", false, "", false },
	{ "STAT", "+OK 0 0\r\n", false, "", false },
	{ "QUIT", "+OK bye\r\n", false, "", true },
	{ NULL, "+OK\r\n", false, "", false },
};

/* The tag and " OK" follow each of these. */
static const struct reply imap[] = {
	{ "FETCH", "* 1 FETCH (BODY[] {5600}\r\n", true, ")\r\n", false },
	{ "LOGOUT", "* BYE\r\n", false, "", true },
	{ NULL, "", false, "", false },
};

struct peer {
	int fd;
	SSL *ssl; /* or NULL */
	bool up;  /* greeted */
	size_t n;
	char in[IN];
};

struct floor {
	int ep;
	int doors[2];
	SSL_CTX *ctx;
	bool tagged;
	const struct reply *replies;
	const char *greeting;
	char message[MESSAGE];
	char out[OUT];
	size_t nout;
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
put(struct floor *f, const char *p, size_t n)
{
	if (n > sizeof(f->out) - f->nout)
		n = sizeof(f->out) - f->nout;
	memcpy(f->out + f->nout, p, n);
	f->nout += n;
}

/* What does not fit into the socket at once is lost: nobody here asks for
 * more than that. */
static void
flush(struct floor *f, struct peer *p)
{
	size_t done;

	if (f->nout != 0 && p->ssl != NULL)
		(void)SSL_write_ex(p->ssl, f->out, f->nout, &done);
	else if (f->nout != 0 && write(p->fd, f->out, f->nout) < 0)
		p->n = 0;
	f->nout = 0;
}

static void
end(struct peer *p)
{
	SSL_free(p->ssl);
	(void)close(p->fd);
	free(p);
}

/* Answers a line; false after the last. */
static bool
answer(struct floor *f, char *line, size_t n)
{
	size_t tag = 0;
	const struct reply *r = f->replies;

	line[n] = '\0';
	if (f->tagged)
		tag = strcspn(line, " ");
	while (r->word != NULL && strncasecmp(line + tag + (tag != 0), r->word,
				      strlen(r->word)) != 0)
		r++;
	put(f, r->text, strlen(r->text));
	if (r->message) {
		put(f, f->message, MESSAGE);
		put(f, r->end, strlen(r->end));
	}
	if (f->tagged) {
		put(f, line, tag);
		put(f, " OK done\r\n", 10);
	}
	return !r->last;
}

static bool
lines(struct floor *f, struct peer *p)
{
	char *at = p->in, *stop = p->in + p->n, *lf;
	bool more = true;

	while (more && (lf = memchr(at, '\n', (size_t)(stop - at))) != NULL) {
		more = answer(f, at, (size_t)(lf - at));
		at = lf + 1;
	}
	p->n = (size_t)(stop - at);
	memmove(p->in, at, p->n);
	flush(f, p);
	return more;
}

static void
greet(struct floor *f, struct peer *p)
{
	p->up = true;
	put(f, f->greeting, strlen(f->greeting));
	flush(f, p);
}

/* One read; false: the peer has gone, or goes. */
static bool
serve(struct floor *f, struct peer *p)
{
	ssize_t got;
	int rc;

	if (!p->up) {
		if ((rc = SSL_do_handshake(p->ssl)) != 1)
			return SSL_get_error(p->ssl, rc) == SSL_ERROR_WANT_READ;
		greet(f, p);
		return true;
	}
	do {
		size_t room = sizeof(p->in) - p->n;

		if (p->ssl != NULL)
			got = SSL_read(p->ssl, p->in + p->n, (int)room);
		else
			got = read(p->fd, p->in + p->n, room);
		if (got <= 0 && p->ssl != NULL)
			return SSL_get_error(p->ssl, (int)got) ==
			       SSL_ERROR_WANT_READ;
		if (got <= 0)
			return got < 0 && errno == EAGAIN;
		p->n += (size_t)got;
		if (!lines(f, p))
			return false;
	} while (p->ssl != NULL && SSL_has_pending(p->ssl));
	return true;
}

static void
take(struct floor *f, bool tls)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = accept4(f->doors[tls], NULL, NULL, SOCK_NONBLOCK);
	struct peer *p;

	if (fd < 0)
		return;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		die("calloc");
	p->fd = fd;
	if (tls) {
		p->ssl = SSL_new(f->ctx);
		SSL_set_fd(p->ssl, fd);
		SSL_set_accept_state(p->ssl);
	} else {
		greet(f, p);
	}
	ev.data.ptr = p;
	if (epoll_ctl(f->ep, EPOLL_CTL_ADD, fd, &ev) != 0)
		die("epoll_ctl");
}

static void
run(struct floor *f)
{
	struct epoll_event ev[EVENTS];
	int n;

	while ((n = epoll_wait(f->ep, ev, EVENTS, -1)) >= 0 || errno == EINTR)
		for (int i = 0; i < n; i++) {
			void *who = ev[i].data.ptr;

			if (who == NULL)
				return;
			if (who == &f->doors[0] || who == &f->doors[1])
				take(f, who == &f->doors[1]);
			else if (!serve(f, who))
				end(who);
		}
}

static unsigned
open_door(int *fd)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int on = 1;

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (*fd < 0 || bind(*fd, (void *)&at, len) != 0 ||
	    setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    listen(*fd, 1024) != 0 || getsockname(*fd, (void *)&at, &len) != 0)
		die("listen");
	return ntohs(at.sin_port);
}

static SSL_CTX *
context(const char *chain, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL ||
	    SSL_CTX_use_certificate_chain_file(ctx, chain) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1) {
		(void)fprintf(stderr, "floor: bad certificate\n");
		exit(1);
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ctx, 1);
	return ctx;
}

int
main(int argc, char **argv)
{
	static struct floor f;
	struct epoll_event ev = { .events = EPOLLIN };

	if (argc != 4) {
		(void)fprintf(stderr, "usage: floor pop3|imap CHAIN KEY\n");
		return 2;
	}
	f.tagged = strcmp(argv[1], "imap") == 0;
	f.replies = f.tagged ? imap : pop3;
	f.greeting = f.tagged ? "* OK ready\r\n" : "+OK ready\r\n";
	f.ctx = context(argv[2], argv[3]);
	for (size_t i = 0; i < MESSAGE; i++)
		f.message[i] = i % 74 == 72 ? '\r' : i % 74 == 73 ? '\n' : 'x';
	if ((f.ep = epoll_create1(0)) < 0 ||
	    epoll_ctl(f.ep, EPOLL_CTL_ADD, STDIN_FILENO, &ev) != 0)
		die("epoll");
	for (int i = 0; i < 2; i++) {
		(void)printf("%u\n", open_door(&f.doors[i]));
		ev.data.ptr = &f.doors[i];
		if (epoll_ctl(f.ep, EPOLL_CTL_ADD, f.doors[i], &ev) != 0)
			die("epoll");
	}
	(void)fflush(stdout);
	run(&f);
	return 0;
}
