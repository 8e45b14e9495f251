/*
 * Hollow segments: what lives moves, what is dead comes back as space, and a
 * death in the middle loses nothing.
 */
#define FIXTURE_CACHE (16 << 20)
#define FIXTURE_SEGMENT (1 << 20)
#include "tests/unit/store_fixture.h"

#include <signal.h>
#include <sys/wait.h>

#include "storage/compact.h"
#include "storage/msg.h"
#include "storage/segment_file.h"
#include "tests/unit/store_mail.h"

enum { MAILS = 120, BYTES = 50000, KEEP_EVERY = 10 };

static struct slice
big(char *to, unsigned n)
{
	int head = snprintf(to, 200, "Subject: %u\r\n\r\n", n);

	memset(to + head, 'a' + (int)(n % 26), BYTES);
	return slice_of(to, (size_t)head + BYTES);
}

static uint64_t
disk(struct store_fixture *f)
{
	char name[SEGMENT_NAME_BYTES], path[128];
	struct stat st;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < 100; i++) {
		segment_name(i, name);
		(void)snprintf(
		    path, sizeof(path), "%s/mail/%s", f->state, name);
		if (stat(path, &st) == 0)
			sum += (uint64_t)st.st_blocks * 512;
	}
	return sum;
}

static void
fill(struct store_fixture *f)
{
	char *text = malloc(BYTES + 200);
	uint32_t uids[MAILS], flagged[MAILS];
	struct msg_change ch = { .op = MSG_OP_ADD,
		.flags = MSG_FLAGGED,
		.uids = flagged,
		.unchanged_since = UINT64_MAX };
	size_t n = 0;

	for (unsigned i = 1; i <= MAILS; i++) {
		(void)put_mail(f->s, 1, f->inbox[1], 0, big(text, i));
		if (i % KEEP_EVERY != 0)
			uids[n++] = i;
		else
			flagged[ch.n++] = i;
	}
	assert_int_equal(msg_store_flags(f->s, 1, f->inbox[1], &ch), 0);
	msg_change_fini(&ch);
	assert_int_equal(
	    msg_expunge(f->s, 1, f->inbox[1], uids, n, false, NULL), 0);
	assert_int_equal(store_sync_now(f->s), 0);
	free(text);
}

static void
check(struct store_fixture *f)
{
	char *text = malloc(BYTES + 200);
	struct msg_iter *it;
	struct msg_meta m;
	unsigned n = 0;
	struct buf b;

	assert_store_sound(f->s);
	assert_int_equal(
	    msg_iter_open(f->s, 1, f->inbox[1], NULL, 0, 0, MSG_WANT_META, &it),
	    0);
	while (msg_iter_next(it, &m) == 0) {
		n++;
		assert_int_equal(m.uid, n * KEEP_EVERY);
		buf_init(&b, BYTES + 200);
		assert_int_equal(msg_read(f->s, &m, 0, BYTES + 200, &b), 0);
		assert_true(slice_eq(buf_slice(&b), big(text, m.uid)));
		buf_fini(&b);
	}
	msg_iter_close(&it);
	assert_int_equal(n, MAILS / KEEP_EVERY);
	free(text);
}

static void
as_keeper(struct store_fixture *f)
{
	store_close(&f->s);
	f->s = fixture_open_as(f, STORE_KEEPER);
	f->s->empty_age_ms = 0;
}

static void
keep_on(struct store_fixture *f)
{
	bool more = true;

	for (unsigned i = 0; more && i < 1000; i++)
		assert_int_equal(store_keep(f->s, &more), 0);
	assert_false(more);
}

static void
moves(void **state)
{
	struct store_fixture f;
	uint64_t before, after;

	(void)state;
	fixture_new(&f);
	fill(&f);
	as_keeper(&f); /* the daemon's segments are left to others */
	before = disk(&f);
	keep_on(&f);
	check(&f);
	after = disk(&f);
	if (after > before / 2)
		fail_msg("%llu bytes before, %llu after",
		    (unsigned long long)before, (unsigned long long)after);
	/* once more: nothing is hollow */
	as_keeper(&f);
	keep_on(&f);
	assert_true(disk(&f) <= after + (2 << 20));
	check(&f);
	fixture_reopen(&f);
	check(&f);
	fixture_free(&f);
}

static void
child(struct store_fixture *f)
{
	struct store *s;
	bool more;

	s = fixture_open_as(f, STORE_KEEPER);
	s->empty_age_ms = 0;
	for (;;)
		(void)!store_keep(s, &more);
}

/* Killed at some point, recovered, and killed again. */
static void
killed(void **state)
{
	struct store_fixture f;
	struct store *s;
	pid_t pid;

	(void)state;
	fixture_new(&f);
	fill(&f);
	store_close(&f.s);
	for (unsigned i = 0; i < 12; i++) {
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			child(&f);
		usleep(3000 + i * 9000);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		s = fixture_open_as(&f, STORE_RECOVER);
		store_close(&s);
	}
	f.s = fixture_open_as(&f, STORE_DAEMON);
	check(&f);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves),
		cmocka_unit_test(killed),
	};

	return cmocka_run_group_tests_name("compact", tests, NULL, NULL);
}
