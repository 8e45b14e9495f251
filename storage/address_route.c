/*
 * Where a recipient leads: one transaction, aliases followed breadth first.
 */
#include "storage/account.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "storage/account_row.h"
#include "storage/address_row.h"
#include "storage/generation.h"
#include "storage/known.h"
#include "storage/names.h"
#include "storage/package_row.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

enum { DEPTH_MAX = 10, SEEN_MAX = 1000, FIRST_OF = 20 };

/* What was met on the way, each once; those before `at` are followed. */
struct step {
	struct slice what; /* folded: an address, or an account's name */
	unsigned depth;
};

struct walk {
	struct slice addr;
	struct arena *a;
	struct route *out;
	struct step *steps;
	size_t n, cap, at;
	size_t accounts_cap, names_cap, remote_cap;
	bool suspended; /* something was left out for that */
};

/* The local part is lowered: it is matched without case. */
static struct slice
lowered(struct arena *a, struct slice addr)
{
	char *p = arena_bytes(a, addr.n + 1);

	for (size_t i = 0; i < addr.n; i++)
		p[i] = ascii_lower(addr.p[i]);
	return slice_of(p, addr.n);
}

static void
meet(struct walk *w, struct slice what, unsigned depth)
{
	if (depth > DEPTH_MAX || w->n == SEEN_MAX)
		return;
	for (size_t i = 0; i < w->n; i++)
		if (slice_eq(w->steps[i].what, what))
			return;
	w->steps = mem_grow(w->steps, &w->cap, w->n, sizeof(*w->steps));
	w->steps[w->n++] = (struct step){ what, depth };
}

static bool
has_account(const struct route *r, uint64_t id)
{
	for (size_t i = 0; i < r->naccounts; i++)
		if (r->accounts[i] == id)
			return true;
	return false;
}

static void
take_account(struct walk *w, const struct account *ac)
{
	struct route *r = w->out;

	if (has_account(r, ac->id))
		return;
	r->accounts = mem_grow(
	    r->accounts, &w->accounts_cap, r->naccounts, sizeof(*r->accounts));
	r->account_names = mem_grow(r->account_names, &w->names_cap,
	    r->naccounts, sizeof(*r->account_names));
	r->accounts[r->naccounts] = ac->id;
	r->account_names[r->naccounts++] = ac->name;
}

static void
take_remote(struct walk *w, struct slice addr)
{
	struct route *r = w->out;

	r->remote =
	    mem_grow(r->remote, &w->remote_cap, r->nremote, sizeof(*r->remote));
	r->remote[r->nremote++] = addr;
}

/* ERR_NOTFOUND: there is no such account. */
static int
to_account(struct db_txn *t, struct walk *w, struct slice name)
{
	struct account_row row;
	struct package_row pack;
	int rc;

	if ((rc = account_row_get(t, name, false, w->a, &row)) != 0)
		return rc;
	if (row.life != ACCOUNT_LIVES)
		return ERR_NOTFOUND;
	rc = package_row_get(t, row.ac.package, false, w->a, &pack);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	if ((row.ac.suspended && row.ac.refuses_mail) ||
	    (pack.p.suspended && pack.p.refuses_mail))
		w->suspended = true;
	else
		take_account(w, &row.ac);
	return 0;
}

/* local@domain as one of our addresses. */
static int
to_address(struct db_txn *t, struct walk *w, struct slice addr, unsigned depth)
{
	struct address_row row;
	int rc = address_row_get(t, addr, false, w->a, &row);

	for (size_t i = 0; rc == 0 && i < row.ad.ntargets; i++)
		meet(w, row.ad.targets[i], depth + 1);
	return rc;
}

static struct slice
join(struct arena *a, struct slice local, struct slice domain)
{
	char *p = arena_bytes(a, local.n + 1 + domain.n);

	if (local.n != 0)
		memcpy(p, local.p, local.n);
	p[local.n] = '@';
	if (domain.n != 0)
		memcpy(p + local.n + 1, domain.p, domain.n);
	return slice_of(p, local.n + 1 + domain.n);
}

/* An address, or an account's name before the '@'. */
static int
to_name(struct db_txn *t, struct walk *w, struct slice local,
    struct slice domain, unsigned depth)
{
	int rc = to_address(t, w, join(w->a, local, domain), depth);

	if (rc == ERR_NOTFOUND && names_is_account(local, NULL, NULL))
		rc = to_account(t, w, local);
	return rc;
}

/* The first of the package's accounts that takes mail. */
static int
to_first_account(struct db_txn *t, struct walk *w, struct slice package)
{
	struct account *v = arena_alloc(w->a, FIRST_OF * sizeof(*v));
	int pn = (int)package.n;
	size_t n, i = 0;
	int rc;

	/* All of them lie between "web100p" and "web100q". */
	rc = account_row_list(t, ACCOUNT_LIVES,
	    slice_str(arena_printf(w->a, "%.*sp", pn, package.p)),
	    slice_str(arena_printf(w->a, "%.*sq", pn, package.p)), w->a, v,
	    FIRST_OF, &n);
	if (rc != 0 || n == 0)
		return rc != 0 ? rc : ERR_NOTFOUND;
	while (i + 1 < n && v[i].suspended && v[i].refuses_mail)
		i++;
	return to_account(t, w, v[i].name);
}

static bool
is_duty(struct slice local)
{
	/* RFC 5321 4.5.1, RFC 2142 4 */
	return slice_eq(local, SLICE("postmaster")) ||
	       slice_eq(local, SLICE("abuse"));
}

/* As it was typed: a folder's name has capitals. */
static struct slice
detail(const struct walk *w, size_t plus, size_t local_n)
{
	return arena_copy(
	    w->a, slice_sub(w->addr, plus + 1, local_n - plus - 1));
}

/* All ways a local domain's address may be meant. */
static int
to_local(struct db_txn *t, struct walk *w, struct slice local,
    const struct domain_row *domain, unsigned depth)
{
	size_t plus = slice_chr(local, '+');
	struct slice name = domain->d.name;
	int rc = to_name(t, w, local, name, depth);

	/* RFC 5233 4: what is before the separator is the user. */
	if (rc == ERR_NOTFOUND && plus != 0 && plus != local.n) {
		rc = to_name(t, w, slice_sub(local, 0, plus), name, depth);
		if (rc == 0 && depth == 0)
			w->out->detail = detail(w, plus, local.n);
	}
	if (rc == ERR_NOTFOUND)
		rc = to_address(t, w, join(w->a, SLICE(""), name), depth);
	if (rc == ERR_NOTFOUND && is_duty(local))
		rc = to_first_account(t, w, domain->d.package);
	return rc;
}

/* "postmaster" without a domain. */
static int
to_bare_postmaster(struct db_txn *t, struct walk *w)
{
	struct db_scan *scan = NULL;
	struct slice key, value;
	struct domain_row first;
	int rc;

	rc = db_scan_init(t, T_DOMAIN, SLICE(""), slice_of(NULL, 0), &scan);
	if (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
		rc = domain_row_decode(key, value, w->a, &first);
	db_scan_fini(&scan);
	if (rc != 0)
		return rc;
	return to_local(t, w, SLICE("postmaster"), &first, 0);
}

/* "web100p1" or "web100p1+detail". */
static int
to_bare(struct db_txn *t, struct walk *w, struct slice what, unsigned depth)
{
	size_t plus = slice_chr(what, '+');
	int rc;

	if (depth == 0 && slice_eq(what, SLICE("postmaster")))
		return to_bare_postmaster(t, w);
	rc = to_account(t, w, slice_sub(what, 0, plus));
	if (rc == 0 && depth == 0 && plus != what.n)
		w->out->detail = detail(w, plus, what.n);
	return rc;
}

static int
follow(struct db_txn *t, struct walk *w, struct slice what, unsigned depth)
{
	struct slice domain = names_domain_of(what);
	struct slice given = what;
	struct domain_row row;
	int rc;

	what = lowered(w->a, what);
	if (slice_chr(what, '@') == what.n)
		return to_bare(t, w, what, depth);
	rc = domain_row_get(t, domain, false, w->a, &row);
	if (rc == ERR_NOTFOUND && depth > 0) {
		take_remote(w, given);
		return 0;
	}
	if (rc != 0)
		return rc;
	return to_local(t, w, names_local_of(what), &row, depth);
}

static int
walk(struct db_txn *t, void *arg)
{
	struct walk *w = arg;
	int rc;

	meet(w, w->addr, 0);
	for (; w->at < w->n; w->at++) {
		rc = follow(t, w, w->steps[w->at].what, w->steps[w->at].depth);
		if (rc != 0 && (rc != ERR_NOTFOUND || w->at == 0))
			return rc;
	}
	if (w->out->naccounts != 0 || w->out->nremote != 0)
		return 0;
	return w->suspended ? ERR_DENIED : ERR_NOTFOUND;
}

/* The same array, owned by the arena. */
static void *
keep(struct arena *a, void *heap, size_t bytes)
{
	void *p = arena_alloc(a, bytes + 1);

	if (bytes != 0)
		memcpy(p, heap, bytes);
	free(heap);
	return p;
}

int
address_route(
    struct store *s, struct slice addr, struct arena *a, struct route *out)
{
	struct walk w = { .a = a, .out = out };
	uint64_t begun = generation_of(s, GENERATION_ACCOUNTS);
	int rc;

	*out = (struct route){ .detail = SLICE("") };
	w.addr = addr;
	rc = db_read(s->db, walk, &w);
	free(w.steps);
	out->accounts =
	    keep(a, out->accounts, out->naccounts * sizeof(*out->accounts));
	out->account_names = keep(a, out->account_names,
	    out->naccounts * sizeof(*out->account_names));
	out->remote = keep(a, out->remote, out->nremote * sizeof(*out->remote));
	if (rc == 0)
		known_route(s, begun, addr, out);
	return rc;
}
