#include "storage/segment.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/crc32c.h"
#include "lib/base/file.h"
#include "storage/body.h"
#include "storage/segment_priv.h"
#include "storage/segment_row.h"
#include "storage/segment_scan.h"
#include "storage/store_priv.h"
#include "tests/unit/store_tmp.h"

static void
fill(char *p, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (char)((seed + i) * 2654435761U >> 13);
}

static int
put(struct store *s, size_t n, uint64_t seed, struct body_loc *loc)
{
	char *p = malloc(n + 1);
	struct slice parts[3];
	int rc;

	assert_non_null(p);
	fill(p, n, seed);
	parts[0] = slice_of(p, n / 3);
	parts[1] = slice_of(p + n / 3, 0);
	parts[2] = slice_of(p + n / 3, n - n / 3);
	rc = segment_put_body(s, parts, 3, 1234567890, loc);
	free(p);
	return rc;
}

static void
check(struct store *s, const struct body_loc *loc, size_t n, uint64_t seed)
{
	struct segment_map map;
	char *want = malloc(n + 1);
	struct buf b;

	assert_non_null(want);
	fill(want, n, seed);
	buf_init(&b, 8 << 20);
	assert_int_equal(loc->length, n);
	assert_int_equal(loc->crc, crc32c(0, want, n));
	assert_int_equal(segment_read(s, loc, 0, UINT64_MAX, NULL, &b), 0);
	assert_int_equal(buf_len(&b), n);
	if (n != 0)
		assert_memory_equal(buf_slice(&b).p, want, n);
	if (n > 10) {
		buf_clear(&b);
		assert_int_equal(segment_read(s, loc, n / 2, 7, NULL, &b), 0);
		assert_int_equal(buf_len(&b), n / 2 < 7 ? n - n / 2 : 7);
		assert_memory_equal(buf_slice(&b).p, want + n / 2, buf_len(&b));
		buf_clear(&b);
		assert_int_equal(segment_read(s, loc, n - 3, 100, NULL, &b), 0);
		assert_int_equal(buf_len(&b), 3);
		buf_clear(&b);
		assert_int_equal(segment_read(s, loc, n + 3, 100, NULL, &b), 0);
		assert_int_equal(buf_len(&b), 0);
	}
	assert_int_equal(segment_map(s, loc, &map), 0);
	assert_int_equal(map.bytes.n, n);
	if (n != 0)
		assert_memory_equal(map.bytes.p, want, n);
	segment_unmap(&map);
	buf_fini(&b);
	free(want);
}

static void
test_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 9, 100, 4095, 4096, 65536,
		100001, 900000, 1048576, 3000000 };
	struct body_loc loc[PH_LEN(sizes)];
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);

	(void)state;
	for (size_t i = 0; i < PH_LEN(sizes); i++)
		assert_int_equal(put(s, sizes[i], i, &loc[i]), 0);
	for (size_t i = 0; i < PH_LEN(sizes); i++) {
		check(s, &loc[i], sizes[i], i);
		for (size_t j = 0; j < i; j++)
			assert_true(loc[i].id != loc[j].id);
	}
	assert_int_equal(store_sync_now(s), 0);
	store_close(&s);
	s = store_tmp_open(&t, STORE_DAEMON);
	for (size_t i = 0; i < PH_LEN(sizes); i++)
		check(s, &loc[i], sizes[i], i);
	store_tmp_stop(&t, &s);
}

/* A ceiling of the buffer, other records, damage. */
static void
test_read_failures(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct body_loc a, b, wrong;
	char path[128];
	struct buf out;
	int fd;

	(void)state;
	assert_int_equal(put(s, 5000, 1, &a), 0);
	assert_int_equal(put(s, 5000, 2, &b), 0);
	buf_init(&out, 100);
	assert_int_equal(segment_read(s, &a, 0, 5000, NULL, &out), ERR_TOOBIG);
	buf_fini(&out);
	buf_init(&out, 1 << 20);
	wrong = a;
	wrong.offset = b.offset; /* somebody else's place */
	assert_int_equal(
	    segment_read(s, &wrong, 0, 10, NULL, &out), ERR_NOTFOUND);
	wrong = a;
	wrong.segment = 77;
	assert_int_equal(
	    segment_read(s, &wrong, 0, 10, NULL, &out), ERR_NOTFOUND);
	wrong = a;
	wrong.offset += 8;
	assert_int_equal(
	    segment_read(s, &wrong, 0, 10, NULL, &out), ERR_CORRUPT);
	wrong.offset = (uint64_t)1 << 40;
	assert_int_equal(
	    segment_read(s, &wrong, 0, 10, NULL, &out), ERR_CORRUPT);
	wrong = a;
	wrong.length = (uint64_t)1 << 30;
	assert_int_equal(
	    segment_read(s, &wrong, 0, 10, NULL, &out), ERR_CORRUPT);

	(void)snprintf(
	    path, sizeof(path), "%s/mail/%08x.seg", t.state, a.segment);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "XX", 2, (off_t)a.offset + 2000), 2);
	assert_int_equal(segment_read(s, &a, 0, 5000, NULL, &out), ERR_CORRUPT);
	assert_int_equal(
	    segment_read(s, &a, 0, 100, NULL, &out), 0); /* a part */
	assert_int_equal(pwrite(fd, "X", 1, (off_t)b.offset + 20), 1);
	assert_int_equal(segment_read(s, &b, 0, 5000, NULL, &out), ERR_CORRUPT);
	close(fd);
	buf_fini(&out);
	store_tmp_stop(&t, &s);
}

/* Several threads write and read over many segments. */

enum { THREADS = 6, EACH = 150 };

struct writer {
	struct store *s;
	uint64_t seed;
	struct body_loc loc[EACH];
	int failed;
};

static size_t
size_of(uint64_t seed)
{
	return (size_t)(seed * 7919 % 50000);
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;

	for (size_t i = 0; i < EACH; i++) {
		if (put(w->s, size_of(w->seed + i), w->seed + i, &w->loc[i]))
			w->failed++;
		if (i % 10 == 0 && store_sync_now(w->s) != 0)
			w->failed++;
		if (i % 7 == 0 &&
		    segment_put_note(w->s, NOTE_CHANGE, SLICE("note")) != 0)
			w->failed++;
		check(w->s, &w->loc[i / 2], size_of(w->seed + i / 2),
		    w->seed + i / 2);
	}
	return NULL;
}

struct count {
	int fd;
	size_t bodies, notes;
};

static int
count_one(const struct seg_found *f, void *arg)
{
	struct count *c = arg;

	if (f->rec.kind == REC_BODY) {
		c->bodies++;
		assert_int_equal(segment_scan_payload(c->fd, f), 0);
	} else
		c->notes++;
	return 0;
}

struct rows {
	const char *state;
	struct count c;
	size_t n, open;
};

static int
scan_row(uint32_t number, const struct segment_row *row, void *arg)
{
	struct seg_scan_result res;
	struct rows *r = arg;
	char path[128];

	r->n++;
	r->open += row->state == SEGMENT_OPEN;
	assert_int_equal(row->owner, 0);
	assert_int_equal(row->synced, row->length);
	(void)snprintf(
	    path, sizeof(path), "%s/mail/%08x.seg", r->state, number);
	r->c.fd = open(path, O_RDONLY);
	assert_true(r->c.fd >= 0);
	assert_int_equal(segment_scan(r->c.fd, SEG_HEADER, row->length,
			     count_one, &r->c, &res),
	    0);
	assert_true(res.clean);
	assert_int_equal(res.end, row->length);
	assert_true(res.count <= row->count);
	close(r->c.fd);
	return 0;
}

static int
scan_rows(struct db_txn *t, void *arg)
{
	return segment_row_each(t, scan_row, arg);
}

enum { ROW = 60, ROW_LARGE = 33 };

static size_t
row_size(size_t i)
{
	return i == ROW_LARGE ? 100000 : 500 + i * 37;
}

/* What comes when one after the other is asked for, with those left out that
 * `skip` says; `bad` is damaged. */
static void
read_row(struct store *s, const struct body_loc *v, size_t skip, size_t bad)
{
	static char want[200000];
	struct segment_ahead ahead = { 0 };
	struct buf out;

	buf_init(&out, 1 << 20);
	for (size_t i = 0; i < ROW; i += skip) {
		buf_clear(&out);
		assert_int_equal(
		    segment_read(s, &v[i], 0, UINT64_MAX, &ahead, &out),
		    i == bad ? ERR_CORRUPT : 0);
		if (i == bad)
			continue;
		fill(want, row_size(i), i);
		assert_int_equal(buf_len(&out), row_size(i));
		assert_memory_equal(buf_slice(&out).p, want, row_size(i));
	}
	/* Backwards, and parts. */
	for (size_t i = ROW; i-- > 0;) {
		buf_clear(&out);
		assert_int_equal(
		    segment_read(s, &v[i], 100, 50, &ahead, &out), 0);
		fill(want, row_size(i), i);
		assert_memory_equal(buf_slice(&out).p, want + 100, 50);
	}
	segment_ahead_fini(&ahead);
	buf_fini(&out);
}

/* Records behind one another are read along; each is checked all the same. */
static void
test_ahead(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct segment_ahead ahead = { 0 };
	struct body_loc v[ROW], wrong;
	char path[128];
	struct buf out;
	int fd;

	(void)state;
	for (size_t i = 0; i < ROW; i++)
		assert_int_equal(put(s, row_size(i), i, &v[i]), 0);
	read_row(s, v, 1, ROW);
	read_row(s, v, 3, ROW);
	buf_init(&out, 1 << 20);
	/* Another body is there than was thought. */
	assert_int_equal(
	    segment_read(s, &v[0], 0, UINT64_MAX, &ahead, &out), 0);
	assert_int_equal(
	    segment_read(s, &v[1], 0, UINT64_MAX, &ahead, &out), 0);
	wrong = v[2];
	wrong.id++;
	assert_int_equal(
	    segment_read(s, &wrong, 0, UINT64_MAX, &ahead, &out), ERR_NOTFOUND);
	segment_ahead_fini(&ahead);
	buf_fini(&out);
	(void)snprintf(
	    path, sizeof(path), "%s/mail/%08x.seg", t.state, v[7].segment);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "XX", 2, (off_t)v[7].offset + 300), 2);
	close(fd);
	read_row(s, v, 1, 7);
	store_tmp_stop(&t, &s);
}

static void
test_threads(void **state)
{
	static struct writer w[THREADS];
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct rows r = { .state = t.state };
	pthread_t th[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++) {
		w[i].s = s;
		w[i].failed = 0;
		w[i].seed = (uint64_t)i * 1000;
		pthread_create(&th[i], NULL, writer_main, &w[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(th[i], NULL);
		assert_int_equal(w[i].failed, 0);
	}
	store_close(&s);
	s = store_tmp_open(&t, STORE_DAEMON);
	for (int i = 0; i < THREADS; i++)
		for (size_t j = 0; j < EACH; j++)
			check(s, &w[i].loc[j], size_of(w[i].seed + j),
			    w[i].seed + j);
	assert_int_equal(db_read(s->db, scan_rows, &r), 0);
	assert_int_equal(r.c.bodies, THREADS * EACH);
	assert_int_equal(r.c.notes, THREADS * ((EACH + 6) / 7));
	assert_true(r.n >= 15);
	assert_in_range(r.open, 0, 5);
	store_tmp_stop(&t, &s);
}

/* A restart goes on in the same segment. */
static void
test_taken_over(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct body_loc a, b;

	(void)state;
	assert_int_equal(put(s, 100, 1, &a), 0);
	store_close(&s);
	s = store_tmp_open(&t, STORE_DAEMON);
	assert_int_equal(put(s, 100, 2, &b), 0);
	assert_int_equal(b.segment, a.segment);
	assert_true(b.offset > a.offset);
	assert_true(b.id > a.id);
	store_close(&s);
	store_tmp_recover(&t);
	s = store_tmp_open(&t, STORE_DAEMON);
	assert_int_equal(put(s, 100, 3, &b), 0);
	assert_int_equal(b.segment, a.segment);
	check(s, &a, 100, 1);
	check(s, &b, 100, 3);
	store_tmp_stop(&t, &s);
}

/* A segment whose sync failed is told of once to all who wrote to it, and
 * never used again. */
static void
test_sync_fails(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct segments *g = s->segments;
	struct body_loc a, b;
	int p[2], keep;

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(put(s, 100, 1, &a), 0);
	assert_int_equal(store_sync_now(s), 0);
	assert_int_equal(put(s, 100, 1, &a), 0);
	/* nothing can be synced through a pipe */
	pthread_mutex_lock(&g->mtx);
	keep = dup(g->cur->fd);
	assert_true(dup2(p[1], g->cur->fd) >= 0);
	pthread_mutex_unlock(&g->mtx);
	assert_int_equal(store_sync_now(s), ERR_IO);
	assert_int_equal(store_sync_now(s), 0);
	assert_int_equal(put(s, 100, 2, &b), 0);
	assert_int_not_equal(b.segment, a.segment);
	assert_int_equal(store_sync_now(s), 0);
	close(keep);
	close(p[0]);
	close(p[1]);
	check(s, &b, 100, 2);
	store_tmp_stop(&t, &s);
}

/* A write that fails is the writer's trouble, and the segment's last. */
static void
test_write_fails(void **state)
{
	struct store_tmp t;
	struct store *s = store_tmp_start(&t);
	struct segments *g = s->segments;
	struct body_loc a, b;
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(put(s, 100, 1, &a), 0);
	assert_int_equal(store_sync_now(s), 0);
	pthread_mutex_lock(&g->mtx);
	assert_true(dup2(p[1], g->cur->fd) >= 0);
	pthread_mutex_unlock(&g->mtx);
	assert_true(put(s, 100, 2, &b) < 0);
	assert_int_equal(put(s, 100, 2, &b), 0);
	assert_int_not_equal(b.segment, a.segment);
	check(s, &a, 100, 1);
	check(s, &b, 100, 2);
	close(p[0]);
	close(p[1]);
	store_tmp_stop(&t, &s);
}

/* Killed while others were still writing: recovery steps over the gap and
 * never writes over what is behind it. */

static void
dies(struct store_tmp *t, int to)
{
	struct body_loc loc[3];
	struct seg_write w = { 0, NULL };
	struct store *s;
	struct err e;

	t->conf.role = STORE_DAEMON;
	if (store_open(&t->conf, 0, &s, &e) != 0 ||
	    put(s, 1000, 1, &loc[0]) != 0)
		_exit(1);
	/* a reservation that nobody fills */
	pthread_mutex_lock(&s->segments->mtx);
	w.offset = s->segments->cur->at;
	s->segments->cur->writes = &w;
	s->segments->cur->at += 40000;
	s->segments->cur->count++;
	pthread_mutex_unlock(&s->segments->mtx);
	if (put(s, 1000, 2, &loc[1]) != 0 || store_sync_now(s) != 0)
		_exit(1);
	loc[2] = loc[1];
	if (write(to, loc, sizeof(loc)) != sizeof(loc))
		_exit(1);
	_exit(9);
}

static void
test_gap(void **state)
{
	struct body_loc loc[3], more;
	struct store_tmp t;
	struct store *s;
	int p[2], st;
	pid_t kid;

	(void)state;
	store_tmp_init(&t);
	store_tmp_recover(&t);
	assert_int_equal(pipe(p), 0);
	if ((kid = fork()) == 0)
		dies(&t, p[1]);
	waitpid(kid, &st, 0);
	assert_int_equal(WEXITSTATUS(st), 9);
	assert_int_equal(read(p[0], loc, sizeof(loc)), sizeof(loc));
	close(p[0]);
	close(p[1]);
	store_tmp_recover(&t);
	s = store_tmp_open(&t, STORE_DAEMON);
	check(s, &loc[0], 1000, 1);
	check(s, &loc[1], 1000, 2);
	for (int i = 0; i < 300; i++)
		assert_int_equal(put(s, 9000, 3, &more), 0);
	check(s, &loc[0], 1000, 1);
	check(s, &loc[1], 1000, 2);
	check(s, &more, 9000, 3);
	store_tmp_stop(&t, &s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_read_failures),
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_sync_fails),
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
