/* Rows of the queue: made by deliver(), changed, due, listed, counted. */
#include "storage/queue.h"

#include "tests/unit/store_fixture.h"

#include "lib/base/clock.h"
#include "storage/body.h"
#include "storage/deliver.h"
#include "storage/queue_txn.h"

static struct store_fixture f;
static struct arena a;

static int
setup(void **state)
{
	(void)state;
	fixture_new(&f);
	arena_init(&a);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_clear(&a);
	fixture_free(&f);
	return 0;
}

static struct queue_row
row_of(struct queue_rcpt *rcpts, size_t n, int64_t next_at)
{
	return (struct queue_row){ .sender = SLICE("a@example.org"),
		.msgid = SLICE("<1@example.org>"),
		.account = 1,
		.flags = QUEUE_8BIT | QUEUE_RET_HDRS,
		.created_at = 1000,
		.next_at = next_at,
		.expire_at = 5000,
		.sent_folder = UINT64_MAX,
		.sent_uid = 7,
		.box_folder = 9,
		.box_uid = UINT32_MAX,
		.rcpts = rcpts,
		.nrcpts = n };
}

/* One message to one recipient elsewhere; the row's id. */
static uint64_t
enqueue(int64_t next_at, enum queue_state st)
{
	struct queue_rcpt rcpt = { .addr = SLICE("b@example.com") };
	struct slice part = SLICE("Subject: hello\r\n\r\nworld\r\n");
	struct queue_new q = { .row = row_of(&rcpt, 1, next_at) };
	struct deliver_msg msg = {
		.parts = &part, .nparts = 1, .queue = &q, .nqueue = 1
	};
	struct deliver d = { .msgs = &msg, .nmsgs = 1 };
	struct err e = { 0 };
	int rc;

	q.row.state = st;
	rc = deliver(f.s, &d, &e);
	if (rc != 0)
		print_error("deliver: %d %s\n", rc, e.text);
	assert_int_equal(rc, 0);
	assert_true(q.id != 0);
	return q.id;
}

static void
test_ids(void **state)
{
	static const uint64_t ids[] = { 1, 0x1A2B3C4, UINT64_MAX,
		UINT64_C(5) << 32 };
	static const char *const bad[] = { "", "Q", "1A", "Qx", "Q1 ", "QQ1",
		"Q12345678901234567" };
	char text[24];
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < PH_LEN(ids); i++) {
		queue_id_text(ids[i], text);
		assert_true(queue_id_parse(slice_str(text), &id));
		assert_int_equal(id, ids[i]);
	}
	queue_id_text(0x1a2b3c4, text);
	assert_string_equal(text, "Q1A2B3C4");
	assert_true(queue_id_parse(SLICE("q1a2b3c4"), &id));
	assert_int_equal(id, 0x1a2b3c4);
	for (size_t i = 0; i < PH_LEN(bad); i++) {
		struct slice s = unit_exact(bad[i], strlen(bad[i]));

		assert_false(queue_id_parse(s, &id));
		unit_free(s);
	}
}

static bool
rcpt_eq(const struct queue_rcpt *x, const struct queue_rcpt *y)
{
	return slice_eq(x->addr, y->addr) && slice_eq(x->orcpt, y->orcpt) &&
	       x->notify == y->notify && x->state == y->state &&
	       slice_eq(x->reply, y->reply) && slice_eq(x->remote, y->remote) &&
	       x->tried_at == y->tried_at;
}

static void
assert_row(const struct queue_row *x, const struct queue_row *y)
{
	assert_int_equal(x->account, y->account);
	assert_true(slice_eq(x->sender, y->sender));
	assert_int_equal(x->sent_folder, y->sent_folder);
	assert_int_equal(x->sent_uid, y->sent_uid);
	assert_int_equal(x->box_folder, y->box_folder);
	assert_int_equal(x->box_uid, y->box_uid);
	assert_true(slice_eq(x->envid, y->envid));
	assert_true(slice_eq(x->msgid, y->msgid));
	assert_int_equal(x->flags, y->flags);
	assert_int_equal(x->state, y->state);
	assert_int_equal(x->attempts, y->attempts);
	assert_int_equal(x->created_at, y->created_at);
	assert_int_equal(x->next_at, y->next_at);
	assert_int_equal(x->expire_at, y->expire_at);
	assert_int_equal(x->nrcpts, y->nrcpts);
	for (size_t i = 0; i < x->nrcpts; i++)
		assert_true(rcpt_eq(&x->rcpts[i], &y->rcpts[i]));
}

/* A row as large as it gets, grown and shrunk in place. */
static void
test_large(void **state)
{
	struct queue_rcpt rcpts[QUEUE_RCPTS_MAX];
	struct queue_row row, got;
	struct queue_change ch;
	struct queue_counts n;
	char big[400];

	(void)state;
	memset(big, 'x', sizeof(big));
	ch.id = enqueue(2000, QUEUE_QUEUED);
	assert_int_equal(queue_get(f.s, ch.id, &a, &got), 0);
	assert_int_equal(got.nrcpts, 1);
	assert_true(got.body != 0);
	assert_int_equal(got.size, 25);
	for (size_t i = 0; i < QUEUE_RCPTS_MAX; i++)
		rcpts[i] = (struct queue_rcpt){ .addr = slice_of(big, 300),
			.orcpt = slice_of(big, 320),
			.notify = NOTIFY_ON_FAILURE | NOTIFY_ON_DELAY,
			.state = (enum queue_rcpt_state)(i % 4),
			.reply = slice_of(big, i % (QUEUE_REPLY_MAX + 1)),
			.remote = SLICE("mx.example.net [192.0.2.1]"),
			.tried_at = (int64_t)i };
	for (int left = QUEUE_RCPTS_MAX; left >= 1; left -= 33) {
		size_t count = (size_t)left;

		row = row_of(rcpts, count, 3000);
		row.state = QUEUE_DEFERRED;
		row.attempts = 3;
		row.sender = slice_of(big, 300);
		row.envid = slice_of(big, 100);
		ch.row = &row;
		row.size = got.size;
		assert_int_equal(queue_change(f.s, &ch, 1), 0);
		assert_int_equal(queue_get(f.s, ch.id, &a, &got), 0);
		assert_row(&row, &got);
		assert_int_equal(queue_count(f.s, &n), 0);
		assert_int_equal(n.queued + n.held, 0);
		assert_int_equal(n.deferred, 1);
	}
	/* a remote's words are cut, not refused */
	rcpts[0].reply = slice_of(big, sizeof(big));
	ch.row = &row;
	assert_int_equal(queue_change(f.s, &ch, 1), 0);
	assert_int_equal(queue_get(f.s, ch.id, &a, &got), 0);
	assert_int_equal(got.rcpts[0].reply.n, QUEUE_REPLY_MAX);
}

static bool
skip_it(uint64_t id, void *arg)
{
	return id == *(uint64_t *)arg;
}

static void
test_due(void **state)
{
	uint64_t id[4], ids[10], none = 0;
	struct queue_row row;
	struct queue_change ch;
	int64_t next;
	size_t n;

	(void)state;
	assert_int_equal(
	    queue_due(f.s, 1, 100, ids, 10, NULL, NULL, &n, &next), 0);
	assert_int_equal(n, 0);
	assert_true(next == INT64_MAX);
	id[0] = enqueue(30, QUEUE_QUEUED);
	id[1] = enqueue(10, QUEUE_QUEUED);
	id[2] = enqueue(20, QUEUE_HELD);
	id[3] = enqueue(40, QUEUE_QUEUED);
	assert_int_equal(
	    queue_due(f.s, 1, 30, ids, 10, skip_it, &none, &n, &next), 0);
	assert_int_equal(n, 2);
	assert_true(ids[0] == id[1] && ids[1] == id[0]);
	assert_int_equal(next, 40);
	assert_int_equal(
	    queue_due(f.s, 1, 30, ids, 1, skip_it, &id[1], &n, &next), 0);
	assert_int_equal(n, 1);
	assert_true(ids[0] == id[0]);
	assert_int_equal(
	    queue_due(f.s, 1, 100, ids, 1, skip_it, &none, &n, &next), 0);
	assert_int_equal(n, 1);
	assert_int_equal(next, 30);

	/* released, held, later, gone */
	assert_int_equal(queue_get(f.s, id[2], &a, &row), 0);
	row.state = QUEUE_QUEUED;
	row.next_at = 5;
	ch = (struct queue_change){ .id = id[2], .row = &row };
	assert_int_equal(queue_change(f.s, &ch, 1), 0);
	assert_int_equal(
	    queue_due(f.s, 1, 9, ids, 10, NULL, NULL, &n, &next), 0);
	assert_int_equal(n, 1);
	assert_true(ids[0] == id[2]);
	row.state = QUEUE_HELD;
	assert_int_equal(queue_change(f.s, &ch, 1), 0);
	assert_int_equal(
	    queue_due(f.s, 1, 9, ids, 10, NULL, NULL, &n, &next), 0);
	assert_int_equal(n, 0);
	assert_int_equal(next, 10);
	for (int i = 0; i < 4; i++) {
		ch = (struct queue_change){ .id = id[i] };
		assert_int_equal(queue_change(f.s, &ch, 1), 0);
		assert_int_equal(queue_change(f.s, &ch, 1), ERR_NOTFOUND);
		assert_int_equal(queue_get(f.s, id[i], &a, &row), ERR_NOTFOUND);
	}
	assert_int_equal(
	    queue_due(f.s, 1, 100, ids, 10, NULL, NULL, &n, &next), 0);
	assert_int_equal(n, 0);
	assert_true(next == INT64_MAX);
}

static int
put_one(struct db_txn *t, void *arg)
{
	return queue_put_txn(t, arg);
}

/* What operators do: to the row as it is, and the runner heeds it. */
static void
test_act(void **state)
{
	uint64_t id = enqueue(30, QUEUE_QUEUED), ids[2];
	enum queue_state was;
	struct queue_row row;
	struct queue_change ch = { .id = id, .row = &row, .at_work = true };
	int64_t next;
	size_t n;

	(void)state;
	assert_int_equal(
	    queue_act(f.s, 12345, QUEUE_HOLD, 1, &was), ERR_NOTFOUND);
	assert_int_equal(
	    queue_act(f.s, id, QUEUE_RELEASE, 1, &was), ERR_INVALID);
	assert_int_equal(was, QUEUE_QUEUED);
	assert_int_equal(queue_get(f.s, id, &a, &row), 0);
	assert_int_equal(queue_act(f.s, id, QUEUE_HOLD, 1, &was), 0);
	assert_int_equal(queue_act(f.s, id, QUEUE_HOLD, 1, &was), ERR_INVALID);
	assert_int_equal(was, QUEUE_HELD);
	/* The runner's outcome of meanwhile: kept, and held. */
	row.state = QUEUE_DEFERRED;
	row.attempts = 1;
	row.next_at = 60;
	assert_int_equal(queue_settle(f.s, &ch, 1), 0);
	assert_int_equal(queue_get(f.s, id, &a, &row), 0);
	assert_int_equal(row.state, QUEUE_HELD);
	assert_int_equal(row.attempts, 1);
	assert_int_equal(
	    queue_due(f.s, 1, 100, ids, 2, NULL, NULL, &n, &next), 0);
	assert_int_equal(n, 0);
	assert_int_equal(queue_act(f.s, id, QUEUE_RETRY, 1, &was), ERR_INVALID);
	assert_int_equal(queue_act(f.s, id, QUEUE_RELEASE, 70, &was), 0);
	assert_int_equal(queue_get(f.s, id, &a, &row), 0);
	assert_int_equal(row.state, QUEUE_DEFERRED);
	assert_int_equal(row.next_at, 70);
	assert_int_equal(queue_act(f.s, id, QUEUE_RETRY, 50, &was), 0);
	assert_int_equal(
	    queue_due(f.s, 1, 50, ids, 2, NULL, NULL, &n, &next), 0);
	assert_int_equal(n, 1);
}

static uint64_t
enqueue_for(uint64_t account, int64_t next_at, enum queue_state st)
{
	struct queue_row row;
	struct queue_change ch = { .id = enqueue(next_at, st) };

	assert_int_equal(queue_get(f.s, ch.id, &a, &row), 0);
	assert_int_equal(queue_change(f.s, &ch, 1), 0);
	row.account = account;
	row.id = ch.id;
	assert_int_equal(db_update(f.s->db, put_one, &row), 0);
	return ch.id;
}

/* Who has mail, and when it is due, whatever others have. */
static void
test_senders(void **state)
{
	struct queue_sender v[5];
	uint64_t ids[5], mine;
	int64_t next;
	size_t n;

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)enqueue_for(7, 100 + i, QUEUE_DEFERRED);
	mine = enqueue_for(9, 500, QUEUE_QUEUED);
	(void)enqueue_for(8, 1, QUEUE_HELD);
	(void)enqueue_for(0, 50, QUEUE_SCHEDULED);
	assert_int_equal(queue_senders(f.s, 0, v, 5, &n), 0);
	assert_int_equal(n, 3);
	assert_true(v[0].account == 0 && v[0].next_at == 50);
	assert_true(v[1].account == 7 && v[1].next_at == 100);
	assert_true(v[2].account == 9 && v[2].next_at == 500);
	assert_int_equal(queue_senders(f.s, 8, v, 5, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(queue_senders(f.s, 0, v, 2, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(
	    queue_due(f.s, 9, 500, ids, 5, NULL, NULL, &n, &next), 0);
	assert_int_equal(n, 1);
	assert_true(ids[0] == mine && next == INT64_MAX);
	assert_int_equal(
	    queue_due(f.s, 8, 500, ids, 5, NULL, NULL, &n, &next), 0);
	assert_true(n == 0 && next == INT64_MAX);
}

static int
has_body(struct db_txn *t, void *arg)
{
	struct body_loc loc;

	return body_get(t, *(uint64_t *)arg, &loc);
}

/* Two rows hold one body; it goes with the last. */
static void
test_bodies(void **state)
{
	struct queue_rcpt rcpt = { .addr = SLICE("b@example.com") };
	struct slice part = SLICE("Subject: hello\r\n\r\nworld\r\n");
	struct queue_new q[2] = { { .row = row_of(&rcpt, 1, 1) },
		{ .row = row_of(&rcpt, 1, 2) } };
	struct deliver_msg msg = {
		.parts = &part, .nparts = 1, .queue = q, .nqueue = 2
	};
	struct deliver d = { .msgs = &msg, .nmsgs = 1 };
	struct queue_change ch[3];
	struct queue_row row;
	struct err e;
	struct buf b;

	(void)state;
	assert_int_equal(deliver(f.s, &d, &e), 0);
	assert_int_equal(queue_get(f.s, q[0].id, &a, &row), 0);
	buf_init(&b, 100);
	assert_int_equal(queue_read(f.s, &row, 0, 1000, &b), 0);
	assert_slice(buf_slice(&b), "Subject: hello\r\n\r\nworld\r\n");
	buf_clear(&b);
	assert_int_equal(queue_read(f.s, &row, 9, 5, &b), 0);
	assert_slice(buf_slice(&b), "hello");
	buf_clear(&b);
	assert_int_equal(queue_read(f.s, &row, 25, 5, &b), 0);
	assert_int_equal(buf_len(&b), 0);

	/* one of them is not there: nothing happens */
	ch[0] = (struct queue_change){ .id = q[0].id };
	ch[1] = (struct queue_change){ .id = 12345 };
	assert_int_equal(queue_change(f.s, ch, 2), ERR_NOTFOUND);
	assert_int_equal(queue_get(f.s, q[0].id, &a, &row), 0);

	assert_int_equal(queue_change(f.s, ch, 1), 0);
	assert_int_equal(db_read(f.s->db, has_body, &row.body), 0);
	ch[0].id = q[1].id;
	assert_int_equal(queue_change(f.s, ch, 1), 0);
	assert_int_equal(db_read(f.s->db, has_body, &row.body), ERR_NOTFOUND);
	assert_int_equal(queue_change(f.s, ch, 0), 0);
	buf_fini(&b);
}

static void
test_list(void **state)
{
	struct queue_row rows[10];
	struct queue_counts n;
	uint64_t after = 0;
	size_t got, total = 0;

	(void)state;
	for (int i = 0; i < 25; i++)
		(void)enqueue(i, i % 5 == 0 ? QUEUE_HELD : QUEUE_QUEUED);
	do {
		assert_int_equal(queue_list(f.s, after, &a, rows, 10, &got), 0);
		for (size_t i = 0; i < got; i++) {
			assert_true(rows[i].id > after);
			after = rows[i].id;
			assert_slice(rows[i].rcpts[0].addr, "b@example.com");
		}
		total += got;
	} while (got == 10);
	assert_int_equal(total, 25);
	assert_int_equal(queue_list(f.s, UINT64_MAX, &a, rows, 10, &got), 0);
	assert_int_equal(got, 0);
	assert_int_equal(queue_count(f.s, &n), 0);
	assert_int_equal(n.queued, 20);
	assert_int_equal(n.held, 5);
	/* all of it survives */
	assert_int_equal(store_sync_now(f.s), 0);
	fixture_reopen(&f);
	assert_int_equal(queue_count(f.s, &n), 0);
	assert_int_equal(n.queued, 20);
	assert_int_equal(n.held, 5);
}

enum { MANY = 200000, BATCH = 500 };

static int
put_many(struct db_txn *t, void *arg)
{
	struct queue_rcpt rcpt = { .addr = SLICE("someone@example.com"),
		.reply = SLICE("451 4.7.1 Greylisted, please try again"),
		.remote = SLICE("mx.example.com [192.0.2.1]") };
	uint64_t *from = arg;
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < BATCH; i++) {
		struct queue_row row = row_of(&rcpt, 1, (int64_t)(*from + i));

		row.id = *from + i;
		row.body = 1;
		row.state = QUEUE_DEFERRED;
		rc = queue_put_txn(t, &row);
	}
	return rc;
}

/* 200,000 rows do not slow down what is asked often. */
static void
test_many(void **state)
{
	struct queue_counts n;
	uint64_t ids[100], start;
	int64_t next;
	size_t got;

	(void)state;
	for (uint64_t id = 1; id < MANY; id += BATCH)
		assert_int_equal(db_update(f.s->db, put_many, &id), 0);
	start = clock_steady_us();
	assert_int_equal(queue_count(f.s, &n), 0);
	print_message("counted %d rows in %llu us\n", (int)MANY,
	    (unsigned long long)(clock_steady_us() - start));
	assert_int_equal(n.deferred, MANY);
	start = clock_steady_us();
	assert_int_equal(
	    queue_due(f.s, 1, 150000, ids, 100, NULL, NULL, &got, &next), 0);
	print_message("due in %llu us\n",
	    (unsigned long long)(clock_steady_us() - start));
	assert_int_equal(got, 100);
	assert_int_equal(ids[0], 1);
	assert_int_equal(next, 101);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		T(test_large),
		T(test_due),
		T(test_act),
		T(test_senders),
		T(test_bodies),
		T(test_list),
		T(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
