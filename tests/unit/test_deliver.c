/*
 * Deliveries: several targets and messages, quota to the byte, the queue,
 * many threads.
 */
#include "tests/unit/store_fixture.h"

#include <pthread.h>

#include "storage/deliver.h"
#include "storage/msg.h"
#include "storage/queue.h"
#include "tests/unit/store_mail.h"

static uint32_t
messages(struct store_fixture *f, uint64_t folder)
{
	struct folder_status st;

	assert_int_equal(folder_status_get(f->s, folder, &st), 0);
	return st.messages;
}

/* The whole text of a message. */
static char *
text_of(
    struct store_fixture *f, uint64_t account, uint64_t folder, uint32_t uid)
{
	struct msg_meta m;
	struct arena a;
	struct buf b;

	arena_init(&a);
	buf_init(&b, 1 << 24);
	assert_int_equal(msg_meta_get(f->s, account, folder, uid, &a, &m), 0);
	assert_int_equal(msg_read(f->s, &m, 0, SIZE_MAX, &b), 0);
	arena_clear(&a);
	return buf_take_str(&b);
}

static void
one_in_parts(void **state)
{
	struct store_fixture *f = *state;
	struct slice parts[] = { SLICE("Received: us\r\n"), SLICE(""),
		SLICE("Subject: hi\r\nFrom: x@example.org\r\n\r\n"),
		SLICE("body\r\n") };
	struct slice kw[] = { SLICE("$Label1") };
	struct deliver_target t = { .account = 1,
		.flags = MSG_SEEN | MSG_DELETED,
		.keywords = kw,
		.nkeywords = 1 };
	struct deliver_msg m = { .parts = parts,
		.nparts = 4,
		.internal_date = 1000000000,
		.targets = &t,
		.ntargets = 1 };
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct folder_status st;
	struct msg_meta meta;
	struct arena a;
	struct err e;
	char *text;

	assert_int_equal(deliver(f->s, &d, &e), 0);
	assert_int_equal(t.uid, 1);
	assert_true(t.msgid != 0);
	text = text_of(f, 1, f->inbox[1], 1);
	assert_string_equal(text, "Received: us\r\nSubject: hi\r\n"
				  "From: x@example.org\r\n\r\nbody\r\n");
	free(text);
	arena_init(&a);
	assert_int_equal(msg_meta_get(f->s, 1, f->inbox[1], 1, &a, &meta), 0);
	assert_int_equal(meta.internal_date, 1000000000);
	assert_true(meta.save_date > 1000000000);
	assert_slice(meta.preview, "body");
	assert_slice(meta.headers, "Subject: hi\r\nFrom: x@example.org\r\n");
	assert_slice(meta.envelope,
	    "(NIL \"hi\" ((NIL NIL \"x\" \"example.org\")) "
	    "((NIL NIL \"x\" \"example.org\")) "
	    "((NIL NIL \"x\" \"example.org\")) NIL NIL NIL NIL NIL)");
	arena_clear(&a);
	assert_int_equal(folder_status_get(f->s, f->inbox[1], &st), 0);
	assert_int_equal(st.uidvalidity, t.uidvalidity);
	assert_int_equal(st.unseen, 0);
	assert_int_equal(st.deleted, 1);
	/* survives the process */
	fixture_reopen(f);
	text = text_of(f, 1, f->inbox[1], 1);
	assert_int_equal(strlen(text), st.bytes);
	free(text);
}

/* Two accounts, two folders of one, own prefixes: one body. */
static void
many_targets(void **state)
{
	struct store_fixture *f = *state;
	struct slice text = SLICE("Subject: x\r\n\r\ny\r\n");
	uint64_t sent = fixture_folder(f, 1, "Sent");
	struct deliver_target t[] = {
		{ .account = 2, .prefix = SLICE("Delivered-To: two\r\n") },
		{ .account = 1, .prefix = SLICE("Delivered-To: one\r\n") },
		{ .account = 1, .folder = sent, .flags = MSG_SEEN },
		{ .account = 1,
		    .prefix = SLICE("Delivered-To: one\r\n"),
		    .folder = fixture_folder(f, 1, "Archive") },
	};
	struct deliver_msg m = {
		.parts = &text, .nparts = 1, .targets = t, .ntargets = 4
	};
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct err e;
	char *got;

	assert_int_equal(deliver(f->s, &d, &e), 0);
	assert_true(t[1].msgid == t[3].msgid);
	assert_true(t[1].msgid != t[2].msgid);
	got = text_of(f, 2, f->inbox[2], t[0].uid);
	assert_string_equal(
	    got, "Delivered-To: two\r\nSubject: x\r\n\r\ny\r\n");
	free(got);
	got = text_of(f, 1, sent, t[2].uid);
	assert_string_equal(got, "Subject: x\r\n\r\ny\r\n");
	free(got);
	assert_store_sound(f->s);
	/* one copy goes, the others stay */
	assert_int_equal(
	    msg_expunge(f->s, 1, f->inbox[1], NULL, 0, false, NULL), 0);
	got = text_of(f, 1, t[3].folder, t[3].uid);
	assert_string_equal(
	    got, "Delivered-To: one\r\nSubject: x\r\n\r\ny\r\n");
	free(got);
}

/* What the index keeps of it, as with a message of its own. */
static void
assert_same_meta(struct store_fixture *f, uint64_t account, uint32_t uid,
    const struct msg_meta *want)
{
	struct msg_meta m;
	struct arena a;

	arena_init(&a);
	assert_int_equal(
	    msg_meta_get(f->s, account, f->inbox[account], uid, &a, &m), 0);
	assert_true(m.body != 0);
	assert_int_equal(m.thread, want->thread);
	assert_true(slice_eq(m.envelope, want->envelope));
	assert_true(slice_eq(m.bodystructure, want->bodystructure));
	assert_true(slice_eq(m.structure, want->structure));
	assert_true(slice_eq(m.preview, want->preview));
	/* The prefix's Delivered-To is before them. */
	assert_true(m.headers.n > want->headers.n);
	assert_true(
	    slice_eq(slice_from(m.headers, m.headers.n - want->headers.n),
		want->headers));
	arena_clear(&a);
}

enum { SHARERS = 4, SHARED_MAX = 8000 };

static void
share(struct store_fixture *f, struct slice text, const struct msg_meta *want)
{
	struct deliver_target t[SHARERS] = {
		{ .account = 1, .prefix = SLICE("Delivered-To: a\r\n") },
		{ .account = 1, .prefix = SLICE("Delivered-To: b\r\n") },
		{ .account = 2, .prefix = SLICE("Delivered-To: c\r\n") },
		{ .account = 2, .prefix = SLICE("Delivered-To: d\r\n") },
	};
	struct deliver_msg m = {
		.parts = &text, .nparts = 1, .targets = t, .ntargets = SHARERS
	};
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct err e;

	assert_int_equal(deliver(f->s, &d, &e), 0);
	for (int i = 0; i < SHARERS; i++)
		assert_same_meta(f, t[i].account, t[i].uid, want);
	assert_store_sound(f->s);
	fixture_reopen(f);
	for (int i = 0; i < SHARERS; i++)
		assert_same_meta(f, t[i].account, t[i].uid, want);
}

/* All of an inbox in one scan. */
static void
assert_all_same(
    struct store_fixture *f, uint64_t account, const struct msg_meta *want)
{
	struct msg_iter *it;
	struct msg_meta m;
	uint32_t n = 0;

	assert_int_equal(msg_iter_open(f->s, account, f->inbox[account], NULL,
			     0, 0, MSG_WANT_META, &it),
	    0);
	while (msg_iter_next(it, &m) == 0) {
		assert_true(slice_eq(m.envelope, want->envelope));
		n++;
	}
	msg_iter_close(&it);
	assert_int_equal(n, messages(f, f->inbox[account]));
}

/* Many records of one body keep what is the same in all of them once, of one
 * chunk or several; it goes with the last. */
static void
shared_by_many(void **state)
{
	static const size_t sizes[] = { 20, 900, 960, 3000 };
	struct store_fixture *f = *state;
	char text[SHARED_MAX];

	for (size_t i = 0; i < PH_LEN(sizes); i++) {
		struct slice s;
		struct deliver_target t = { .account = 1 };
		struct deliver_msg m = {
			.parts = &s, .nparts = 1, .targets = &t, .ntargets = 1
		};
		struct deliver d = { .msgs = &m, .nmsgs = 1 };
		struct msg_meta want;
		struct arena a;
		struct err e;

		(void)snprintf(text, sizeof(text),
		    "Subject: %0*d\r\nFrom: <x@example.org>\r\n"
		    "Message-ID: <%zu@example.org>\r\n\r\nall of them\r\n",
		    (int)sizes[i], 7, i);
		s = slice_str(text);
		arena_init(&a);
		assert_int_equal(deliver(f->s, &d, &e), 0);
		assert_int_equal(
		    msg_meta_get(f->s, 1, f->inbox[1], t.uid, &a, &want), 0);
		share(f, s, &want);
		assert_all_same(f, 2, &want);
		for (uint64_t k = 1; k <= FIXTURE_ACCOUNTS; k++)
			assert_int_equal(msg_expunge(f->s, k, f->inbox[k], NULL,
					     0, false, NULL),
			    0);
		arena_clear(&a);
		assert_store_sound(f->s);
	}
}

static void
several_messages(void **state)
{
	struct store_fixture *f = *state;
	struct slice text[3] = { SLICE("A: 1\r\n\r\n1"),
		SLICE("A: 2\r\n\r\n22"), SLICE("A: 3\r\n\r\n333") };
	struct deliver_target t[3] = { 0 };
	struct deliver_msg m[3] = { 0 };
	struct deliver d = { .msgs = m, .nmsgs = 3 };
	struct folder_status st;
	struct err e;

	for (unsigned i = 0; i < 3; i++) {
		t[i].account = 1;
		t[i].folder = f->inbox[1];
		m[i].parts = &text[i];
		m[i].nparts = 1;
		m[i].targets = &t[i];
		m[i].ntargets = 1;
	}
	assert_int_equal(deliver(f->s, &d, &e), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(t[i].uid, i + 1);
	assert_int_equal(folder_status_get(f->s, f->inbox[1], &st), 0);
	assert_int_equal(st.highestmodseq, 2); /* one transaction, one */
	/* the second has no such folder: none is stored */
	t[1].folder = 4711;
	assert_int_equal(deliver(f->s, &d, &e), ERR_NOTFOUND);
	assert_int_equal(d.bad_msg, 1);
	assert_int_equal(d.bad_target, 0);
	assert_int_equal(messages(f, f->inbox[1]), 3);
	/* somebody else's folder is no folder */
	t[1].folder = f->inbox[2];
	assert_int_equal(deliver(f->s, &d, &e), ERR_NOTFOUND);
	t[1].folder = 0;
	t[1].account = 99;
	assert_int_equal(deliver(f->s, &d, &e), ERR_NOTFOUND);
	assert_int_equal(d.bad_msg, 1);
	assert_int_equal(messages(f, f->inbox[1]), 3);
}

static void
quota(void **state)
{
	struct store_fixture *f = *state;
	struct slice text = SLICE("0123456789");
	struct deliver_target t[2] = { { .account = 1 }, { .account = 2 } };
	struct deliver_msg m = {
		.parts = &text, .nparts = 1, .targets = t, .ntargets = 2
	};
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct err e;

	fixture_limit(f, 2, 25, 0);
	assert_int_equal(deliver_fits(f->s, 2, 25), 0);
	assert_int_equal(deliver_fits(f->s, 2, 26), ERR_QUOTA);
	assert_int_equal(deliver_fits(f->s, 99, 1), ERR_NOTFOUND);
	assert_int_equal(deliver(f->s, &d, &e), 0);
	t[1].prefix = SLICE("12345");
	assert_int_equal(deliver(f->s, &d, &e), 0); /* 25 of 25 */
	assert_int_equal(deliver_fits(f->s, 2, 1), ERR_QUOTA);
	assert_int_equal(deliver(f->s, &d, &e), ERR_QUOTA);
	assert_int_equal(d.bad_target, 1);
	assert_string_equal(e.text, "Mailbox is full");
	assert_int_equal(messages(f, f->inbox[1]), 2);
	t[1].over_quota = true;
	assert_int_equal(deliver(f->s, &d, &e), 0);
	t[1].over_quota = false;
	fixture_limit(f, 2, 0, 3);
	assert_int_equal(deliver(f->s, &d, &e), ERR_QUOTA);
	fixture_limit(f, 2, 0, 4);
	assert_int_equal(deliver(f->s, &d, &e), 0);
	/* the package's */
	fixture_limit(f, 2, 0, 0);
	fixture_limit(f, 0, 0, 9);
	assert_int_equal(messages(f, f->inbox[1]), 4);
	assert_int_equal(deliver(f->s, &d, &e), ERR_QUOTA);
	m.ntargets = 1;
	assert_int_equal(deliver(f->s, &d, &e), 0);
	assert_int_equal(deliver(f->s, &d, &e), ERR_QUOTA);
	assert_int_equal(d.bad_target, 0);
	/* room again */
	assert_int_equal(
	    msg_expunge(f->s, 2, f->inbox[2], NULL, 0, false, NULL), 0);
	assert_int_equal(deliver(f->s, &d, &e), 0);
}

static void
limits(void **state)
{
	struct store_fixture *f = *state;
	struct slice text = SLICE("x"), kw = SLICE("");
	struct deliver_target t = { .account = 1 };
	struct deliver_msg m = {
		.parts = &text, .nparts = 1, .targets = &t, .ntargets = 1
	};
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	char prefix[801];
	struct err e;

	memset(prefix, 'x', sizeof(prefix));
	t.prefix = slice_of(prefix, 801);
	assert_int_equal(deliver(f->s, &d, &e), ERR_INVALID);
	t.prefix = slice_of(prefix, 800);
	assert_int_equal(deliver(f->s, &d, &e), 0);
	t.keywords = &kw;
	t.nkeywords = 1;
	assert_int_equal(deliver(f->s, &d, &e), ERR_INVALID);
	/* an empty message is a message */
	m.nparts = 0;
	t.nkeywords = 0;
	t.prefix = SLICE("");
	assert_int_equal(deliver(f->s, &d, &e), 0);
	assert_int_equal(messages(f, f->inbox[1]), 2);
	/* nothing at all */
	d.nmsgs = 0;
	assert_int_equal(deliver(f->s, &d, &e), 0);
}

/* Larger than what is joined in memory: parsed from the segment. */
static void
large(void **state)
{
	struct store_fixture *f = *state;
	size_t n = 6 << 20;
	char *big = malloc(n), *got;
	struct slice parts[2] = { SLICE("Subject: big\r\n\r\n"), { big, n } };
	struct deliver_target t = { .account = 1 };
	struct deliver_msg m = {
		.parts = parts, .nparts = 2, .targets = &t, .ntargets = 1
	};
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct err e;

	memset(big, 'a', n);
	for (size_t i = 77; i < n; i += 79)
		memcpy(big + i - 1, "\r\n", 2);
	assert_int_equal(deliver(f->s, &d, &e), 0);
	got = text_of(f, 1, f->inbox[1], 1);
	assert_memory_equal(got + parts[0].n, big, n);
	free(got);
	fixture_limit(f, 1, 7 << 20, 0);
	assert_int_equal(deliver(f->s, &d, &e), ERR_QUOTA);
	free(big);
}

static void
queue(void **state)
{
	struct store_fixture *f = *state;
	struct slice text = SLICE("Subject: out\r\n\r\nx\r\n");
	struct queue_rcpt rcpt = { .addr = SLICE("a@example.net") };
	struct queue_new q[2] = { 0 };
	struct deliver_target t = { .account = 1,
		.folder = fixture_folder(f, 1, "Sent") };
	struct deliver_msg m = { .parts = &text,
		.nparts = 1,
		.targets = &t,
		.ntargets = 1,
		.queue = q,
		.nqueue = 2 };
	struct queue_change ch = { 0 };
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct queue_row row;
	struct arena a;
	struct buf b;
	struct err e;

	arena_init(&a);
	buf_init(&b, 1000);
	for (unsigned i = 0; i < 2; i++) {
		q[i].row.sender = SLICE("web1p1@example.org");
		q[i].row.account = 1;
		q[i].row.next_at = 100 + i;
		q[i].row.created_at = 100;
		q[i].row.expire_at = 100000;
		q[i].row.rcpts = &rcpt;
		q[i].row.nrcpts = 1;
	}
	assert_int_equal(deliver(f->s, &d, &e), 0);
	assert_true(q[0].id != 0 && q[1].id > q[0].id);
	assert_int_equal(queue_get(f->s, q[0].id, &a, &row), 0);
	assert_int_equal(row.size, text.n);
	assert_int_equal(queue_read(f->s, &row, 0, 1000, &b), 0);
	assert_slice(buf_slice(&b), "Subject: out\r\n\r\nx\r\n");
	assert_store_sound(f->s);
	/* the Sent copy goes, the queue still holds the body */
	assert_int_equal(
	    msg_expunge(f->s, 1, t.folder, NULL, 0, false, NULL), 0);
	buf_clear(&b);
	assert_int_equal(queue_read(f->s, &row, 0, 1000, &b), 0);
	/* a final answer and its report in one transaction */
	ch.id = q[0].id;
	t = (struct deliver_target){ .account = 1, .over_quota = true };
	m.nqueue = 0;
	d.changes = &ch;
	d.nchanges = 1;
	assert_int_equal(deliver(f->s, &d, &e), 0);
	assert_int_equal(queue_get(f->s, q[0].id, &a, &row), ERR_NOTFOUND);
	assert_int_equal(messages(f, f->inbox[1]), 1);
	assert_store_sound(f->s);
	/* the last hold on the body, without a message */
	ch.id = q[1].id;
	d.nmsgs = 0;
	assert_int_equal(deliver(f->s, &d, &e), 0);
	/* queue only: no folder gets it */
	d = (struct deliver){ .msgs = &m, .nmsgs = 1 };
	m.ntargets = 0;
	m.nqueue = 1;
	assert_int_equal(deliver(f->s, &d, &e), 0);
	arena_clear(&a);
	buf_fini(&b);
}

/* Threads: into one folder, each with its own messages; others expunge, move
 * and look meanwhile. */

enum { WRITERS = 4, EACH = 400 };

struct worker {
	struct store_fixture *f;
	pthread_t thread;
	unsigned nr;
	uint32_t uid[EACH];
	uint64_t archive;
	atomic_bool *stop;
};

static void *
write_many(void *arg)
{
	struct worker *w = arg;
	char text[300];

	for (unsigned i = 0; i < EACH; i++) {
		struct slice t =
		    mail_text(text, sizeof(text), w->nr * 10000 + i);

		w->uid[i] = put_mail(w->f->s, 1, 0, 0, t);
		if (i > 0)
			assert_true(w->uid[i] > w->uid[i - 1]);
	}
	return NULL;
}

/* Moves what is there back and forth: each message is in one place. */
static void *
move_many(void *arg)
{
	struct worker *w = arg;
	uint64_t from = w->f->inbox[1], to = w->archive;

	while (!atomic_load(w->stop)) {
		uint32_t uids[64];
		struct msg_copied c;
		struct view *v;
		struct view_msg vm;
		uint32_t n;

		assert_int_equal(view_open(w->f->s, 1, from, false, &v), 0);
		n = view_count(v) < 64 ? view_count(v) : 64;
		for (uint32_t i = 0; i < n; i++) {
			view_get(v, i + 1, &vm);
			uids[i] = vm.uid;
		}
		view_close(&v);
		assert_int_equal(
		    msg_copy(w->f->s, 1, from, uids, n, 1, to, true, &c), 0);
		msg_copied_fini(&c);
		from ^= to;
		to ^= from;
		from ^= to;
	}
	return NULL;
}

static void *
look_many(void *arg)
{
	struct worker *w = arg;
	struct view *v;

	assert_int_equal(view_open(w->f->s, 1, w->f->inbox[1], true, &v), 0);
	while (!atomic_load(w->stop)) {
		struct view_delta d;
		uint32_t count = view_count(v);

		assert_int_equal(view_sync(v, count % 2 == 0, &d), 0);
		assert_true(d.ngone <= count);
		view_delta_fini(&d);
		for (uint32_t i = 1; i < view_count(v); i += 7) {
			struct view_msg x, y;

			view_get(v, i, &x);
			view_get(v, i + 1, &y);
			assert_true(x.uid < y.uid);
		}
	}
	view_close(&v);
	return NULL;
}

static void
threads(void **state)
{
	struct store_fixture *f = *state;
	struct worker *w = calloc(WRITERS + 3, sizeof(*w));
	uint64_t archive = fixture_folder(f, 1, "Archive");
	atomic_bool stop;

	atomic_init(&stop, false);
	for (unsigned i = 0; i < WRITERS + 3; i++) {
		w[i].f = f;
		w[i].nr = i;
		w[i].archive = archive;
		w[i].stop = &stop;
		assert_int_equal(pthread_create(&w[i].thread, NULL,
				     i < WRITERS    ? write_many
				     : i == WRITERS ? move_many
						    : look_many,
				     &w[i]),
		    0);
	}
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(w[i].thread, NULL);
	atomic_store(&stop, true);
	for (unsigned i = WRITERS; i < WRITERS + 3; i++)
		pthread_join(w[i].thread, NULL);
	assert_int_equal(
	    messages(f, f->inbox[1]) + messages(f, archive), WRITERS * EACH);
	free(w);
}

/* RFC 8508: one comes, one goes, both or neither. */
static void
one_goes_when_one_comes(void **state)
{
	struct store_fixture *f = *state;
	struct slice text = SLICE("Subject: x\r\n\r\nold\r\n");
	uint64_t sent = fixture_folder(f, 1, "Sent");
	struct deliver_target t = { .account = 1 };
	struct deliver_msg m = {
		.parts = &text, .nparts = 1, .targets = &t, .ntargets = 1
	};
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct deliver_gone gone = {
		.account = 1, .folder = f->inbox[1], .uid = 1
	};
	struct folder_status before, st;
	struct err e;
	char *got;

	assert_int_equal(deliver(f->s, &d, &e), 0);
	assert_int_equal(folder_status_get(f->s, f->inbox[1], &before), 0);
	/* in the same folder */
	text = SLICE("Subject: x\r\n\r\nnewer\r\n");
	d.gone = &gone;
	assert_int_equal(deliver(f->s, &d, &e), 0);
	assert_int_equal(t.uid, 2);
	assert_int_equal(folder_status_get(f->s, f->inbox[1], &st), 0);
	assert_int_equal(st.messages, 1);
	assert_int_equal(st.bytes, text.n);
	assert_true(st.highestmodseq >= before.highestmodseq + 2);
	/* it is gone already: nothing comes */
	assert_int_equal(deliver(f->s, &d, &e), ERR_CONFLICT);
	assert_int_equal(messages(f, f->inbox[1]), 1);
	/* into another folder */
	gone.uid = 2;
	t.folder = sent;
	assert_int_equal(deliver(f->s, &d, &e), 0);
	assert_int_equal(messages(f, f->inbox[1]), 0);
	assert_int_equal(messages(f, sent), 1);
	/* what cannot come leaves the other where it is */
	gone =
	    (struct deliver_gone){ .account = 1, .folder = sent, .uid = t.uid };
	t.folder = 999999;
	assert_int_equal(deliver(f->s, &d, &e), ERR_NOTFOUND);
	assert_int_equal(messages(f, sent), 1);
	fixture_reopen(f);
	got = text_of(f, 1, sent, gone.uid);
	assert_string_equal(got, "Subject: x\r\n\r\nnewer\r\n");
	free(got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(one_in_parts),
		FIXTURE_TEST(many_targets),
		FIXTURE_TEST(shared_by_many),
		FIXTURE_TEST(several_messages),
		FIXTURE_TEST(quota),
		FIXTURE_TEST(one_goes_when_one_comes),
		FIXTURE_TEST(limits),
		FIXTURE_TEST(large),
		FIXTURE_TEST(queue),
		FIXTURE_TEST(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
