/* The copy in Sent tells its fate in the transaction of each outcome, and what
 * waits in Outbox goes with the last row that holds it. */
#include "storage/fate.h"

#include "tests/unit/store_fixture.h"
#include "tests/unit/store_mail.h"

#include "storage/deliver.h"
#include "storage/folder.h"
#include "storage/msg.h"
#include "storage/outbox.h"
#include "storage/submit.h"

static struct store_fixture f;
static struct queue_row rows[2];
static struct queue_rcpt rcpt;

/* One message to two hosts, with a copy in INBOX, which stands for Sent. */
static int
setup(void **state)
{
	static struct slice part = SLICE("Subject: s\r\n\r\nb\r\n");
	struct queue_new q[2] = { 0 };
	struct deliver_target t = { .account = 1 };
	struct submit su = { .account = 1, .sent = &t };
	struct deliver_msg m = { .parts = &part,
		.nparts = 1,
		.targets = &t,
		.ntargets = 1,
		.queue = q,
		.nqueue = 2 };
	struct deliver d = { .msgs = &m, .nmsgs = 1, .submit = &su };
	struct err e;

	(void)state;
	fixture_new(&f);
	rcpt = (struct queue_rcpt){ .addr = SLICE("b@example.com") };
	for (size_t i = 0; i < 2; i++)
		q[i].row = (struct queue_row){ .sender = SLICE("a@x"),
			.account = 1,
			.rcpts = &rcpt,
			.nrcpts = 1 };
	assert_int_equal(deliver(f.s, &d, &e), 0);
	for (size_t i = 0; i < 2; i++)
		rows[i] = q[i].row;
	assert_int_equal(rows[0].sent_folder, f.inbox[1]);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_free(&f);
	return 0;
}

struct look {
	uint64_t folder;
	struct arena *a;
	struct keywords kw;
	struct hot_run r;
};

static int
look(struct db_txn *t, void *arg)
{
	struct look *l = arg;
	int rc = hot_load(t, l->folder, 0, false, &l->r);

	return rc == 0 ? keyword_load(t, l->folder, l->a, &l->kw) : rc;
}

/* The keywords of the first message there, in one word; "gone". */
static const char *
words_of(uint64_t folder)
{
	static char out[100];
	struct hot_entry h;
	struct arena a;
	struct look l = { .folder = folder, .a = &a };
	size_t n = 0;

	arena_init(&a);
	assert_int_equal(db_read(f.s->db, look, &l), 0);
	(void)snprintf(out, sizeof(out), "%s", l.r.n == 0 ? "gone" : "");
	if (l.r.n != 0)
		hot_get(l.r.bytes, 0, &h);
	for (unsigned i = 0; l.r.n != 0 && i < FOLDER_KEYWORDS_MAX; i++)
		if (h.keywords >> i & 1)
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%.*s",
			    (int)l.kw.name[i].n, l.kw.name[i].p);
	arena_clear(&a);
	return out;
}

/* An outcome of row i; keep: somebody waits on. */
static int
outcome(size_t i, bool keep, bool bounced, uint64_t folder)
{
	struct queue_change ch = { .id = rows[i].id,
		.row = keep ? &rows[i] : NULL };
	struct fate fate = { .account = 1,
		.folder = rows[i].sent_folder,
		.uid = rows[i].sent_uid,
		.rows = keep ? 0 : -1,
		.deferred = keep,
		.bounced = bounced };
	struct slice part = SLICE("Subject: report\r\n\r\nb\r\n");
	struct deliver_target t = { .account = 1, .folder = folder };
	struct deliver_msg m = {
		.parts = &part, .nparts = 1, .targets = &t, .ntargets = 1
	};
	struct deliver d = { .msgs = &m,
		.nmsgs = folder != 0 ? 1 : 0,
		.changes = &ch,
		.nchanges = 1,
		.fate = &fate };

	return deliver(f.s, &d, NULL);
}

static void
test_fate(void **state)
{
	(void)state;
	assert_string_equal(words_of(f.inbox[1]), "");
	assert_int_equal(outcome(0, true, false, 0), 0);
	assert_string_equal(words_of(f.inbox[1]), "$Deferred");
	/* What fails changes neither row nor copy: a report without a
	 * folder, and an outcome of what is gone. */
	assert_int_equal(outcome(0, false, true, 99999), ERR_NOTFOUND);
	assert_string_equal(words_of(f.inbox[1]), "$Deferred");
	assert_int_equal(outcome(0, false, false, 0), 0);
	assert_int_equal(outcome(0, false, true, 0), ERR_NOTFOUND);
	assert_string_equal(words_of(f.inbox[1]), "$Deferred");
	/* The last row of a message decides, with its report in the folder
	 * of the copy itself. */
	assert_int_equal(outcome(1, false, true, f.inbox[1]), 0);
	assert_string_equal(words_of(f.inbox[1]), "$Bounced");
	fixture_reopen(&f);
	assert_string_equal(words_of(f.inbox[1]), "$Bounced");
	assert_store_sound(f.s);
}

static void
test_copy_is_gone(void **state)
{
	uint32_t uid = rows[0].sent_uid;

	(void)state;
	assert_int_equal(
	    msg_expunge(f.s, 1, f.inbox[1], &uid, 1, false, NULL), 0);
	assert_int_equal(outcome(0, false, false, 0), 0);
	assert_int_equal(outcome(1, false, false, 0), 0);
	assert_string_equal(words_of(f.inbox[1]), "gone");
	assert_store_sound(f.s);
}

/* The row's message comes into Outbox, which shares its bytes. */
static void
put_in(struct queue_row *row, uint64_t box)
{
	struct deliver_target t = { .account = 1, .folder = box };
	struct deliver_msg m = {
		.body = row->body, .targets = &t, .ntargets = 1
	};
	struct deliver_box b = { .target = &t, .row = row };
	struct queue_change ch = { .id = row->id, .row = row };
	struct deliver d = {
		.msgs = &m, .nmsgs = 1, .box = &b, .changes = &ch, .nchanges = 1
	};

	if (outbox_find(f.s, row) == 0) {
		d.nmsgs = 0;
		b.target = NULL;
	}
	assert_int_equal(deliver(f.s, &d, NULL), 0);
}

static void
test_box(void **state)
{
	struct outbox_box boxes[2];
	uint64_t box, ids[3], since = 0;
	bool wait, recalled;
	size_t n;

	(void)state;
	assert_int_equal(outbox_folder(f.s, 1, &box), 0);
	put_in(&rows[0], box);
	put_in(&rows[1], box);
	assert_int_equal(rows[0].box_uid, rows[1].box_uid);
	assert_int_equal(outbox_list(f.s, 0, boxes, 2, &n), 0);
	assert_int_equal(n, 1);
	assert_true(boxes[0].account == 1 && boxes[0].folder == box);
	assert_store_sound(f.s);
	/* It goes with the last that holds it. */
	assert_int_equal(outbox_cancel(f.s, &rows[0], false), 0);
	assert_int_equal(outbox_look(f.s, 1, box, rows[1].box_uid, &wait), 0);
	/* What went before, or by itself, is not asked about again. */
	assert_int_equal(
	    outbox_called_back(f.s, &boxes[0], &since, ids, 3, &n), 0);
	assert_int_equal(n, 0);
	assert_true(since != 0);
	assert_int_equal(
	    msg_expunge(f.s, 1, box, &rows[1].box_uid, 1, false, NULL), 0);
	assert_int_equal(
	    outbox_called_back(f.s, &boxes[0], &since, ids, 3, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(ids[0], rows[1].id);
	assert_int_equal(
	    outbox_called_back(f.s, &boxes[0], &since, ids, 3, &n), 0);
	assert_int_equal(n, 0);
	since = 0;
	assert_int_equal(
	    outbox_called_back(f.s, &boxes[0], &since, ids, 1, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(since, 0);
	assert_int_equal(submit_recalled(f.s, 1, rows[1].body, &recalled), 0);
	assert_false(recalled);
	assert_int_equal(outbox_cancel(f.s, &rows[1], true), 0);
	assert_int_equal(submit_recalled(f.s, 1, rows[1].body, &recalled), 0);
	assert_true(recalled);
	assert_int_equal(outbox_list(f.s, 0, boxes, 2, &n), 0);
	assert_int_equal(n, 0);
	assert_string_equal(words_of(f.inbox[1]), "$Cancelled");
	assert_int_equal(outbox_cancel(f.s, &rows[1], true), ERR_NOTFOUND);
	assert_store_sound(f.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fate, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_copy_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_box, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
