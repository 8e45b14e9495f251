/*
 * store_verify(): sees each kind of breach; and finds none after kill -9 at
 * any moment.
 */
#include "tests/unit/account_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/num.h"
#include "storage/acl.h"
#include "storage/body.h"
#include "storage/deliver.h"
#include "storage/entry.h"
#include "storage/folder_row.h"
#include "storage/hot.h"
#include "storage/message.h"
#include "storage/metadata.h"
#include "storage/msg.h"
#include "storage/queue.h"
#include "storage/segment_row.h"
#include "storage/tables.h"
#include "tests/unit/store_mail.h"

/* The report names what `want` says. */
static void
assert_breach(struct store_fixture *f, const char *want)
{
	struct buf b;
	char *text;
	int rc;

	buf_init(&b, 100000);
	rc = store_verify(f->s, &b);
	text = buf_take_str(&b);
	if (rc != ERR_CORRUPT || strstr(text, want) == NULL)
		print_error("wanted %s, got %d %s\n", want, rc, text);
	assert_int_equal(rc, ERR_CORRUPT);
	assert_non_null(strstr(text, want));
	free(text);
}

struct breaking {
	struct store_fixture *f;
	unsigned how;
	uint64_t body;
};

enum { HOWS = 9 };

static const char *const wanted[HOWS] = { "1 folder", "2 folder", "2 folder",
	"3 folder", "4 message", "4 body", "5 usage", "6 folder", "8 segment" };

static int
break_txn(struct db_txn *t, void *arg)
{
	struct breaking *b = arg;
	uint64_t inbox = b->f->inbox[1], body;
	struct folder_row row;
	struct hot_run run;
	struct entry e;
	int rc;

	if ((rc = folder_row_get(t, inbox, true, &row)) != 0 ||
	    (rc = hot_load(t, inbox, 0, true, &run)) != 0 ||
	    (rc = entry_get(t, inbox, 1, true, &e)) != 0)
		return rc;
	switch (b->how) {
	case 0: row.st.unseen++; return folder_row_put(t, inbox, &row);
	case 1: run.n--; return hot_save(t, inbox, 0, &run);
	case 2: row.st.uidnext = 2; return folder_row_put(t, inbox, &row);
	case 3: row.st.highestmodseq = 2; return folder_row_put(t, inbox, &row);
	case 4: return message_ref(t, 1, e.msgid, 1, &body);
	case 5: return body_ref(t, b->body, 1);
	case 6: return usage_charge(t, 2, 1, 0, true, 0, NULL);
	case 7: row.st.uidnext++; return folder_row_put(t, inbox, &row);
	default: return segment_row_live(t, 1, -1);
	}
}

static void
breaches(void **state)
{
	(void)state;
	for (unsigned how = 0; how < HOWS; how++) {
		struct store_fixture f;
		struct breaking b = { &f, how, 0 };
		struct msg_meta m;
		struct arena a;

		fixture_new(&f);
		put_mails(f.s, 1, f.inbox[1], 5);
		assert_store_sound(f.s);
		arena_init(&a);
		assert_int_equal(
		    msg_meta_get(f.s, 1, f.inbox[1], 1, &a, &m), 0);
		b.body = m.body;
		arena_clear(&a);
		assert_int_equal(db_update(f.s->db, break_txn, &b), 0);
		assert_breach(&f, wanted[how]);
		fixture_free(&f);
	}
}

/* Invariant 10: what becomes of one of the rows of a shared folder with an
 * annotation. */
struct sharing {
	unsigned how;
	uint64_t owner, folder;
};

static const char *const shared_wanted[] = { "no package", "and a package",
	"10 shared: folder", "another package", "has no entries",
	"10 acl: folder", "10 metadata" };

static int
unshare_txn(struct db_txn *t, void *arg)
{
	const struct sharing *b = arg;
	char id[8], who[] = "12345678web1p2",
		    shared[] = "web1\0"
			       "12345678"
			       "12345678";
	struct slice package = slice_of(id, sizeof(id));

	num_put64(id, b->folder);
	memcpy(who, id, 8);
	num_put64(shared + 5, b->owner);
	memcpy(shared + 13, id, 8);
	switch (b->how) {
	case 0: return db_del(t, T_ACL, package);
	case 1: return db_del(t, T_ACL, slice_of(who, 14));
	case 2: return db_del(t, T_SHARED, slice_of(shared, 21));
	case 3: return db_put(t, T_ACL, package, slice_of("\1web2", 5));
	case 4:
		memset(shared + 13, 'x', 8);
		return db_put(t, T_SHARED, slice_of(shared, 21), SLICE("\1"));
	default: return folder_row_del(t, b->folder);
	}
}

static void
shared_breaches(void **state)
{
	const struct metadata note = { SLICE("/shared/comment"), SLICE("x") };
	struct folder_info info;
	struct err e = { 0 };

	(void)state;
	for (unsigned how = 0; how < PH_LEN(shared_wanted); how++) {
		struct sharing b = { .how = how };
		struct metadata_at at;
		struct store_fixture f;

		fixture_host(&f);
		fixture_package(&f, "web1");
		b.owner = fixture_account(&f, "web1", "web1p1", 0, NULL);
		(void)fixture_account(&f, "web1", "web1p2", 0, NULL);
		assert_int_equal(
		    folder_find(f.s, b.owner, SLICE("Drafts"), &info), 0);
		b.folder = info.id;
		assert_int_equal(
		    acl_set(f.s, SLICE("web1"), b.owner, b.folder,
			SLICE("web1p2"), ACL_SET, RIGHT_LOOKUP, &e),
		    0);
		at = (struct metadata_at){ b.folder, b.owner, b.owner };
		assert_int_equal(metadata_set(f.s, &at, &note, 1, NULL), 0);
		assert_store_sound(f.s);
		assert_int_equal(db_update(f.s->db, unshare_txn, &b), 0);
		assert_breach(&f, shared_wanted[how]);
		fixture_free(&f);
	}
}

/* What the victim does until it is killed. */
static void
be_busy(struct store_fixture *f, unsigned seed)
{
	struct folder_info to;
	char text[300];

	f->s = fixture_open_as(f, STORE_DAEMON);
	(void)!folder_find(f->s, 1, SLICE("Archive"), &to);
	for (unsigned i = 0;; i++) {
		struct slice t = mail_text(text, sizeof(text), i);
		struct slice kw = SLICE("k");
		struct queue_rcpt rcpt = { .addr = SLICE("a@example.net") };
		struct queue_new q = { .row = { .sender = SLICE("b@c"),
					   .rcpts = &rcpt,
					   .nrcpts = 1 } };
		struct deliver_target tg[2] = {
			{ .account = 1, .keywords = &kw, .nkeywords = 1 },
			{ .account = 2 }
		};
		struct deliver_msg m = { .parts = &t,
			.nparts = 1,
			.targets = tg,
			.ntargets = 2,
			.queue = &q,
			.nqueue = i % 3 == 0 };
		struct queue_change ch = { 0 };
		struct deliver d = { .msgs = &m, .nmsgs = 1 };
		struct msg_copied c;
		uint32_t uids[2];

		if (deliver(f->s, &d, NULL) != 0)
			_exit(1);
		uids[0] = tg[0].uid / 2 + seed % 3;
		uids[1] = tg[0].uid;
		if (msg_copy(f->s, 1, f->inbox[1], uids, 2, 1 + i % 2,
			i % 2 == 0 ? to.id : f->inbox[2], i % 4 < 2, &c) != 0)
			_exit(2);
		msg_copied_fini(&c);
		if (i % 5 == 4 && msg_expunge(f->s, 2, f->inbox[2], &tg[1].uid,
				      1, false, NULL) != 0)
			_exit(3);
		ch.id = q.id;
		d = (struct deliver){ .changes = &ch, .nchanges = 1 };
		if (i % 9 == 0 && deliver(f->s, &d, NULL) != 0)
			_exit(4);
		(void)snprintf(text, sizeof(text), "made/%u-%u", seed, i);
		if (i % 20 == 0 && folder_create(f->s, 1, slice_str(text),
				       USE_NONE, NULL, NULL) != 0)
			_exit(5);
	}
}

static void
kill_nine(void **state)
{
	struct store_fixture *f = *state;

	store_close(&f->s);
	for (unsigned round = 0; round < 8; round++) {
		struct timespec ts = { 0, 60000000 + round * 17000000 };
		struct store *s;
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			be_busy(f, round);
		(void)nanosleep(&ts, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		s = fixture_open_as(f, STORE_RECOVER);
		store_close(&s);
		f->s = fixture_open_as(f, STORE_DAEMON);
		assert_store_sound(f->s);
		store_close(&f->s);
	}
	f->s = fixture_open_as(f, STORE_DAEMON);
}

/* Invariant 12: what many records of a body share. */
enum { NO_CHUNK, NO_SECOND, NO_ROW_KNOWS, STRAY, SHARED_HOWS };

struct shared_breaking {
	unsigned how;
	uint64_t body;
};

static int
break_shared(struct db_txn *t, void *arg)
{
	struct shared_breaking *b = arg;
	char key[9], v[64];
	size_t n;
	int rc;

	num_put64(key, b->body);
	key[8] = b->how == NO_SECOND;
	switch (b->how) {
	case NO_CHUNK:
	case NO_SECOND: return db_del(t, T_BODY, slice_of(key, 9));
	case STRAY:
		key[8] = 9;
		return db_put(t, T_BODY, slice_of(key, 9), SLICE("\1x"));
	default: break;
	}
	rc = db_get_rmw(t, T_BODY, slice_of(key, 8), v, sizeof(v), &n);
	v[0] = 1;
	return rc != 0 ? rc
		       : db_put(t, T_BODY, slice_of(key, 8), slice_of(v, n));
}

/* Of two chunks. */
static uint64_t
deliver_shared(struct store_fixture *f)
{
	struct deliver_target t[] = {
		{ .account = 1, .prefix = SLICE("Delivered-To: a\r\n") },
		{ .account = 1, .prefix = SLICE("Delivered-To: b\r\n") },
		{ .account = 2, .prefix = SLICE("Delivered-To: c\r\n") },
		{ .account = 2, .prefix = SLICE("Delivered-To: d\r\n") },
	};
	struct deliver_msg m = { .nparts = 1, .targets = t, .ntargets = 4 };
	struct deliver d = { .msgs = &m, .nmsgs = 1 };
	struct slice text;
	struct msg_meta meta;
	struct arena a;
	char buf[1200];
	struct err e;

	(void)snprintf(buf, sizeof(buf), "Subject: %0*d\r\n\r\nx\r\n", 900, 7);
	text = slice_str(buf);
	m.parts = &text;
	arena_init(&a);
	assert_int_equal(deliver(f->s, &d, &e), 0);
	assert_int_equal(
	    msg_meta_get(f->s, 1, f->inbox[1], t[0].uid, &a, &meta), 0);
	arena_clear(&a);
	return meta.body;
}

static void
body_breaches(void **state)
{
	(void)state;
	for (unsigned how = 0; how < SHARED_HOWS; how++) {
		struct shared_breaking b = { .how = how };
		struct store_fixture f;

		fixture_new(&f);
		b.body = deliver_shared(&f);
		assert_store_sound(f.s);
		assert_int_equal(db_update(f.s->db, break_shared, &b), 0);
		assert_breach(&f, "12 body");
		fixture_free(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(breaches),
		cmocka_unit_test(body_breaches),
		cmocka_unit_test(shared_breaches),
		FIXTURE_TEST(kill_nine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
