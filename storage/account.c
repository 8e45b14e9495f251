/*
 * Accounts: reading and changing.  Making and deleting is in account_life.c.
 */
#include "storage/account.h"

#include "lib/base/clock.h"
#include "storage/account_edit.h"
#include "storage/account_own.h"
#include "storage/account_row.h"
#include "storage/names.h"
#include "storage/notify.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/usage.h"

struct find {
	struct slice name;
	uint64_t id;
	struct arena *a;
	struct account_row row;
};

static int
get(struct db_txn *t, void *arg)
{
	struct find *f = arg;

	return account_row_get(t, f->name, false, f->a, &f->row);
}

static int
get_id(struct db_txn *t, void *arg)
{
	struct find *f = arg;

	return account_row_get_id(t, f->id, false, f->a, &f->row);
}

static int
found(int rc, const struct find *f, struct account *out)
{
	*out = f->row.ac;
	if (rc == 0 && f->row.life != ACCOUNT_LIVES)
		return ERR_NOTFOUND;
	return rc;
}

int
account_get(
    struct store *s, struct slice name, struct arena *a, struct account *out)
{
	struct find f = { .name = name, .a = a };

	return found(db_read(s->db, get, &f), &f, out);
}

int
account_get_id(
    struct store *s, uint64_t id, struct arena *a, struct account *out)
{
	struct find f = { .id = id, .a = a };

	return found(db_read(s->db, get_id, &f), &f, out);
}

int
account_check(const struct account *ac, struct err *e)
{
	const struct secret *s;

	if (ac->nsecrets > ACCOUNT_SECRETS_MAX)
		return err_set(e, ERR_LIMIT,
		    "an account has at most %d secrets",
		    (int)ACCOUNT_SECRETS_MAX);
	if (ac->full_name.n > ACCOUNT_FULL_NAME_MAX || ac->lang.n > 2 ||
	    ac->networks.n > ACCOUNT_NETWORKS_MAX)
		return err_set(e, ERR_INVALID,
		    "the full name, the language or the list of networks is "
		    "too long");
	for (size_t i = 0; i < ac->nsecrets; i++) {
		s = &ac->secrets[i];
		if (s->kind != SECRET_SCRAM_SHA256 && s->kind != SECRET_HASH)
			return err_set(
			    e, ERR_INVALID, "no such kind of secret");
		if (s->value.n == 0 || s->value.n > SECRET_VALUE_MAX ||
		    s->sha1.n > SECRET_SHA1_MAX ||
		    s->label.n > SECRET_LABEL_MAX)
			return err_set(e, ERR_INVALID,
			    "a secret or its label is too long");
		for (size_t j = 0; j < i; j++)
			if (s->id != 0 && s->id == ac->secrets[j].id)
				return err_set(
				    e, ERR_INVALID, "two secrets have one id");
	}
	return 0;
}

static struct secret *
secret_of(struct account *ac, uint32_t id)
{
	for (size_t i = 0; i < ac->nsecrets; i++)
		if (id != 0 && ac->secrets[i].id == id)
			return &ac->secrets[i];
	return NULL;
}

static bool
same_value(const struct secret *a, const struct secret *b)
{
	return a->kind == b->kind && slice_eq(a->value, b->value);
}

/* Fills in what the store decides of one secret. */
static void
settle(struct account_row *row, const struct secret *old, struct secret *s)
{
	if (s->id == 0)
		s->id = ++row->last_secret;
	else if (s->id > row->last_secret)
		row->last_secret = s->id;
	if (s->scope == 0)
		s->scope = SCOPE_ALL;
	if (old != NULL && same_value(old, s)) {
		s->version = old->version;
		s->created_at = old->created_at;
		if (s->used_at < old->used_at)
			s->used_at = old->used_at;
		return;
	}
	s->version = row->ac.secret_version;
	if (s->created_at == 0)
		s->created_at = clock_wall_sec();
}

/* Is there a secret in `a` that `b` has not, or with another value? */
static bool
differs(struct account *a, struct account *b)
{
	struct secret *other;

	for (size_t i = 0; i < a->nsecrets; i++) {
		other = secret_of(b, a->secrets[i].id);
		if (other == NULL || !same_value(&a->secrets[i], other))
			return true;
	}
	return false;
}

void
account_settle(struct account_row *row, struct account *old)
{
	struct account *ac = &row->ac;

	if (row->last_secret == 0)
		row->last_secret = 1; /* 1 is the main password's */
	if (differs(ac, old) || differs(old, ac))
		ac->secret_version++;
	for (size_t i = 0; i < ac->nsecrets; i++)
		settle(row, secret_of(old, ac->secrets[i].id), &ac->secrets[i]);
}

int
account_put_secrets(
    struct db_txn *t, const struct account_row *row, struct account *old)
{
	struct account ac = row->ac;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ac.nsecrets; i++)
		rc = account_row_put_secret(t, ac.name, &ac.secrets[i]);
	for (size_t i = 0; rc == 0 && i < old->nsecrets; i++)
		if (secret_of(&ac, old->secrets[i].id) == NULL)
			rc = account_row_del_secret(
			    t, ac.name, old->secrets[i].id);
	return rc == 0 ? account_row_put(t, row) : rc;
}

struct edit {
	const struct account *ac;
	struct bind_txn bind;
	struct arena *a;
	uint64_t id;
	bool changed;
};

/* What a change may not touch. */
static void
keep_fixed(struct account *ac, const struct account *old)
{
	ac->id = old->id;
	ac->name = old->name;
	ac->package = old->package;
	ac->created_at = old->created_at;
	ac->secret_version = old->secret_version;
	ac->deleted_at = ac->purge_at = 0;
}

static int
set(struct db_txn *t, void *arg)
{
	struct edit *ed = arg;
	const struct usage_limits l = account_limits(ed->ac);
	struct account_row row, was;
	int rc;

	arena_clear(ed->a);
	if ((rc = address_bind_count(t, &ed->bind)) != 0)
		return rc;
	rc = account_row_get(t, ed->ac->name, true, ed->a, &was);
	if (rc == 0 && was.life != ACCOUNT_LIVES)
		rc = ERR_NOTFOUND;
	if (rc != 0)
		return rc;
	row = was;
	row.ac = *ed->ac;
	keep_fixed(&row.ac, &was.ac);
	ed->id = was.ac.id;
	account_settle(&row, &was.ac);
	ed->changed = !account_row_same(&row, &was);
	if (ed->changed && (rc = account_put_secrets(t, &row, &was.ac)) != 0)
		return rc;
	if ((rc = address_bind_write(t, &ed->bind)) != 0 || !ed->changed)
		return rc;
	return usage_account_set(
	    t, was.ac.id, was.ac.package, &l, ed->ac->uidl_format);
}

int
account_set(struct store *s, const struct account *ac,
    const struct account_bind *bind, bool kick, struct err *e)
{
	struct arena a;
	struct err why = { 0 };
	struct edit ed = { .ac = ac,
		.bind = { .bind = bind,
		    .account = ac->name,
		    .a = &a,
		    .e = &why },
		.a = &a };
	int rc;

	if ((rc = account_check(ac, e)) != 0)
		return rc;
	arena_init(&a);
	rc = notify_routes(s, db_update(s->db, set, &ed));
	arena_clear(&a);
	if (rc != 0 && why.kind == rc)
		return err_set(e, rc, "%s", why.text);
	if (rc == ERR_NOTFOUND)
		return err_set(e, rc, "there is no such account");
	if (rc != 0)
		return err_set(e, rc, "the account cannot be written");
	if (ed.changed || kick)
		notify_add(s, &(struct notify_event){ .kind = NOTIFY_ACCOUNT,
				  .account = ed.id,
				  .kick = kick });
	return 0;
}

/* One secret of an account changes in place. */
struct touch {
	uint64_t id;
	uint32_t secret;
	int64_t used_at; /* when value.p == NULL */
	struct slice was, value, sha1;
	enum secret_kind kind;
	struct arena *a;
};

static int
touch(struct db_txn *t, void *arg)
{
	const struct touch *to = arg;
	struct account_row row;
	struct secret *s;
	int rc;

	arena_clear(to->a);
	rc = account_row_get_id(t, to->id, true, to->a, &row);
	if (rc != 0)
		return rc;
	if ((s = secret_of(&row.ac, to->secret)) == NULL)
		return ERR_NOTFOUND;
	if (to->value.p == NULL) {
		if (s->used_at >= to->used_at)
			return 0;
		s->used_at = to->used_at;
		return account_row_put_secret(t, row.ac.name, s);
	}
	if (!slice_eq(s->value, to->was))
		return ERR_CONFLICT;
	s->kind = to->kind;
	s->value = to->value;
	s->sha1 = to->sha1;
	return account_row_put_secret(t, row.ac.name, s);
}

int
account_secret_used(
    struct store *s, uint64_t id, uint32_t secret_id, int64_t when)
{
	struct arena a;
	struct touch to = {
		.id = id, .secret = secret_id, .used_at = when, .a = &a
	};
	int rc;

	arena_init(&a);
	rc = db_update(s->db, touch, &to);
	arena_clear(&a);
	return rc;
}

int
account_secret_upgrade(struct store *s, uint64_t id, uint32_t secret_id,
    struct slice was, const struct secret *now)
{
	struct arena a;
	struct touch to = { .id = id,
		.secret = secret_id,
		.was = was,
		.value = now->value,
		.sha1 = now->sha1,
		.kind = now->kind,
		.a = &a };
	int rc;

	if (now->value.n == 0 || now->value.n > SECRET_VALUE_MAX ||
	    now->sha1.n > SECRET_SHA1_MAX)
		return ERR_INVALID;
	arena_init(&a);
	rc = db_update(s->db, touch, &to);
	arena_clear(&a);
	return rc;
}

struct list {
	enum account_life life;
	struct slice after;
	struct arena *a;
	struct account *v;
	size_t cap, n;
};

static int
list(struct db_txn *t, void *arg)
{
	struct list *l = arg;

	return account_row_list(
	    t, l->life, l->after, slice_of(NULL, 0), l->a, l->v, l->cap, &l->n);
}

int
account_list(struct store *s, struct slice after, struct arena *a,
    struct account *v, size_t cap, size_t *n_out)
{
	struct list l = { ACCOUNT_LIVES, after, a, v, cap, 0 };
	int rc = db_walk(s->db, list, &l);

	*n_out = l.n;
	return rc;
}

int
account_list_binned(struct store *s, struct slice after, struct arena *a,
    struct account *v, size_t cap, size_t *n_out)
{
	struct list l = { ACCOUNT_BINNED, after, a, v, cap, 0 };
	int rc = db_walk(s->db, list, &l);

	*n_out = l.n;
	return rc;
}

struct ask {
	uint64_t id;
	struct usage_row row;
};

static int
ask_usage(struct db_txn *t, void *arg)
{
	struct ask *ask = arg;

	return usage_account_get(t, ask->id, &ask->row);
}

int
account_usage(struct store *s, uint64_t id, struct usage *out)
{
	struct ask ask = { .id = id };
	int rc = db_read(s->db, ask_usage, &ask);

	*out = (struct usage){ ask.row.bytes, ask.row.messages };
	return rc;
}
