/*
 * Domains: whose they are, and which are ours.
 */
#include "storage/account.h"

#include "lib/base/clock.h"
#include "storage/generation.h"
#include "storage/known.h"
#include "storage/names.h"
#include "storage/package_row.h"
#include "storage/notify.h"
#include "storage/policy.h"
#include "storage/sending.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

struct op {
	struct slice name;
	struct arena *a;
	struct domain_row row;
	struct err *e;
};

static int
add(struct db_txn *t, void *arg)
{
	struct op *op = arg;
	struct package_row pack;
	struct domain_row have;
	int rc;

	arena_clear(op->a);
	rc = package_row_get(t, op->row.d.package, true, op->a, &pack);
	if (rc == ERR_NOTFOUND)
		return err_set(op->e, rc, "there is no such package");
	if (rc != 0)
		return rc;
	rc = domain_row_get(t, op->row.d.name, false, op->a, &have);
	if (rc == 0)
		return err_set(
		    op->e, ERR_EXISTS, "there is such a domain already");
	if (rc != ERR_NOTFOUND)
		return rc;
	if (pack.p.domains_max != 0 && pack.domains >= pack.p.domains_max)
		return err_set(op->e, ERR_LIMIT,
		    "the package has its %llu domains already",
		    (unsigned long long)pack.p.domains_max);
	pack.domains++;
	if ((rc = package_row_put(t, &pack, false)) != 0)
		return rc;
	rc = domain_row_put(t, &op->row, true);
	if (rc == ERR_EXISTS)
		return err_set(op->e, rc, "there is such a domain already");
	return rc;
}

/* Words for what went wrong, where the transaction found none. */
static int
told(struct err *e, const struct err *why, int rc)
{
	if (rc == 0)
		return 0;
	if (why->kind == rc)
		return err_set(e, rc, "%s", why->text);
	return err_set(e, rc, "the domain cannot be written");
}

int
domain_add(struct store *s, const struct domain *d, struct err *e)
{
	struct arena a;
	struct err why = { 0 };
	struct op op = { .row.d = *d, .a = &a, .e = &why };
	int rc;

	if (!names_is_domain(d->name))
		return err_set(e, ERR_INVALID, "that is no domain name");
	if (op.row.d.created_at == 0)
		op.row.d.created_at = clock_wall_sec();
	arena_init(&a);
	rc = notify_routes(s, db_update(s->db, add, &op));
	arena_clear(&a);
	return told(e, &why, rc);
}

static int
get(struct db_txn *t, void *arg)
{
	struct op *op = arg;

	return domain_row_get(t, op->name, false, op->a, &op->row);
}

int
domain_get(
    struct store *s, struct slice name, struct arena *a, struct domain *out)
{
	struct op op = { .name = name, .a = a };
	int rc = db_read(s->db, get, &op);

	*out = op.row.d;
	return rc;
}

static int
del(struct db_txn *t, void *arg)
{
	struct op *op = arg;
	struct package_row pack;
	struct slice package;
	int rc;

	/* The package's row is locked first (FORMAT 4); a domain never
	 * changes its package. */
	arena_clear(op->a);
	rc = domain_row_get(t, op->name, false, op->a, &op->row);
	if (rc == ERR_NOTFOUND)
		return err_set(op->e, rc, "there is no such domain");
	if (rc != 0)
		return rc;
	package = op->row.d.package;
	rc = package_row_get(t, package, true, op->a, &pack);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	if (rc == 0 && pack.domains != 0) {
		pack.domains--;
		if ((rc = package_row_put(t, &pack, false)) != 0)
			return rc;
	}
	if ((rc = domain_row_get(t, op->name, true, op->a, &op->row)) != 0)
		return rc;
	if (op->row.addresses != 0) {
		(void)err_set(op->e, ERR_CONFLICT,
		    "the domain still has %llu addresses",
		    (unsigned long long)op->row.addresses);
		return ERR_CONFLICT;
	}
	if ((rc = db_del(t, T_DOMAIN, op->name)) != 0 ||
	    (rc = policy_drop(t, POLICY_DOMAIN, op->name)) != 0)
		return rc;
	return sending_drop(t, POLICY_DOMAIN, op->name);
}

int
domain_del(struct store *s, struct slice name, struct err *e)
{
	struct arena a;
	struct err why = { 0 };
	struct op op = { .name = name, .a = &a, .e = &why };
	int rc;

	arena_init(&a);
	rc = notify_routes(s, db_update(s->db, del, &op));
	arena_clear(&a);
	if (rc == ERR_CONFLICT)
		return err_set(e, ERR_BUSY, "%s", why.text);
	return told(e, &why, rc);
}

struct list {
	struct slice after;
	struct arena *a;
	struct domain *v;
	size_t cap, n;
};

static int
list(struct db_txn *t, void *arg)
{
	struct list *l = arg;
	struct db_scan *scan = NULL;
	struct domain_row row;
	struct slice key, value;
	int rc;

	rc = db_scan_init(t, T_DOMAIN, l->after, slice_of(NULL, 0), &scan);
	while (rc == 0 && l->n < l->cap &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (slice_cmp(key, l->after) <= 0)
			continue;
		if ((rc = domain_row_decode(key, value, l->a, &row)) == 0)
			l->v[l->n++] = row.d;
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
domain_list(struct store *s, struct slice after, struct arena *a,
    struct domain *v, size_t cap, size_t *n_out)
{
	struct list l = { .after = after, .a = a, .v = v, .cap = cap };
	int rc = db_walk(s->db, list, &l);

	*n_out = l.n;
	return rc;
}

static int
is_there(struct db_txn *t, void *arg)
{
	const struct op *op = arg;
	char value[DB_VALUE_MAX];
	size_t n;

	return db_get(t, T_DOMAIN, op->name, value, sizeof(value), &n);
}

int
domain_is_local(struct store *s, struct slice domain, bool *local_out)
{
	struct op op = { .name = domain };
	uint64_t begun = generation_of(s, GENERATION_ACCOUNTS);
	int rc = ERR_NOTFOUND;

	*local_out = false;
	if (domain.n != 0 && domain.n <= NAMES_DOMAIN_MAX)
		rc = db_read(s->db, is_there, &op);
	*local_out = rc == 0;
	if (rc == ERR_NOTFOUND)
		known_away(s, begun, domain);
	return rc == ERR_NOTFOUND ? 0 : rc;
}
