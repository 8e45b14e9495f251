#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "storage/folder_row.h"
#include "storage/message.h"
#include "storage/msg_load.h"
#include "storage/segment.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum {
	BATCH = 256,
	BATCH_FIRST = 64, /* until sizes are known */
	BATCH_LEAST = 8,
	BATCH_BYTES = 256 << 10, /* aimed at */
	BATCH_BYTES_MAX = 1 << 20,
	DENSE = 3 /* a scan may pass over so many for one it is for */
};

/* The record being put together from chunks. */
struct chunks {
	uint64_t msgid;
	unsigned next;
	struct buf b;
};

/* Where in the batch a message id is. */
struct where {
	uint64_t msgid;
	uint32_t at;
	bool loaded;
};

struct msg_iter {
	struct store *store;
	uint64_t account, folder;
	unsigned want;
	uint32_t *uids; /* NULL: all */
	size_t n;
	uint32_t next; /* the next UID to look at */
	size_t limit;  /* of the next batch */
	bool end;
	struct arena arena;
	uint32_t uidvalidity;
	struct entries *entries; /* NULL: UIDLs are wanted, they are not kept */
	bool remembered;         /* the batch is from there */
	struct entry_brief briefs[BATCH]; /* when remembered; then batch[] is
					   * filled only if meta is wanted */
	size_t first;                     /* its first one's place in uids[] */
	struct msg_meta batch[BATCH];
	bool gone[BATCH]; /* only when remembered */
	struct where where[BATCH];
	size_t at; /* where[] in front of it have been passed by a scan */
	size_t nbatch, cur;
	struct segment_ahead ahead;
};

static void
begin(struct msg_iter *it, const uint32_t *uids, size_t n, uint32_t from)
{
	free(it->uids);
	it->uids = NULL;
	it->n = n;
	if (uids != NULL) {
		it->uids = xmalloc(n * sizeof(*uids) + 1);
		if (n > 0)
			memcpy(it->uids, uids, n * sizeof(*uids));
	}
	it->next = from;
	it->end = it->remembered = false;
	it->nbatch = it->cur = 0;
}

int
msg_iter_open(struct store *s, uint64_t account, uint64_t folder,
    const uint32_t *uids, size_t n, uint32_t from, unsigned want,
    struct msg_iter **it_out)
{
	struct msg_iter *it = xmalloc(sizeof(*it));

	it->store = s;
	it->account = account;
	it->folder = folder;
	it->want = want;
	it->uids = NULL;
	begin(it, uids, n, from);
	it->limit = want & MSG_WANT_META ? BATCH_FIRST : BATCH;
	arena_init(&it->arena);
	it->entries = NULL;
	it->ahead = (struct segment_ahead){ 0 };
	if (uids != NULL && !(want & MSG_WANT_UIDL))
		it->entries = entries_take(s, folder);
	*it_out = it;
	return 0;
}

void
msg_iter_again(struct msg_iter *it, const uint32_t *uids, size_t n)
{
	begin(it, uids, n, 0);
}

void
msg_iter_close(struct msg_iter **itp)
{
	struct msg_iter *it = *itp;

	*itp = NULL;
	if (it == NULL)
		return;
	entries_give(it->store, &it->entries);
	segment_ahead_fini(&it->ahead);
	arena_clear(&it->arena);
	free(it->uids);
	free(it);
}

static void
add_entry(struct msg_iter *it, uint32_t uid, const struct entry *e)
{
	struct msg_meta *m = &it->batch[it->nbatch++];
	struct entry_brief brief = entry_brief(e);

	msg_load_brief(uid, &brief, m);
	if (it->want & MSG_WANT_UIDL)
		m->uidl = msg_load_uidl(&it->arena, it->uidvalidity, uid, e);
	else if (it->entries != NULL)
		entries_add(it->entries, it->account, uid, e);
}

/* Entries of UIDs first..last; with uids only those of uids[0..n). */
static int
scan_entries(struct db_txn *t, struct msg_iter *it, uint32_t first,
    uint32_t last, const uint32_t *uids, size_t n)
{
	uint8_t from[ENTRY_KEY], to[ENTRY_KEY];
	struct db_scan *scan = NULL;
	struct slice key, value;
	struct entry e;
	size_t i = 0;
	int rc;

	entry_key(from, it->folder, first);
	if (last == UINT32_MAX)
		entry_key(to, it->folder + 1, 0);
	else
		entry_key(to, it->folder, last + 1);
	rc = db_scan_init(t, T_ENTRY, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && it->nbatch < it->limit &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		uint32_t uid = num_get32(key.p + 8);

		while (i < n && uids[i] < uid)
			i++;
		if (uids != NULL && (i == n || uids[i] != uid))
			continue;
		if ((rc = entry_decode(value, &e)) == 0)
			add_entry(it, uid, &e);
	}
	db_scan_fini(&scan);
	return rc;
}

static int
get_entries(
    struct db_txn *t, struct msg_iter *it, const uint32_t *uids, size_t n)
{
	struct entry e;
	int rc;

	for (size_t i = 0; i < n; i++) {
		rc = entry_get(t, it->folder, uids[i], false, &e);
		if (rc == 0)
			add_entry(it, uids[i], &e);
		else if (rc != ERR_NOTFOUND)
			return rc;
	}
	return 0;
}

/* The first of uids[] that is >= it->next. */
static size_t
uids_at(const struct msg_iter *it)
{
	size_t lo = 0, hi = it->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (it->uids[mid] < it->next)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Sets it->next behind `uid`. */
static void
passed(struct msg_iter *it, uint32_t uid)
{
	it->next = uid + 1;
	if (uid == UINT32_MAX)
		it->end = true;
}

/* How many of uids[*at_out..] are the next batch; it is the last when no more
 * follow. */
static size_t
next_uids(struct msg_iter *it, size_t *at_out)
{
	size_t at = uids_at(it);
	size_t n = it->n - at < it->limit ? it->n - at : it->limit;

	if (at + n == it->n)
		it->end = true;
	*at_out = at;
	return n;
}

/* The next batch's entries, if this process knows them all. */
static bool
remember(struct msg_iter *it)
{
	size_t at, n;

	if (it->entries == NULL || it->end)
		return false;
	at = uids_at(it);
	n = it->n - at < it->limit ? it->n - at : it->limit;
	if (n == 0 || !entries_get(it->entries, it->account, it->uids + at, n,
			  it->briefs))
		return false;
	for (size_t i = 0; i < n && it->want & MSG_WANT_META; i++)
		msg_load_brief(it->uids[at + i], &it->briefs[i], &it->batch[i]);
	it->first = at;
	it->nbatch = n;
	(void)next_uids(it, &at);
	passed(it, it->uids[at + n - 1]);
	return true;
}

static int
load_entries(struct db_txn *t, struct msg_iter *it)
{
	const uint32_t *uids;
	size_t at, n;
	int rc;

	if (it->uids == NULL) {
		rc = scan_entries(t, it, it->next, UINT32_MAX, NULL, 0);
		if (rc == ERR_NOTFOUND)
			it->end = true;
		if (it->nbatch > 0)
			passed(it, it->batch[it->nbatch - 1].uid);
		return rc == ERR_NOTFOUND ? 0 : rc;
	}
	n = next_uids(it, &at);
	if (n == 0)
		return 0;
	uids = it->uids + at;
	if (uids[n - 1] - uids[0] < DENSE * n)
		rc = scan_entries(t, it, uids[0], uids[n - 1], uids, n);
	else
		rc = get_entries(t, it, uids, n);
	passed(it, uids[n - 1]);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
cmp_where(const void *a, const void *b)
{
	const struct where *x = a, *y = b;

	if (x->msgid != y->msgid)
		return x->msgid < y->msgid ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* The first of it->where with an id >= msgid; these rise. */
static size_t
where_at(struct msg_iter *it, uint64_t msgid)
{
	while (it->at < it->nbatch && it->where[it->at].msgid < msgid)
		it->at++;
	return it->at;
}

/* A whole record: for all of the batch that have this id. */
static int
loaded(
    struct db_txn *t, struct msg_iter *it, uint64_t msgid, struct slice record)
{
	size_t lo = where_at(it, msgid);
	int rc = 0;

	record = arena_copy(&it->arena, record);
	for (; rc == 0 && lo < it->nbatch && it->where[lo].msgid == msgid;
	     lo++) {
		rc = msg_load_record(
		    t, &it->arena, record, &it->batch[it->where[lo].at]);
		it->where[lo].loaded = true;
	}
	return rc;
}

static bool
is_wanted(struct msg_iter *it, uint64_t msgid)
{
	size_t at = where_at(it, msgid);

	return at < it->nbatch && it->where[at].msgid == msgid;
}

static int
take_chunk(struct db_txn *t, struct msg_iter *it, struct chunks *c,
    struct slice key, struct slice value)
{
	uint64_t msgid = num_get64(key.p + 8);
	unsigned chunk = (uint8_t)key.p[16];

	if (chunk == 0) {
		c->msgid = is_wanted(it, msgid) ? msgid : 0;
		c->next = 0;
		buf_clear(&c->b);
	}
	if (msgid != c->msgid || chunk != c->next || value.n < 1)
		return 0;
	c->next++;
	value = slice_from(value, 1);
	if (chunk == 0 && value.n < MESSAGE_CHUNK)
		return loaded(t, it, msgid, value);
	buf_add_slice(&c->b, value);
	return value.n < MESSAGE_CHUNK ? loaded(t, it, msgid, buf_slice(&c->b))
				       : 0;
}

static int
scan_messages(struct db_txn *t, struct msg_iter *it)
{
	uint8_t from[MESSAGE_KEY], to[MESSAGE_KEY];
	struct chunks c = { 0 };
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc;

	it->at = 0;
	buf_init(&c.b, MESSAGE_MAX + MESSAGE_CHUNK);
	message_key(from, it->account, it->where[0].msgid, 0);
	message_key(to, it->account, it->where[it->nbatch - 1].msgid + 1, 0);
	rc = db_scan_init(t, T_MESSAGE, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && it->arena.used < BATCH_BYTES_MAX &&
	       (rc = db_scan_next(scan, &key, &value)) == 0)
		if (key.n == MESSAGE_KEY)
			rc = take_chunk(t, it, &c, key, value);
	db_scan_fini(&scan);
	buf_fini(&c.b);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* A remembered entry may be of a message that has been expunged meanwhile. */
static int
get_message(struct db_txn *t, struct msg_iter *it, size_t i)
{
	struct msg_meta *m = &it->batch[i];
	struct entry e;
	int rc;

	if (it->remembered) {
		rc = entry_get(t, it->folder, m->uid, false, &e);
		it->gone[i] = rc == ERR_NOTFOUND;
		if (rc != 0)
			return it->gone[i] ? 0 : rc;
	}
	return msg_load_message(t, it->account, &it->arena, m);
}

static void
leave_out_gone(struct msg_iter *it)
{
	size_t n = 0;

	for (size_t i = 0; i < it->nbatch; i++)
		if (!it->gone[i])
			it->batch[n++] = it->batch[i];
	it->nbatch = n;
}

/* Reads singly what no scan has brought, and ends the batch when it has grown
 * large. */
static int
get_messages(struct db_txn *t, struct msg_iter *it)
{
	bool done[BATCH] = { false };
	int rc;

	for (size_t i = 0; i < it->nbatch; i++)
		if (it->where[i].loaded)
			done[it->where[i].at] = true;
	for (size_t i = 0; i < it->nbatch; i++) {
		if (done[i])
			continue;
		if (i > 0 && it->arena.used >= BATCH_BYTES_MAX) {
			it->nbatch = i;
			it->end = false;
			passed(it, it->batch[i - 1].uid);
			return 0;
		}
		if ((rc = get_message(t, it, i)) != 0)
			return rc;
	}
	return 0;
}

static int
load_messages(struct db_txn *t, struct msg_iter *it)
{
	size_t n = it->nbatch;
	bool rising = true;
	uint64_t span;
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t id = it->batch[i].msgid;

		it->where[i] = (struct where){ id, (uint32_t)i, false };
		rising = rising && (i == 0 || it->batch[i - 1].msgid <= id);
	}
	if (!rising)
		qsort(it->where, n, sizeof(*it->where), cmp_where);
	span = it->where[n - 1].msgid - it->where[0].msgid;
	if (n > 1 && span < DENSE * n)
		rc = scan_messages(t, it);
	return rc != 0 ? rc : get_messages(t, it);
}

static int
batch_txn(struct db_txn *t, void *arg)
{
	struct msg_iter *it = arg;
	struct folder_row row;
	int rc;

	if ((rc = folder_row_get(t, it->folder, false, &row)) != 0)
		return rc;
	if (row.account != it->account)
		return ERR_NOTFOUND;
	it->uidvalidity = row.st.uidvalidity;
	while (it->nbatch == 0 && !it->end)
		if ((rc = load_entries(t, it)) != 0)
			return rc;
	if (it->nbatch == 0 || !(it->want & MSG_WANT_META))
		return 0;
	return load_messages(t, it);
}

/* The next batch: from memory as far as it goes. */
static int
next_batch(struct msg_iter *it)
{
	int rc;

	arena_clear(&it->arena);
	it->nbatch = it->cur = 0;
	it->remembered = remember(it);
	if (it->remembered && !(it->want & MSG_WANT_META))
		return 0;
	memset(it->gone, 0, it->nbatch * sizeof(*it->gone));
	if ((rc = db_read(it->store->db, batch_txn, it)) != 0)
		return rc;
	if (it->remembered)
		leave_out_gone(it);
	return 0;
}

static void
adapt(struct msg_iter *it)
{
	size_t each;

	if (!(it->want & MSG_WANT_META) || it->nbatch == 0)
		return;
	each = it->arena.used / it->nbatch + 1;
	it->limit = BATCH_BYTES / each;
	if (it->limit > BATCH)
		it->limit = BATCH;
	if (it->limit < BATCH_LEAST)
		it->limit = BATCH_LEAST;
}

int
msg_iter_next(struct msg_iter *it, struct msg_meta *m_out)
{
	int rc;

	while (it->cur == it->nbatch) {
		if (it->end)
			return ERR_NOTFOUND;
		if ((rc = next_batch(it)) != 0)
			return rc;
		adapt(it);
		if (it->nbatch == 0 && !it->remembered)
			return ERR_NOTFOUND;
	}
	if (it->remembered && !(it->want & MSG_WANT_META))
		msg_load_brief(
		    it->uids[it->first + it->cur], &it->briefs[it->cur], m_out);
	else
		*m_out = it->batch[it->cur];
	it->cur++;
	m_out->ahead = &it->ahead;
	return 0;
}
