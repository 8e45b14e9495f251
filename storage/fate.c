#include "storage/fate.h"

#include "lib/base/log.h"
#include "lib/base/num.h"
#include "storage/msg.h"
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

int
fate_txn(struct db_txn *t, struct fate *f)
{
	char buf[KEY], v[ROW];
	struct slice key = key_of(buf, f->folder, f->uid);
	int64_t rows;
	size_t n;
	int rc;

	f->known = false;
	if (f->folder == 0)
		return 0;
	rc = db_get_rmw(t, T_FATE, key, v, sizeof(v), &n);
	if (rc != 0)
		return rc == ERR_NOTFOUND ? 0 : rc;
	if (n != ROW || v[0] != FORMAT)
		return ERR_CORRUPT;
	rows = (int64_t)num_get32(v + 9) + f->rows;
	f->known = true;
	f->over = rows <= 0;
	f->flags = (uint8_t)(v[13] | (f->bounced ? BOUNCED : 0) |
			     (f->deferred ? DEFERRED : 0) |
			     (f->cancelled ? CANCELLED : 0));
	return put(
	    t, key, num_get64(v + 1), f->over ? 0 : (uint32_t)rows, f->flags);
}

static int
change(struct store *s, const struct fate *f, enum msg_op op, const char *word)
{
	struct slice keyword = slice_str(word);
	struct msg_change ch = { .uids = &f->uid,
		.n = 1,
		.op = op,
		.keywords = &keyword,
		.nkeywords = 1,
		.unchanged_since = UINT64_MAX };
	int rc = msg_store_flags(s, f->account, f->folder, &ch);

	msg_change_fini(&ch);
	return rc;
}

static const char *
word_of(uint8_t flags)
{
	if (flags & BOUNCED)
		return "$Bounced";
	return flags & CANCELLED ? "$Cancelled" : "$Delivered";
}

static int
drop(struct db_txn *t, void *arg)
{
	const struct fate *f = arg;
	char key[KEY];
	int rc = db_del(t, T_FATE, key_of(key, f->folder, f->uid));

	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Who has thrown the copy away does not want to know. */
static int
tell(struct store *s, const struct fate *f)
{
	struct fate gone = *f;
	int rc = 0;

	if (!f->over)
		return f->flags & DEFERRED
			   ? change(s, f, MSG_OP_ADD, "$Deferred")
			   : 0;
	if (f->flags & DEFERRED)
		rc = change(s, f, MSG_OP_DEL, "$Deferred");
	if (rc == 0)
		rc = change(s, f, MSG_OP_ADD, word_of(f->flags));
	if (rc == 0 || rc == ERR_NOTFOUND)
		rc = db_update(s->db, drop, &gone);
	return rc;
}

void
fate_tell(struct store *s, const struct fate *f)
{
	int rc;

	if (!f->known)
		return;
	if ((rc = tell(s, f)) != 0 && rc != ERR_NOTFOUND)
		log_warn(NULL, "fate", "failed=%s", err_name(rc));
}

enum { SWEEP_MAX = 100 };

struct sweep {
	size_t most, n;
	struct fate v[SWEEP_MAX];
};

/* Those that hang on nothing any more. */
static int
look(struct db_txn *t, void *arg)
{
	struct sweep *w = arg;
	struct db_scan *scan = NULL;
	struct slice key, v;
	int rc;

	w->n = 0;
	rc = db_scan_init(t, T_FATE, SLICE(""), slice_of(NULL, 0), &scan);
	while (rc == 0 && w->n < w->most &&
	       (rc = db_scan_next(scan, &key, &v)) == 0) {
		if (key.n != KEY || v.n != ROW) {
			rc = ERR_CORRUPT;
			break;
		}
		if (num_get32(v.p + 9) == 0)
			w->v[w->n++] = (struct fate){
				.account = num_get64(v.p + 1),
				.folder = num_get64(key.p),
				.uid = num_get32(key.p + 8),
				.flags = (uint8_t)v.p[13],
				.known = true,
				.over = true,
			};
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
fate_sweep(struct store *s, size_t most)
{
	struct sweep w = { .most = most < SWEEP_MAX ? most : SWEEP_MAX };
	int rc = db_read(s->db, look, &w);

	for (size_t i = 0; rc == 0 && i < w.n; i++)
		fate_tell(s, &w.v[i]);
	return rc;
}
