#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/db/db_many.h"
#include "storage/body.h"
#include "storage/change.h"
#include "storage/entry.h"
#include "storage/folder_row.h"
#include "storage/gone.h"
#include "storage/keyword.h"
#include "storage/message.h"
#include "storage/msg.h"
#include "storage/note.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/take.h"
#include "storage/usage.h"

enum { BATCH = 10000 };

/* A message id that came from another account, and the one it has now. */
struct moved_id {
	uint64_t from, to, body;
	uint32_t references;
	struct slice record, prefix;
};

/* One transaction's worth. */
struct copy {
	uint64_t account, folder, to_account, to_folder;
	const uint32_t *uids;
	size_t n;
	bool remove;
	unsigned how; /* enum msg_copy_how */
	int64_t now;
	struct arena arena;
	/* results of the last run */
	struct taken *v;
	size_t nv;
	struct folder_row from, to; /* `from` unused when they are one */
	struct keywords from_kw, to_kw;
	uint64_t made, first_id;
	uint64_t from_modseq, to_modseq; /* before */
	uint32_t first_uid;
	struct hot_entry *hot;   /* in the target */
	struct uidl *uidls;      /* there; NULL: the usual ones */
	struct usage_item owner; /* of the target */
	struct moved_id *ids;
	size_t nids;
};

static bool
one_folder(const struct copy *c)
{
	return c->folder == c->to_folder;
}

static int
lock_usage(struct db_txn *t, struct copy *c)
{
	struct usage_item it[2] = { { .account = c->account, .over_ok = true },
		{ .account = c->to_account, .over_ok = true } };
	size_t n = c->account == c->to_account ? 1 : 2, bad;
	int rc;

	if (n == 2 && it[0].account > it[1].account) {
		it[0].account = c->to_account;
		it[1].account = c->account;
	}
	rc = usage_charge_many(t, it, n, &bad);
	c->owner = it[n == 2 && it[1].account == c->to_account];
	return rc;
}

static int
lock_folder(
    struct db_txn *t, uint64_t account, uint64_t folder, struct folder_row *row)
{
	int rc = folder_row_get(t, folder, true, row);

	return rc == 0 && row->account != account ? ERR_NOTFOUND : rc;
}

static int
lock_folders(struct db_txn *t, struct copy *c)
{
	int rc = 0;

	if (c->folder < c->to_folder)
		rc = lock_folder(t, c->account, c->folder, &c->from);
	if (rc == 0)
		rc = lock_folder(t, c->to_account, c->to_folder, &c->to);
	if (rc == 0 && c->folder > c->to_folder)
		rc = lock_folder(t, c->account, c->folder, &c->from);
	if (one_folder(c))
		c->from = c->to;
	c->from_modseq = c->from.st.highestmodseq;
	c->to_modseq = c->to.st.highestmodseq;
	return rc;
}

/* The target's bits for the source's keywords; what has no room there stays
 * behind, rather than the message. */
static int
map_keywords(struct db_txn *t, struct copy *c, uint64_t map[])
{
	struct slice name;
	uint64_t used = 0;
	int rc;

	for (size_t i = 0; i < c->nv; i++)
		used |= c->v[i].hot.keywords;
	if (c->how & MSG_COPY_NO_OTHERS)
		used = 0;
	memset(map, 0, FOLDER_KEYWORDS_MAX * sizeof(*map));
	if (used == 0)
		return 0;
	rc = keyword_load(t, c->folder, &c->arena, &c->from_kw);
	if (rc == 0)
		rc = keyword_load(t, c->to_folder, &c->arena, &c->to_kw);
	for (unsigned i = 0; rc == 0 && i < FOLDER_KEYWORDS_MAX; i++) {
		name = c->from_kw.name[i];
		if ((used >> i & 1) == 0 || name.p == NULL)
			continue;
		rc = keyword_bits(t, c->to_folder, &c->to_kw, &name, 1, true,
		    &map[i], &c->made);
		if (rc == ERR_LIMIT)
			rc = 0;
	}
	return rc;
}

static uint32_t
kept_flags(unsigned how)
{
	uint32_t flags = MSG_SYSTEM_FLAGS;

	if (how & MSG_COPY_NO_SEEN)
		flags &= ~(uint32_t)MSG_SEEN;
	if (how & MSG_COPY_NO_DELETED)
		flags &= ~(uint32_t)MSG_DELETED;
	if (how & MSG_COPY_NO_OTHERS)
		flags &= MSG_SEEN | MSG_DELETED;
	return flags;
}

static void
place(struct copy *c, const uint64_t map[])
{
	uint64_t modseq = c->to.st.highestmodseq + 1;

	c->first_uid = c->to.st.uidnext;
	for (size_t i = 0; i < c->nv; i++) {
		struct hot_entry *e = &c->hot[i];

		e->uid = c->to.st.uidnext++;
		e->flags = c->v[i].hot.flags & kept_flags(c->how);
		e->keywords = 0;
		e->modseq = modseq;
		for (uint64_t left = c->v[i].hot.keywords; left != 0;
		     left &= left - 1)
			e->keywords |= map[__builtin_ctzll(left)];
	}
}

static int
cmp_id(const void *a, const void *b)
{
	const struct moved_id *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

/* That of c->v[i]; most often in the same place. */
static struct moved_id *
find_id(const struct copy *c, size_t i)
{
	struct moved_id key = { .from = c->v[i].msgid };

	if (i < c->nids && c->ids[i].from == key.from)
		return &c->ids[i];
	return bsearch(&key, c->ids, c->nids, sizeof(key), cmp_id);
}

/* The distinct message ids, rising, with how often they are named. */
static void
gather_ids(struct copy *c)
{
	bool rising = true;
	size_t n = 0;

	c->nids = 0;
	for (size_t i = 0; i < c->nv; i++) {
		rising =
		    rising && (i == 0 || c->v[i - 1].msgid <= c->v[i].msgid);
		c->ids[c->nids++] = (struct moved_id){ .from = c->v[i].msgid };
	}
	if (!rising)
		qsort(c->ids, c->nids, sizeof(*c->ids), cmp_id);
	for (size_t i = 0; i < c->nids; i++) {
		if (n == 0 || c->ids[n - 1].from != c->ids[i].from)
			c->ids[n++] = c->ids[i];
		c->ids[n - 1].references++;
	}
	c->nids = n;
}

/* A message without a sound entry cannot be copied. */
static void
drop_damaged(struct copy *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nv; i++)
		if (c->v[i].msgid != 0)
			c->v[n++] = c->v[i];
	c->nv = n;
}

static int
charge(struct db_txn *t, struct copy *c)
{
	bool same = c->account == c->to_account;
	int64_t bytes = 0, n = (int64_t)c->nv;
	struct usage_item it[2];
	size_t bad;
	int rc;

	for (size_t i = 0; i < c->nv; i++)
		bytes += (int64_t)c->v[i].size;
	if (same && c->remove)
		return 0;
	it[0] = (struct usage_item){ .account = c->to_account,
		.bytes = bytes,
		.messages = n,
		.take_ids = same ? 0 : (uint32_t)c->nids };
	if ((rc = usage_charge_many(t, it, 1, &bad)) != 0)
		return rc;
	c->first_id = it[0].first_id;
	if (!c->remove)
		return 0;
	it[1] = (struct usage_item){ .account = c->account,
		.bytes = -bytes,
		.messages = -n,
		.over_ok = true };
	return usage_charge_many(t, it + 1, 1, &bad);
}

/* With remove, those that leave do so in a second step, when it is known
 * which have a sound entry. */
static int
read_source(struct db_txn *t, struct copy *c)
{
	enum take_mode mode = c->remove ? TAKE_LOCK : TAKE_READ;
	int rc = take_hot(t, c->folder, c->uids, c->n, 0, mode, c->v, &c->nv);

	if (rc == 0)
		rc = take_entries(t, c->account, c->folder, mode, c->v, c->nv);
	drop_damaged(c);
	return rc;
}

static int
remove_source(struct db_txn *t, struct copy *c)
{
	uint32_t *uids = xmalloc(c->nv * sizeof(*uids) + 1);
	struct taken *v = xmalloc(c->nv * sizeof(*v) + 1);
	size_t n;
	int rc;

	for (size_t i = 0; i < c->nv; i++) {
		uids[i] = c->v[i].hot.uid;
		folder_row_count(one_folder(c) ? &c->to : &c->from,
		    c->v[i].hot.flags, c->v[i].size, -1);
	}
	rc = take_hot(t, c->folder, uids, c->nv, 0, TAKE_REMOVE, v, &n);
	if (rc == 0)
		rc = take_entries(t, c->account, c->folder, TAKE_REMOVE, v, n);
	if (rc == 0)
		rc = gone_put(t, c->folder, c->from_modseq + 1, uids, c->nv);
	free(v);
	free(uids);
	return rc;
}

/* A copy is a message of its own: its unique-id is new. */
static int
claim_uidls(struct db_txn *t, struct copy *c)
{
	struct slice format = slice_of(c->owner.uidl, c->owner.uidl_n);
	int rc = 0;

	c->uidls = NULL;
	if (format.n == 0)
		return 0;
	c->uidls = arena_alloc(&c->arena, (c->nv + 1) * sizeof(*c->uidls));
	for (size_t i = 0; rc == 0 && i < c->nv; i++) {
		struct uidl *u = &c->uidls[i];

		*u = (struct uidl){ .account = c->to_account,
			.validity = c->to.st.uidvalidity,
			.uid = c->hot[i].uid };
		u->n =
		    (uint32_t)uidl_render(format, u->validity, u->uid, u->text);
		rc = uidl_claim(t, u);
	}
	return rc;
}

static int
put_entries(struct db_txn *t, struct copy *c)
{
	struct entry e = { .save_date = c->now };
	struct db_edit *at = NULL;
	int rc = hot_append(t, c->to_folder, c->hot, c->nv);

	if (rc == 0)
		rc = claim_uidls(t, c);
	if (rc == 0)
		rc = db_edit_init(t, T_ENTRY, DB_NEAR, &at);
	for (size_t i = 0; rc == 0 && i < c->nv; i++) {
		const struct moved_id *id = find_id(c, i);

		e.internal_date = c->v[i].internal_date;
		e.size = c->v[i].size;
		e.msgid = id->to;
		e.uidl_n = c->uidls != NULL ? c->uidls[i].n : 0;
		if (e.uidl_n != 0)
			memcpy(e.uidl, c->uidls[i].text, e.uidl_n);
		folder_row_count(&c->to, c->hot[i].flags, e.size, 1);
		rc = entry_put_at(at, c->to_folder, c->hot[i].uid, &e);
	}
	db_edit_fini(&at);
	return rc;
}

/* Within an account a copy is one reference more. */
static int
share_messages(struct db_txn *t, struct copy *c)
{
	struct db_edit *e;
	uint64_t body;
	int rc;

	if (c->remove)
		return 0;
	rc = db_edit_init(t, T_MESSAGE, DB_NEAR, &e);
	for (size_t i = 0; rc == 0 && i < c->nids; i++)
		rc = message_ref_at(
		    e, c->account, c->ids[i].from, c->ids[i].references, &body);
	db_edit_fini(&e);
	return rc;
}

static int
cmp_body(const void *a, const void *b)
{
	const struct moved_id *x = a, *y = b;

	return (x->body > y->body) - (x->body < y->body);
}

/* Another account gets records of its own for the same bodies. */
static int
clone_messages(struct db_txn *t, struct copy *c)
{
	struct message m;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->nids; i++) {
		struct moved_id *id = &c->ids[i];

		rc = message_load(
		    t, c->account, id->from, &c->arena, &id->record);
		if (rc == 0 && (rc = message_decode(id->record, &m)) == 0) {
			id->body = m.body;
			id->prefix = m.prefix;
		}
	}
	for (size_t i = 0; rc == 0 && i < c->nids; i++)
		rc = message_put(t, c->to_account, c->ids[i].to,
		    c->ids[i].record, c->ids[i].references);
	if (rc != 0 || c->nids == 0)
		return rc;
	qsort(c->ids, c->nids, sizeof(*c->ids), cmp_body);
	for (size_t i = 0; rc == 0 && i < c->nids; i++)
		rc = body_ref(t, c->ids[i].body, 1);
	qsort(c->ids, c->nids, sizeof(*c->ids), cmp_id);
	return rc == 0 && c->remove ? take_release(t, c->account, c->v, c->nv)
				    : rc;
}

static int
put_folders(struct db_txn *t, struct copy *c)
{
	int rc;

	c->to.st.highestmodseq = c->to_modseq + 1;
	if ((rc = folder_row_put(t, c->to_folder, &c->to)) != 0)
		return rc;
	if (!c->remove || one_folder(c))
		return 0;
	c->from.st.highestmodseq = c->from_modseq + 1;
	return folder_row_put(t, c->folder, &c->from);
}

static int
copy_txn(struct db_txn *t, void *arg)
{
	uint64_t map[FOLDER_KEYWORDS_MAX];
	struct copy *c = arg;
	int rc;

	arena_clear(&c->arena);
	c->nv = 0;
	c->made = 0;
	if ((rc = lock_usage(t, c)) != 0 || (rc = lock_folders(t, c)) != 0 ||
	    (rc = read_source(t, c)) != 0 || c->nv == 0)
		return rc;
	gather_ids(c);
	if ((rc = charge(t, c)) != 0 || (rc = map_keywords(t, c, map)) != 0)
		return rc;
	for (size_t i = 0; i < c->nids; i++)
		c->ids[i].to = c->account == c->to_account ? c->ids[i].from
							   : c->first_id + i;
	if (UINT32_MAX - c->to.st.uidnext <= c->nv)
		return ERR_LIMIT;
	place(c, map);
	if (c->remove && (rc = remove_source(t, c)) != 0)
		return rc;
	if ((rc = put_entries(t, c)) != 0)
		return rc;
	if (c->account == c->to_account)
		rc = share_messages(t, c);
	else
		rc = clone_messages(t, c);
	if (rc == ERR_NOTFOUND)
		rc = ERR_CORRUPT; /* an entry without its message */
	return rc != 0 ? rc : put_folders(t, c);
}

static void
note_target(struct store *s, struct copy *c)
{
	struct note_place p = { .account = c->to_account,
		.folder = c->to_folder,
		.uidvalidity = c->to.st.uidvalidity,
		.save_date = c->now,
		.keywords = &c->to_kw };
	struct note_places notes;

	note_keywords(s, c->to_account, c->to_folder, &c->to_kw, c->made);
	note_places_begin(&notes, s, &p);
	for (size_t i = 0; i < c->nv; i++) {
		const struct moved_id *id = find_id(c, i);

		p.hot = c->hot[i];
		p.internal_date = c->v[i].internal_date;
		p.msgid = id->to;
		/* none: those of the message id */
		p.body = id->body;
		p.prefix = id->prefix;
		if (c->uidls != NULL)
			p.uidl = slice_of(c->uidls[i].text, c->uidls[i].n);
		note_places_add(&notes, &p);
	}
	note_places_end(&notes);
}

static void
publish(struct store *s, struct copy *c)
{
	uint32_t *uids = xmalloc(c->nv * sizeof(*uids) + 1);
	struct notify_event ev;

	for (size_t i = 0; i < c->nv; i++)
		uids[i] = c->v[i].hot.uid;
	note_target(s, c);
	if (c->remove)
		note_gone(
		    s, c->account, c->folder, c->from_modseq + 1, uids, c->nv);
	change_begin(
	    &ev, c->to_account, c->to_folder, c->to_modseq, c->to_modseq + 1);
	for (size_t i = 0; i < c->nv; i++) {
		change_uid(&ev, c->hot[i].uid);
		if (c->remove && one_folder(c))
			change_uid(&ev, uids[i]);
	}
	change_publish(s, &ev);
	if (c->remove && !one_folder(c)) {
		change_begin(&ev, c->account, c->folder, c->from_modseq,
		    c->from_modseq + 1);
		for (size_t i = 0; i < c->nv; i++)
			change_uid(&ev, uids[i]);
		change_publish(s, &ev);
	}
	free(uids);
}

static void
collect(struct msg_copied *out, const struct copy *c)
{
	size_t n = out->n + c->nv;

	out->uidvalidity = c->to.st.uidvalidity;
	if (c->nv == 0)
		return;
	out->from = xrealloc(out->from, n * sizeof(*out->from));
	out->to = xrealloc(out->to, n * sizeof(*out->to));
	for (size_t i = 0; i < c->nv; i++) {
		out->from[out->n] = c->v[i].hot.uid;
		out->to[out->n++] = c->hot[i].uid;
	}
}

static void
copy_init(struct copy *c, size_t most)
{
	arena_init(&c->arena);
	c->now = clock_wall_sec();
	c->v = xcalloc(most, sizeof(*c->v));
	c->hot = xcalloc(most, sizeof(*c->hot));
	c->ids = xcalloc(most, sizeof(*c->ids));
}

static void
copy_fini(struct copy *c)
{
	arena_clear(&c->arena);
	free(c->v);
	free(c->hot);
	free(c->ids);
}

int
msg_copy(struct store *s, uint64_t account, uint64_t folder,
    const uint32_t *uids, size_t n, uint64_t to_account, uint64_t to_folder,
    unsigned how, struct msg_copied *out)
{
	struct copy c = { .account = account,
		.folder = folder,
		.to_account = to_account,
		.to_folder = to_folder,
		.remove = (how & MSG_MOVE) != 0,
		.how = how };
	int rc = 0;

	*out = (struct msg_copied){ 0 };
	copy_init(&c, n < BATCH ? n + 1 : BATCH);
	for (size_t at = 0; at < n || at == 0; at += BATCH) {
		c.uids = uids + at;
		c.n = n - at < BATCH ? n - at : BATCH;
		if ((rc = db_update(s->db, copy_txn, &c)) != 0)
			break;
		collect(out, &c);
		if (c.nv > 0)
			publish(s, &c);
	}
	copy_fini(&c);
	return rc;
}

void
msg_copied_fini(struct msg_copied *c)
{
	free(c->from);
	free(c->to);
	*c = (struct msg_copied){ 0 };
}
