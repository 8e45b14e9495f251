#include "storage/store.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/file.h"
#include "lib/base/num.h"
#include "storage/body.h"
#include "storage/counter.h"
#include "storage/segment.h"
#include "storage/segment_priv.h"
#include "storage/segment_row.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "tests/unit/store_tmp.h"

/* Opening. */

static void
test_open(void **state)
{
	struct store_tmp t;
	struct store *s;
	struct err e;

	(void)state;
	store_tmp_init(&t);
	t.conf.role = STORE_DAEMON;
	/* no index yet */
	assert_int_not_equal(store_open(&t.conf, 0, &s, &e), 0);
	assert_null(s);
	assert_non_null(strstr(e.text, "posthof serve"));
	store_tmp_recover(&t);
	s = store_tmp_open(&t, STORE_DAEMON);
	/* in use: no recovery beside it */
	t.conf.role = STORE_RECOVER;
	struct store *r;
	assert_int_equal(store_open(&t.conf, 20, &r, &e), ERR_BUSY);
	assert_true(e.text[0] != '\0');
	store_close(&s);
	store_tmp_recover(&t);
	store_tmp_fini(&t);
}

static void
test_version(void **state)
{
	struct store_tmp t;
	struct store *s;
	char path[100];
	struct err e;

	(void)state;
	store_tmp_init(&t);
	(void)snprintf(path, sizeof(path), "%s/VERSION", t.state);
	assert_int_equal(
	    file_replace(path, SLICE("posthof-store 2 db 6\n"), 0600, NULL), 0);
	t.conf.role = STORE_RECOVER;
	assert_int_equal(store_open(&t.conf, 0, &s, &e), ERR_UNSUPPORTED);
	assert_non_null(strstr(e.text, "posthof export"));
	/* nothing happens to one that is there */
	assert_int_equal(store_create(t.state, &e), 0);
	assert_int_equal(store_open(&t.conf, 0, &s, &e), ERR_UNSUPPORTED);
	(void)unlink(path);
	assert_int_equal(store_open(&t.conf, 0, &s, &e), ERR_NOTFOUND);
	store_tmp_fini(&t);
}

static void
test_ids(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	uint64_t a = store_new_id(s), b = store_new_id(s), c;

	(void)state;
	assert_true(b > a);
	store_close(&s);
	s = store_tmp_open(&t, STORE_DAEMON);
	c = store_new_id(s);
	assert_true(c > b);
	assert_true(c >> 32 != b >> 32);
	store_tmp_stop(&t, &s);
}

static void
test_space(void **state)
{
	struct store_tmp t;
	struct store *s;
	struct store_stats st;

	(void)state;
	store_tmp_init(&t);
	store_tmp_recover(&t);
	s = store_tmp_open(&t, STORE_DAEMON);
	assert_true(store_has_space(s));
	assert_int_equal(store_stats_get(s, &st), 0);
	assert_true(st.free_bytes > 0);
	assert_int_equal(st.locks_max, 60000);
	assert_int_equal(st.oldest_call_ms, 0);
	store_close(&s);
	t.conf.free_floor_bytes = UINT64_MAX;
	s = store_tmp_open(&t, STORE_DAEMON);
	assert_false(store_has_space(s));
	store_tmp_stop(&t, &s);
}

/* An index that was lost must not look like a new host. */
static void
test_lost_index(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct slice part = SLICE("mail");
	struct body_loc loc;
	char cmd[200];
	struct err e;

	(void)state;
	assert_int_equal(segment_put_body(s, &part, 1, 1, &loc), 0);
	assert_int_equal(store_sync_now(s), 0);
	store_close(&s);
	(void)snprintf(cmd, sizeof(cmd), "rm -r %s/index", t.state);
	assert_int_equal(system(cmd), 0);
	t.conf.role = STORE_RECOVER;
	assert_int_equal(store_open(&t.conf, 0, &s, &e), ERR_CORRUPT);
	assert_non_null(strstr(e.text, "rebuild"));
	store_tmp_fini(&t);
}

/* The keeper. */

struct one {
	struct body_loc loc;
	bool add;
};

static int
one_txn(struct db_txn *t, void *arg)
{
	struct one *o = arg;

	return o->add ? body_add(t, &o->loc, 1) : body_unref(t, o->loc.id, 1);
}

static void
put_big(struct store *s, struct one *o, size_t n)
{
	char *p = malloc(n);
	struct slice part = slice_of(p, n);

	assert_non_null(p);
	memset(p, 'm', n);
	assert_int_equal(segment_put_body(s, &part, 1, 1, &o->loc), 0);
	o->add = true;
	assert_int_equal(db_update(s->db, one_txn, o), 0);
	free(p);
}

static bool
segment_there(struct store_tmp *t, uint32_t number)
{
	char name[SEGMENT_NAME_BYTES], path[128];

	segment_name(number, name);
	(void)snprintf(path, sizeof(path), "%s/mail/%s", t->state, name);
	return access(path, F_OK) == 0;
}

static void
test_keep(void **state)
{
	struct store_tmp t;
	struct store *s;
	struct one a, b;
	struct buf out;
	bool more;

	(void)state;
	store_tmp_init(&t);
	store_tmp_recover(&t);
	s = store_tmp_open(&t, STORE_KEEPER);
	s->empty_age_ms = 0;
	put_big(s, &a, 1000000);
	put_big(s, &b, 1000000); /* in another segment: the first is sealed */
	assert_int_not_equal(a.loc.segment, b.loc.segment);
	assert_int_equal(store_sync_now(s), 0);
	store_close(&s);
	s = store_tmp_open(&t, STORE_KEEPER);
	s->empty_age_ms = 0;
	assert_int_equal(store_keep(s, &more), 0);
	assert_true(segment_there(&t, a.loc.segment));
	a.add = false;
	assert_int_equal(db_update(s->db, one_txn, &a), 0);
	store_close(&s);
	s = store_tmp_open(&t, STORE_KEEPER); /* looks again at once */
	s->empty_age_ms = 0;
	do
		assert_int_equal(store_keep(s, &more), 0);
	while (more);
	assert_false(segment_there(&t, a.loc.segment));
	assert_true(segment_there(&t, b.loc.segment));
	buf_init(&out, 1 << 20);
	assert_int_equal(
	    segment_read(s, &a.loc, 0, 10, NULL, &out), ERR_NOTFOUND);
	assert_int_equal(segment_read(s, &b.loc, 0, 10, NULL, &out), 0);
	buf_fini(&out);
	store_tmp_stop(&t, &s);
}

/* Several processes, killed: all that was told durable is there and whole. */

enum { KIDS = 3, BODY_MAX = 30000 };

static size_t
body_bytes(uint64_t n)
{
	return 100 + (size_t)(n * 7919 % BODY_MAX);
}

static void
body_fill(char *p, size_t len, uint64_t n)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (char)('a' + (n + i) % 26);
}

struct kid_wait {
	struct store_wait w;
	struct body_loc loc;
	int to;
};

static void
kid_told(struct store_wait *w, int rc, bool more)
{
	struct kid_wait *k = PH_CONTAINER(w, struct kid_wait, w);

	(void)more;
	if (rc != 0 ||
	    write(k->to, &k->loc, sizeof(k->loc)) != (ssize_t)sizeof(k->loc))
		_exit(3);
	free(k);
}

struct kid {
	struct store *s;
	int to;
	uint64_t seed;
};

static void *
kid_thread(void *arg)
{
	struct kid *kid = arg;
	char *p = malloc(BODY_MAX + 200);
	struct slice part = { p, 0 };
	struct one o = { .add = true };
	struct kid_wait *k;

	for (uint64_t n = kid->seed;; n += 2) {
		part.n = body_bytes(n);
		body_fill(p, part.n, n);
		if (segment_put_body(kid->s, &part, 1, (int64_t)n, &o.loc) !=
			0 ||
		    db_update(kid->s->db, one_txn, &o) != 0)
			_exit(2);
		k = malloc(sizeof(*k));
		k->w.fn = kid_told;
		k->loc = o.loc;
		k->to = kid->to;
		store_sync(kid->s, &k->w);
		usleep(50);
	}
	return NULL;
}

static void
child(struct store_tmp *t, int to)
{
	struct store *s;
	struct kid kid[2];
	pthread_t th;
	struct err e;

	t->conf.role = STORE_DAEMON;
	if (store_open(&t->conf, 1000, &s, &e) != 0)
		_exit(1);
	for (int i = 0; i < 2; i++)
		kid[i] = (struct kid){ s, to, (uint64_t)i };
	pthread_create(&th, NULL, kid_thread, &kid[0]);
	kid_thread(&kid[1]);
}

struct check {
	struct body_loc loc;
	size_t n;
	uint64_t live;
};

static int
row_there(struct db_txn *t, void *arg)
{
	struct check *c = arg;
	struct body_loc loc;
	int rc = body_get(t, c->loc.id, &loc);

	if (rc == 0) {
		assert_int_equal(loc.segment, c->loc.segment);
		assert_int_equal(loc.offset, c->loc.offset);
		assert_int_equal(loc.length, c->loc.length);
		assert_int_equal(loc.crc, c->loc.crc);
	}
	return rc;
}

static void
check_told(struct store *s, int from)
{
	struct check c;
	struct buf out;

	buf_init(&out, 1 << 20);
	while (read(from, &c.loc, sizeof(c.loc)) == (ssize_t)sizeof(c.loc)) {
		assert_int_equal(db_read(s->db, row_there, &c), 0);
		buf_clear(&out);
		assert_int_equal(
		    segment_read(s, &c.loc, 0, c.loc.length, NULL, &out), 0);
		assert_int_equal(buf_len(&out), c.loc.length);
	}
	buf_fini(&out);
}

static int
sum_bodies(struct db_txn *t, void *arg)
{
	struct slice none = { NULL, 0 }, key, value;
	struct check *c = arg;
	struct db_scan *scan;

	c->n = 0;
	c->live = 0;
	assert_int_equal(db_scan_init(t, T_BODY, none, none, &scan), 0);
	while (db_scan_next(scan, &key, &value) == 0) {
		c->n++;
		c->live += num_get64(value.p + 13);
	}
	db_scan_fini(&scan);
	return 0;
}

static int
sum_row(uint32_t number, const struct segment_row *row, void *arg)
{
	(void)number;
	*(uint64_t *)arg += row->live;
	assert_int_equal(row->owner, 0);
	assert_int_equal(row->synced, row->length);
	return 0;
}

static int
sum_rows(struct db_txn *t, void *arg)
{
	*(uint64_t *)arg = 0;
	return segment_row_each(t, sum_row, arg);
}

static size_t
kill_round(struct store_tmp *t, unsigned after_us, bool all)
{
	int p[KIDS][2];
	pid_t kid[KIDS];
	struct store *s;
	struct check c;
	uint64_t live;

	for (int i = 0; i < KIDS; i++) {
		assert_int_equal(pipe(p[i]), 0);
		(void)fcntl(p[i][1], F_SETPIPE_SZ, 1 << 20);
		if ((kid[i] = fork()) == 0)
			child(t, p[i][1]);
		close(p[i][1]);
	}
	usleep(after_us);
	kill(kid[0], SIGKILL);
	if (!all)
		usleep(3000);
	for (int i = 1; i < KIDS; i++)
		kill(kid[i], SIGKILL);
	for (int i = 0; i < KIDS; i++) {
		int st;

		waitpid(kid[i], &st, 0);
		assert_true(WIFSIGNALED(st));
	}
	s = store_tmp_open(t, STORE_RECOVER);
	assert_int_equal(db_read(s->db, sum_bodies, &c), 0);
	assert_int_equal(db_read(s->db, sum_rows, &live), 0);
	assert_int_equal(live, c.live);
	for (int i = 0; i < KIDS; i++) {
		check_told(s, p[i][0]);
		close(p[i][0]);
	}
	store_close(&s);
	return c.n;
}

static void
test_kill(void **state)
{
	struct store_tmp t;
	size_t n = 0, now;

	(void)state;
	store_tmp_init(&t);
	store_tmp_recover(&t);
	for (unsigned i = 0; i < 6; i++) {
		now = kill_round(&t, 60000 + i * 30000, i % 2 == 0);
		assert_true(now >= n);
		n = now;
	}
	assert_true(n > 100);
	store_tmp_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_space),
		cmocka_unit_test(test_lost_index),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
