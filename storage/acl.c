#include "storage/acl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "storage/account.h"
#include "storage/account_row.h"
#include "storage/acl_row.h"
#include "storage/change.h"
#include "storage/folder_row.h"
#include "storage/name_row.h"
#include "storage/names.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

/* Whoever shares nothing pays nothing: on a host where nobody does, that is
 * remembered for so long; a notification that is lost costs no more. */
enum { UNSHARED_MS = 10000 };

static const struct slice others = SLICE(ACL_OTHERS);
static const struct slice anyone = SLICE("anyone");

bool
acl_is_others(
    struct slice name, struct slice *owner_out, struct slice *rest_out)
{
	*owner_out = *rest_out = SLICE("");
	if (!slice_starts(name, others))
		return false;
	if (name.n == others.n)
		return true;
	if (name.p[others.n] != '/')
		return false;
	*rest_out = slice_from(name, others.n + 1);
	(void)slice_split(rest_out, '/', owner_out);
	if (rest_out->p == NULL)
		*rest_out = SLICE("");
	return true;
}

/* Does an identifier without its dash mean this user? */
static bool
means(struct slice who, const struct acl_user *u)
{
	return slice_eq(who, anyone) || slice_eq(who, u->name);
}

static unsigned
combine(const struct acl_entry *v, size_t n, const struct acl_user *u)
{
	unsigned given = 0, taken = 0;

	for (size_t i = 0; i < n; i++) {
		bool minus = v[i].who.p[0] == '-';

		if (!means(slice_from(v[i].who, minus), u))
			continue;
		if (minus)
			taken |= v[i].rights;
		else
			given |= v[i].rights;
	}
	return given & ~taken;
}

static int
rights_in(struct db_txn *t, const struct acl_user *u, uint64_t folder,
    struct arena *a, unsigned *out)
{
	struct acl_entry *v;
	size_t n;
	int rc = acl_row_list(t, folder, a, &v, &n);

	*out = rc == 0 ? combine(v, n, u) : 0;
	return rc;
}

struct ask {
	const struct acl_user *u;
	uint64_t folder;
	unsigned rights;
};

static int
rights_txn(struct db_txn *t, void *arg)
{
	struct ask *ask = arg;
	struct arena a;
	int rc;

	arena_init(&a);
	rc = rights_in(t, ask->u, ask->folder, &a, &ask->rights);
	arena_clear(&a);
	return rc;
}

int
acl_rights(struct store *s, const struct acl_user *u, uint64_t folder,
    unsigned *rights_out)
{
	struct ask ask = { .u = u, .folder = folder };
	int rc = db_read(s->db, rights_txn, &ask);

	*rights_out = rc == 0 ? ask.rights : 0;
	return rc;
}

int
acl_owner(struct store *s, const struct acl_user *u, struct slice owner,
    uint64_t *account_out)
{
	struct slice package;
	struct account ac;
	struct arena a;
	int rc = ERR_NOTFOUND;

	if (!names_is_account(owner, &package, NULL) ||
	    !slice_eq(package, u->package))
		return ERR_NOTFOUND;
	arena_init(&a);
	rc = account_get(s, owner, &a, &ac);
	if (rc == 0 && ac.suspended)
		rc = ERR_NOTFOUND;
	*account_out = rc == 0 ? ac.id : 0;
	arena_clear(&a);
	return rc;
}

int
acl_find(struct store *s, const struct acl_user *u, struct slice name,
    struct folder_info *info_out)
{
	struct slice owner, rest;
	uint64_t account;
	int rc;

	*info_out = (struct folder_info){ .name = name };
	if (!acl_is_others(name, &owner, &rest) || rest.n == 0)
		return ERR_NOTFOUND;
	if ((rc = acl_owner(s, u, owner, &account)) != 0 ||
	    (rc = folder_find(s, account, rest, info_out)) != 0)
		return rc;
	info_out->name = name;
	if (account == u->account)
		return 0; /* his own, by the long way */
	return acl_rights(s, u, info_out->id, &info_out->rights);
}

/* acl_list() */

struct listing {
	const struct acl_user *u;
	bool none; /* nothing is shared on the host */
	bool with_status;
	struct arena *a;
	struct folder_info *v;
	size_t n;
	/* the owner whose folders are looked at */
	uint64_t account;
	struct slice owner; /* empty: nobody who counts */
	struct name_entry *names;
	size_t nnames;
};

static int
next_owner(struct db_txn *t, struct listing *l, uint64_t account)
{
	struct account_row row;
	int rc = account_row_get_id(t, account, false, l->a, &row);

	l->account = account;
	l->owner = SLICE("");
	l->nnames = 0;
	if (rc == ERR_NOTFOUND)
		return 0;
	if (rc != 0 || row.life != ACCOUNT_LIVES || row.ac.suspended)
		return rc;
	l->owner = row.ac.name;
	return name_row_list(t, account, l->a, &l->names, &l->nnames);
}

/* The name of a folder of the owner, or NULL. */
static const struct name_entry *
entry_of(const struct listing *l, uint64_t folder, size_t *at_out)
{
	for (size_t i = 0; i < l->nnames; i++)
		if (l->names[i].row.folder == folder) {
			*at_out = i;
			return &l->names[i];
		}
	return NULL;
}

static struct slice
long_name(const struct listing *l, struct slice name)
{
	struct buf b;
	struct slice out;

	buf_init(&b, 1024);
	buf_add_slice(&b, others);
	buf_add_char(&b, '/');
	buf_add_slice(&b, l->owner);
	buf_add_char(&b, '/');
	buf_add_slice(&b, name);
	out = arena_copy(l->a, buf_slice(&b));
	buf_fini(&b);
	return out;
}

static int
take_folder(struct db_txn *t, struct listing *l, const struct acl_shared *f)
{
	struct folder_info *info = &l->v[l->n];
	const struct name_entry *e;
	struct folder_row row;
	unsigned rights;
	size_t at = 0;
	int rc;

	if (f->account != l->account &&
	    (rc = next_owner(t, l, f->account)) != 0)
		return rc;
	if (f->account == l->u->account ||
	    (e = entry_of(l, f->folder, &at)) == NULL)
		return 0;
	rc = rights_in(t, l->u, f->folder, l->a, &rights);
	if (rc != 0 || !(rights & RIGHT_LOOKUP))
		return rc;
	*info = (struct folder_info){ .name = long_name(l, e->name),
		.id = f->folder,
		.account = f->account,
		.rights = rights,
		.has_children =
		    name_row_has_children(l->names, l->nnames, at) };
	if (l->with_status &&
	    (rc = folder_row_get(t, f->folder, false, &row)) != 0)
		return rc == ERR_NOTFOUND ? ERR_CORRUPT : rc;
	if (l->with_status)
		info->status = row.st;
	l->n++;
	return 0;
}

static int
nothing_shared(struct db_txn *t, bool *none_out)
{
	struct slice all = { NULL, 0 }, key, value;
	struct db_scan *scan = NULL;
	int rc = db_scan_init(t, T_SHARED, all, all, &scan);

	if (rc == 0)
		rc = db_scan_next(scan, &key, &value);
	db_scan_fini(&scan);
	*none_out = rc == ERR_NOTFOUND;
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
list_txn(struct db_txn *t, void *arg)
{
	struct listing *l = arg;
	struct acl_shared *v;
	size_t n;
	int rc = acl_row_shared(t, l->u->package, l->a, &v, &n);

	l->n = l->account = 0;
	l->none = false;
	if (rc == 0 && n == 0)
		rc = nothing_shared(t, &l->none);
	if (rc != 0 || n == 0)
		return rc;
	l->v = arena_alloc(l->a, n * sizeof(*l->v));
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = take_folder(t, l, &v[i]);
	return rc;
}

static int
cmp_info(const void *a, const void *b)
{
	const struct folder_info *x = a, *y = b;

	return folder_name_cmp(x->name, y->name);
}

void
acl_changed(struct store *s)
{
	atomic_fetch_add(&s->shares_changed, 1);
	atomic_store(&s->unshared_until_ms, 0);
}

int
acl_list(struct store *s, const struct acl_user *u, bool with_status,
    struct arena *a, struct folder_info **v_out, size_t *n_out)
{
	struct listing l = { .u = u, .with_status = with_status, .a = a };
	uint64_t now = clock_steady_ms();
	uint64_t changed = atomic_load(&s->shares_changed);
	int rc;

	*v_out = NULL;
	*n_out = 0;
	if (atomic_load(&s->unshared_until_ms) > now)
		return 0;
	rc = db_read(s->db, list_txn, &l);
	if (rc == 0 && l.none)
		atomic_store(&s->unshared_until_ms, now + UNSHARED_MS);
	if (atomic_load(&s->shares_changed) != changed)
		atomic_store(&s->unshared_until_ms, 0);
	*v_out = l.v;
	*n_out = rc == 0 ? l.n : 0;
	if (*n_out > 1)
		qsort(l.v, l.n, sizeof(*l.v), cmp_info);
	return rc;
}

/* acl_get() and acl_set() */

struct reading {
	uint64_t folder;
	struct arena *a;
	struct acl_entry *v;
	size_t n;
};

static int
get_txn(struct db_txn *t, void *arg)
{
	struct reading *r = arg;

	return acl_row_list(t, r->folder, r->a, &r->v, &r->n);
}

int
acl_get(struct store *s, uint64_t folder, struct arena *a,
    struct acl_entry **v_out, size_t *n_out)
{
	struct reading r = { .folder = folder, .a = a };
	int rc = db_read(s->db, get_txn, &r);

	*v_out = r.v;
	*n_out = rc == 0 ? r.n : 0;
	return rc;
}

static int
who_by_address(
    struct store *s, struct slice addr, struct arena *a, struct slice *out)
{
	char *low = arena_str(a, addr);
	struct route r;
	int rc;

	for (char *p = low; *p != '\0'; p++)
		*p = ascii_lower(*p);
	rc = address_route(s, slice_str(low), a, &r);
	if (rc == 0 && (r.naccounts != 1 || r.nremote != 0))
		rc = ERR_INVALID;
	if (rc == 0)
		*out = r.account_names[0];
	return rc == ERR_NOTFOUND || rc == ERR_DENIED ? ERR_INVALID : rc;
}

int
acl_who(struct store *s, struct slice package, struct slice who,
    struct arena *a, struct slice *who_out)
{
	bool minus = who.n != 0 && who.p[0] == '-';
	struct slice plain = slice_from(who, minus), of;
	struct account ac;
	int rc = 0;

	*who_out = who;
	if (slice_eq(plain, anyone))
		return 0;
	if (slice_chr(plain, '@') != plain.n)
		rc = who_by_address(s, plain, a, &plain);
	if (rc == 0 &&
	    (!names_is_account(plain, &of, NULL) || !slice_eq(of, package)))
		rc = ERR_INVALID;
	if (rc == 0 && (rc = account_get(s, plain, a, &ac)) == ERR_NOTFOUND)
		rc = ERR_INVALID;
	if (rc == 0)
		*who_out = slice_str(arena_printf(
		    a, "%s%.*s", minus ? "-" : "", (int)plain.n, plain.p));
	return rc;
}

struct change {
	struct slice package, who;
	uint64_t account, folder;
	enum acl_op op;
	unsigned rights;
};

static unsigned
changed(const struct change *c, unsigned was)
{
	switch (c->op) {
	case ACL_ADD: return was | c->rights;
	case ACL_TAKE: return was & ~c->rights;
	default: return c->rights;
	}
}

static int
change_entry(struct db_txn *t, const struct change *c, struct arena *a)
{
	struct acl_entry e = { .who = c->who }, *v;
	bool there = false;
	size_t n;
	int rc = acl_row_list(t, c->folder, a, &v, &n);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (slice_eq(v[i].who, c->who)) {
			e.rights = v[i].rights;
			there = true;
		}
	e.rights = changed(c, e.rights);
	if (e.rights == 0)
		return there ? acl_row_del(t, c->account, c->folder, c->who)
			     : 0;
	if (!there && n >= ACL_ENTRIES_MAX)
		return ERR_LIMIT;
	return acl_row_put(t, c->package, c->account, c->folder, &e);
}

static int
set_txn(struct db_txn *t, void *arg)
{
	const struct change *c = arg;
	struct folder_row row;
	struct arena a;
	int rc = folder_row_get(t, c->folder, true, &row);

	if (rc == 0 && row.account != c->account)
		rc = ERR_NOTFOUND;
	if (rc != 0)
		return rc;
	arena_init(&a);
	rc = change_entry(t, c, &a);
	arena_clear(&a);
	return rc;
}

/* Does the identifier mean the owner, by name? */
static bool
is_owner(struct store *s, const struct change *c, struct arena *a)
{
	struct slice who = c->who;
	struct account ac;

	if (who.n != 0 && who.p[0] == '-')
		who = slice_from(who, 1);
	return account_get_id(s, c->account, a, &ac) == 0 &&
	       slice_eq(who, ac.name);
}

static int
explain(struct err *e, int rc)
{
	switch (rc) {
	case 0: return 0;
	case ERR_NOTFOUND: return err_set(e, rc, "No such folder");
	case ERR_LIMIT: return err_set(e, rc, "Too many entries");
	case ERR_DENIED:
		return err_set(e, rc, "The owner has all rights, for ever");
	case ERR_INVALID:
		return err_set(
		    e, rc, "No account of this package has that name");
	default: return err_set(e, rc, "Temporary failure of the store");
	}
}

int
acl_set(struct store *s, struct slice package, uint64_t account,
    uint64_t folder, struct slice who, enum acl_op op, unsigned rights,
    struct err *e)
{
	struct change c = { .package = package,
		.account = account,
		.folder = folder,
		.op = op,
		.rights = rights };
	struct arena a;
	int rc;

	arena_init(&a);
	rc = acl_who(s, package, who, &a, &c.who);
	/* What is of accounts that are gone may go. */
	if (rc == ERR_INVALID && op == ACL_SET && rights == 0 && who.n != 0 &&
	    who.n <= NAMES_ACCOUNT_MAX + 1) {
		c.who = who;
		rc = 0;
	}
	if (rc == 0 && is_owner(s, &c, &a))
		rc = ERR_DENIED;
	if (rc == 0)
		rc = db_update(s->db, set_txn, &c);
	if (rc == 0)
		change_rights(s, account, folder);
	arena_clear(&a);
	return explain(e, rc);
}

/* Entries that name somebody, "web100p2" and "-web100p2". */
struct naming {
	struct slice package, name, minus;
	struct arena *a;
	struct acl_shared *v, *at;
	size_t n;
};

static bool
names(const struct naming *m, struct slice who)
{
	return slice_eq(who, m->name) || slice_eq(who, m->minus);
}

static int
naming_txn(struct db_txn *t, void *arg)
{
	struct naming *m = arg;
	size_t all, kept = 0;
	int rc;

	m->n = 0;
	rc = acl_row_shared(t, m->package, m->a, &m->v, &all);
	for (size_t i = 0; rc == 0 && i < all; i++) {
		struct acl_entry *v;
		struct arena a;
		bool named = false;
		size_t n;

		arena_init(&a);
		rc = acl_row_list(t, m->v[i].folder, &a, &v, &n);
		for (size_t k = 0; rc == 0 && k < n; k++)
			named |= names(m, v[k].who);
		arena_clear(&a);
		if (named)
			m->v[kept++] = m->v[i];
	}
	m->n = rc == 0 ? kept : 0;
	return rc;
}

static int
unname_txn(struct db_txn *t, void *arg)
{
	const struct naming *m = arg;
	struct folder_row row;
	int rc = folder_row_get(t, m->at->folder, true, &row);

	if (rc == ERR_NOTFOUND) /* and its entries with it */
		return 0;
	if (rc == 0)
		rc = acl_row_del(t, m->at->account, m->at->folder, m->name);
	if (rc == 0 || rc == ERR_NOTFOUND)
		rc = acl_row_del(t, m->at->account, m->at->folder, m->minus);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
acl_purge(struct store *s, struct slice package, struct slice name)
{
	struct arena a;
	struct naming m = { .package = package, .name = name, .a = &a };
	int rc;

	arena_init(&a);
	m.minus = slice_str(arena_printf(&a, "-%.*s", (int)name.n, name.p));
	rc = db_walk(s->db, naming_txn, &m);
	for (size_t i = 0; rc == 0 && i < m.n; i++) {
		m.at = &m.v[i];
		rc = db_update(s->db, unname_txn, &m);
		if (rc == 0)
			change_rights(s, m.at->account, m.at->folder);
	}
	arena_clear(&a);
	return rc;
}
