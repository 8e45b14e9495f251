/*
 * Invariant 9: what packages and domains count, and the way back from
 * accounts to addresses.
 */
#include "storage/verify_priv.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "storage/account_row.h"
#include "storage/address_row.h"
#include "storage/names.h"
#include "storage/package_row.h"
#include "storage/tables.h"

/* How many rows name a package or a domain. */
struct tally {
	uint64_t accounts, binned, domains, addresses;
};

struct count {
	struct verify *v;
	struct map packages, domains; /* name -> struct tally */
	struct map ways;              /* key of address_of -> anything */
};

static struct tally *
tally_of(struct map *m, struct slice name)
{
	struct tally *t = map_get(m, name);

	if (t == NULL) {
		t = xcalloc(1, sizeof(*t));
		(void)map_put(m, name, t);
	}
	return t;
}

/* Runs fn over all records of a table. */
static int
each(struct db_txn *t, unsigned table, struct count *c,
    int (*fn)(struct db_txn *t, struct count *c, struct slice key,
	struct slice value))
{
	struct db_scan *scan = NULL;
	struct slice key, value;
	int rc;

	rc = db_scan_init(t, table, SLICE(""), slice_of(NULL, 0), &scan);
	while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
		rc = fn(t, c, key, value);
	db_scan_fini(&scan);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
on_account(
    struct db_txn *t, struct count *c, struct slice key, struct slice value)
{
	struct account_row row;
	struct slice package, name;
	struct arena a;
	int rc;

	(void)value;
	if (slice_chr(key, '\0') != key.n)
		return 0; /* a secret */
	if (!names_is_account(key, &package, NULL)) {
		verify_breach(c->v, "account: a damaged key");
		return 0;
	}
	tally_of(&c->packages, package)->accounts++;
	arena_init(&a);
	rc = account_row_get(t, key, false, &a, &row);
	if (rc == 0 && row.ac.deleted_at != 0)
		tally_of(&c->packages, package)->binned++;
	if (rc == 0)
		rc = account_row_name(t, row.ac.id, &a, &name);
	if (rc == ERR_NOTFOUND || (rc == 0 && !slice_eq(name, key)))
		verify_breach(c->v, "9 account %.*s is not found by its id",
		    (int)key.n, key.p);
	arena_clear(&a);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

static int
on_domain(
    struct db_txn *t, struct count *c, struct slice key, struct slice value)
{
	struct domain_row row;
	struct arena a;
	uint64_t have;
	int rc;

	(void)t;
	arena_init(&a);
	rc = domain_row_decode(key, value, &a, &row);
	if (rc == 0) {
		have = tally_of(&c->domains, key)->addresses;
		tally_of(&c->packages, row.d.package)->domains++;
		if (row.addresses != have)
			verify_breach(c->v,
			    "9 domain %.*s: counts %llu addresses, has %llu",
			    (int)key.n, key.p,
			    (unsigned long long)row.addresses,
			    (unsigned long long)have);
	}
	arena_clear(&a);
	return rc;
}

static int
on_package(
    struct db_txn *t, struct count *c, struct slice key, struct slice value)
{
	struct tally *have = tally_of(&c->packages, key);
	struct package_row row;
	struct arena a;
	int rc;

	(void)t;
	arena_init(&a);
	rc = package_row_decode(key, value, &a, &row);
	if (rc == 0 && row.binned != have->binned)
		verify_breach(c->v,
		    "9 package %.*s: counts %llu deleted accounts, has %llu",
		    (int)key.n, key.p, (unsigned long long)row.binned,
		    (unsigned long long)have->binned);
	if (rc == 0 &&
	    (row.accounts != have->accounts || row.domains != have->domains))
		verify_breach(c->v,
		    "9 package %.*s: counts %llu accounts, %llu domains, "
		    "has %llu, %llu",
		    (int)key.n, key.p, (unsigned long long)row.accounts,
		    (unsigned long long)row.domains,
		    (unsigned long long)have->accounts,
		    (unsigned long long)have->domains);
	arena_clear(&a);
	return rc;
}

/* Deleted accounts remember the addresses they had. */
static int
on_way(struct db_txn *t, struct count *c, struct slice key, struct slice value)
{
	struct account_row row;
	struct arena a;
	bool binned;
	int rc;

	(void)value;
	arena_init(&a);
	rc = account_row_get(
	    t, slice_sub(key, 0, slice_chr(key, '\0')), false, &a, &row);
	binned = rc == 0 && row.life == ACCOUNT_BINNED;
	arena_clear(&a);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	if (binned)
		return 0;
	(void)map_put(&c->ways, key, c);
	return 0;
}

/* Each target that is an account has its way back. */
static void
check_targets(struct count *c, const struct address *ad)
{
	struct buf key;

	buf_init(&key, DB_KEY_MAX);
	for (size_t i = 0; i < ad->ntargets; i++) {
		if (!names_is_account(ad->targets[i], NULL, NULL))
			continue;
		buf_clear(&key);
		buf_add_slice(&key, ad->targets[i]);
		buf_add_char(&key, '\0');
		buf_add_slice(&key, ad->addr);
		if (map_del(&c->ways, buf_slice(&key)) == NULL)
			verify_breach(c->v,
			    "9 address %.*s: no way back from %.*s",
			    (int)ad->addr.n, ad->addr.p, (int)ad->targets[i].n,
			    ad->targets[i].p);
	}
	buf_fini(&key);
}

static int
addresses(struct db_txn *t, struct count *c)
{
	struct chunk_scan scan;
	struct address_row row;
	struct arena a;
	int rc;

	arena_init(&a);
	rc = chunk_scan_init(t, T_ADDRESS, SLICE(""), slice_of(NULL, 0), &scan);
	while (rc == 0 && (rc = chunk_scan_next(&scan)) == 0) {
		arena_clear(&a);
		rc = address_row_decode(slice_of(scan.base, scan.base_n - 1),
		    buf_slice(&scan.rec), &a, &row);
		if (rc != 0)
			break;
		tally_of(&c->domains, names_domain_of(row.ad.addr))
		    ->addresses++;
		check_targets(c, &row.ad);
	}
	chunk_scan_fini(&scan);
	arena_clear(&a);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
verify_accounts(struct db_txn *t, struct verify *v)
{
	struct count c = { .v = v };
	int rc;

	map_init(&c.packages);
	map_init(&c.domains);
	map_init(&c.ways);
	if ((rc = each(t, T_ADDRESS_OF, &c, on_way)) == 0 &&
	    (rc = addresses(t, &c)) == 0 &&
	    (rc = each(t, T_ACCOUNT, &c, on_account)) == 0 &&
	    (rc = each(t, T_DOMAIN, &c, on_domain)) == 0)
		rc = each(t, T_PACKAGE, &c, on_package);
	if (rc == 0 && c.ways.n != 0)
		verify_breach(
		    v, "9 address_of: %zu rows without an address", c.ways.n);
	map_fini(&c.packages, free);
	map_fini(&c.domains, free);
	map_fini(&c.ways, NULL);
	return rc;
}
