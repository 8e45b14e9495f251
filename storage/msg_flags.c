#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/db/db_many.h"
#include "storage/change.h"
#include "storage/folder_row.h"
#include "storage/hot.h"
#include "storage/keyword.h"
#include "storage/msg.h"
#include "storage/note.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum { BATCH = 2048 };

/* One transaction's worth of a change. */
struct batch {
	uint64_t account, folder;
	const struct msg_change *ch;
	const uint32_t *uids;
	size_t n;
	/* results of the last run */
	struct arena arena;
	struct keywords kw;
	struct folder_row row;
	uint64_t bits, made;
	struct hot_entry changed[BATCH]; /* as they are now */
	size_t nchanged;
	uint32_t failed[BATCH];
	size_t nfailed;
};

static void
apply(const struct batch *b, const struct hot_entry *was, struct hot_entry *e)
{
	uint32_t fixed = b->ch->fixed;
	uint32_t flags = b->ch->flags & MSG_SYSTEM_FLAGS & ~fixed;

	*e = *was;
	switch (b->ch->op) {
	case MSG_OP_SET:
		e->flags = flags | (was->flags & fixed);
		if (!b->ch->fixed_keywords)
			e->keywords = b->bits;
		break;
	case MSG_OP_ADD:
		e->flags |= flags;
		e->keywords |= b->bits;
		break;
	case MSG_OP_DEL:
		e->flags &= ~flags;
		e->keywords &= ~b->bits;
		break;
	}
	e->modseq = b->row.st.highestmodseq + 1;
}

static void
recount(struct folder_row *row, uint32_t was, uint32_t now)
{
	row->st.unseen += ((now & MSG_SEEN) == 0) - ((was & MSG_SEEN) == 0);
	row->st.deleted +=
	    ((now & MSG_DELETED) != 0) - ((was & MSG_DELETED) != 0);
}

/* The wanted messages of one run. */
static bool
change_run(struct batch *b, struct hot_run *r, const uint32_t *uids, size_t n)
{
	struct hot_entry was, now;
	bool dirty = false;
	uint32_t at = 0;

	for (size_t i = 0; i < n; i++) {
		while (at < r->n && hot_uid(r->bytes, at) < uids[i])
			at++;
		if (at == r->n || hot_uid(r->bytes, at) != uids[i])
			continue;
		hot_get(r->bytes, at, &was);
		if (was.modseq > b->ch->unchanged_since) {
			b->failed[b->nfailed++] = was.uid;
			continue;
		}
		apply(b, &was, &now);
		if (was.flags == now.flags && was.keywords == now.keywords)
			continue;
		hot_set(r->bytes, at, &now);
		recount(&b->row, was.flags, now.flags);
		b->changed[b->nchanged++] = now;
		dirty = true;
	}
	return dirty;
}

static int
change_hot(struct db_txn *t, struct batch *b)
{
	struct db_edit *e;
	struct hot_run r;
	int rc = db_edit_init(t, T_HOT, DB_NEAR, &e);

	for (size_t i = 0, k; rc == 0 && i < b->n; i = k) {
		uint32_t run = hot_run_of(b->uids[i]);

		for (k = i + 1; k < b->n && hot_run_of(b->uids[k]) == run; k++)
			;
		rc = hot_load_at(e, b->folder, run, &r);
		if (rc == 0 && change_run(b, &r, b->uids + i, k - i))
			rc = hot_resave(e, &r);
	}
	db_edit_fini(&e);
	return rc;
}

/* New keywords get a bit only when they are to be set. */
static int
find_bits(struct db_txn *t, struct batch *b)
{
	const struct msg_change *ch = b->ch;
	int rc;

	b->bits = b->made = 0;
	if (ch->nkeywords == 0 || ch->fixed_keywords)
		return 0;
	arena_clear(&b->arena);
	if ((rc = keyword_load(t, b->folder, &b->arena, &b->kw)) != 0)
		return rc;
	return keyword_bits(t, b->folder, &b->kw, ch->keywords, ch->nkeywords,
	    ch->op != MSG_OP_DEL, &b->bits, &b->made);
}

static int
flags_txn(struct db_txn *t, void *arg)
{
	struct batch *b = arg;
	int rc;

	b->nchanged = b->nfailed = 0;
	if ((rc = folder_row_get(t, b->folder, true, &b->row)) != 0)
		return rc;
	if (b->row.account != b->account)
		return ERR_NOTFOUND;
	if ((rc = find_bits(t, b)) != 0 || (rc = change_hot(t, b)) != 0)
		return rc;
	if (b->nchanged == 0)
		return 0;
	b->row.st.highestmodseq++;
	return folder_row_put(t, b->folder, &b->row);
}

static void
publish(struct store *s, const struct batch *b)
{
	uint64_t modseq = b->row.st.highestmodseq;
	struct notify_event ev;

	note_keywords(s, b->account, b->folder, &b->kw, b->made);
	if (b->nchanged == 0)
		return;
	note_flags(s, b->account, b->folder, b->changed, b->nchanged);
	change_begin(&ev, b->account, b->folder, modseq - 1, modseq);
	for (size_t i = 0; i < b->nchanged; i++)
		change_uid(&ev, b->changed[i].uid);
	change_publish(s, &ev);
}

static void
collect(struct msg_change *ch, const struct batch *b)
{
	size_t n = ch->nchanged + b->nchanged;

	if (b->nchanged > 0) {
		ch->changed = xrealloc(ch->changed, n * sizeof(*ch->changed));
		ch->modseqs = xrealloc(ch->modseqs, n * sizeof(*ch->modseqs));
		ch->modseq = b->row.st.highestmodseq;
	}
	for (size_t i = 0; i < b->nchanged; i++) {
		ch->changed[ch->nchanged] = b->changed[i].uid;
		ch->modseqs[ch->nchanged++] = b->changed[i].modseq;
	}
	if (b->nfailed == 0)
		return;
	n = ch->nfailed + b->nfailed;
	ch->failed = xrealloc(ch->failed, n * sizeof(*ch->failed));
	memcpy(ch->failed + ch->nfailed, b->failed,
	    b->nfailed * sizeof(*b->failed));
	ch->nfailed = n;
}

int
msg_store_flags(
    struct store *s, uint64_t account, uint64_t folder, struct msg_change *ch)
{
	struct batch *b = xmalloc(sizeof(*b));
	int rc = 0;

	ch->modseq = 0;
	ch->changed = ch->failed = NULL;
	ch->modseqs = NULL;
	ch->nchanged = ch->nfailed = 0;
	b->account = account;
	b->folder = folder;
	b->ch = ch;
	arena_init(&b->arena);
	for (size_t at = 0; at < ch->n; at += b->n) {
		b->uids = ch->uids + at;
		b->n = ch->n - at < BATCH ? ch->n - at : BATCH;
		if ((rc = db_update(s->db, flags_txn, b)) != 0)
			break;
		publish(s, b);
		collect(ch, b);
	}
	arena_clear(&b->arena);
	free(b);
	return rc;
}

void
msg_change_fini(struct msg_change *ch)
{
	free(ch->changed);
	free(ch->modseqs);
	free(ch->failed);
	ch->changed = ch->failed = NULL;
	ch->modseqs = NULL;
	ch->nchanged = ch->nfailed = 0;
}
