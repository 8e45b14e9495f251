/*
 * Packages: what a customer has bought.
 */
#include "storage/account.h"

#include "lib/base/clock.h"
#include "storage/names.h"
#include "storage/notify.h"
#include "storage/package_row.h"
#include "storage/policy.h"
#include "storage/sending.h"
#include "storage/store_priv.h"
#include "storage/tables.h"
#include "storage/usage.h"

struct op {
	const struct package *p;
	struct slice name;
	struct arena *a;
	struct package_row row;
	bool suspended_now;
	struct err *e;
};

static struct usage_limits
limits_of(const struct package *p)
{
	return (struct usage_limits){ p->bytes_max, p->messages_max };
}

static int
add(struct db_txn *t, void *arg)
{
	struct op *op = arg;
	struct usage_limits l = limits_of(op->p);
	int rc;

	if ((rc = package_row_put(t, &op->row, true)) != 0)
		return rc;
	return usage_package_set(t, op->p->name, &l);
}

int
package_add(struct store *s, const struct package *p, struct err *e)
{
	struct op op = { .p = p, .row.p = *p };
	int rc;

	if (!names_is_package(p->name))
		return err_set(
		    e, ERR_INVALID, "a package is named \"web\" and a number");
	if (op.row.p.created_at == 0)
		op.row.p.created_at = clock_wall_sec();
	rc = db_update(s->db, add, &op);
	if (rc == ERR_EXISTS)
		return err_set(e, rc, "there is such a package already");
	return rc == 0 ? 0 : err_set(e, rc, "the package cannot be written");
}

static int
set(struct db_txn *t, void *arg)
{
	struct op *op = arg;
	struct usage_limits l = limits_of(op->p);
	int64_t created_at;
	int rc;

	arena_clear(op->a);
	rc = package_row_get(t, op->p->name, true, op->a, &op->row);
	if (rc != 0)
		return rc;
	created_at = op->row.p.created_at;
	op->suspended_now = op->p->suspended && !op->row.p.suspended;
	op->row.p = *op->p;
	op->row.p.created_at = created_at;
	if ((rc = package_row_put(t, &op->row, false)) != 0)
		return rc;
	return usage_package_set(t, op->p->name, &l);
}

int
package_set(struct store *s, const struct package *p, struct err *e)
{
	struct arena a;
	struct op op = { .p = p, .a = &a };
	int rc;

	arena_init(&a);
	rc = db_update(s->db, set, &op);
	arena_clear(&a);
	if (rc == ERR_NOTFOUND)
		return err_set(e, rc, "there is no such package");
	if (rc != 0)
		return err_set(e, rc, "the package cannot be written");
	/* Account 0: its accounts may be many, so all are looked at. */
	notify_add(s, &(struct notify_event){
			  .kind = NOTIFY_ACCOUNT, .kick = op.suspended_now });
	return 0;
}

static int
get(struct db_txn *t, void *arg)
{
	struct op *op = arg;

	return package_row_get(t, op->name, false, op->a, &op->row);
}

int
package_get(
    struct store *s, struct slice name, struct arena *a, struct package *out)
{
	struct op op = { .name = name, .a = a };
	int rc = db_read(s->db, get, &op);

	*out = op.row.p;
	return rc;
}

static int
del(struct db_txn *t, void *arg)
{
	struct op *op = arg;
	int rc;

	arena_clear(op->a);
	rc = package_row_get(t, op->name, true, op->a, &op->row);
	if (rc != 0)
		return rc;
	if (op->row.accounts != 0 && op->row.accounts == op->row.binned)
		return err_set(op->e, ERR_CONFLICT,
		    "%llu deleted accounts of the package may still come back; "
		    "end them with `account del --now`",
		    (unsigned long long)op->row.binned);
	if (op->row.accounts != 0)
		return err_set(op->e, ERR_CONFLICT,
		    "the package still has %llu accounts",
		    (unsigned long long)op->row.accounts);
	if (op->row.domains != 0)
		return err_set(op->e, ERR_CONFLICT,
		    "the package still has %llu domains",
		    (unsigned long long)op->row.domains);
	if ((rc = db_del(t, T_PACKAGE, op->name)) != 0 ||
	    (rc = policy_drop(t, POLICY_PACKAGE, op->name)) != 0 ||
	    (rc = sending_drop(t, POLICY_PACKAGE, op->name)) != 0)
		return rc;
	rc = usage_package_del(t, op->name);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
package_del(struct store *s, struct slice name, struct err *e)
{
	struct arena a;
	struct err why = { 0 };
	struct op op = { .name = name, .a = &a, .e = &why };
	int rc;

	arena_init(&a);
	rc = db_update(s->db, del, &op);
	arena_clear(&a);
	if (rc == ERR_CONFLICT)
		return err_set(e, ERR_BUSY, "%s", why.text);
	if (rc == ERR_NOTFOUND)
		return err_set(e, rc, "there is no such package");
	return rc == 0 ? 0 : err_set(e, rc, "the package cannot be deleted");
}

struct list {
	struct slice after;
	struct arena *a;
	struct package *v;
	size_t cap, n;
};

static int
list(struct db_txn *t, void *arg)
{
	struct list *l = arg;
	struct db_scan *scan = NULL;
	struct package_row row;
	struct slice key, value;
	int rc;

	rc = db_scan_init(t, T_PACKAGE, l->after, slice_of(NULL, 0), &scan);
	while (rc == 0 && l->n < l->cap &&
	       (rc = db_scan_next(scan, &key, &value)) == 0) {
		if (slice_cmp(key, l->after) <= 0)
			continue;
		if ((rc = package_row_decode(key, value, l->a, &row)) == 0)
			l->v[l->n++] = row.p;
	}
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
package_list(struct store *s, struct slice after, struct arena *a,
    struct package *v, size_t cap, size_t *n_out)
{
	struct list l = { .after = after, .a = a, .v = v, .cap = cap };
	int rc = db_walk(s->db, list, &l);

	*n_out = l.n;
	return rc;
}

struct ask {
	struct slice name;
	struct usage_row row;
};

static int
ask_usage(struct db_txn *t, void *arg)
{
	struct ask *ask = arg;

	return usage_package_get(t, ask->name, &ask->row);
}

int
package_usage(struct store *s, struct slice name, struct usage *out)
{
	struct ask ask = { .name = name };
	int rc = db_read(s->db, ask_usage, &ask);

	*out = (struct usage){ ask.row.bytes, ask.row.messages };
	return rc;
}
