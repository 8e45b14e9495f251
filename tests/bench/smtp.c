/*
 * smtp - both ends of a mail's way through submitd, as cheap as they can be.
 *
 *	smtp sink ADDRESS PORT COUNT DELAY
 *	smtp submit PORT CONNECTIONS COUNT BYTES LOGIN PASSWORD FROM \
 *	    RCPT [MODULO]
 *	smtp each ... as submit
 *	smtp idle PORT COUNT LOGIN PASSWORD
 *
 * The sink takes whatever comes (PIPELINING, 8BITMIME, CHUNKING) and ends
 * after COUNT messages: seconds from the first to the last, and how many
 * connections there were.  Each message takes it DELAY milliseconds; when
 * "single@..." comes it tells the monotonic clock.
 *
 * submit hands COUNT messages over by TLS, a thread a connection, after one
 * login each; "%d" in RCPT is the message's number (its rest by MODULO, and
 * one).  Prints seconds and the median milliseconds of a message.  each does
 * so with a connection a message.
 *
 * idle opens COUNT connections that have logged in, says so, and keeps them
 * until its input ends.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

enum { BUF = 256 << 10 };

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

static long
number(const char *text)
{
	return strtol(text, NULL, 10);
}

static struct sockaddr_in
address(const char *ip, const char *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)(int)number(port)) };

	if (inet_pton(AF_INET, ip, &in.sin_addr) != 1)
		die(ip);
	return in;
}

/*
 * The sink.
 */

static struct {
	pthread_mutex_t lock;
	long left, connections;
	double first;
	unsigned delay_us;
} sink = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct peer {
	int fd;
	char in[BUF];
	size_t n, at; /* [at, n) is not looked at */
	char out[65536];
	size_t out_n;
};

static void
answer(struct peer *p, const char *text)
{
	size_t n = strlen(text);

	memcpy(p->out + p->out_n, text, n);
	p->out_n += n;
}

/* More input; all answers go out before waiting.  False: the end. */
static bool
more(struct peer *p)
{
	ssize_t n;

	if (p->out_n != 0 && send(p->fd, p->out, p->out_n, MSG_NOSIGNAL) < 0)
		return false;
	p->out_n = 0;
	memmove(p->in, p->in + p->at, p->n - p->at);
	p->n -= p->at;
	p->at = 0;
	n = recv(p->fd, p->in + p->n, sizeof(p->in) - p->n, 0);
	if (n <= 0)
		return false;
	p->n += (size_t)n;
	return true;
}

static char *
line(struct peer *p)
{
	char *end, *from;

	while ((end = memmem(p->in + p->at, p->n - p->at, "\r\n", 2)) == NULL)
		if (!more(p))
			return NULL;
	from = p->in + p->at;
	p->at = (size_t)(end + 2 - p->in);
	*end = '\0';
	return from;
}

static bool
skip(struct peer *p, size_t n)
{
	while (p->n - p->at < n) {
		n -= p->n - p->at;
		p->at = p->n;
		if (!more(p))
			return false;
	}
	p->at += n;
	return true;
}

static void
taken(struct peer *p)
{
	double t = now();
	bool end;

	usleep(sink.delay_us);
	answer(p, "250 2.0.0 taken\r\n");
	(void)pthread_mutex_lock(&sink.lock);
	if (sink.first == 0)
		sink.first = t;
	end = --sink.left == 0;
	if (end) {
		(void)send(p->fd, p->out, p->out_n, MSG_NOSIGNAL);
		printf("%.3f %ld\n", t - sink.first, sink.connections);
		fflush(stdout);
		usleep(500000);
		exit(0);
	}
	(void)pthread_mutex_unlock(&sink.lock);
}

static bool
command(struct peer *p, const char *s)
{
	static const char hello[] = "250-sink.test\r\n250-PIPELINING\r\n"
				    "250-8BITMIME\r\n250 CHUNKING\r\n";

	if (strncasecmp(s, "EHLO", 4) == 0) {
		answer(p, hello);
	} else if (strncasecmp(s, "BDAT", 4) == 0) {
		if (!skip(p, (size_t)number(s + 5)))
			return false;
		taken(p);
	} else if (strncasecmp(s, "DATA", 4) == 0) {
		answer(p, "354 go\r\n");
		do
			if ((s = line(p)) == NULL)
				return false;
		while (strcmp(s, ".") != 0);
		taken(p);
	} else {
		if (strstr(s, "single@") != NULL) {
			printf("single %.4f\n", now());
			fflush(stdout);
		}
		answer(p, strncasecmp(s, "QUIT", 4) == 0 ? "221 bye\r\n"
							 : "250 2.1.0 ok\r\n");
	}
	return true;
}

static void *
serve(void *arg)
{
	struct peer *p = arg;
	const char *s;

	answer(p, "220 sink.test ESMTP\r\n");
	while ((s = line(p)) != NULL && command(p, s))
		if (strncasecmp(s, "QUIT", 4) == 0)
			(void)more(p);
	close(p->fd);
	free(p);
	return NULL;
}

static _Noreturn void
run_sink(char **argv)
{
	struct sockaddr_in in = address(argv[0], argv[1]);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	pthread_t t;

	sink.left = number(argv[2]);
	sink.delay_us = 1000 * (unsigned)number(argv[3]);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) != 0 ||
	    listen(fd, 500) != 0)
		die("listen");
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		struct peer *p = calloc(1, sizeof(*p));

		if (p == NULL || (p->fd = accept(fd, NULL, NULL)) < 0)
			die("accept");
		(void)setsockopt(
		    p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		sink.connections++;
		if (pthread_create(&t, NULL, serve, p) != 0)
			die("thread");
		(void)pthread_detach(t);
	}
}

/*
 * The sender.
 */

static struct {
	char **argv;
	SSL_CTX *tls;
	char *body;
	size_t body_len;
	long next, count;
	double *times;
	long modulo;
	bool each;
} work;

/* A reply of `lines` final lines; all have to be good. */
static void
expect(SSL *ssl, int lines)
{
	char in[8192];
	size_t n = 0;

	while (lines > 0) {
		int got = SSL_read(ssl, in + n, (int)(sizeof(in) - n - 1));
		char *end;

		if (got <= 0)
			die("closed");
		n += (size_t)got;
		in[n] = '\0';
		while ((end = strstr(in, "\r\n")) != NULL) {
			if (in[0] > '3') {
				fprintf(stderr, "%s\n", in);
				exit(1);
			}
			lines -= in[3] == ' ';
			n -= (size_t)(end + 2 - in);
			memmove(in, end + 2, n + 1);
		}
	}
}

static void
say(SSL *ssl, const char *text, size_t n)
{
	if (SSL_write(ssl, text, (int)n) <= 0)
		die("write");
}

static SSL *
log_in(const char *user, const char *password)
{
	struct sockaddr_in in = address("127.0.0.1", work.argv[0]);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	char plain[500], b64[700], auth[800];
	SSL *ssl = SSL_new(work.tls);
	int n;

	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) != 0)
		die("connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
		die("tls");
	expect(ssl, 1);
	say(ssl, "EHLO bench\r\n", 12);
	expect(ssl, 1);
	n = snprintf(plain, sizeof(plain), "%c%s%c%s", 0, user, 0, password);
	EVP_EncodeBlock((unsigned char *)b64, (unsigned char *)plain, n);
	n = snprintf(auth, sizeof(auth), "AUTH PLAIN %s\r\n", b64);
	say(ssl, auth, (size_t)n);
	expect(ssl, 1);
	return ssl;
}

static void
send_one(SSL *ssl, long i)
{
	char rcpt[300], head[1000];
	double from = now();
	int n;

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(rcpt, sizeof(rcpt), work.argv[7],
	    (int)(work.modulo != 0 ? i % work.modulo + 1 : i));
	n = snprintf(head, sizeof(head),
	    "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n", work.argv[6], rcpt);
	say(ssl, head, (size_t)n);
	expect(ssl, 3);
	n = snprintf(head, sizeof(head),
	    "From: <%s>\r\nTo: <%s>\r\nSubject: %ld\r\n"
	    "Date: Mon, 23 Nov 2026 20:00:00 +0100\r\n"
	    "Message-ID: <%ld.%d@bench>\r\n\r\n",
	    work.argv[6], rcpt, i, i, (int)getpid());
	say(ssl, head, (size_t)n);
	say(ssl, work.body, work.body_len);
	expect(ssl, 1);
	work.times[i] = now() - from;
}

static void
quit(SSL *ssl)
{
	say(ssl, "QUIT\r\n", 6);
	expect(ssl, 1);
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}

static void *
submit(void *arg)
{
	SSL *ssl = NULL;
	long i;

	(void)arg;
	while ((i = __atomic_fetch_add(&work.next, 1, __ATOMIC_RELAXED)) <
	       work.count) {
		if (ssl == NULL)
			ssl = log_in(work.argv[4], work.argv[5]);
		send_one(ssl, i);
		if (work.each) {
			quit(ssl);
			ssl = NULL;
		}
	}
	if (ssl != NULL)
		quit(ssl);
	return NULL;
}

static int
run_idle(char **argv)
{
	long n = number(argv[1]);
	char c;

	work.argv = argv;
	work.tls = SSL_CTX_new(TLS_client_method());
	for (long i = 0; i < n; i++)
		(void)log_in(argv[2], argv[3]);
	printf("ready\n");
	fflush(stdout);
	return read(0, &c, 1) < 0;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int
run_submit(char **argv)
{
	int threads = (int)number(argv[1]);
	long bytes = number(argv[3]);
	pthread_t t[1000];
	double from;

	work.argv = argv;
	work.count = number(argv[2]);
	work.times = calloc((size_t)work.count, sizeof(double));
	work.tls = SSL_CTX_new(TLS_client_method());
	work.body = malloc((size_t)bytes + 100);
	while ((long)work.body_len < bytes) {
		memset(work.body + work.body_len, 'x', 70);
		memcpy(work.body + work.body_len + 70, "\r\n", 2);
		work.body_len += 72;
	}
	memcpy(work.body + work.body_len, ".\r\n", 3);
	work.body_len += 3;
	from = now();
	for (int i = 0; i < threads; i++)
		if (pthread_create(&t[i], NULL, submit, NULL) != 0)
			die("thread");
	for (int i = 0; i < threads; i++)
		(void)pthread_join(t[i], NULL);
	from = now() - from;
	qsort(work.times, (size_t)work.count, sizeof(double), compare);
	printf("%.3f %.3f\n", from, work.times[work.count / 2] * 1e3);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "sink") == 0)
		run_sink(argv + 2);
	work.each = strcmp(argc > 1 ? argv[1] : "", "each") == 0;
	work.modulo = argc == 11 ? number(argv[10]) : 0;
	if ((argc == 10 || argc == 11) &&
	    (work.each || strcmp(argv[1], "submit") == 0))
		return run_submit(argv + 2);
	if (argc == 6 && strcmp(argv[1], "idle") == 0)
		return run_idle(argv + 2);
	fprintf(stderr, "usage: see the head of smtp.c\n");
	return 2;
}
