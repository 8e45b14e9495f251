#include "storage/submit.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "lib/crypt/crypt.h"
#include "storage/entry.h"
#include "storage/fate.h"
#include "storage/folder_row.h"
#include "storage/store_priv.h"
#include "storage/submit_txn.h"
#include "storage/tables.h"

enum {
	FORMAT = 1,
	KIND_KEY = 'k',
	KIND_COPY = 'm',
	KIND_RECALL = 'r',
	KEY = 4 + 1 + 8 + SUBMIT_KEY_LEN,
	ID_ROW = 1 + 8 + 8,
	COPY_ROW = 1 + 8 + 4 + 4
};

/* u32 hour, u8 kind, u64 account, hash: what is old stands in front. */
static struct slice
key_of(char key[KEY], int64_t now, char kind, uint64_t account,
    const uint8_t hash[SUBMIT_KEY_LEN])
{
	num_put32(key, (uint32_t)(now / SUBMIT_REMEMBER_SEC));
	key[4] = kind;
	num_put64(key + 5, account);
	memcpy(key + 13, hash, SUBMIT_KEY_LEN);
	return slice_of(key, KEY);
}

void
submit_hash_msgid(struct slice msgid, uint8_t out[SUBMIT_KEY_LEN])
{
	uint8_t all[SHA256_LEN];

	crypt_sha256(msgid, all);
	memcpy(out, all, SUBMIT_KEY_LEN);
}

int
submit_cmp(const struct submit *a, const struct submit *b)
{
	if (a->account != b->account)
		return a->account < b->account ? -1 : 1;
	return memcmp(a->key, b->key, SUBMIT_KEY_LEN);
}

int
submit_begin(struct db_txn *t, struct plan *p)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->nsubmits; i++)
		if (p->submits[i].su->sending != NULL)
			rc = sending_count_txn(t, p->submits[i].su->sending);
	return rc;
}

void
submit_place(struct plan *p)
{
	for (size_t i = 0; i < p->nsubmits; i++) {
		struct plan_submit *s = &p->submits[i];

		s->sent = plan_item_of(p, s->su->sent);
		for (size_t k = 0; k < s->msg->nqueue; k++) {
			struct queue_row *row = &s->msg->queue[k].row;

			row->sent_folder =
			    s->sent != NULL ? s->sent->folder : 0;
			row->sent_uid = s->sent != NULL ? s->sent->hot.uid : 0;
		}
	}
}

static int
read_first(struct db_txn *t, struct slice key, int64_t now, uint64_t *id_out)
{
	char v[ID_ROW];
	size_t n;
	int rc = db_get(t, T_SENT, key, v, sizeof(v), &n);

	if (rc != 0)
		return rc;
	if (n != ID_ROW || v[0] != FORMAT)
		return ERR_CORRUPT;
	*id_out = num_get64(v + 9);
	return (int64_t)num_get64(v + 1) + SUBMIT_REMEMBER_SEC > now
		   ? 0
		   : ERR_NOTFOUND;
}

/* ERR_EXISTS: it is there already, perhaps from the hour before. */
static int
put_key(struct db_txn *t, const struct plan *p, struct submit *su)
{
	char key[KEY], v[ID_ROW];
	int rc;

	rc = read_first(t,
	    key_of(key, p->now - SUBMIT_REMEMBER_SEC, KIND_KEY, su->account,
		su->key),
	    p->now, &su->first_id);
	if (rc == 0)
		return ERR_EXISTS;
	if (rc != ERR_NOTFOUND)
		return rc;
	v[0] = FORMAT;
	num_put64(v + 1, (uint64_t)p->now);
	num_put64(v + 9, su->id);
	rc = db_insert(t, T_SENT,
	    key_of(key, p->now, KIND_KEY, su->account, su->key),
	    slice_of(v, sizeof(v)));
	if (rc == ERR_EXISTS) {
		rc = read_first(t, slice_of(key, KEY), p->now, &su->first_id);
		return rc == 0 ? ERR_EXISTS : rc;
	}
	return rc;
}

static int
put_copy(struct db_txn *t, const struct plan *p, const struct submit *su,
    const struct plan_item *sent)
{
	const struct plan_folder *f = &p->folders[sent->folder_at];
	char key[KEY], v[COPY_ROW];

	v[0] = FORMAT;
	num_put64(v + 1, sent->folder);
	num_put32(v + 9, f->row.st.uidvalidity);
	num_put32(v + 13, sent->hot.uid);
	return db_put(t, T_SENT,
	    key_of(key, p->now, KIND_COPY, su->account, su->msgid),
	    slice_of(v, sizeof(v)));
}

int
submit_end(struct db_txn *t, struct plan *p)
{
	const struct plan_submit *v = p->submits;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->nsubmits; i++)
		if (v[i].su->has_key)
			rc = put_key(t, p, v[i].su);
	for (size_t i = 0; rc == 0 && i < p->nsubmits; i++)
		if (v[i].sent != NULL && v[i].su->has_key)
			rc = put_copy(t, p, v[i].su, v[i].sent);
	for (size_t i = 0; rc == 0 && i < p->nsubmits; i++)
		if (v[i].sent != NULL && v[i].msg->nqueue != 0)
			rc =
			    fate_put_txn(t, v[i].su->account, v[i].sent->folder,
				v[i].sent->hot.uid, (uint32_t)v[i].msg->nqueue);
	return rc;
}

struct find {
	int64_t now;
	uint64_t account, folder;
	uint8_t msgid[SUBMIT_KEY_LEN];
	uint32_t uidvalidity, uid;
};

static int
find_at(struct db_txn *t, struct find *f, int64_t when)
{
	char key[KEY], v[COPY_ROW];
	struct folder_row row;
	struct entry e;
	size_t n;
	int rc;

	rc = db_get(t, T_SENT,
	    key_of(key, when, KIND_COPY, f->account, f->msgid), v, sizeof(v),
	    &n);
	if (rc != 0)
		return rc;
	if (n != COPY_ROW || v[0] != FORMAT)
		return ERR_CORRUPT;
	f->uidvalidity = num_get32(v + 9);
	f->uid = num_get32(v + 13);
	if (num_get64(v + 1) != f->folder)
		return ERR_NOTFOUND;
	rc = folder_row_get(t, f->folder, false, &row);
	if (rc == 0 && row.st.uidvalidity != f->uidvalidity)
		rc = ERR_NOTFOUND;
	return rc != 0 ? rc : entry_get(t, f->folder, f->uid, false, &e);
}

static int
find(struct db_txn *t, void *arg)
{
	struct find *f = arg;
	int rc = find_at(t, f, f->now);

	return rc == ERR_NOTFOUND ? find_at(t, f, f->now - SUBMIT_REMEMBER_SEC)
				  : rc;
}

int
submit_find_sent(struct store *s, uint64_t account, uint64_t folder,
    struct slice msgid, uint32_t *uidvalidity_out, uint32_t *uid_out)
{
	struct find f = {
		.now = clock_wall_sec(), .account = account, .folder = folder
	};
	int rc;

	submit_hash_msgid(msgid, f.msgid);
	rc = db_read(s->db, find, &f);
	*uidvalidity_out = f.uidvalidity;
	*uid_out = f.uid;
	return rc;
}

static struct slice
recall_key(char key[KEY], int64_t now, uint64_t account, uint64_t body)
{
	uint8_t hash[SUBMIT_KEY_LEN] = { 0 };

	num_put64(hash, body);
	return key_of(key, now, KIND_RECALL, account, hash);
}

int
submit_recall_txn(
    struct db_txn *t, int64_t now, uint64_t account, uint64_t body)
{
	char key[KEY], v = FORMAT;

	return db_put(
	    t, T_SENT, recall_key(key, now, account, body), slice_of(&v, 1));
}

struct recall {
	uint64_t account, body;
	int64_t now;
};

static int
recalled(struct db_txn *t, void *arg)
{
	const struct recall *r = arg;
	char key[KEY], v[1];
	int64_t before = r->now - SUBMIT_REMEMBER_SEC;
	size_t n;
	int rc;

	rc = db_get(t, T_SENT, recall_key(key, r->now, r->account, r->body), v,
	    sizeof(v), &n);
	if (rc == ERR_NOTFOUND)
		rc = db_get(t, T_SENT,
		    recall_key(key, before, r->account, r->body), v, sizeof(v),
		    &n);
	return rc;
}

int
submit_recalled(
    struct store *s, uint64_t account, uint64_t body, bool *recalled_out)
{
	struct recall r = { account, body, clock_wall_sec() };
	int rc = db_read(s->db, recalled, &r);

	*recalled_out = rc == 0;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

enum { SWEEP_MAX = 500 };

struct sweep {
	char end[4]; /* of the keys that are old */
	size_t most, n;
	char keys[SWEEP_MAX][KEY];
};

static int
look(struct db_txn *t, void *arg)
{
	struct sweep *w = arg;
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc;

	w->n = 0;
	rc = db_scan_init(
	    t, T_SENT, SLICE(""), slice_of(w->end, sizeof(w->end)), &scan);
	while (rc == 0 && w->n < w->most &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (key.n != KEY)
			rc = ERR_CORRUPT;
		else
			memcpy(w->keys[w->n++], key.p, KEY);
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
drop(struct db_txn *t, void *arg)
{
	const struct sweep *w = arg;

	return db_del_keys(t, T_SENT, w->keys, KEY, w->n);
}

int
submit_sweep(struct store *s, int64_t now, size_t most, size_t *gone_out)
{
	struct sweep w = { .most = most < SWEEP_MAX ? most : SWEEP_MAX };
	int rc;

	/* The hour before this one still counts. */
	num_put32(w.end, (uint32_t)(now / SUBMIT_REMEMBER_SEC) - 1);
	rc = db_walk(s->db, look, &w);
	if (rc == 0 && w.n != 0)
		rc = db_update(s->db, drop, &w);
	if (gone_out != NULL)
		*gone_out = rc == 0 ? w.n : 0;
	return rc;
}
