#include "lib/base/num.h"
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
};

static int
scan_txn(struct db_txn *t, struct briefs *b)
{
	uint8_t from[ENTRY_KEY], to[ENTRY_KEY];
	struct db_scan *scan = NULL;
	struct slice key, value, uidl;
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
		rc = entry_decode_brief(value, &m->size, &uidl);
		if (rc == 0 && uidl.n != 0)
			m->uidl = arena_copy(b->a, uidl);
		b->n += rc == 0;
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
	struct briefs b = { account, folder, from, a, v, cap, 0 };
	int rc = db_read(s->db, briefs_txn, &b);

	*n_out = rc == 0 ? b.n : 0;
	return rc;
}
