/*
 * What the store's calls cost, in microseconds of one thread's CPU, without
 * waiting for the disk.
 *
 *	cc -O2 -D_GNU_SOURCE -I. tests/bench/bench_folder.c $B/storage.a ...
 *	bench_folder [MESSAGES]
 */
#define FIXTURE_CACHE (512 << 20)
#define FIXTURE_SEGMENT (256 << 20)
#include "tests/unit/store_fixture.h"

#include <time.h>

#include "storage/image.h"
#include "storage/msg.h"
#include "storage/view.h"
#include "tests/unit/store_mail.h"

static double
cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
say(const char *what, double from, double n)
{
	printf("%-44s %10.2f us\n", what, (cpu_us() - from) / n);
}

/* About 4 KiB, as mail programs write them. */
static struct slice
typical(char *to, size_t cap, unsigned n)
{
	size_t at = mail_text(to, cap, n).n;
	static const char head[] =
	    "Received: from mx.example.org (mx.example.org [192.0.2.1])\r\n"
	    "\tby mail.example.net with ESMTPS id 1234567890\r\n"
	    "\tfor <b@example.org>; Mon, 23 Nov 2026 21:00:00 +0100\r\n"
	    "Date: Mon, 23 Nov 2026 20:59:58 +0100\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n"
	    "User-Agent: Mozilla Thunderbird\r\n";
	size_t h = sizeof(head) - 1;

	memmove(to + h, to, at);
	memcpy(to, head, h);
	for (at += h; at + 80 < cap; at += 72)
		memcpy(to + at,
		    "Lorem ipsum dolor sit amet, consectetur adipiscing elit "
		    "sed do eius.\r\n..",
		    72);
	return slice_of(to, at);
}

static void
bench_deliver(struct store_fixture *f, unsigned n)
{
	static char text[4300];
	double from = cpu_us();

	for (unsigned i = 0; i < n; i++)
		(void)put_mail(f->s, 1, 0, 0, typical(text, sizeof(text), i));
	say("deliver 4 KiB, one target", from, n);
	from = cpu_us();
	for (unsigned i = 0; i < n; i++)
		(void)typical(text, sizeof(text), i);
	say("  of it making the message", from, n);
}

static void
bench_view(struct store_fixture *f, unsigned n)
{
	struct view *v, *w;
	struct view_delta d;
	struct view_msg vm;
	double from = cpu_us();
	uint32_t uid = n / 2;
	struct msg_change ch = { .uids = &uid,
		.n = 1,
		.op = MSG_OP_ADD,
		.flags = MSG_FLAGGED,
		.unchanged_since = UINT64_MAX };

	assert_int_equal(view_open(f->s, 1, f->inbox[1], true, &v), 0);
	say("open a view, cold", from, 1);
	from = cpu_us();
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(view_open(f->s, 1, f->inbox[1], true, &w), 0);
		view_close(&w);
	}
	say("open and close a view, warm", from, 1000);
	from = cpu_us();
	for (uint32_t i = 1; i <= view_count(v); i++)
		view_get(v, i, &vm);
	say("view_get, each", from, view_count(v));
	from = cpu_us();
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(view_sync(v, true, &d), 0);
		view_delta_fini(&d);
	}
	say("view_sync, nothing new", from, 1000);
	from = cpu_us();
	for (unsigned i = 0; i < 1000; i++) {
		ch.op = i % 2 == 0 ? MSG_OP_ADD : MSG_OP_DEL;
		assert_int_equal(msg_store_flags(f->s, 1, f->inbox[1], &ch), 0);
		msg_change_fini(&ch);
	}
	say("flag one message", from, 1000);
	from = cpu_us();
	for (unsigned i = 0; i < 1000; i++) {
		ch.op = i % 2 == 0 ? MSG_OP_ADD : MSG_OP_DEL;
		assert_int_equal(msg_store_flags(f->s, 1, f->inbox[1], &ch), 0);
		msg_change_fini(&ch);
		assert_int_equal(view_sync(v, true, &d), 0);
		view_delta_fini(&d);
	}
	say("flag one message and view_sync", from, 1000);
	view_close(&v);
}

static void
bench_iter(struct store_fixture *f, unsigned want, const char *what)
{
	struct msg_iter *it;
	struct msg_meta m;
	double from = cpu_us();
	size_t n = 0;

	assert_int_equal(
	    msg_iter_open(f->s, 1, f->inbox[1], NULL, 0, 1, want, &it), 0);
	while (msg_iter_next(it, &m) == 0)
		n++;
	msg_iter_close(&it);
	say(what, from, (double)n);
}

static void
bench_sets(struct store_fixture *f, unsigned n)
{
	uint32_t *uids = malloc(n * sizeof(*uids));
	struct msg_change ch = { .uids = uids,
		.n = n,
		.op = MSG_OP_ADD,
		.flags = MSG_SEEN,
		.unchanged_since = UINT64_MAX };
	struct folder_info info;
	struct msg_copied c;
	struct msg_meta m;
	struct arena a;
	struct buf b;
	double from;

	for (uint32_t i = 0; i < n; i++)
		uids[i] = i + 1;
	arena_init(&a);
	buf_init(&b, 1 << 20);
	from = cpu_us();
	for (unsigned i = 1; i <= 1000; i++) {
		arena_clear(&a);
		buf_clear(&b);
		assert_int_equal(
		    msg_meta_get(f->s, 1, f->inbox[1], i, &a, &m), 0);
		assert_int_equal(msg_read(f->s, &m, 0, SIZE_MAX, &b), 0);
	}
	say("msg_meta_get and msg_read", from, 1000);
	arena_clear(&a);
	buf_fini(&b);
	from = cpu_us();
	assert_int_equal(msg_store_flags(f->s, 1, f->inbox[1], &ch), 0);
	say("flag all, each", from, n);
	msg_change_fini(&ch);
	assert_int_equal(folder_find(f->s, 1, SLICE("Archive"), &info), 0);
	from = cpu_us();
	assert_int_equal(
	    msg_copy(f->s, 1, f->inbox[1], uids, n, 1, info.id, false, &c), 0);
	say("copy all, each", from, n);
	msg_copied_fini(&c);
	from = cpu_us();
	assert_int_equal(
	    msg_copy(f->s, 1, f->inbox[1], uids, n, 1, info.id, true, &c), 0);
	say("move all, each", from, n);
	msg_copied_fini(&c);
	from = cpu_us();
	assert_int_equal(
	    msg_expunge(f->s, 1, info.id, NULL, 0, false, NULL), 0);
	say("expunge all, each", from, 2.0 * n);
	free(uids);
}

int
main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
	struct store_fixture f;

	fixture_new(&f);
	bench_deliver(&f, n);
	bench_view(&f, n);
	bench_iter(&f, MSG_WANT_INFO, "msg_iter, INFO, each");
	bench_iter(&f, MSG_WANT_META, "msg_iter, META, each");
	bench_sets(&f, n);
	fixture_free(&f);
	return 0;
}
