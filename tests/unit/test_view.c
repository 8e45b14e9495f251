/*
 * Views: thousands of random changes against a simple model, two sessions
 * that sync at random times; and the exact rules case by case.
 */
#include "tests/unit/store_fixture.h"

#include <poll.h>
#include <sys/wait.h>

#include "storage/msg.h"
#include "storage/notify.h"
#include "storage/view.h"
#include "tests/unit/store_mail.h"

enum { FOLDERS = 3, MSGS_MAX = 4000, STEPS = 6000 };

struct mmsg {
	uint32_t uid, flags;
	unsigned number; /* of mail_text() */
};

struct mfolder {
	uint64_t id;
	uint32_t uidnext;
	struct mmsg m[MSGS_MAX];
	size_t n;
};

/* What a session has been told, in the protocol's terms. */
struct mview {
	struct view *v;
	struct mfolder *f;
	uint32_t uid[MSGS_MAX], flags[MSGS_MAX];
	size_t n;
};

struct model {
	struct store_fixture fx;
	struct mfolder f[FOLDERS];
	struct mview v[2];
	unsigned number;
	uint64_t seed;
};

static unsigned
rnd(struct model *m, unsigned below)
{
	m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(m->seed >> 33) % below;
}

static int
setup(void **state)
{
	static const char *const names[] = { "INBOX", "Archive", "Trash" };
	struct model *m = calloc(1, sizeof(*m));
	struct folder_info info;

	fixture_new(&m->fx);
	m->seed = 42;
	for (unsigned i = 0; i < FOLDERS; i++) {
		assert_int_equal(
		    folder_find(m->fx.s, 1, slice_str(names[i]), &info), 0);
		m->f[i].id = info.id;
		m->f[i].uidnext = 1;
	}
	*state = m;
	return 0;
}

static int
teardown(void **state)
{
	struct model *m = *state;

	for (unsigned i = 0; i < PH_LEN(m->v); i++)
		view_close(&m->v[i].v);
	assert_store_sound(m->fx.s);
	fixture_free(&m->fx);
	free(m);
	return 0;
}

static struct mmsg *
find(struct mfolder *f, uint32_t uid)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->m[i].uid == uid)
			return &f->m[i];
	return NULL;
}

static void
drop(struct mfolder *f, uint32_t uid)
{
	struct mmsg *p = find(f, uid);

	assert_non_null(p);
	memmove(p, p + 1, (size_t)(f->m + f->n - p - 1) * sizeof(*p));
	f->n--;
}

/* A random rising set, some of it UIDs that are not there. */
static size_t
pick(struct model *m, struct mfolder *f, uint32_t *uids, size_t cap)
{
	unsigned step = 1 + rnd(m, 40);
	uint32_t uid = 1 + rnd(m, f->uidnext);
	size_t n = 0;

	while (n < cap && uid < f->uidnext + 2) {
		uids[n++] = uid;
		uid += 1 + rnd(m, step);
	}
	return n;
}

static void
do_deliver(struct model *m)
{
	struct mfolder *f = &m->f[rnd(m, FOLDERS)];
	char text[300];
	uint32_t flags = rnd(m, 4) == 0 ? rnd(m, 32) : 0;

	if (f->n >= 1000)
		return;
	for (unsigned i = 1 + rnd(m, 5); i > 0; i--) {
		unsigned number = ++m->number;
		uint32_t uid = put_mail(m->fx.s, 1, f->id, flags,
		    mail_text(text, sizeof(text), number));

		assert_int_equal(uid, f->uidnext);
		f->uidnext++;
		f->m[f->n++] = (struct mmsg){ uid, flags, number };
	}
}

static void
do_flags(struct model *m, struct mview *own)
{
	struct mfolder *f = own->f;
	uint32_t uids[300], flags;
	struct msg_change ch = { .uids = uids, .unchanged_since = UINT64_MAX };
	size_t n = 0;

	ch.n = pick(m, f, uids, 1 + rnd(m, 300));
	ch.op = (enum msg_op)rnd(m, 3);
	ch.flags = rnd(m, 32);
	assert_int_equal(msg_store_flags(m->fx.s, 1, f->id, &ch), 0);
	for (size_t i = 0; i < ch.n; i++) {
		struct mmsg *p = find(f, uids[i]);

		if (p == NULL)
			continue;
		flags = ch.op == MSG_OP_SET   ? ch.flags
			: ch.op == MSG_OP_ADD ? p->flags | ch.flags
					      : p->flags & ~ch.flags;
		if (flags == p->flags)
			continue;
		p->flags = flags;
		assert_true(n < ch.nchanged);
		assert_int_equal(ch.changed[n], p->uid);
		if (own->v != NULL)
			view_seen_changes(own->v, &p->uid, &ch.modseqs[n], 1);
		n++;
		for (size_t k = 0; k < own->n; k++)
			if (own->uid[k] == p->uid)
				own->flags[k] = flags;
	}
	assert_int_equal(ch.nchanged, n);
	assert_int_equal(ch.nfailed, 0);
	msg_change_fini(&ch);
}

static void
do_expunge(struct model *m)
{
	struct mfolder *f = &m->f[rnd(m, FOLDERS)];
	bool only = rnd(m, 2) == 0;
	uint32_t uids[100];
	size_t n = pick(m, f, uids, 1 + rnd(m, 100)), gone, want = 0;

	assert_int_equal(
	    msg_expunge(m->fx.s, 1, f->id, uids, n, only, &gone), 0);
	for (size_t i = 0; i < n; i++) {
		struct mmsg *p = find(f, uids[i]);

		if (p == NULL || (only && (p->flags & MSG_DELETED) == 0))
			continue;
		drop(f, uids[i]);
		want++;
	}
	assert_int_equal(gone, want);
}

static void
do_copy(struct model *m)
{
	struct mfolder *f = &m->f[rnd(m, FOLDERS)];
	struct mfolder *to = &m->f[rnd(m, FOLDERS)];
	bool move = rnd(m, 2) == 0;
	struct mmsg add[100];
	uint32_t uids[100];
	size_t n = pick(m, f, uids, 1 + rnd(m, 100)), k = 0;
	struct msg_copied c;

	if (to->n > 1000)
		return;
	assert_int_equal(
	    msg_copy(m->fx.s, 1, f->id, uids, n, 1, to->id, move, &c), 0);
	for (size_t i = 0; i < n; i++) {
		struct mmsg *p = find(f, uids[i]);

		if (p == NULL)
			continue;
		assert_true(k < c.n);
		assert_int_equal(c.from[k], p->uid);
		assert_int_equal(c.to[k], to->uidnext + k);
		add[k] = *p;
		add[k].uid = c.to[k];
		k++;
		if (move)
			drop(f, uids[i]);
	}
	assert_int_equal(c.n, k);
	memcpy(to->m + to->n, add, k * sizeof(*add));
	to->n += k;
	to->uidnext += (uint32_t)k;
	msg_copied_fini(&c);
}

/* What the session now sees, read message by message. */
static void
assert_view(const struct mview *w)
{
	struct view_msg vm;

	assert_int_equal(view_count(w->v), w->n);
	for (size_t i = 0; i < w->n; i++) {
		view_get(w->v, (uint32_t)i + 1, &vm);
		assert_int_equal(vm.uid, w->uid[i]);
		/* what is gone keeps the flags of its last sync */
		if (find(w->f, vm.uid) != NULL)
			assert_int_equal(vm.flags, w->flags[i]);
		assert_int_equal(view_seq(w->v, vm.uid), i + 1);
	}
}

/* Follows a session's sync as a client would: EXPUNGE, FETCH, EXISTS. */
static void
do_sync(struct mview *w, bool may_expunge)
{
	bool told[MSGS_MAX] = { false };
	struct view_delta d;
	size_t fresh = 0;

	assert_int_equal(view_sync(w->v, may_expunge, &d), 0);
	assert_false(d.folder_gone);
	assert_true(may_expunge || d.ngone == 0);
	for (size_t i = 0; i < d.ngone; i++) {
		size_t at = d.gone[i].seq - 1;

		assert_true(at < w->n);
		assert_int_equal(w->uid[at], d.gone[i].uid);
		assert_null(find(w->f, d.gone[i].uid));
		memmove(w->uid + at, w->uid + at + 1,
		    (w->n - at - 1) * sizeof(*w->uid));
		memmove(w->flags + at, w->flags + at + 1,
		    (w->n - at - 1) * sizeof(*w->flags));
		w->n--;
	}
	for (size_t i = 0; i < d.nchanged; i++) {
		assert_true(i == 0 || d.changed[i] > d.changed[i - 1]);
		assert_true(d.changed[i] <= w->n);
		told[d.changed[i] - 1] = true;
	}
	/* every flag that differs was told, or was this session's own */
	for (size_t i = 0; i < w->n; i++) {
		struct mmsg *p = find(w->f, w->uid[i]);

		if (p == NULL)
			continue; /* gone, but not told yet */
		if (told[i])
			w->flags[i] = p->flags;
		assert_int_equal(w->flags[i], p->flags);
	}
	for (size_t i = 0; i < w->f->n; i++) {
		if (w->n > 0 && w->f->m[i].uid <= w->uid[w->n - 1])
			continue;
		w->uid[w->n] = w->f->m[i].uid;
		w->flags[w->n++] = w->f->m[i].flags;
		fresh++;
	}
	assert_int_equal(d.more, fresh > 0);
	view_delta_fini(&d);
	assert_view(w);
}

static void
do_open(struct model *m, struct mview *w)
{
	view_close(&w->v);
	w->f = &m->f[rnd(m, 2)];
	assert_int_equal(
	    view_open(m->fx.s, 1, w->f->id, rnd(m, 2) == 0, &w->v), 0);
	w->n = w->f->n;
	for (size_t i = 0; i < w->n; i++) {
		w->uid[i] = w->f->m[i].uid;
		w->flags[i] = w->f->m[i].flags;
	}
	assert_int_equal(view_uidnext(w->v), w->f->uidnext);
	assert_view(w);
}

static void
check_status(struct model *m)
{
	struct folder_status st;

	for (unsigned i = 0; i < FOLDERS; i++) {
		struct mfolder *f = &m->f[i];
		uint32_t unseen = 0, deleted = 0;

		for (size_t k = 0; k < f->n; k++) {
			unseen += (f->m[k].flags & MSG_SEEN) == 0;
			deleted += (f->m[k].flags & MSG_DELETED) != 0;
		}
		assert_int_equal(folder_status_get(m->fx.s, f->id, &st), 0);
		assert_int_equal(st.messages, f->n);
		assert_int_equal(st.unseen, unseen);
		assert_int_equal(st.deleted, deleted);
		assert_int_equal(st.uidnext, f->uidnext);
	}
}

/* The messages themselves: meta and bytes. */
static void
check_bytes(struct model *m)
{
	struct mfolder *f = &m->f[rnd(m, FOLDERS)];
	struct msg_iter *it;
	struct msg_meta meta;
	char text[300];
	struct slice want;
	struct buf b;

	buf_init(&b, 10000);
	release_trash(m->fx.s);
	assert_int_equal(
	    msg_iter_open(m->fx.s, 1, f->id, NULL, 0, 1, MSG_WANT_META, &it),
	    0);
	for (size_t i = 0; i < f->n; i++) {
		assert_int_equal(msg_iter_next(it, &meta), 0);
		assert_int_equal(meta.uid, f->m[i].uid);
		want = mail_text(text, sizeof(text), f->m[i].number);
		assert_int_equal(meta.size, want.n);
		buf_clear(&b);
		assert_int_equal(msg_read(m->fx.s, &meta, 0, want.n, &b), 0);
		assert_true(slice_eq(buf_slice(&b), want));
	}
	assert_int_equal(msg_iter_next(it, &meta), ERR_NOTFOUND);
	msg_iter_close(&it);
	buf_fini(&b);
}

static void
random_changes(void **state)
{
	struct model *m = *state;

	do_open(m, &m->v[0]);
	do_open(m, &m->v[1]);
	for (unsigned step = 0; step < STEPS; step++) {
		struct mview *w = &m->v[rnd(m, 2)];

		switch (rnd(m, 16)) {
		case 0:
		case 1:
		case 2:
		case 3: do_deliver(m); break;
		case 4:
		case 5: do_flags(m, w); break;
		case 6: do_expunge(m); break;
		case 7: do_copy(m); break;
		case 8:
		case 9:
		case 10:
		case 11: do_sync(w, true); break;
		case 12:
		case 13:
		case 14: do_sync(w, false); break;
		default:
			if (rnd(m, 8) == 0)
				do_open(m, w);
			break;
		}
		if (step % 500 == 0) {
			check_status(m);
			check_bytes(m);
		}
		if (step % 2000 == 1999) {
			assert_store_sound(m->fx.s);
			view_close(&m->v[0].v);
			view_close(&m->v[1].v);
			fixture_reopen(&m->fx);
			do_open(m, &m->v[0]);
			do_open(m, &m->v[1]);
		}
	}
	check_status(m);
}

static void
recent(void **state)
{
	struct model *m = *state;
	struct view *a, *b, *ro;
	struct view_delta d;
	struct view_msg vm;
	uint64_t id = m->f[0].id;

	put_mails(m->fx.s, 1, id, 3);
	assert_int_equal(view_open(m->fx.s, 1, id, true, &ro), 0);
	assert_int_equal(view_recent(ro), 3); /* EXAMINE takes none */
	assert_int_equal(view_open(m->fx.s, 1, id, false, &a), 0);
	assert_int_equal(view_recent(a), 3);
	assert_int_equal(view_open(m->fx.s, 1, id, false, &b), 0);
	assert_int_equal(view_recent(b), 0);
	put_mails(m->fx.s, 1, id, 2);
	assert_int_equal(view_sync(a, true, &d), 0);
	assert_true(d.more);
	view_delta_fini(&d);
	assert_int_equal(view_recent(a), 5);
	view_get(a, 5, &vm);
	assert_true(vm.recent);
	view_close(&a);
	view_close(&b);
	view_close(&ro);
	assert_int_equal(view_open(m->fx.s, 1, id, false, &a), 0);
	assert_int_equal(view_recent(a), 0);
	view_close(&a);
}

static void
staleness(void **state)
{
	struct model *m = *state;
	uint64_t id = m->f[0].id;
	struct view *v;
	struct view_delta d;
	struct err e;
	uint32_t uid = 1;

	put_mails(m->fx.s, 1, id, 2);
	assert_int_equal(view_open(m->fx.s, 1, id, true, &v), 0);
	assert_false(view_stale(v));
	put_mails(m->fx.s, 1, id, 1);
	assert_true(view_stale(v));
	assert_int_equal(view_sync(v, true, &d), 0);
	view_delta_fini(&d);
	assert_false(view_stale(v));
	/* an expunge that may not be told leaves news behind */
	assert_int_equal(msg_expunge(m->fx.s, 1, id, &uid, 1, false, NULL), 0);
	assert_int_equal(view_sync(v, false, &d), 0);
	assert_int_equal(d.ngone, 0);
	view_delta_fini(&d);
	assert_int_equal(view_count(v), 3);
	assert_true(view_stale(v));
	assert_int_equal(view_sync(v, true, &d), 0);
	assert_int_equal(d.ngone, 1);
	assert_int_equal(d.gone[0].seq, 1);
	view_delta_fini(&d);
	assert_false(view_stale(v));
	view_close(&v);
	/* a folder that is deleted below a session */
	assert_int_equal(view_open(m->fx.s, 1, m->f[2].id, true, &v), 0);
	assert_int_equal(folder_delete(m->fx.s, 1, SLICE("Trash"), &e), 0);
	assert_true(view_stale(v));
	assert_int_equal(view_sync(v, true, &d), 0);
	assert_true(d.folder_gone);
	view_delta_fini(&d);
	view_close(&v);
	assert_int_equal(
	    view_open(m->fx.s, 1, m->f[2].id, true, &v), ERR_NOTFOUND);
	assert_null(v);
	/* another account's folder */
	assert_int_equal(view_open(m->fx.s, 2, id, true, &v), ERR_NOTFOUND);
}

static void
lookups(void **state)
{
	struct model *m = *state;
	uint32_t seen[] = { 1, 2, 3, 40 }, drop_uids[] = { 5, 33, 34 };
	uint64_t id = m->f[0].id, modseq;
	struct msg_change ch = { .uids = seen,
		.n = 4,
		.op = MSG_OP_ADD,
		.flags = MSG_SEEN,
		.unchanged_since = UINT64_MAX };
	struct view *v;
	uint32_t *uids;
	size_t n;

	assert_int_equal(view_open(m->fx.s, 1, id, true, &v), 0);
	assert_int_equal(view_count(v), 0);
	assert_int_equal(view_seq_from(v, 1), 1);
	assert_int_equal(view_seq(v, 1), 0);
	assert_int_equal(view_first_unseen(v), 0);
	modseq = view_modseq(v);
	assert_int_equal(modseq, 1);
	view_close(&v);
	put_mails(m->fx.s, 1, id, 100);
	assert_int_equal(msg_store_flags(m->fx.s, 1, id, &ch), 0);
	msg_change_fini(&ch);
	assert_int_equal(
	    msg_expunge(m->fx.s, 1, id, drop_uids, 3, false, NULL), 0);
	assert_int_equal(view_open(m->fx.s, 1, id, true, &v), 0);
	assert_int_equal(view_count(v), 97);
	assert_int_equal(view_first_unseen(v), 4);
	assert_int_equal(view_seq(v, 5), 0);
	assert_int_equal(view_seq_from(v, 5), 5);
	assert_int_equal(view_seq(v, 6), 5);
	assert_int_equal(view_seq_from(v, 33), 32);
	assert_int_equal(view_seq(v, 35), 32);
	assert_int_equal(view_seq(v, 100), 97);
	assert_int_equal(view_seq_from(v, 101), 98);
	assert_int_equal(view_seq_from(v, UINT32_MAX), 98);
	assert_int_equal(view_gone_since(v, modseq, &uids, &n), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(uids, drop_uids, sizeof(drop_uids));
	free(uids);
	assert_int_equal(view_gone_since(v, view_modseq(v), &uids, &n), 0);
	assert_int_equal(n, 0);
	free(uids);
	view_close(&v);
}

/* Another process delivers; its notice says which run to read. */
static void
other_process(void **state)
{
	struct model *m = *state;
	struct notify_event ev[8];
	struct view_delta d;
	struct pollfd fd = { .events = POLLIN };
	struct view *v;
	int go[2], status;
	char byte = 0;
	pid_t pid;
	size_t n;

	put_mails(m->fx.s, 1, m->f[0].id, 1000);
	store_close(&m->fx.s);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid >= 0);
	m->fx.s = fixture_open_as(&m->fx, STORE_DAEMON);
	if (pid == 0) {
		assert_int_equal(read(go[0], &byte, 1), 1);
		put_mails(m->fx.s, 1, m->f[0].id, 1);
		assert_int_equal(store_sync_now(m->fx.s), 0);
		store_close(&m->fx.s);
		_exit(0);
	}
	fd.fd = notify_listen(m->fx.s, NOTIFY_FOLDER);
	assert_true(fd.fd >= 0);
	assert_int_equal(view_open(m->fx.s, 1, m->f[0].id, true, &v), 0);
	assert_false(view_stale(v));
	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(poll(&fd, 1, 10000), 1);
	n = notify_read(m->fx.s, ev, PH_LEN(ev));
	assert_int_equal(n, 1);
	assert_true(ev[0].folder == m->f[0].id);
	assert_int_equal(ev[0].nruns, 1);
	assert_int_equal(ev[0].runs[0], 1001 / 32);
	assert_true(view_stale(v));
	assert_int_equal(view_sync(v, true, &d), 0);
	assert_true(d.more);
	view_delta_fini(&d);
	assert_int_equal(view_count(v), 1001);
	view_close(&v);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(go[0]);
	close(go[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    random_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(recent, setup, teardown),
		cmocka_unit_test_setup_teardown(staleness, setup, teardown),
		cmocka_unit_test_setup_teardown(lookups, setup, teardown),
		cmocka_unit_test_setup_teardown(other_process, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
