/*
 * durable - what this machine charges for one durable delivery at a time,
 * whoever asks: four round trips between two threads, bytes written into a
 * file and into a log (both have their blocks), and two syncs side by side.
 *
 *	durable DIR COUNT BYTES LOG-BYTES
 *
 * Prints as load.c does, and the CPU of each in us: seconds, a second, median
 * and 99th percentile in ms, us.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TURNS = 4, ROOM = 64 << 20, STEP = 1 << 20 };

struct durable {
	int link[2];
	int body, log;
	sem_t go, done;
};

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double
cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static int
open_zeroed(const char *dir, const char *name)
{
	static const char zeros[STEP];
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600)) < 0)
		die(path);
	(void)unlink(path);
	for (int i = 0; i < ROOM / STEP; i++)
		if (write(fd, zeros, STEP) != STEP)
			die("write");
	if (fsync(fd) != 0)
		die("fsync");
	return fd;
}

/* Answers each byte. */
static void *
peer(void *arg)
{
	struct durable *f = arg;
	char c;

	while (read(f->link[1], &c, 1) == 1)
		if (write(f->link[1], &c, 1) != 1)
			die("answer");
	return NULL;
}

static void *
syncer(void *arg)
{
	struct durable *f = arg;

	for (;;) {
		sem_wait(&f->go);
		if (fdatasync(f->body) != 0)
			die("fdatasync");
		sem_post(&f->done);
	}
}

static void
one(struct durable *f, const char *bytes, size_t n, size_t log_n, long i)
{
	char c = 'x';

	for (int k = 0; k < TURNS; k++)
		if (write(f->link[0], &c, 1) != 1 ||
		    read(f->link[0], &c, 1) != 1)
			die("link");
	if (pwrite(f->body, bytes, n, i * (off_t)n % (ROOM - STEP)) < 0)
		die("pwrite");
	sem_post(&f->go);
	if (pwrite(f->log, bytes, log_n, i * (off_t)log_n % (ROOM - STEP)) < 0)
		die("pwrite");
	if (fdatasync(f->log) != 0)
		die("fdatasync");
	sem_wait(&f->done);
}

static int
cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
	static char bytes[STEP];
	struct durable f;
	pthread_t t;
	double *times, begin, cpu, at;
	size_t n, log_n;
	long count;

	if (argc != 5)
		return 2;
	count = strtol(argv[2], NULL, 10);
	n = strtoul(argv[3], NULL, 10);
	log_n = strtoul(argv[4], NULL, 10);
	times = calloc((size_t)count + 1, sizeof(*times));
	memset(bytes, 'x', sizeof(bytes));
	if (times == NULL || n > STEP || log_n > STEP ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, f.link) != 0)
		die("start");
	f.body = open_zeroed(argv[1], "durable-body");
	f.log = open_zeroed(argv[1], "durable-log");
	(void)sem_init(&f.go, 0, 0);
	(void)sem_init(&f.done, 0, 0);
	if (pthread_create(&t, NULL, peer, &f) != 0 ||
	    pthread_create(&t, NULL, syncer, &f) != 0)
		die("thread");
	begin = now();
	cpu = cpu_us();
	for (long i = 0; i < count; i++) {
		at = now();
		one(&f, bytes, n, log_n, i);
		times[i] = now() - at;
	}
	cpu = cpu_us() - cpu;
	begin = now() - begin;
	qsort(times, (size_t)count, sizeof(*times), cmp_double);
	printf("%.3f %.0f %.2f %.2f %.1f\n", begin, (double)count / begin,
	    times[count / 2] * 1e3, times[count * 99 / 100] * 1e3,
	    cpu / (double)count);
	return 0;
}
