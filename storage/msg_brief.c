#include "lib/base/num.h"
#include "storage/entries.h"
#include "storage/entry.h"
#include "storage/folder_row.h"
#include "storage/msg.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

struct briefs {
	uint64_t account, folder;
	uint32_t from;
	struct arena *a;
	struct msg_brief *v;
	size_t cap, n;
	struct entries *entries; /* what is read is remembered there */
};

enum { SIZES_AT_ONCE = 250 };

static int
scan_txn(struct db_txn *t, struct briefs *b)
{
	uint8_t from[ENTRY_KEY], to[ENTRY_KEY];
	struct db_scan *scan = NULL;
	struct slice key, value;
	struct entry e;
	int rc;

	entry_key(from, b->folder, b->from);
	entry_key(to, b->folder + 1, 0);
	rc = db_scan_init(t, T_ENTRY, slice_of(from, sizeof(from)),
	    slice_of(to, sizeof(to)), &scan);
	while (rc == 0 && b->n < b->cap &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		struct msg_brief *m = &b->v[b->n];

		m->uid = num_get32(key.p + 8);
		m->uidl = (struct slice){ NULL, 0 };
		if ((rc = entry_decode(value, &e)) != 0)
			break;
		m->size = e.size;
		if (e.uidl_n != 0)
			m->uidl = arena_copy(b->a, slice_of(e.uidl, e.uidl_n));
		entries_add(b->entries, b->account, m->uid, &e);
		b->n++;
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
briefs_txn(struct db_txn *t, void *arg)
{
	struct briefs *b = arg;
	struct folder_row row;
	int rc;

	b->n = 0;
	if ((rc = folder_row_get(t, b->folder, false, &row)) != 0)
		return rc;
	return row.account == b->account ? scan_txn(t, b) : ERR_NOTFOUND;
}

int
msg_briefs(struct store *s, uint64_t account, uint64_t folder, uint32_t from,
    struct arena *a, struct msg_brief *v, size_t cap, size_t *n_out)
{
	struct briefs b = { account, folder, from, a, v, cap, 0,
		entries_take(s, folder) };
	int rc = db_read(s->db, briefs_txn, &b);

	entries_give(s, &b.entries);
	*n_out = rc == 0 ? b.n : 0;
	return rc;
}

bool
msg_sizes(struct store *s, uint64_t account, uint64_t folder,
    struct msg_brief *v, size_t n)
{
	struct entries *e = entries_take(s, folder);
	struct entry_brief at[SIZES_AT_ONCE];
	uint32_t uids[SIZES_AT_ONCE];
	bool known = true;

	for (size_t i = 0, k; known && i < n; i += k) {
		for (k = 0; k < SIZES_AT_ONCE && i + k < n; k++)
			uids[k] = v[i + k].uid;
		known = entries_get(e, account, uids, k, at);
		for (size_t j = 0; known && j < k; j++)
			v[i + j].size = at[j].size;
	}
	entries_give(s, &e);
	return known;
}
