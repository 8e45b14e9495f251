/*
 * Scans in bulk: one call of the library fills a buffer with many records.
 * The first buffer is small, since most ranges are; a long range gets larger
 * ones.
 */
#include "lib/db/db_priv.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

enum { FIRST_BYTES = 8 << 10, NEXT_BYTES = 32 << 10, MOST_BYTES = 256 << 10 };

struct db_scan {
	struct db_txn *t;
	DBC *c;
	char from[DB_KEY_MAX], to[DB_KEY_MAX];
	size_t from_n, to_n;
	bool bounded, started, ended;
	char *bulk;
	size_t cap; /* of bulk */
	size_t use; /* of it, for the next fetch */
	DBT got;
	void *at; /* in got; NULL: exhausted */
};

static void
scan_free(struct db_scan *s)
{
	if (s != NULL)
		free(s->bulk);
	free(s);
}

void
db_scan_free_idle(struct db_thread *th)
{
	scan_free(th->idle);
	th->idle = NULL;
}

static struct db_scan *
scan_take(struct db_thread *th)
{
	struct db_scan *s = th->idle;

	th->idle = NULL;
	if (s == NULL) {
		s = xmalloc(sizeof(*s));
		s->bulk = xmalloc(FIRST_BYTES);
		s->cap = FIRST_BYTES;
	}
	s->c = NULL;
	s->bounded = s->started = s->ended = false;
	s->use = FIRST_BYTES;
	s->at = NULL;
	return s;
}

int
db_scan_init(struct db_txn *t, unsigned table, struct slice from,
    struct slice to, struct db_scan **scan_out)
{
	DB *db;
	struct db_scan *s;
	int ret;

	*scan_out = NULL;
	ph_assert(table < t->db->ntables);
	ph_assert(from.n <= DB_KEY_MAX && to.n <= DB_KEY_MAX);
	if (t->broken != 0)
		return t->broken;
	t->th->table = table;
	db = t->db->tables[table];
	s = scan_take(t->th);
	s->t = t;
	s->from_n = from.n;
	if (from.n != 0)
		memcpy(s->from, from.p, from.n);
	s->bounded = to.p != NULL;
	s->to_n = to.n;
	if (s->bounded && to.n != 0)
		memcpy(s->to, to.p, to.n);
	*scan_out = s;
	ret = db->cursor(db, t->txn, &s->c, DB_CURSOR_BULK);
	if (ret == 0)
		return 0;
	db_scan_fini(scan_out);
	return db_txn_code(t, ret, "cursor");
}

static void
grow(struct db_scan *s)
{
	if (s->use <= s->cap)
		return;
	free(s->bulk);
	s->bulk = xmalloc(s->use);
	s->cap = s->use;
}

static int
fetch(struct db_scan *s)
{
	u_int32_t how = DB_NEXT;
	DBT k;
	int ret;

	grow(s);
	memset(&k, 0, sizeof(k));
	k.data = s->from;
	k.ulen = DB_KEY_MAX;
	k.flags = DB_DBT_USERMEM;
	if (!s->started) {
		k.size = (u_int32_t)s->from_n;
		how = s->from_n != 0 ? DB_SET_RANGE : DB_FIRST;
	}
	memset(&s->got, 0, sizeof(s->got));
	s->got.data = s->bulk;
	s->got.ulen = (u_int32_t)s->use;
	s->got.flags = DB_DBT_USERMEM;
	ret = s->c->get(s->c, &k, &s->got, how | DB_MULTIPLE_KEY);
	if (ret == DB_NOTFOUND) {
		s->ended = true;
		return ERR_NOTFOUND;
	}
	if (ret != 0)
		return db_txn_code(s->t, ret, "scan");
	s->use = s->started ? MOST_BYTES : NEXT_BYTES;
	s->started = true;
	DB_MULTIPLE_INIT(s->at, &s->got);
	return 0;
}

int
db_scan_next(struct db_scan *s, struct slice *key_out, struct slice *value_out)
{
	void *k, *v;
	u_int32_t kn, vn;
	int rc;

	*key_out = *value_out = (struct slice){ NULL, 0 };
	for (;;) {
		if (s->ended)
			return ERR_NOTFOUND;
		if (s->t->broken != 0)
			return s->t->broken;
		if (s->at == NULL && (rc = fetch(s)) != 0)
			return rc;
		DB_MULTIPLE_KEY_NEXT(s->at, &s->got, k, kn, v, vn);
		if (s->at != NULL)
			break;
	}
	*key_out = slice_of(k, kn);
	*value_out = slice_of(v, vn);
	if (!s->bounded || slice_cmp(*key_out, slice_of(s->to, s->to_n)) < 0)
		return 0;
	*key_out = *value_out = (struct slice){ NULL, 0 };
	s->ended = true;
	return ERR_NOTFOUND;
}

void
db_scan_fini(struct db_scan **sp)
{
	struct db_scan *s = *sp;
	int ret;

	*sp = NULL;
	if (s == NULL)
		return;
	if (s->c != NULL && (ret = s->c->close(s->c)) != 0)
		(void)db_txn_code(s->t, ret, "close cursor");
	if (s->t->th->idle == NULL)
		s->t->th->idle = s;
	else
		scan_free(s);
}

/* The first key behind all with this prefix; false: there is none. */
static bool
behind_prefix(struct slice prefix, char *key, size_t *n_out)
{
	size_t n = prefix.n;

	while (n != 0 && (unsigned char)prefix.p[n - 1] == 0xff)
		n--;
	if (n == 0)
		return false;
	memcpy(key, prefix.p, n);
	key[n - 1]++;
	*n_out = n;
	return true;
}

static int
seek_before(DBC *c, const char *bound, size_t bound_n, DBT *k, DBT *v)
{
	int ret;

	if (bound_n == 0)
		return c->get(c, k, v, DB_LAST);
	memcpy(k->data, bound, bound_n);
	k->size = (u_int32_t)bound_n;
	/* Only the place is wanted: the record there may be of any size. */
	v->flags = DB_DBT_USERMEM | DB_DBT_PARTIAL;
	ret = c->get(c, k, v, DB_SET_RANGE);
	v->flags = DB_DBT_USERMEM;
	if (ret == DB_NOTFOUND)
		return c->get(c, k, v, DB_LAST);
	return ret != 0 ? ret : c->get(c, k, v, DB_PREV);
}

int
db_last(struct db_txn *t, unsigned table, struct slice prefix,
    struct slice before, void *key, size_t key_cap, size_t *key_n_out,
    void *value, size_t value_cap, size_t *value_n_out)
{
	char bound[DB_KEY_MAX], found[DB_KEY_MAX];
	size_t bound_n = 0;
	DBT k = {
		.data = found, .ulen = sizeof(found), .flags = DB_DBT_USERMEM
	};
	DBT v = { .data = value,
		.ulen = (u_int32_t)value_cap,
		.flags = DB_DBT_USERMEM };
	DB *db;
	DBC *c;
	int ret, end;

	*key_n_out = *value_n_out = 0;
	ph_assert(table < t->db->ntables);
	ph_assert(prefix.n <= DB_KEY_MAX && before.n <= DB_KEY_MAX);
	if (t->broken != 0)
		return t->broken;
	if (before.p != NULL) {
		memcpy(bound, before.p, before.n);
		bound_n = before.n;
	} else
		(void)behind_prefix(prefix, bound, &bound_n);
	t->th->table = table;
	db = t->db->tables[table];
	if ((ret = db->cursor(db, t->txn, &c, 0)) != 0)
		return db_txn_code(t, ret, "cursor");
	ret = seek_before(c, bound, bound_n, &k, &v);
	if ((end = c->close(c)) != 0 && ret == 0)
		ret = end;
	if (ret == DB_NOTFOUND)
		return ERR_NOTFOUND;
	if (ret != 0)
		return db_txn_code(t, ret, "last");
	if (!slice_starts(slice_of(found, k.size), prefix))
		return ERR_NOTFOUND;
	if (k.size > key_cap)
		return ERR_CORRUPT;
	memcpy(key, found, k.size);
	*key_n_out = k.size;
	*value_n_out = v.size;
	return 0;
}
