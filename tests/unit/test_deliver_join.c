/*
 * Deliveries that meet: they share a transaction, and yet each has its own
 * answer; nothing is lost or doubled when the shared one fails.
 */
#include "storage/deliver_join.h"

#include "tests/unit/store_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "storage/msg.h"
#include "storage/queue.h"
#include "storage/submit.h"

enum { MANY = 9, THREADS = 4, EACH = 150 };

struct scene;

/* One delivery, by a thread of its own. */
struct one {
	struct scene *sc;
	pthread_t th;
	char text[100];
	struct slice part;
	struct deliver_target t[2];
	struct deliver_msg m;
	struct deliver_join j;
	struct submit su;
	struct sending sending;
	struct queue_new q;
	struct queue_rcpt rcpt;
	unsigned told;
};

struct scene {
	struct store_fixture *f;
	struct one v[MANY];
	atomic_uint back, told;
	sem_t held, go;
};

static void
on_done(struct deliver_join *j)
{
	struct one *o = PH_CONTAINER(j, struct one, j);

	o->told++;
	atomic_fetch_add(&o->sc->told, 1);
}

static void
one_init(struct one *o, struct scene *sc, unsigned i, uint64_t account)
{
	*o = (struct one){ .sc = sc };
	(void)snprintf(o->text, sizeof(o->text),
	    "Subject: %u\r\nFrom: x@example.org\r\n\r\nbody of %u\r\n", i, i);
	o->part = slice_str(o->text);
	o->t[0].account = account;
	o->m = (struct deliver_msg){
		.parts = &o->part, .nparts = 1, .targets = o->t, .ntargets = 1
	};
	o->j.d = (struct deliver){ .msgs = &o->m, .nmsgs = 1 };
	o->j.done = on_done;
}

static void *
one_main(void *arg)
{
	struct one *o = arg;

	deliver_join(o->sc->f->s, &o->j, NULL);
	atomic_fetch_add(&o->sc->back, 1);
	return NULL;
}

/* Holds the row that every delivery to account 1 or its package changes. */
static int
hold_txn(struct db_txn *t, void *arg)
{
	struct scene *sc = arg;
	uint64_t id;
	int rc = usage_charge(t, 1, 0, 0, true, 1, &id);

	(void)sem_post(&sc->held);
	(void)sem_wait(&sc->go);
	return rc != 0 ? rc : ERR_LIMIT; /* undone */
}

static void *
hold_main(void *arg)
{
	struct scene *sc = arg;

	(void)!db_update(sc->f->s->db, hold_txn, sc);
	return NULL;
}

/* All of them at once: one thread is held up in the first's transaction, the
 * others have left theirs behind. */
static void
meet(struct scene *sc)
{
	pthread_t holder;

	(void)sem_init(&sc->held, 0, 0);
	(void)sem_init(&sc->go, 0, 0);
	pthread_create(&holder, NULL, hold_main, sc);
	(void)sem_wait(&sc->held);
	for (size_t i = 0; i < MANY; i++)
		pthread_create(&sc->v[i].th, NULL, one_main, &sc->v[i]);
	while (atomic_load(&sc->back) != MANY - 1)
		usleep(500);
	assert_int_equal(atomic_load(&sc->told), 0);
	(void)sem_post(&sc->go);
	pthread_join(holder, NULL);
	for (size_t i = 0; i < MANY; i++)
		pthread_join(sc->v[i].th, NULL);
	assert_int_equal(atomic_load(&sc->told), MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(sc->v[i].told, 1);
	(void)sem_destroy(&sc->held);
	(void)sem_destroy(&sc->go);
}

/* It is where its answer says. */
static void
assert_there(struct store_fixture *f, const struct one *o,
    const struct deliver_target *t)
{
	struct msg_meta m;
	struct arena a;
	struct buf b;

	arena_init(&a);
	buf_init(&b, 10000);
	assert_int_equal(o->j.rc, 0);
	assert_int_equal(msg_meta_get(f->s, t->account, f->inbox[t->account],
			     t->uid, &a, &m),
	    0);
	assert_int_equal(msg_read(f->s, &m, 0, SIZE_MAX, &b), 0);
	assert_slice(buf_slice(&b), o->text);
	buf_fini(&b);
	arena_clear(&a);
}

static uint32_t
messages(struct store_fixture *f, uint64_t account)
{
	struct folder_status st;

	assert_int_equal(folder_status_get(f->s, f->inbox[account], &st), 0);
	assert_int_equal(st.messages + 1, st.uidnext);
	return st.messages;
}

/* The first went alone, or some have come before it began. */
static void
assert_shared(struct store_fixture *f)
{
	uint64_t shared, deliveries;

	joiner_counts(f->s->joiner, &shared, &deliveries);
	assert_in_range(shared, 1, 2);
	assert_in_range(deliveries, MANY - 1, MANY);
}

static void
one_transaction(void **state)
{
	struct scene sc = { .f = *state };

	for (unsigned i = 0; i < MANY; i++)
		one_init(&sc.v[i], &sc, i, 1 + i % 2);
	/* and one to both */
	sc.v[MANY - 1].t[1].account = 2;
	sc.v[MANY - 1].m.ntargets = 2;
	meet(&sc);
	for (size_t i = 0; i < MANY; i++)
		for (size_t k = 0; k < sc.v[i].m.ntargets; k++)
			assert_there(sc.f, &sc.v[i], &sc.v[i].t[k]);
	assert_int_equal(messages(sc.f, 1), (MANY + 1) / 2);
	assert_int_equal(messages(sc.f, 2), MANY / 2 + 1);
	assert_shared(sc.f);
}

/* Account 2 has room for one more, and one has no folder to go to. */
static void
some_fail(void **state)
{
	struct scene sc = { .f = *state };
	struct fixture_limits few = { .account = 2, .l = { 0, 1 } };
	unsigned full = 0;

	assert_int_equal(db_update(sc.f->s->db, fixture_limit_txn, &few), 0);
	for (unsigned i = 0; i < MANY; i++)
		one_init(&sc.v[i], &sc, i, i < 3 ? 2 : 1);
	sc.v[5].t[0].folder = 4711;
	/* one for an account that is full is for no account */
	sc.v[6].t[1].account = 2;
	sc.v[6].m.ntargets = 2;
	meet(&sc);
	for (size_t i = 0; i < MANY; i++) {
		const struct one *o = &sc.v[i];

		if (i == 5)
			assert_int_equal(o->j.rc, ERR_NOTFOUND);
		else if (o->j.rc == ERR_QUOTA)
			full++;
		else
			for (size_t k = 0; k < o->m.ntargets; k++)
				assert_there(sc.f, o, &o->t[k]);
		if (i == 6 && o->j.rc != 0)
			assert_int_equal(o->j.d.bad_target, 1);
	}
	assert_int_equal(full, 3);
	assert_int_equal(messages(sc.f, 2), 1);
	assert_int_equal(messages(sc.f, 1), 4 + (sc.v[6].j.rc == 0));
}

/* From account 1 to account 2 and to another host, with a copy in the
 * sender's INBOX. */
static void
one_submits(struct one *o, unsigned i)
{
	char id[16];

	o->t[0].account = 2;
	o->t[1].account = 1;
	o->m.ntargets = 2;
	o->rcpt = (struct queue_rcpt){ .addr = SLICE("x@away.test") };
	o->q.row = (struct queue_row){ .account = 1,
		.sender = SLICE("x@example.org"),
		.msgid = SLICE("id"),
		.state = QUEUE_QUEUED,
		.created_at = 1000,
		.next_at = 1000,
		.expire_at = 2000,
		.rcpts = &o->rcpt,
		.nrcpts = 1 };
	o->m.queue = &o->q;
	o->m.nqueue = 1;
	o->su = (struct submit){
		.account = 1, .has_key = true, .id = 100 + i, .sent = &o->t[1]
	};
	(void)snprintf(id, sizeof(id), "%u@example.org", i);
	submit_hash_msgid(slice_str(id), o->su.msgid);
	memcpy(o->su.key, o->su.msgid, SUBMIT_KEY_LEN);
	o->j.d.submit = &o->su;
}

/* What is remembered of it, and where its row says the copy is. */
static void
assert_submitted(struct store_fixture *f, const struct one *o, unsigned i)
{
	struct queue_row row;
	struct arena a;
	uint32_t validity, uid;
	char id[16];

	(void)snprintf(id, sizeof(id), "%u@example.org", i);
	assert_int_equal(submit_find_sent(f->s, 1, f->inbox[1], slice_str(id),
			     &validity, &uid),
	    0);
	assert_int_equal(uid, o->t[1].uid);
	arena_init(&a);
	assert_int_equal(queue_get(f->s, o->q.id, &a, &row), 0);
	assert_int_equal(row.sent_folder, f->inbox[1]);
	assert_int_equal(row.sent_uid, uid);
	arena_clear(&a);
}

static void
submissions(void **state)
{
	struct scene sc = { .f = *state };

	for (unsigned i = 0; i < MANY; i++) {
		one_init(&sc.v[i], &sc, i, 1);
		one_submits(&sc.v[i], i);
	}
	meet(&sc);
	for (unsigned i = 0; i < MANY; i++) {
		assert_there(sc.f, &sc.v[i], &sc.v[i].t[0]);
		assert_submitted(sc.f, &sc.v[i], i);
	}
	assert_shared(sc.f);
}

/* One is sent twice, and two are more than their limit has room for: others
 * share a transaction with them, and have theirs. */
static void
some_submissions_fail(void **state)
{
	struct scene sc = { .f = *state };
	struct queue_counts counts;
	unsigned again = 0, over = 0;

	for (unsigned i = 0; i < MANY; i++) {
		struct one *o = &sc.v[i];

		one_init(o, &sc, i, 1);
		one_submits(o, i == 4 ? 3 : i);
		o->sending = (struct sending){ .account = 1,
			.levels = { { 'a', SLICE("x"),
			    { .messages_hour = 1 } } },
			.nlevels = 1,
			.now = 10000 };
		if (i >= 6)
			o->su.sending = &o->sending;
	}
	sc.v[4].su.id = 104;
	meet(&sc);
	for (unsigned i = 0; i < MANY; i++) {
		const struct one *o = &sc.v[i];

		if (o->j.rc == ERR_EXISTS) {
			assert_true(i == 3 || i == 4);
			assert_int_equal(o->su.first_id, i == 3 ? 104 : 103);
			again++;
		} else if (o->j.rc == ERR_LIMIT) {
			assert_true(i >= 6);
			assert_ptr_equal(o->sending.hit, o->sending.levels);
			over++;
		} else {
			assert_there(sc.f, o, &o->t[0]);
			assert_submitted(sc.f, o, i == 4 ? 3 : i);
		}
	}
	assert_int_equal(again, 1);
	assert_int_equal(over, 2);
	assert_int_equal(messages(sc.f, 1), MANY - 3);
	assert_int_equal(messages(sc.f, 2), MANY - 3);
	assert_int_equal(queue_count(sc.f->s, &counts), 0);
	assert_int_equal(counts.queued, MANY - 3);
}

static bool
one_comes(void)
{
	return true;
}

static bool
none_comes(void)
{
	return false;
}

static void
assert_counts(struct store_fixture *f, uint64_t shared, uint64_t deliveries)
{
	uint64_t s, d;

	joiner_counts(f->s->joiner, &s, &d);
	assert_int_equal(s, shared);
	assert_int_equal(d, deliveries);
}

/* While more is to come they wait: for one that is the last, for none, or for
 * as many as fit; and what cannot be delivered does not keep others waiting. */
static void
waits_for_more(void **state)
{
	struct scene sc = { .f = *state };
	struct one *bad = &sc.v[0], many[32];

	one_init(&sc.v[0], &sc, 0, 1);
	one_init(&sc.v[1], &sc, 1, 1);
	deliver_join(sc.f->s, &sc.v[0].j, one_comes);
	assert_int_equal(sc.told, 0);
	deliver_join(sc.f->s, &sc.v[1].j, none_comes);
	assert_int_equal(sc.told, 2);
	assert_counts(sc.f, 1, 2);
	one_init(&sc.v[2], &sc, 2, 1);
	deliver_join(sc.f->s, &sc.v[2].j, one_comes);
	deliver_join_go(sc.f->s, one_comes);
	assert_int_equal(sc.told, 2);
	one_init(bad, &sc, 0, 1);
	bad->t[0].uidl = SLICE("not a unique-id");
	deliver_join(sc.f->s, &bad->j, none_comes);
	assert_int_equal(sc.told, 4);
	assert_int_equal(bad->j.rc, ERR_INVALID);
	assert_there(sc.f, &sc.v[2], &sc.v[2].t[0]);
	for (unsigned i = 0; i < 32; i++) {
		assert_int_equal(sc.told, 4);
		one_init(&many[i], &sc, i, 1);
		deliver_join(sc.f->s, &many[i].j, one_comes);
	}
	assert_int_equal(sc.told, 4 + 32);
	assert_counts(sc.f, 2, 2 + 32);
	deliver_join_go(sc.f->s, NULL);
}

struct worker {
	struct scene sc;
	pthread_t th;
	unsigned base, bad;
};

static void *
worker_main(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < EACH; i++) {
		struct one o;

		one_init(&o, &w->sc, w->base + i, 1 + i % 2);
		deliver_join(w->sc.f->s, &o.j, NULL);
		while (atomic_load(&w->sc.told) != i + 1)
			sched_yield();
		w->bad += o.j.rc != 0 || o.told != 1 || o.t[0].uid == 0;
	}
	return NULL;
}

/* The fixture's end verifies the store. */
static void
many_threads(void **state)
{
	struct store_fixture *f = *state;
	struct worker w[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ .sc = { .f = f }, .base = i * EACH };
		pthread_create(&w[i].th, NULL, worker_main, &w[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(w[i].th, NULL);
		assert_int_equal(w[i].bad, 0);
	}
	assert_int_equal(messages(f, 1), THREADS * EACH / 2);
	assert_int_equal(messages(f, 2), THREADS * EACH / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(one_transaction),
		FIXTURE_TEST(some_fail),
		FIXTURE_TEST(submissions),
		FIXTURE_TEST(some_submissions_fail),
		FIXTURE_TEST(waits_for_more),
		FIXTURE_TEST(many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
