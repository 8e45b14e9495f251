/*
 * Many records of one table, in the order of their keys.
 *
 * A cursor of the bulk kind looks on the page it was on before it goes down the
 * tree, so that neighbours cost one way down among them.
 */
#include "lib/db/db_many.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/db/db_priv.h"

static DB *
table_of(struct db_txn *t, unsigned table)
{
	ph_assert(table < t->db->ntables);
	ph_assert(!t->reading);
	t->th->table = table;
	return t->db->tables[table];
}

/* ---- changing what is there ---- */

struct db_edit {
	struct db_txn *t;
	DBC *c;
	unsigned table;
};

/* A cursor that need not keep its place when a call fails is spared a copy of
 * itself with every call: the library marks its own so, like this. */
int
db_edit_init(
    struct db_txn *t, unsigned table, enum db_near near, struct db_edit **e_out)
{
	DB *db = table_of(t, table);
	struct db_edit *e;
	DBC *c;
	int ret;

	*e_out = NULL;
	if (t->broken != 0)
		return t->broken;
	ret = db->cursor(db, t->txn, &c, near == DB_NEAR ? DB_CURSOR_BULK : 0);
	if (ret != 0)
		return db_txn_code(t, ret, "cursor");
	c->flags |= DBC_TRANSIENT;
	e = *e_out = xmalloc(sizeof(*e));
	e->t = t;
	e->c = c;
	e->table = table;
	return 0;
}

void
db_edit_fini(struct db_edit **ep)
{
	struct db_edit *e = *ep;
	int ret;

	*ep = NULL;
	if (e == NULL)
		return;
	/* What was deleted last leaves its page here. */
	if ((ret = e->c->close(e->c)) != 0 && e->t->broken == 0)
		(void)db_txn_code(e->t, ret, "close cursor");
	free(e);
}

int
db_edit_seek(
    struct db_edit *e, struct slice key, void *to, size_t cap, size_t *n_out)
{
	DBT k = { .data = (void *)(uintptr_t)key.p, .size = (u_int32_t)key.n };
	DBT v = { .data = to, .ulen = (u_int32_t)cap, .flags = DB_DBT_USERMEM };
	int ret;

	*n_out = 0;
	if (e->t->broken != 0)
		return e->t->broken;
	ret = e->c->get(e->c, &k, &v, DB_SET | DB_RMW);
	if (ret == DB_NOTFOUND)
		return ERR_NOTFOUND;
	if (ret != 0)
		return db_txn_code(e->t, ret, "seek");
	*n_out = v.size;
	return 0;
}

int
db_edit_patch(struct db_edit *e, size_t at, struct slice bytes)
{
	DBT none = { 0 };
	DBT v = { .data = (void *)(uintptr_t)bytes.p,
		.size = (u_int32_t)bytes.n,
		.doff = (u_int32_t)at,
		.dlen = (u_int32_t)bytes.n,
		.flags = DB_DBT_PARTIAL };

	if (e->t->broken != 0)
		return e->t->broken;
	return db_txn_code(
	    e->t, e->c->put(e->c, &none, &v, DB_CURRENT), "patch");
}

int
db_edit_put(struct db_edit *e, struct slice value)
{
	DBT none = { 0 };
	DBT v = { .data = (void *)(uintptr_t)value.p,
		.size = (u_int32_t)value.n };

	if (e->t->broken != 0)
		return e->t->broken;
	if (value.n > DB_VALUE_MAX)
		return ERR_INTERNAL;
	return db_txn_code(
	    e->t, e->c->put(e->c, &none, &v, DB_CURRENT), "rewrite");
}

int
db_edit_insert(struct db_edit *e, struct slice key, struct slice value)
{
	DBT k = { .data = (void *)(uintptr_t)key.p, .size = (u_int32_t)key.n };
	DBT v = { .data = (void *)(uintptr_t)value.p,
		.size = (u_int32_t)value.n };

	if (e->t->broken != 0)
		return e->t->broken;
	if (!db_fits(e->t, e->table, key, value.n))
		return ERR_INTERNAL;
	return db_txn_code(
	    e->t, e->c->put(e->c, &k, &v, DB_KEYFIRST), "insert");
}

int
db_edit_del(struct db_edit *e)
{
	if (e->t->broken != 0)
		return e->t->broken;
	return db_txn_code(e->t, e->c->del(e->c, 0), "del");
}

/* ---- deleting ---- */

enum { MANY_BYTES = 16 << 10 };

struct db_many {
	struct db_txn *t;
	unsigned table;
	DBT dbt;
	void *at; /* in bytes, as DB_MULTIPLE_WRITE_INIT has it */
	size_t n; /* in bytes */
	u_int32_t bytes[MANY_BYTES / sizeof(u_int32_t)];
};

static void
start(struct db_many *m)
{
	memset(&m->dbt, 0, sizeof(m->dbt));
	m->dbt.data = m->bytes;
	m->dbt.ulen = sizeof(m->bytes);
	m->dbt.flags = DB_DBT_USERMEM | DB_DBT_BULK;
	DB_MULTIPLE_WRITE_INIT(m->at, &m->dbt);
	m->n = 0;
}

void
db_many_init(struct db_txn *t, unsigned table, struct db_many **m_out)
{
	struct db_many *m = *m_out = xmalloc(sizeof(*m));

	(void)table_of(t, table);
	m->t = t;
	m->table = table;
	start(m);
}

static int
write_out(struct db_many *m)
{
	DB *db = table_of(m->t, m->table);
	int ret;

	if (m->t->broken != 0)
		return m->t->broken;
	if (m->n == 0)
		return 0;
	ret = db->del(db, m->t->txn, &m->dbt, DB_MULTIPLE);
	start(m);
	return ret == DB_NOTFOUND ? ERR_NOTFOUND
				  : db_txn_code(m->t, ret, "del many");
}

static bool
add(struct db_many *m, struct slice key)
{
	ph_assert(m->at != NULL);
	DB_MULTIPLE_WRITE_NEXT(m->at, &m->dbt, key.p, key.n);
	m->n += m->at != NULL;
	return m->at != NULL;
}

int
db_many_del(struct db_many *m, struct slice key)
{
	int rc;

	if (key.n == 0 || key.n > DB_KEY_MAX)
		return ERR_INTERNAL;
	if (add(m, key))
		return 0;
	if ((rc = write_out(m)) != 0)
		return rc;
	ph_assert(add(m, key));
	return 0;
}

int
db_many_end(struct db_many **mp, int rc)
{
	if (rc == 0)
		rc = write_out(*mp);
	free(*mp);
	*mp = NULL;
	return rc;
}
