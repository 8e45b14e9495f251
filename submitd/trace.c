#include "submitd/trace.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum {
	MEMORY_MAX = 8 << 20, /* between two writes */
	EARLY = 1 << 20,      /* so much is written at once */
	FLUSH_SEC = 1
};

struct trace {
	struct server *srv;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool ending, full;
	struct buf lines;  /* since the last write */
	struct buf out;    /* being written; the thread's */
	uint64_t left_out; /* lines without room */
	uint64_t sick_day; /* told of this day's trouble */
};

/* On any thread. */
static void
on_line(void *arg, struct slice line)
{
	struct trace *t = arg;

	if (t->srv->conf->trace_days == 0)
		return;
	pthread_mutex_lock(&t->lock);
	if (buf_len(&t->lines) + line.n > MEMORY_MAX)
		t->left_out++;
	else
		buf_add_slice(&t->lines, line);
	if (!t->full && buf_len(&t->lines) > EARLY) {
		t->full = true;
		pthread_cond_signal(&t->wake);
	}
	pthread_mutex_unlock(&t->lock);
}

/* Today's file, or -1. */
static int
open_day(const struct trace *t, struct stat *st)
{
	const char *state = t->srv->conf->state_dir;
	time_t now = clock_wall_sec();
	struct tm tm;
	char day[16], *dir = xasprintf("%s/trace", state), *path;
	int fd = -1;

	gmtime_r(&now, &tm);
	(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	path = xasprintf("%s/submitd-%s", dir, day);
	if (file_mkdirs(dir, 0700, NULL) == 0)
		fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && fstat(fd, st) != 0) {
		close(fd);
		fd = -1;
	}
	free(path);
	free(dir);
	return fd;
}

/* A line that a full disk or a crash has cut is not to spoil the next. */
static void
end_torn_line(int fd, const struct stat *st)
{
	char last = '\n';

	if (st->st_size > 0 && pread(fd, &last, 1, st->st_size - 1) == 1 &&
	    last != '\n')
		(void)!write(fd, "\n", 1);
}

static bool
write_out(struct trace *t)
{
	struct stat st;
	int fd = open_day(t, &st), rc = 0;
	struct slice s = buf_slice(&t->out);

	if (fd < 0)
		return false;
	if ((uint64_t)st.st_size + s.n <= t->srv->conf->trace_size) {
		end_torn_line(fd, &st);
		rc = file_write_all(fd, s.p, s.n);
	} else {
		rc = ERR_LIMIT;
	}
	close(fd);
	return rc == 0;
}

static void
flush(struct trace *t, uint64_t left_out)
{
	uint64_t today = (uint64_t)clock_wall_sec() / 86400;
	bool good = buf_len(&t->out) == 0 || write_out(t);

	buf_clear(&t->out);
	if ((good && left_out == 0) || t->sick_day == today)
		return;
	t->sick_day = today;
	log_warn(NULL, "trace", "incomplete=%s left-out=%llu",
	    good ? "memory" : "file", (unsigned long long)left_out);
}

static void *
run(void *arg)
{
	struct trace *t = arg;
	struct timespec until;
	uint64_t left_out;
	bool ending;

	do {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += FLUSH_SEC;
		pthread_mutex_lock(&t->lock);
		if (!t->ending && !t->full)
			(void)pthread_cond_timedwait(
			    &t->wake, &t->lock, &until);
		ending = t->ending;
		left_out = t->left_out;
		t->left_out = 0;
		t->full = false;
		buf_move(&t->out, &t->lines);
		pthread_mutex_unlock(&t->lock);
		flush(t, left_out);
	} while (!ending);
	return NULL;
}

struct trace *
trace_new(struct server *srv)
{
	struct trace *t = xcalloc(1, sizeof(*t));

	t->srv = srv;
	buf_init(&t->lines, MEMORY_MAX);
	buf_init(&t->out, MEMORY_MAX);
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->wake, NULL);
	if (pthread_create(&t->thread, NULL, run, t) != 0) {
		log_error(NULL, "trace", "failed=thread");
		free(t);
		return NULL;
	}
	log_tee(on_line, t);
	return t;
}

void
trace_free(struct trace **tp)
{
	struct trace *t = *tp;

	if (t == NULL)
		return;
	log_tee(NULL, NULL);
	pthread_mutex_lock(&t->lock);
	t->ending = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->wake);
	buf_fini(&t->lines);
	buf_fini(&t->out);
	free(t);
	*tp = NULL;
}
