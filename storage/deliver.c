#include "storage/deliver.h"

#include <stdlib.h>
#include <string.h>

#include "lib/db/db_many.h"
#include "storage/body.h"
#include "storage/change.h"
#include "storage/deliver_plan.h"
#include "storage/entry.h"
#include "storage/fate.h"
#include "storage/flush.h"
#include "storage/generation.h"
#include "storage/known.h"
#include "storage/msg.h"
#include "storage/msg_expunge.h"
#include "storage/name_row.h"
#include "storage/note.h"
#include "storage/outbox.h"
#include "storage/queue_txn.h"
#include "storage/segment_row.h"
#include "storage/store_priv.h"
#include "storage/submit.h"
#include "storage/submit_txn.h"
#include "storage/tables.h"

enum { FATE_TRIES = 10 };

/* Asked before a large body is written; the transaction decides. */
static const uint64_t ask_first = 256 << 10;

static int
charge(struct db_txn *t, struct plan *p)
{
	size_t bad = 0;
	int rc = usage_charge_many(t, p->usage, p->nusage, &bad);

	for (size_t i = 0; rc != 0 && i < p->nitems; i++)
		if (p->items[i].t->account == p->usage[bad].account) {
			plan_blame(p, &p->items[i]);
			break;
		}
	for (size_t i = 0, k = 0; rc == 0 && i < p->nrows; i++) {
		while (p->usage[k].account != p->rows[i].account)
			k++;
		p->rows[i].msgid = p->usage[k].first_id++;
		p->rows[i].usage = &p->usage[k];
	}
	return rc;
}

static int
find_folders(struct db_txn *t, struct plan *p)
{
	uint64_t account = 0, inbox = 0;
	struct name_row row;
	int rc;

	for (size_t i = 0; i < p->nitems; i++) {
		struct plan_item *it = &p->items[i];

		it->folder = it->t->folder;
		if (it->folder != 0)
			continue;
		if (inbox == 0 || account != it->t->account) {
			account = it->t->account;
			rc = name_row_get(
			    t, account, SLICE("INBOX"), false, &row);
			if (rc == 0 && row.folder == 0)
				rc = ERR_NOTFOUND;
			if (rc != 0) {
				plan_blame(p, it);
				return rc;
			}
			inbox = row.folder;
		}
		it->folder = inbox;
	}
	plan_group_folders(p);
	return 0;
}

/* UIDs, MODSEQ and counts of one folder. */
static int
place(struct db_edit *e, struct plan *p, struct plan_folder *f)
{
	struct folder_status *st = &f->row.st;
	int rc;

	rc = folder_row_get_at(e, f->id, &f->row);
	if (rc == 0 && f->row.account != f->account)
		rc = ERR_NOTFOUND;
	if (rc == 0 && UINT32_MAX - st->uidnext <= f->n)
		rc = ERR_LIMIT;
	if (rc != 0)
		return rc;
	f->modseq_from = st->highestmodseq++;
	for (size_t i = 0; i < f->n; i++) {
		struct plan_item *it = p->by_folder[f->first + i];

		it->hot = (struct hot_entry){ .uid = st->uidnext++,
			.flags = it->t->flags & MSG_SYSTEM_FLAGS,
			.modseq = st->highestmodseq };
		folder_row_count(&f->row, it->hot.flags,
		    p->bodies[it->msg].size + it->t->prefix.n, 1);
	}
	return folder_row_put_at(e, &f->row);
}

static int
place_all(struct db_txn *t, struct plan *p)
{
	struct db_edit *e;
	int rc = db_edit_init(t, T_FOLDER, DB_FAR, &e);

	for (size_t i = 0; rc == 0 && i < p->nfolders; i++) {
		rc = place(e, p, &p->folders[i]);
		if (rc != 0)
			plan_blame(p, p->by_folder[p->folders[i].first]);
	}
	db_edit_fini(&e);
	return rc;
}

static int
set_keywords(struct db_txn *t, struct plan *p, struct plan_folder *f)
{
	bool loaded = false;
	int rc;

	for (size_t i = 0; i < f->n; i++) {
		struct plan_item *it = p->by_folder[f->first + i];

		if (it->t->nkeywords == 0)
			continue;
		if (!loaded) {
			rc = keyword_load(t, f->id, &p->scratch, &f->kw);
			if (rc != 0)
				return rc;
			loaded = true;
		}
		rc = keyword_bits(t, f->id, &f->kw, it->t->keywords,
		    it->t->nkeywords, true, &it->hot.keywords, &f->made);
		if (rc != 0) {
			plan_blame(p, it);
			return rc;
		}
	}
	return 0;
}

static int
put_hot(struct db_txn *t, struct plan *p)
{
	struct db_edit *e;
	int rc = db_edit_init(t, T_HOT, DB_FAR, &e);

	for (size_t i = 0; rc == 0 && i < p->nfolders; i++) {
		const struct plan_folder *f = &p->folders[i];

		for (size_t k = 0; k < f->n; k++)
			p->hot[k] = p->by_folder[f->first + k]->hot;
		rc = hot_append_at(e, f->id, p->hot, f->n);
	}
	db_edit_fini(&e);
	return rc;
}

static int
put_entry(struct db_edit *at, struct plan *p, const struct plan_item *it)
{
	struct entry e;

	e.internal_date = p->bodies[it->msg].internal_date;
	e.save_date = p->now;
	e.size = p->bodies[it->msg].size + it->t->prefix.n;
	e.msgid = p->rows[it->row].msgid;
	e.uidl_n = it->uidl.n;
	if (e.uidl_n > 0)
		memcpy(e.uidl, it->uidl.text, e.uidl_n);
	return entry_put_at(at, it->folder, it->hot.uid, &e);
}

/* Several for a folder lie side by side. */
static enum db_near
nearness(const struct plan *p)
{
	return p->nitems > p->nfolders ? DB_NEAR : DB_FAR;
}

static int
put_entries(struct db_txn *t, struct plan *p)
{
	struct db_edit *at;
	int rc = db_edit_init(t, T_ENTRY, nearness(p), &at);

	for (size_t i = 0; rc == 0 && i < p->nitems; i++)
		rc = put_entry(at, p, p->by_folder[i]);
	db_edit_fini(&at);
	return rc;
}

/* The unique-id that came along, or that the account's format makes. */
static int
claim_uidl(struct db_txn *t, struct plan *p, struct plan_item *it)
{
	const struct usage_item *u = p->rows[it->row].usage;
	struct uidl *id = &it->uidl;

	id->account = it->t->account;
	id->validity = p->folders[it->folder_at].row.st.uidvalidity;
	id->uid = it->hot.uid;
	id->n = (uint32_t)it->t->uidl.n;
	if (id->n != 0)
		memcpy(id->text, it->t->uidl.p, id->n);
	else if (u->uidl_n != 0)
		id->n = (uint32_t)uidl_render(slice_of(u->uidl, u->uidl_n),
		    id->validity, id->uid, id->text);
	return id->n != 0 ? uidl_claim(t, id) : 0;
}

static int
put_folders(struct db_txn *t, struct plan *p)
{
	int rc = place_all(t, p);

	for (size_t i = 0; rc == 0 && i < p->nfolders; i++)
		rc = set_keywords(t, p, &p->folders[i]);
	if (rc == 0)
		rc = put_hot(t, p);
	for (size_t i = 0; rc == 0 && i < p->nitems; i++)
		rc = claim_uidl(t, p, p->by_folder[i]);
	return rc != 0 ? rc : put_entries(t, p);
}

/* Most often they are in one segment, whose row then changes once. */
static int
put_bodies(struct db_txn *t, struct plan *p)
{
	const struct plan_body *last = NULL;
	struct db_edit *e;
	int64_t live = 0;
	int rc = db_edit_init(t, T_BODY, DB_NEAR, &e);

	for (size_t i = 0; rc == 0 && i < p->d->nmsgs; i++) {
		const struct plan_body *b = &p->bodies[i];

		if (b->references == 0)
			continue;
		if (p->d->msgs[i].body != 0) {
			rc = body_ref(t, b->loc.id, b->references);
			continue;
		}
		if (last != NULL && b->loc.segment != last->loc.segment) {
			rc = segment_row_live(t, last->loc.segment, live);
			live = 0;
		}
		if (rc == 0)
			rc = body_put_at(e, &b->loc, b->references, b->shared);
		live += (int64_t)b->loc.length;
		last = b;
	}
	db_edit_fini(&e);
	if (rc == 0 && last != NULL)
		rc = segment_row_live(t, last->loc.segment, live);
	return rc;
}

static int
put_messages(struct db_txn *t, struct plan *p)
{
	struct db_edit *at;
	int rc = db_edit_init(t, T_MESSAGE, nearness(p), &at);

	for (size_t i = 0; rc == 0 && i < p->nrows; i++) {
		const struct plan_row *r = &p->rows[i];

		rc = message_put_at(
		    at, r->account, r->msgid, r->record, r->references);
	}
	db_edit_fini(&at);
	return rc != 0 ? rc : put_bodies(t, p);
}

static int
cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* When the UIDs are known: where the rows' entries are. */
static void
place_box(const struct plan *p)
{
	const struct deliver_box *box = p->d->box;
	const struct plan_item *it;

	if (box == NULL || (it = plan_item_of(p, box->target)) == NULL)
		return;
	if (box->row != NULL) {
		box->row->box_folder = it->folder;
		box->row->box_uid = it->hot.uid;
		return;
	}
	for (size_t k = 0; k < p->d->msgs[0].nqueue; k++) {
		struct queue_row *row = &p->d->msgs[0].queue[k].row;

		row->box_folder = it->folder;
		row->box_uid = it->hot.uid;
	}
}

static int
hold_box(struct db_txn *t, const struct plan *p)
{
	const struct deliver_box *box = p->d->box;
	int rc = 0;

	if (box == NULL)
		return 0;
	if (box->row != NULL)
		return outbox_hold_txn(t, box->row);
	for (size_t k = 0; rc == 0 && k < p->d->msgs[0].nqueue; k++)
		rc = outbox_hold_txn(t, &p->d->msgs[0].queue[k].row);
	return rc;
}

/* What is taken from the queue gives its body back last, against the tables'
 * order: only the queue's row says which body it is. */
static int
change_queue(struct db_txn *t, struct plan *p)
{
	const struct deliver *d = p->d;
	uint64_t *lost, body;
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < d->nmsgs; i++)
		for (size_t k = 0; rc == 0 && k < d->msgs[i].nqueue; k++)
			rc = queue_put_txn(t, &d->msgs[i].queue[k].row);
	if (rc == 0)
		rc = hold_box(t, p);
	if (rc != 0 || d->nchanges == 0)
		return rc;
	lost = arena_alloc(&p->scratch, d->nchanges * sizeof(*lost));
	for (size_t i = 0; rc == 0 && i < d->nchanges; i++) {
		rc = queue_change_txn(t, &d->changes[i], &body);
		if (rc == 0 && body != 0)
			lost[n++] = body;
	}
	if (n > 1)
		qsort(lost, n, sizeof(*lost), cmp_u64);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = body_unref(t, lost[i], 1);
	return rc;
}

static int
look_gone(struct db_txn *t, const struct deliver_gone *g)
{
	bool wait;
	int rc = outbox_look_txn(t, g->account, g->folder, g->uid, &wait);

	return rc == ERR_NOTFOUND ? ERR_CONFLICT : rc;
}

/* Before anything else, so that the quota is asked about the difference.  The
 * account's usage row is the first that both lock. */
static int
take_gone(struct db_txn *t, struct plan *p)
{
	const struct deliver_gone *g = p->d->gone;
	bool last = true;
	int rc = 0;

	if (p->gone == NULL)
		return 0;
	p->gone->ntaken = 0;
	if (g->row != 0)
		rc = outbox_let_go_txn(
		    t, g->folder, g->uid, g->row, g->body, &last);
	if (rc == 0 && last)
		rc = expunge_txn(t, p->gone);
	else if (rc == 0 && !g->may_lack)
		return look_gone(t, g);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	if (g->recalled)
		return submit_recall_txn(t, p->now, g->account, g->body);
	return p->gone->ntaken == 0 && !g->may_lack ? ERR_CONFLICT : 0;
}

static int
mark_fate(struct db_txn *t, struct plan *p)
{
	return p->d->fate != NULL ? fate_mark_txn(t, p->d->fate, &p->scratch)
				  : 0;
}

static int
deliver_txn(struct db_txn *t, void *arg)
{
	struct plan *p = arg;
	int rc;

	arena_clear(&p->scratch);
	if ((rc = submit_begin(t, p)) != 0 || (rc = take_gone(t, p)) != 0 ||
	    (rc = charge(t, p)) != 0 || (rc = find_folders(t, p)) != 0 ||
	    (rc = mark_fate(t, p)) != 0 || (rc = put_folders(t, p)) != 0 ||
	    (rc = put_messages(t, p)) != 0)
		return rc;
	submit_place(p);
	place_box(p);
	if ((rc = change_queue(t, p)) != 0)
		return rc;
	if (p->d->fate != NULL && (rc = fate_txn(t, p->d->fate)) != 0)
		return rc;
	return submit_end(t, p);
}

static void
name_queue_rows(struct plan *p)
{
	for (size_t i = 0; i < p->d->nmsgs; i++)
		for (size_t k = 0; k < p->d->msgs[i].nqueue; k++) {
			struct queue_new *q = &p->d->msgs[i].queue[k];

			if (q->id == 0)
				q->id = store_new_id(p->store);
			q->row.id = q->id;
			q->row.body = p->bodies[i].loc.id;
			q->row.size = p->bodies[i].size;
		}
}

static void
note_item(struct plan *p, const struct plan_item *it)
{
	const struct plan_folder *f = &p->folders[it->folder_at];
	struct note_place n = { .account = f->account,
		.folder = f->id,
		.uidvalidity = f->row.st.uidvalidity,
		.hot = it->hot,
		.internal_date = p->bodies[it->msg].internal_date,
		.save_date = p->now,
		.msgid = p->rows[it->row].msgid,
		.body = p->bodies[it->msg].loc.id,
		.prefix = it->t->prefix,
		.uidl = slice_of(it->uidl.text, it->uidl.n),
		.keywords = &f->kw };

	note_place(p->store, &n);
}

static void
publish(struct plan *p)
{
	struct notify_event ev;

	if (p->gone != NULL)
		expunge_publish(p->store, p->gone);
	if (p->d->fate != NULL)
		fate_publish(p->store, p->d->fate);
	for (size_t i = 0; i < p->nfolders; i++) {
		const struct plan_folder *f = &p->folders[i];

		note_keywords(p->store, f->account, f->id, &f->kw, f->made);
		change_begin(&ev, f->account, f->id, f->modseq_from,
		    f->row.st.highestmodseq);
		for (size_t k = 0; k < f->n; k++) {
			struct plan_item *it = p->by_folder[f->first + k];

			it->t->uidvalidity = f->row.st.uidvalidity;
			it->t->uid = it->hot.uid;
			it->t->msgid = p->rows[it->row].msgid;
			note_item(p, it);
			change_uid(&ev, it->hot.uid);
		}
		change_publish(p->store, &ev);
	}
	for (size_t i = 0; i < p->d->nmsgs; i++)
		for (size_t k = 0; k < p->d->msgs[i].nqueue; k++) {
			const struct queue_new *q = &p->d->msgs[i].queue[k];

			if (!q->quiet)
				queue_notify(p->store, q->id, q->row.account);
		}
}

static int
ask_quota(struct plan *p)
{
	int rc;

	for (size_t i = 0; i < p->nitems; i++) {
		const struct plan_item *it = &p->items[i];
		uint64_t size = p->bodies[it->msg].size;

		if (size < ask_first || it->t->over_quota || p->gone != NULL)
			continue;
		rc = deliver_fits(p->store, it->t->account, size);
		if (rc != 0) {
			plan_blame(p, it);
			return rc;
		}
	}
	return 0;
}

static int
explain(struct err *e, int rc)
{
	switch (rc) {
	case ERR_QUOTA: return err_set(e, rc, "Mailbox is full");
	case ERR_NOTFOUND: return err_set(e, rc, "No such mailbox");
	case ERR_LIMIT: return err_set(e, rc, "Too many keywords or messages");
	case ERR_NOSPACE: return err_set(e, rc, "No space left on this host");
	case ERR_INVALID: return err_set(e, rc, "Not a keyword");
	case ERR_CONFLICT: return err_set(e, rc, "The message has gone");
	default: return err_set(e, rc, "Temporary failure of the store");
	}
}

static int
update(struct plan *p)
{
	struct fate *f = p->d->fate;
	int rc, tries = 0;

	do {
		rc = f != NULL ? fate_read(p->store, f) : 0;
		if (rc == 0)
			rc = db_update(p->store->db, deliver_txn, p);
	} while (rc == ERR_CONFLICT && f != NULL && f->stale &&
		 ++tries < FATE_TRIES);
	return rc;
}

int
deliver_ready(struct plan *p, struct store *s, struct deliver *d, struct err *e)
{
	int rc;

	if ((rc = plan_init(p, s, d, e)) != 0)
		return rc;
	if (d->nmsgs > 0 && !store_has_space(s))
		rc = ERR_NOSPACE;
	if (rc == 0)
		rc = ask_quota(p);
	if (rc == 0)
		rc = plan_write_bodies(p);
	if (rc != 0)
		return explain(e, rc);
	name_queue_rows(p);
	return 0;
}

int
deliver_commit(struct plan *p)
{
	int rc = update(p);

	if (rc != 0)
		return explain(p->e, rc);
	publish(p);
	return 0;
}

int
deliver(struct store *s, struct deliver *d, struct err *e)
{
	struct plan p;
	int rc;

	flusher_coming(s->flusher);
	if ((rc = deliver_ready(&p, s, d, e)) == 0)
		rc = deliver_commit(&p);
	plan_fini(&p);
	flusher_came(s->flusher);
	return rc;
}

struct fits {
	uint64_t account, bytes, messages;
};

static int
room_txn(struct db_txn *t, void *arg)
{
	struct fits *f = arg;

	return usage_room(t, f->account, &f->bytes, &f->messages);
}

int
deliver_fits(struct store *s, uint64_t account, uint64_t bytes)
{
	struct fits f = { .account = account };
	uint64_t begun = generation_of(s, GENERATION_ACCOUNTS);
	int rc = db_read(s->db, room_txn, &f);

	if (rc != 0)
		return rc;
	known_room(s, begun, account, f.bytes, f.messages);
	return (bytes == 0 || bytes <= f.bytes) && f.messages >= 1 ? 0
								   : ERR_QUOTA;
}
