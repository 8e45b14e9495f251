/*
 * account_fixture.h - a scratch host with a package "web100" and the domain
 * "example.org", for tests of accounts and logins.  Account ids begin at 1001.
 */
#ifndef TESTS_UNIT_ACCOUNT_FIXTURE_H
#define TESTS_UNIT_ACCOUNT_FIXTURE_H

#include "tests/unit/store_fixture.h"

#include "storage/account.h"
#include "storage/counter.h"

static inline int
fixture_count_on(struct db_txn *t, void *arg)
{
	uint64_t id;

	(void)arg;
	return counter_next(t, SLICE("account"), 1000, &id);
}

static inline void
fixture_package(struct store_fixture *f, const char *name)
{
	struct package p = { .name = slice_str(name) };
	struct err e = { 0 };

	assert_int_equal(package_add(f->s, &p, &e), 0);
}

static inline void
fixture_domain(struct store_fixture *f, const char *package, const char *name)
{
	struct domain d = { .name = slice_str(name),
		.package = slice_str(package) };
	struct err e = { 0 };

	assert_int_equal(domain_add(f->s, &d, &e), 0);
}

/* secret: as stored, or NULL.  Returns the id. */
static inline uint64_t
fixture_account(struct store_fixture *f, const char *package, const char *name,
    enum secret_kind kind, const char *secret)
{
	struct account ac = { .package = slice_str(package),
		.name = slice_str(name) };
	struct account out;
	struct arena a;
	struct err e = { 0 };
	uint64_t id;
	int rc;

	if (secret != NULL) {
		ac.nsecrets = 1;
		ac.secrets[0] = (struct secret){ .kind = kind,
			.id = 1,
			.value = slice_str(secret),
			.scope = SCOPE_ALL };
	}
	arena_init(&a);
	rc = account_add(f->s, &ac, NULL, &a, &out, &e);
	if (rc != 0)
		print_error("account_add: %d %s\n", rc, e.text);
	assert_int_equal(rc, 0);
	id = out.id;
	arena_clear(&a);
	return id;
}

static inline void
fixture_address(struct store_fixture *f, const char *addr, size_t n,
    const char *const *targets)
{
	struct address ad = { .addr = slice_str(addr), .ntargets = n };
	struct err e = { 0 };
	int rc;

	for (size_t i = 0; i < n; i++)
		ad.targets[i] = slice_str(targets[i]);
	rc = address_add(f->s, &ad, &e);
	if (rc != 0)
		print_error("address_add %s: %d %s\n", addr, rc, e.text);
	assert_int_equal(rc, 0);
}

static inline void
fixture_address1(struct store_fixture *f, const char *addr, const char *target)
{
	fixture_address(f, addr, 1, &target);
}

static inline void
fixture_host(struct store_fixture *f)
{
	fixture_new(f);
	assert_int_equal(db_update(f->s->db, fixture_count_on, NULL), 0);
	fixture_package(f, "web100");
	fixture_domain(f, "web100", "example.org");
}

#endif
