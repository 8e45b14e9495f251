#include "storage/fate.h"

#include "lib/base/num.h"
#include "storage/change.h"
#include "storage/folder_row.h"
#include "storage/msg.h"
#include "storage/note.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum {
	FORMAT = 1,
	KEY = 12,            /* u64 folder, u32 UID */
	ROW = 1 + 8 + 4 + 1, /* u64 account, u32 rows, u8 flags */
	BOUNCED = 1,
	DEFERRED = 2,
	CANCELLED = 4
};

static struct slice
key_of(char key[KEY], uint64_t folder, uint32_t uid)
{
	num_put64(key, folder);
	num_put32(key + 8, uid);
	return slice_of(key, KEY);
}

static int
put(struct db_txn *t, struct slice key, uint64_t account, uint32_t rows,
    uint8_t flags)
{
	char v[ROW];

	v[0] = FORMAT;
	num_put64(v + 1, account);
	num_put32(v + 9, rows);
	v[13] = (char)flags;
	return db_put(t, T_FATE, key, slice_of(v, sizeof(v)));
}

int
fate_put_txn(struct db_txn *t, uint64_t account, uint64_t folder, uint32_t uid,
    uint32_t rows)
{
	char key[KEY];

	return put(t, key_of(key, folder, uid), account, rows, 0);
}

static int
get(struct db_txn *t, struct slice key, bool rmw, struct fate *f)
{
	char v[ROW];
	size_t n;
	int rc = rmw ? db_get_rmw(t, T_FATE, key, v, sizeof(v), &n)
		     : db_get(t, T_FATE, key, v, sizeof(v), &n);

	if (rc != 0)
		return rc;
	if (n != ROW || v[0] != FORMAT)
		return ERR_CORRUPT;
	f->was_rows = num_get32(v + 9);
	f->was_flags = (uint8_t)v[13];
	return 0;
}

static int
look(struct db_txn *t, void *arg)
{
	struct fate *f = arg;
	char key[KEY];
	int rc = get(t, key_of(key, f->folder, f->uid), false, f);

	f->known = rc == 0;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
fate_read(struct store *s, struct fate *f)
{
	int64_t rows;
	int rc;

	f->known = f->stale = false;
	if (f->folder == 0)
		return 0;
	if ((rc = db_read(s->db, look, f)) != 0 || !f->known)
		return rc;
	rows = (int64_t)f->was_rows + f->rows;
	f->left = rows > 0 ? (uint32_t)rows : 0;
	f->flags = (uint8_t)(f->was_flags | (f->bounced ? BOUNCED : 0) |
			     (f->deferred ? DEFERRED : 0) |
			     (f->cancelled ? CANCELLED : 0));
	return 0;
}

/* Some of it gone wrong weighs more than the rest gone well. */
static const char *
word_of(uint8_t flags)
{
	if (flags & BOUNCED)
		return "$Bounced";
	return flags & CANCELLED ? "$Cancelled" : "$Delivered";
}

/* A folder without room for one more keyword shows less. */
static int
bits(struct db_txn *t, struct fate *f, const char *word, bool make,
    uint64_t *out)
{
	struct slice name = slice_str(word);
	int rc =
	    keyword_bits(t, f->folder, &f->kw, &name, 1, make, out, &f->made);

	return rc == ERR_LIMIT ? 0 : rc;
}

static int
mark_entry(struct db_txn *t, struct fate *f, uint64_t add, uint64_t del)
{
	uint32_t run = hot_run_of(f->uid), at;
	struct hot_run r;
	int rc = hot_load(t, f->folder, run, true, &r);

	if (rc != 0)
		return rc;
	at = hot_lower(r.bytes, r.n, f->uid);
	if (at == r.n || hot_uid(r.bytes, at) != f->uid)
		return 0;
	hot_get(r.bytes, at, &f->hot);
	if (((f->hot.keywords & ~del) | add) == f->hot.keywords)
		return 0;
	f->hot.keywords = (f->hot.keywords & ~del) | add;
	f->hot.modseq = ++f->row.st.highestmodseq;
	hot_set(r.bytes, at, &f->hot);
	f->marked = true;
	rc = hot_save(t, f->folder, run, &r);
	return rc == 0 ? folder_row_put(t, f->folder, &f->row) : rc;
}

/* Who has thrown the copy or its folder away does not want to know. */
int
fate_mark_txn(struct db_txn *t, struct fate *f, struct arena *a)
{
	uint64_t add = 0, del = 0;
	int rc;

	f->marked = false;
	f->made = 0;
	if (!f->known || (f->left != 0 && !(f->flags & DEFERRED)))
		return 0;
	rc = folder_row_get(t, f->folder, true, &f->row);
	if (rc == 0 && f->row.account != f->account)
		rc = ERR_NOTFOUND;
	if (rc == 0)
		rc = keyword_load(t, f->folder, a, &f->kw);
	if (rc == 0)
		rc = bits(t, f, "$Deferred", f->left != 0,
		    f->left != 0 ? &add : &del);
	if (rc == 0 && f->left == 0)
		rc = bits(t, f, word_of(f->flags), true, &add);
	if (rc == 0)
		rc = mark_entry(t, f, add, del);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
fate_txn(struct db_txn *t, struct fate *f)
{
	struct fate now = { 0 };
	char buf[KEY];
	struct slice key = key_of(buf, f->folder, f->uid);
	int rc;

	if (!f->known)
		return 0;
	rc = get(t, key, true, &now);
	f->stale = rc == ERR_NOTFOUND ||
		   (rc == 0 && (now.was_rows != f->was_rows ||
				   now.was_flags != f->was_flags));
	if (f->stale)
		return ERR_CONFLICT;
	if (rc != 0)
		return rc;
	return f->left == 0 ? db_del(t, T_FATE, key)
			    : put(t, key, f->account, f->left, f->flags);
}

void
fate_publish(struct store *s, const struct fate *f)
{
	struct notify_event ev;

	note_keywords(s, f->account, f->folder, &f->kw, f->made);
	if (!f->marked)
		return;
	note_flags(s, f->account, f->folder, &f->hot, 1);
	change_begin(
	    &ev, f->account, f->folder, f->hot.modseq - 1, f->hot.modseq);
	change_uid(&ev, f->uid);
	change_publish(s, &ev);
}
