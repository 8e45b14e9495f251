#include "storage/notify.h"

#include "tests/unit/unit.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "storage/notify_priv.h"
#include "storage/store_priv.h"
#include "tests/unit/store_tmp.h"

static const struct notify_event samples[] = {
	{ .kind = NOTIFY_FOLDER,
	    .account = 1,
	    .folder = 2,
	    .modseq_from = 10,
	    .modseq_to = 11,
	    .nruns = 3,
	    .runs = { 0, 77, UINT32_MAX / 32 } },
	{ .kind = NOTIFY_FOLDERS, .account = UINT64_MAX },
	{ .kind = NOTIFY_QUEUE, .account = 1 },
	{ .kind = NOTIFY_ACCOUNT, .account = 9, .kick = true },
};

static void
same(const struct notify_event *a, const struct notify_event *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_true(a->account == b->account);
	assert_true(a->folder == b->folder);
	assert_true(a->modseq_from == b->modseq_from);
	assert_true(a->modseq_to == b->modseq_to);
	assert_int_equal(a->kick, b->kick);
	assert_int_equal(a->nruns, b->nruns);
	for (uint32_t i = 0; i < a->nruns; i++)
		assert_int_equal(a->runs[i], b->runs[i]);
}

static void
test_coding(void **state)
{
	struct notify_event ev;
	struct slice s;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (size_t i = 0; i < PH_LEN(samples); i++)
		notify_encode(&b, &samples[i]);
	s = buf_slice(&b);
	for (size_t i = 0; i < PH_LEN(samples); i++) {
		assert_true(notify_decode(&s, &ev));
		same(&ev, &samples[i]);
	}
	assert_false(notify_decode(&s, &ev));
	for (size_t n = 0; n < buf_len(&b); n++) {
		struct slice exact = unit_exact(buf_slice(&b).p, n);

		s = exact;
		while (notify_decode(&s, &ev))
			assert_true(ev.nruns <= NOTIFY_RUNS_MAX);
		unit_free(exact);
	}
	buf_fini(&b);
}

/* All that comes within a while, or until `want` came. */
static size_t
collect(struct store *s, int fd, struct notify_event *v, size_t cap,
    size_t want, int ms)
{
	uint64_t end = clock_steady_ms() + (uint64_t)ms;
	struct pollfd p = { fd, POLLIN, 0 };
	size_t n = 0, got;

	while (n < want && clock_steady_ms() < end) {
		(void)poll(&p, 1, 20);
		while (n < cap && (got = notify_read(s, v + n, cap - n)) != 0)
			n += got;
	}
	return n;
}

static void
test_self(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct notify_event v[10];
	int fd = notify_listen(s, NOTIFY_FOLDER | NOTIFY_ACCOUNT);

	(void)state;
	assert_true(fd >= 0);
	notify_want(s, 0, 2, 1);
	assert_int_equal(notify_listen(s, NOTIFY_FOLDER), ERR_EXISTS);
	for (size_t i = 0; i < PH_LEN(samples); i++)
		notify_add(s, &samples[i]);
	assert_int_equal(store_sync_now(s), 0);
	assert_int_equal(collect(s, fd, v, 10, 2, 2000), 2);
	same(&v[0], &samples[0]);
	same(&v[1], &samples[3]);
	/* without anybody's sync too */
	notify_add(s, &samples[3]);
	assert_int_equal(collect(s, fd, v, 10, 1, 2000), 1);
	/* one at a time, though they came together */
	for (int i = 0; i < 5; i++)
		notify_add(s, &samples[0]);
	assert_int_equal(store_sync_now(s), 0);
	assert_int_equal(collect(s, fd, v, 1, 1, 2000), 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(notify_read(s, v, 1), 1);
	assert_int_equal(notify_read(s, v, 1), 0);
	store_tmp_stop(&t, &s);
}

/* Sockets, and the maps beside them. */
static int
files_in(const char *run)
{
	struct dirent *ent;
	char path[100];
	int n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/notify", run);
	d = opendir(path);
	assert_non_null(d);
	while ((ent = readdir(d)) != NULL)
		n += ent->d_name[0] != '.';
	closedir(d);
	return n;
}

/* Another process hears it; a dead one's socket is taken away. */
static void
listen_and_count(struct store_tmp *t, int ready, int want)
{
	struct notify_event *v = calloc(1000, sizeof(*v));
	struct store *s;
	struct err e;
	int fd;

	t->conf.role = STORE_DAEMON;
	if (store_open(&t->conf, 1000, &s, &e) != 0)
		_exit(1);
	fd = notify_listen(s, NOTIFY_FOLDER);
	notify_want(s, 0, 2, 1);
	if (fd < 0 || write(ready, "r", 1) != 1)
		_exit(2);
	if (collect(s, fd, v, 1000, (size_t)want, 5000) != (size_t)want)
		_exit(3);
	_exit(0); /* without taking the socket away */
}

static void
test_processes(void **state)
{
	enum { KIDS = 3, EVENTS = 400 };
	struct store_tmp t;
	struct store *s;
	pid_t kid[KIDS];
	int p[2], st;
	char c;

	(void)state;
	store_tmp_init(&t);
	store_tmp_recover(&t);
	assert_int_equal(pipe(p), 0);
	for (int i = 0; i < KIDS; i++)
		if ((kid[i] = fork()) == 0)
			listen_and_count(&t, p[1], EVENTS);
	for (int i = 0; i < KIDS; i++)
		assert_int_equal(read(p[0], &c, 1), 1);
	s = store_tmp_open(&t, STORE_DAEMON);
	for (int i = 0; i < EVENTS; i++)
		notify_add(s, &samples[0]);
	assert_int_equal(store_sync_now(s), 0);
	for (int i = 0; i < KIDS; i++) {
		waitpid(kid[i], &st, 0);
		assert_int_equal(st, 0);
	}
	assert_int_equal(files_in(t.run), 2 * KIDS);
	notify_add(s, &samples[0]);
	assert_int_equal(store_sync_now(s), 0);
	for (int i = 0; i < 100 && files_in(t.run) != 0; i++)
		usleep(10000);
	assert_int_equal(files_in(t.run), 0);
	close(p[0]);
	close(p[1]);
	store_tmp_stop(&t, &s);
}

/* Who does not read for long is told that it missed something. */
static void
test_slow(void **state)
{
	enum { MANY = 60000 };
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct notify_event *v = calloc(MANY, sizeof(*v));
	int fd = notify_listen(s, NOTIFY_FOLDER);
	bool lost = false;
	size_t n;

	(void)state;
	assert_non_null(v);
	assert_true(fd >= 0);
	notify_want(s, 1, 0, 1);
	for (int i = 0; i < MANY; i++) {
		notify_add(s, &samples[0]);
		if (i % 1000 == 0)
			assert_int_equal(store_sync_now(s), 0);
	}
	assert_int_equal(store_sync_now(s), 0);
	n = collect(s, fd, v, MANY, MANY, 600);
	for (size_t i = 0; i < n; i++)
		if (v[i].account == 0 && v[i].folder == 0)
			lost = true;
	assert_true(n < MANY);
	assert_true(lost);
	/* and hears again */
	notify_add(s, &samples[0]);
	assert_int_equal(store_sync_now(s), 0);
	assert_int_equal(collect(s, fd, v, MANY, 1, 2000), 1);
	free(v);
	store_tmp_stop(&t, &s);
}

/* Folders that nobody looks at are not told of. */
static void
test_unwanted(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct notify_event other = samples[0], v[10];
	int fd = notify_listen(s, NOTIFY_FOLDER);

	(void)state;
	assert_true(fd >= 0);
	other.folder = 3;
	other.account = 7;
	notify_want(s, 0, 3, 1);
	notify_want(s, 0, 2, 1);
	notify_want(s, 0, 2, -1);
	notify_add(s, &samples[0]);
	assert_int_equal(store_sync_now(s), 0);
	notify_add(s, &other);
	assert_int_equal(store_sync_now(s), 0);
	assert_int_equal(collect(s, fd, v, 10, 1, 2000), 1);
	same(&v[0], &other);
	/* all of an account's */
	notify_want(s, 0, 3, -1);
	notify_want(s, 1, 0, 1);
	notify_add(s, &other);
	assert_int_equal(store_sync_now(s), 0);
	notify_add(s, &samples[0]);
	assert_int_equal(store_sync_now(s), 0);
	assert_int_equal(collect(s, fd, v, 10, 1, 2000), 1);
	same(&v[0], &samples[0]);
	store_tmp_stop(&t, &s);
}

/* Names that are no sockets of ours, and bytes that are no events. */
static void
test_strangers(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = notify_listen(s, NOTIFY_FOLDER), out;
	struct notify_event v[4];
	char path[100];
	FILE *f;

	(void)state;
	assert_true(fd >= 0);
	notify_want(s, 0, 2, 1);
	(void)snprintf(path, sizeof(path), "%s/notify/99.f", t.run);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s/notify/%ld.1",
	    t.run, (long)getpid());
	out = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(sendto(out, "\xff\xff\xff", 3, 0,
			     (struct sockaddr *)&to, sizeof(to)),
	    3);
	assert_int_equal(
	    sendto(out, "", 0, 0, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(notify_read(s, v, 4), 0);
	notify_add(s, &samples[0]);
	assert_int_equal(store_sync_now(s), 0);
	assert_int_equal(collect(s, fd, v, 4, 1, 2000), 1);
	close(out);
	store_tmp_stop(&t, &s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coding),
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_unwanted),
		cmocka_unit_test(test_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
