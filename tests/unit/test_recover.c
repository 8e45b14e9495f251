#include "storage/recover.h"

#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "storage/deliver.h"
#include "storage/segment_priv.h"
#include "storage/segment_row.h"
#include "storage/verify.h"

enum { MESSAGES = 6 };

static const char *const texts[MESSAGES] = {
	"Subject: one\r\n\r\nThis is number one, and it stays.\r\n",
	"Subject: two\r\n\r\nThis is number two, of which bytes are lost.\r\n",
	"Subject: three\r\n\r\nThis is number three, and it stays.\r\n",
	"Subject: four\r\n\r\nThis is number four, lost too: SPOILT.\r\n",
	"Subject: five\r\n\r\nThis is number five, to be sent, SPOILT.\r\n",
	"Subject: six\r\n\r\nThis is number six, and it stays.\r\n",
};

/* Number `i` to both accounts, the fifth to another host as well. */
static int
send_one(struct store *s, size_t i)
{
	struct slice part = slice_str(texts[i]);
	struct deliver_target to[2] = { { .account = 1 }, { .account = 2 } };
	struct queue_rcpt rcpt = { .addr = SLICE("x@example.net") };
	struct queue_new q = { .row = { .sender = SLICE("a@example.org"),
				   .rcpts = &rcpt,
				   .nrcpts = 1,
				   .next_at = 1,
				   .expire_at = 100000 } };
	struct deliver_msg m = {
		.parts = &part, .nparts = 1, .targets = to, .ntargets = 2
	};
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct err e;

	if (i == 4) {
		m.queue = &q;
		m.nqueue = 1;
	}
	return deliver(s, &d, &e);
}

/* Ends as by a power cut: without closing anything. */
static void
child(struct store_fixture *f)
{
	f->s = fixture_open_as(f, STORE_DAEMON);
	for (size_t i = 0; i < MESSAGES; i++)
		if (send_one(f->s, i) != 0 || store_sync_now(f->s) != 0)
			_exit(1);
	_exit(9);
}

static int
back_to(uint32_t number, const struct segment_row *row, void *arg)
{
	(void)row;
	*(uint32_t *)arg = number;
	return 0;
}

/* As if the disk had got nothing of it: the mark is where it began. */
static int
move_mark(struct db_txn *t, void *arg)
{
	uint32_t *number = arg;
	struct segment_row row;
	int rc;

	*number = 0;
	if ((rc = segment_row_each(t, back_to, number)) != 0 ||
	    (rc = segment_row_get(t, *number, true, &row)) != 0)
		return rc;
	row.synced = SEG_HEADER;
	row.owner = 1;
	return segment_row_put(t, *number, &row);
}

/* Puts zeros where the segment says "SPOILT". */
static void
spoil(struct store_fixture *f, uint32_t number, const char *word)
{
	char path[128];
	struct buf b;
	size_t at;
	int fd;

	(void)snprintf(
	    path, sizeof(path), "%s/mail/%08x.seg", f->state, number);
	buf_init(&b, 16 << 20);
	assert_int_equal(file_read(path, &b, NULL), 0);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	for (;;) {
		at = slice_find(buf_slice(&b), slice_str(word));
		if (at == buf_len(&b))
			break;
		assert_int_equal(pwrite(fd, "\0\0\0\0", 4, (off_t)at), 4);
		memset(b.p + b.start + at, 0, 4);
	}
	close(fd);
	buf_fini(&b);
}

static void
verify(struct store *s)
{
	struct buf b;
	int rc;

	buf_init(&b, 1 << 16);
	rc = store_verify(s, &b);
	if (rc != 0)
		fprintf(stderr, "%.*s\n", (int)buf_len(&b), buf_slice(&b).p);
	assert_int_equal(rc, 0);
	buf_fini(&b);
}

static void
crash(struct store_fixture *f)
{
	pid_t kid;
	int st;

	fixture_new(f);
	store_close(&f->s); /* never across fork */
	if ((kid = fork()) == 0)
		child(f);
	waitpid(kid, &st, 0);
	assert_int_equal(WEXITSTATUS(st), 9);
}

static void
check_counts(struct store_fixture *f, uint32_t messages, uint64_t queued)
{
	struct folder_status st;
	struct queue_counts q;

	for (int i = 1; i <= FIXTURE_ACCOUNTS; i++) {
		assert_int_equal(folder_status_get(f->s, f->inbox[i], &st), 0);
		assert_int_equal(st.messages, messages);
		assert_int_equal(st.uidnext, MESSAGES + 1);
	}
	assert_int_equal(queue_count(f->s, &q), 0);
	assert_int_equal(q.queued, queued);
	verify(f->s);
}

static void
test_process_dies(void **state)
{
	struct store_fixture f;

	(void)state;
	log_init("test", LOG_ERROR);
	crash(&f);
	f.s = fixture_open_as(&f, STORE_RECOVER);
	fixture_reopen(&f);
	check_counts(&f, MESSAGES, 1);
	fixture_free(&f);
}

static void
test_bodies_lost(void **state)
{
	struct store_fixture f;
	uint32_t number;

	(void)state;
	crash(&f);
	f.s = fixture_open_as(&f, STORE_RECOVER);
	assert_int_equal(db_update(f.s->db, move_mark, &number), 0);
	store_close(&f.s);
	spoil(&f, number, "bytes are lost");
	spoil(&f, number, "SPOILT");
	f.s = fixture_open_as(&f, STORE_RECOVER);
	check_counts(&f, MESSAGES - 3, 0);
	/* and it is over */
	fixture_reopen(&f);
	check_counts(&f, MESSAGES - 3, 0);
	assert_int_equal(send_one(f.s, 0), 0);
	assert_int_equal(store_sync_now(f.s), 0);
	verify(f.s);
	fixture_free(&f);
}

/* Files that a killed process made before their row, and unknown ones. */
static void
test_strays(void **state)
{
	struct store_fixture f;
	char path[128], other[128];
	FILE *file;

	(void)state;
	crash(&f);
	(void)snprintf(path, sizeof(path), "%s/mail/000000aa.seg", f.state);
	(void)snprintf(other, sizeof(other), "%s/mail/README", f.state);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), 100000), 0);
	fclose(file);
	file = fopen(other, "w");
	assert_non_null(file);
	fclose(file);
	f.s = fixture_open_as(&f, STORE_RECOVER);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(access(other, F_OK), 0);
	check_counts(&f, MESSAGES, 1);
	fixture_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process_dies),
		cmocka_unit_test(test_bodies_lost),
		cmocka_unit_test(test_strays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
