/*
 * A body whose bytes were lost in a power cut: nobody was told that they were
 * there.  Whoever lists its message is told now that it is gone.
 */
#include "storage/recover.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/entry.h"
#include "storage/folder_row.h"
#include "storage/message.h"
#include "storage/msg.h"
#include "storage/queue.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum { MESSAGE_BODY_AT = 5, QUEUE_AT_ONCE = 100 };

struct holder {
	uint64_t account, msgid;
};

struct place {
	uint64_t account, folder;
	uint32_t uid;
};

struct search {
	const uint64_t *bodies;
	size_t nbodies;
	struct holder *holders;
	size_t nholders, holders_cap;
	struct place *places;
	size_t nplaces, places_cap;
};

static bool
is_bad(const struct search *q, uint64_t body)
{
	for (size_t i = 0; i < q->nbodies; i++)
		if (q->bodies[i] == body)
			return true;
	return false;
}

static void
add_holder(struct search *q, uint64_t account, uint64_t msgid)
{
	q->holders = mem_grow(
	    q->holders, &q->holders_cap, q->nholders, sizeof(*q->holders));
	q->holders[q->nholders].account = account;
	q->holders[q->nholders++].msgid = msgid;
}

static int
each_row(struct db_txn *t, unsigned table, struct search *q,
    int (*fn)(struct db_txn *t, struct search *q, struct slice key,
	struct slice value))
{
	struct slice none = { NULL, 0 }, key, value;
	struct db_scan *scan;
	int rc;

	if ((rc = db_scan_init(t, table, none, none, &scan)) != 0)
		return rc;
	while ((rc = db_scan_next(scan, &key, &value)) == 0)
		if ((rc = fn(t, q, key, value)) != 0)
			break;
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* The first chunk has the body id: format, references, body. */
static int
see_message(
    struct db_txn *t, struct search *q, struct slice key, struct slice value)
{
	(void)t;
	if (key.n != MESSAGE_KEY || key.p[MESSAGE_KEY - 1] != 0 ||
	    value.n < MESSAGE_BODY_AT + 8)
		return 0;
	if (is_bad(q, num_get64(value.p + MESSAGE_BODY_AT)))
		add_holder(q, num_get64(key.p), num_get64(key.p + 8));
	return 0;
}

static bool
is_held(const struct search *q, uint64_t msgid)
{
	for (size_t i = 0; i < q->nholders; i++)
		if (q->holders[i].msgid == msgid)
			return true;
	return false;
}

static int
see_entry(
    struct db_txn *t, struct search *q, struct slice key, struct slice value)
{
	struct folder_row row;
	struct place *p;
	struct entry e;
	int rc;

	if (key.n != ENTRY_KEY || entry_decode(value, &e) != 0 ||
	    !is_held(q, e.msgid))
		return 0;
	rc = folder_row_get(t, num_get64(key.p), false, &row);
	if (rc != 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	for (size_t i = 0; i < q->nholders; i++) {
		if (q->holders[i].msgid != e.msgid ||
		    q->holders[i].account != row.account)
			continue;
		q->places = mem_grow(
		    q->places, &q->places_cap, q->nplaces, sizeof(*q->places));
		p = &q->places[q->nplaces++];
		p->account = row.account;
		p->folder = num_get64(key.p);
		p->uid = num_get32(key.p + 8);
		break;
	}
	return 0;
}

static int
find(struct db_txn *t, void *arg)
{
	struct search *q = arg;
	int rc;

	q->nholders = q->nplaces = 0;
	if ((rc = each_row(t, T_MESSAGE, q, see_message)) != 0)
		return rc;
	return q->nholders == 0 ? 0 : each_row(t, T_ENTRY, q, see_entry);
}

static int
drop_rows(
    struct store *s, const struct search *q, struct queue_row *rows, size_t n)
{
	struct queue_change ch;
	int rc;

	for (size_t i = 0; i < n; i++) {
		if (!is_bad(q, rows[i].body))
			continue;
		memset(&ch, 0, sizeof(ch));
		ch.id = rows[i].id;
		if ((rc = queue_change(s, &ch, 1)) != 0)
			return rc;
		log_warn(NULL, "queue-lost", "id=%llx",
		    (unsigned long long)rows[i].id);
	}
	return 0;
}

static int
drop_queued(struct store *s, const struct search *q)
{
	struct queue_row *rows = xcalloc(QUEUE_AT_ONCE, sizeof(*rows));
	struct arena a;
	uint64_t after = 0;
	size_t n = QUEUE_AT_ONCE;
	int rc = 0;

	arena_init(&a);
	while (rc == 0 && n == QUEUE_AT_ONCE) {
		arena_clear(&a);
		rc = queue_list(s, after, &a, rows, QUEUE_AT_ONCE, &n);
		if (rc != 0 || n == 0)
			break;
		after = rows[n - 1].id;
		rc = drop_rows(s, q, rows, n);
	}
	arena_clear(&a);
	free(rows);
	return rc;
}

int
recover_bad(struct store *s, const uint64_t *bodies, size_t n)
{
	struct search q = { .bodies = bodies, .nbodies = n };
	size_t gone;
	int rc = db_read(s->db, find, &q);

	for (size_t i = 0; rc == 0 && i < q.nplaces; i++) {
		const struct place *p = &q.places[i];

		rc = msg_expunge(
		    s, p->account, p->folder, &p->uid, 1, false, &gone);
		log_warn(NULL, "message-lost",
		    "account=%llu folder=%llu uid=%u err=%s",
		    (unsigned long long)p->account,
		    (unsigned long long)p->folder, p->uid, err_name(rc));
		if (rc == ERR_NOTFOUND)
			rc = 0;
	}
	if (rc == 0)
		rc = drop_queued(s, &q);
	free(q.holders);
	free(q.places);
	return rc;
}
