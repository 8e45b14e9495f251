/*
 * Addresses: who gets what is sent to them.  Following them is in
 * address_route.c.
 */
#include "storage/account.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "storage/account_edit.h"
#include "storage/address_row.h"
#include "storage/names.h"
#include "storage/package_row.h"
#include "storage/notify.h"
#include "storage/store_priv.h"
#include "storage/tables.h"

/* Ways from one account that are followed at its deletion and return; more
 * than any account should have. */
enum { OF_ACCOUNT_MAX = 20000 };

struct op {
	const struct address *ad;
	struct slice addr;
	struct arena *a;
	struct address_row row;
	struct err *e;
};

static bool
is_account(struct slice target)
{
	return slice_chr(target, '@') == target.n;
}

static bool
has_target(const struct address *ad, size_t n, struct slice target)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(ad->targets[i], target))
			return true;
	return false;
}

static int
check(const struct address *ad, struct err *e)
{
	if (!names_is_address(ad->addr))
		return err_set(e, ERR_INVALID, "that is no address");
	if (ad->ntargets == 0 || ad->ntargets > ADDRESS_TARGETS_MAX)
		return err_set(e, ERR_INVALID, "an address has 1 to %d targets",
		    (int)ADDRESS_TARGETS_MAX);
	for (size_t i = 0; i < ad->ntargets; i++) {
		if (is_account(ad->targets[i])
			? !names_is_account(ad->targets[i], NULL, NULL)
			: !names_is_address(ad->targets[i]))
			return err_set(e, ERR_INVALID,
			    "a target is an account's name or an address");
		if (has_target(ad, i, ad->targets[i]))
			return err_set(
			    e, ERR_INVALID, "a target is there twice");
	}
	return 0;
}

/* Words for what went wrong, where the transaction found none. */
static int
told(struct err *e, const struct err *why, int rc)
{
	if (rc == 0)
		return 0;
	if (why->kind == rc)
		return err_set(e, rc, "%s", why->text);
	return err_set(e, rc, "the address cannot be written");
}

/* Those of its targets that are accounts must be there. */
static int
check_accounts(struct db_txn *t, const struct address *ad, struct err *e)
{
	int rc;

	for (size_t i = 0; i < ad->ntargets; i++) {
		if (!is_account(ad->targets[i]))
			continue;
		rc = account_row_lives(t, ad->targets[i]);
		if (rc == ERR_NOTFOUND)
			return err_set(e, rc, "there is no account %.*s",
			    (int)ad->targets[i].n, ad->targets[i].p);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
put_ways_back(struct db_txn *t, const struct address *ad)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ad->ntargets; i++)
		if (is_account(ad->targets[i]))
			rc = address_of_put(t, ad->targets[i], ad->addr);
	return rc;
}

static int
del_ways_back(struct db_txn *t, const struct address *ad)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ad->ntargets; i++)
		if (is_account(ad->targets[i]))
			rc = address_of_del(t, ad->targets[i], ad->addr);
	return rc;
}

/* One address more or less in its domain.  ERR_NOTFOUND: not ours. */
static int
count(struct db_txn *t, struct slice addr, int by, struct arena *a)
{
	struct domain_row row;
	int rc = domain_row_get(t, names_domain_of(addr), true, a, &row);

	if (rc != 0)
		return rc;
	if (by > 0)
		row.addresses++;
	else if (row.addresses != 0)
		row.addresses--;
	return domain_row_put(t, &row, false);
}

static int
add(struct db_txn *t, void *arg)
{
	struct op *op = arg;
	struct address_row row = { .ad = *op->ad };
	struct address_row was;
	int rc;

	arena_clear(op->a);
	rc = count(t, op->ad->addr, 1, op->a);
	if (rc == ERR_NOTFOUND)
		return err_set(op->e, rc, "the domain is not one of ours");
	if (rc != 0 || (rc = check_accounts(t, op->ad, op->e)) != 0)
		return rc;
	rc = address_row_get(t, op->ad->addr, true, op->a, &was);
	if (rc == 0)
		return err_set(
		    op->e, ERR_EXISTS, "there is such an address already");
	if (rc != ERR_NOTFOUND)
		return rc;
	if (row.ad.created_at == 0)
		row.ad.created_at = clock_wall_sec();
	if ((rc = address_row_put(t, &row)) != 0)
		return rc;
	return put_ways_back(t, op->ad);
}

int
address_add(struct store *s, const struct address *ad, struct err *e)
{
	struct arena a;
	struct err why = { 0 };
	struct op op = { .ad = ad, .a = &a, .e = &why };
	int rc;

	if ((rc = check(ad, e)) != 0)
		return rc;
	arena_init(&a);
	rc = notify_routes(s, db_update(s->db, add, &op));
	arena_clear(&a);
	return told(e, &why, rc);
}

static int
set(struct db_txn *t, void *arg)
{
	struct op *op = arg;
	struct address was;
	int rc;

	arena_clear(op->a);
	if ((rc = check_accounts(t, op->ad, op->e)) != 0)
		return rc;
	rc = address_row_get(t, op->ad->addr, true, op->a, &op->row);
	if (rc == ERR_NOTFOUND)
		return err_set(op->e, rc, "there is no such address");
	if (rc != 0)
		return rc;
	was = op->row.ad;
	op->row.ad = *op->ad;
	op->row.ad.created_at = was.created_at;
	if ((rc = address_row_put(t, &op->row)) != 0 ||
	    (rc = del_ways_back(t, &was)) != 0)
		return rc;
	return put_ways_back(t, op->ad);
}

static int
by_domain(const void *pa, const void *pb)
{
	const struct slice *a = pa, *b = pb;
	int by = slice_cmp(names_domain_of(*a), names_domain_of(*b));

	return by != 0 ? by : slice_cmp(*a, *b);
}

static int
by_name(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Is there something to be made? */
static int
look_at(struct db_txn *t, struct bind_txn *b, struct slice addr)
{
	struct address_row row;
	int rc;

	for (size_t i = 0; i < b->nfresh; i++)
		if (slice_eq(b->fresh[i], addr))
			return 0;
	rc = address_row_get(t, addr, false, b->a, &row);
	if (rc == ERR_NOTFOUND) {
		b->fresh[b->nfresh++] = addr;
		return 0;
	}
	if (rc == 0 && !has_target(&row.ad, row.ad.ntargets, b->account))
		return err_set(b->e, ERR_EXISTS,
		    "the address %.*s leads elsewhere already", (int)addr.n,
		    addr.p);
	return rc;
}

int
address_bind_count(struct db_txn *t, struct bind_txn *b)
{
	int rc = 0;

	b->nfresh = 0;
	for (size_t i = 0; b->bind != NULL && rc == 0 && i < b->bind->n; i++)
		rc = look_at(t, b, b->bind->addrs[i]);
	if (b->nfresh != 0)
		qsort(b->fresh, b->nfresh, sizeof(*b->fresh), by_domain);
	for (size_t i = 0; rc == 0 && i < b->nfresh; i++) {
		rc = count(t, b->fresh[i], 1, b->a);
		if (rc == ERR_NOTFOUND)
			return err_set(b->e, rc,
			    "the domain of %.*s is not one of ours",
			    (int)b->fresh[i].n, b->fresh[i].p);
	}
	if (b->nfresh != 0)
		qsort(b->fresh, b->nfresh, sizeof(*b->fresh), by_name);
	return rc;
}

int
address_bind_write(struct db_txn *t, const struct bind_txn *b)
{
	struct address_row row = { .ad = { .targets = { b->account },
				       .ntargets = 1,
				       .created_at = clock_wall_sec() } };
	struct address_row was;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->nfresh; i++) {
		/* Somebody may have made it since. */
		rc = address_row_get(t, b->fresh[i], true, b->a, &was);
		if (rc == 0)
			return ERR_BUSY;
		row.ad.addr = b->fresh[i];
		if (rc == ERR_NOTFOUND)
			rc = address_row_put(t, &row);
	}
	for (size_t i = 0; rc == 0 && i < b->nfresh; i++)
		rc = address_of_put(t, b->account, b->fresh[i]);
	return rc;
}

int
address_set(struct store *s, const struct address *ad, struct err *e)
{
	struct arena a;
	struct err why = { 0 };
	struct op op = { .ad = ad, .a = &a, .e = &why };
	int rc;

	if ((rc = check(ad, e)) != 0)
		return rc;
	arena_init(&a);
	rc = notify_routes(s, db_update(s->db, set, &op));
	arena_clear(&a);
	return told(e, &why, rc);
}

static int
get(struct db_txn *t, void *arg)
{
	struct op *op = arg;

	return address_row_get(t, op->addr, false, op->a, &op->row);
}

int
address_get(
    struct store *s, struct slice addr, struct arena *a, struct address *out)
{
	struct op op = { .addr = addr, .a = a };
	int rc = db_read(s->db, get, &op);

	*out = op.row.ad;
	return rc;
}

/* Takes out the row and what counts it. */
static int
remove_row(struct db_txn *t, const struct address_row *row)
{
	int rc;

	if ((rc = address_row_del(t, row)) != 0)
		return rc;
	return del_ways_back(t, &row->ad);
}

static int
del(struct db_txn *t, void *arg)
{
	struct op *op = arg;
	int rc;

	arena_clear(op->a);
	rc = count(t, op->addr, -1, op->a);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	rc = address_row_get(t, op->addr, true, op->a, &op->row);
	if (rc == ERR_NOTFOUND)
		return err_set(op->e, rc, "there is no such address");
	return rc != 0 ? rc : remove_row(t, &op->row);
}

int
address_del(struct store *s, struct slice addr, struct err *e)
{
	struct arena a;
	struct err why = { 0 };
	struct op op = { .addr = addr, .a = &a, .e = &why };
	int rc;

	arena_init(&a);
	rc = notify_routes(s, db_update(s->db, del, &op));
	arena_clear(&a);
	return told(e, &why, rc);
}

/* An account leaves an address. */
struct leave {
	struct slice account, addr;
	bool remember; /* the way back stays */
	struct arena *a;
};

/* The record without this target; false: it was not among them. */
static bool
drop_target(struct address *ad, struct slice account)
{
	size_t n = 0;

	for (size_t i = 0; i < ad->ntargets; i++)
		if (!slice_eq(ad->targets[i], account))
			ad->targets[n++] = ad->targets[i];
	if (n == ad->ntargets)
		return false;
	ad->ntargets = n;
	return true;
}

static int
leave(struct db_txn *t, void *arg)
{
	const struct leave *l = arg;
	struct address_row row;
	bool dropped = false, shared = false;
	int rc;

	/* Whether the domain's count changes is seen before the address is
	 * locked (FORMAT 4). */
	arena_clear(l->a);
	rc = address_row_get(t, l->addr, false, l->a, &row);
	if (rc == 0 && drop_target(&row.ad, l->account) && row.ad.ntargets == 0)
		rc = count(t, l->addr, -1, l->a);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	rc = address_row_get(t, l->addr, true, l->a, &row);
	dropped = rc == 0 && drop_target(&row.ad, l->account);
	if (dropped) {
		shared = row.ad.ntargets != 0;
		rc = shared ? address_row_put(t, &row)
			    : address_row_del(t, &row);
	}
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	if (l->remember && !dropped)
		return 0; /* done before */
	if (l->remember)
		return address_of_remember(t, l->account, l->addr, shared);
	return address_of_del(t, l->account, l->addr);
}

/* And is there again: as one of several, or alone when it is still free. */
static int
come(struct db_txn *t, void *arg)
{
	const struct leave *l = arg;
	struct address_row row;
	bool shared;
	int rc, there;

	arena_clear(l->a);
	there = address_row_get(t, l->addr, false, l->a, &row);
	if (there == ERR_NOTFOUND && (rc = count(t, l->addr, 1, l->a)) != 0)
		return rc == ERR_NOTFOUND
			   ? address_of_del(t, l->account, l->addr)
			   : rc;
	rc = address_row_get(t, l->addr, true, l->a, &row);
	if (rc != there)
		return rc == 0 || rc == ERR_NOTFOUND ? ERR_BUSY : rc;
	if (there == 0 && has_target(&row.ad, row.ad.ntargets, l->account))
		return address_of_put(t, l->account, l->addr);
	if ((rc = address_of_shared(t, l->account, l->addr, &shared)) != 0)
		return rc;
	if (there == 0 && (!shared || row.ad.ntargets == ADDRESS_TARGETS_MAX))
		return address_of_del(t, l->account, l->addr);
	if (there == ERR_NOTFOUND)
		row = (struct address_row){ .ad = { .addr = l->addr,
						.created_at =
						    clock_wall_sec() } };
	row.ad.targets[row.ad.ntargets++] = l->account;
	if ((rc = address_row_put(t, &row)) != 0)
		return rc;
	return address_of_put(t, l->account, l->addr);
}

struct list {
	struct slice after;
	struct arena *a;
	struct address *v;
	struct slice *names;
	size_t cap, n;
};

static int
list_of(struct db_txn *t, void *arg)
{
	struct list *l = arg;

	return address_of_list(t, l->after, l->a, l->names, l->cap, &l->n);
}

/* All of an account's addresses, one transaction each. */
static int
each_address(struct store *s, struct slice account, bool remember,
    int (*fn)(struct db_txn *t, void *arg))
{
	struct slice *names;
	struct arena a, work;
	struct list l = { .after = account, .a = &a, .cap = OF_ACCOUNT_MAX };
	struct leave lv = {
		.account = account, .remember = remember, .a = &work
	};
	int rc;

	arena_init(&a);
	arena_init(&work);
	do {
		arena_clear(&a);
		names = arena_alloc(&a, OF_ACCOUNT_MAX * sizeof(*names));
		l.names = names;
		l.n = 0;
		rc = db_read(s->db, list_of, &l);
		for (size_t i = 0; rc == 0 && i < l.n; i++) {
			lv.addr = names[i];
			rc = notify_routes(s, db_update(s->db, fn, &lv));
		}
		/* The ways that stay are seen once. */
	} while (rc == 0 && l.n != 0 && fn == leave && !remember);
	arena_clear(&work);
	arena_clear(&a);
	return rc;
}

int
account_leave_addresses(struct store *s, struct slice account)
{
	return each_address(s, account, false, leave);
}

int
account_hide_addresses(struct store *s, struct slice account)
{
	return each_address(s, account, true, leave);
}

int
account_show_addresses(struct store *s, struct slice account)
{
	return each_address(s, account, true, come);
}

static int
list(struct db_txn *t, void *arg)
{
	struct list *l = arg;

	struct chunk_scan c;
	struct address_row row;
	struct buf start;
	int rc;

	buf_init(&start, NAMES_ADDRESS_MAX + 1);
	if (l->after.n != 0) {
		buf_add_slice(&start, l->after);
		buf_add_char(&start, '\1'); /* behind its last chunk */
	}
	rc = chunk_scan_init(
	    t, T_ADDRESS, buf_slice(&start), slice_of(NULL, 0), &c);
	while (rc == 0 && l->n < l->cap && (rc = chunk_scan_next(&c)) == 0) {
		rc = address_row_decode(slice_of(c.base, c.base_n - 1),
		    buf_slice(&c.rec), l->a, &row);
		if (rc == 0)
			l->v[l->n++] = row.ad;
	}
	chunk_scan_fini(&c);
	buf_fini(&start);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
address_list(struct store *s, struct slice after, struct arena *a,
    struct address *v, size_t cap, size_t *n_out)
{
	struct list l = { .after = slice_sub(after, 0, NAMES_ADDRESS_MAX),
		.a = a,
		.v = v,
		.cap = cap };
	int rc = db_walk(s->db, list, &l);

	*n_out = l.n;
	return rc;
}

int
address_of_account(struct store *s, struct slice account, struct arena *a,
    struct slice *v, size_t cap, size_t *n_out)
{
	struct list l = { .after = account, .a = a, .names = v, .cap = cap };
	int rc = db_read(s->db, list_of, &l);

	*n_out = l.n;
	return rc;
}
