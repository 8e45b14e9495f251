/* Packages, domains and accounts: add, set, list, delete, limits. */
#include "tests/unit/account_fixture.h"

#include <pthread.h>

#include "storage/account_row.h"
#include "storage/deliver.h"
#include "storage/event.h"
#include "storage/host_key.h"
#include "storage/names.h"
#include "storage/package_row.h"

static struct store_fixture f;

UNIT_AROUND(fixture_host(&f), fixture_end(&f))

static void
test_names(void **state)
{
	static const struct {
		const char *in;
		bool package, account;
	} cases[] = {
		{ "web1", true, false },
		{ "web99999999", true, false },
		{ "web100000000", false, false },
		{ "web0", false, false },
		{ "web01", false, false },
		{ "web", false, false },
		{ "Web1", false, false },
		{ "web1p1", false, true },
		{ "web99999999p99999999", false, true },
		{ "web1p0", false, false },
		{ "web1p01", false, false },
		{ "web1p", false, false },
		{ "web1p1x", false, false },
		{ "web1p1p1", false, false },
		{ "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice s = slice_str(cases[i].in);

		assert_int_equal(names_is_package(s), cases[i].package);
		assert_int_equal(
		    names_is_account(s, NULL, NULL), cases[i].account);
	}
	assert_true(names_is_address(SLICE("a@b")));
	assert_true(names_is_address(SLICE("@b")));
	assert_false(names_is_address(SLICE("a@")));
	assert_false(names_is_address(SLICE("ab")));
	assert_false(names_is_address(SLICE("a\nb@c")));
}

static void
test_package(void **state)
{
	struct package p = { .name = SLICE("web7"), .accounts_max = 2 }, q;
	struct package v[10];
	struct arena a;
	struct err e;
	size_t n;

	(void)state;
	arena_init(&a);
	assert_int_equal(package_add(f.s, &p, &e), 0);
	assert_int_equal(package_add(f.s, &p, &e), ERR_EXISTS);
	p.name = SLICE("pack");
	assert_int_equal(package_add(f.s, &p, &e), ERR_INVALID);
	assert_int_equal(package_get(f.s, SLICE("web7"), &a, &q), 0);
	assert_int_equal(q.accounts_max, 2);
	assert_true(q.created_at > 0);
	assert_int_equal(package_get(f.s, SLICE("web8"), &a, &q), ERR_NOTFOUND);
	(void)fixture_account(&f, "web7", "", 0, NULL);
	p = q = (struct package){
		.name = SLICE("web7"), .bytes_max = 5, .accounts_max = 2
	};
	assert_int_equal(package_set(f.s, &p, &e), 0);
	assert_int_equal(package_get(f.s, SLICE("web7"), &a, &q), 0);
	assert_int_equal(q.bytes_max, 5);
	/* what it counts has survived */
	assert_int_equal(package_del(f.s, SLICE("web7"), &e), ERR_BUSY);
	(void)fixture_account(&f, "web7", "web7p9", 0, NULL);
	{
		struct account ac = { .package = SLICE("web7") }, out;

		assert_int_equal(
		    account_add(f.s, &ac, NULL, &a, &out, &e), ERR_LIMIT);
	}
	assert_int_equal(package_list(f.s, SLICE(""), &a, v, 10, &n), 0);
	assert_int_equal(n, 2);
	assert_slice(v[0].name, "web100");
	assert_slice(v[1].name, "web7");
	assert_int_equal(package_list(f.s, SLICE("web100"), &a, v, 10, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(account_del(f.s, SLICE("web7p1"), &e), 0);
	assert_int_equal(account_del(f.s, SLICE("web7p9"), &e), 0);
	assert_int_equal(package_del(f.s, SLICE("web7"), &e), 0);
	assert_int_equal(package_del(f.s, SLICE("web7"), &e), ERR_NOTFOUND);
	arena_clear(&a);
}

static void
test_domain(void **state)
{
	struct package p = { .name = SLICE("web100"), .domains_max = 2 };
	struct domain d = { .name = SLICE("b.example"),
		.package = SLICE("web100") },
		      out, v[5];
	struct arena a;
	struct err e;
	bool ours;
	size_t n;

	(void)state;
	arena_init(&a);
	assert_int_equal(package_set(f.s, &p, &e), 0);
	assert_int_equal(domain_add(f.s, &d, &e), 0);
	assert_int_equal(domain_add(f.s, &d, &e), ERR_EXISTS);
	d.name = SLICE("full.example");
	assert_int_equal(domain_add(f.s, &d, &e), ERR_LIMIT);
	d.name = SLICE("b.example");
	p.domains_max = 0;
	assert_int_equal(package_set(f.s, &p, &e), 0);
	assert_int_equal(domain_add(f.s, &d, &e), ERR_EXISTS);
	d.name = SLICE("c.example");
	d.package = SLICE("web5");
	assert_int_equal(domain_add(f.s, &d, &e), ERR_NOTFOUND);
	d.name = SLICE("a b");
	assert_int_equal(domain_add(f.s, &d, &e), ERR_INVALID);
	assert_int_equal(domain_get(f.s, SLICE("b.example"), &a, &out), 0);
	assert_slice(out.package, "web100");
	assert_int_equal(domain_is_local(f.s, SLICE("b.example"), &ours), 0);
	assert_true(ours);
	assert_int_equal(domain_is_local(f.s, SLICE("x.example"), &ours), 0);
	assert_false(ours);
	assert_int_equal(domain_is_local(f.s, SLICE(""), &ours), 0);
	assert_false(ours);
	assert_int_equal(domain_list(f.s, SLICE(""), &a, v, 5, &n), 0);
	assert_int_equal(n, 2);
	assert_slice(v[0].name, "b.example");
	assert_int_equal(package_del(f.s, SLICE("web100"), &e), ERR_BUSY);
	(void)fixture_account(&f, "web100", "web100p1", 0, NULL);
	fixture_address1(&f, "x@b.example", "web100p1");
	assert_int_equal(domain_del(f.s, SLICE("b.example"), &e), ERR_BUSY);
	assert_int_equal(address_del(f.s, SLICE("x@b.example"), &e), 0);
	assert_int_equal(domain_del(f.s, SLICE("b.example"), &e), 0);
	assert_int_equal(domain_del(f.s, SLICE("b.example"), &e), ERR_NOTFOUND);
	arena_clear(&a);
}

static void
test_numbers(void **state)
{
	struct account ac = { .package = SLICE("web100") }, out;
	struct folder_info *folders;
	struct arena a;
	struct err e;
	size_t n;

	(void)state;
	arena_init(&a);
	assert_int_equal(account_add(f.s, &ac, NULL, &a, &out, &e), 0);
	assert_slice(out.name, "web100p1");
	assert_int_equal(out.id, 1001);
	assert_slice(out.package, "web100");
	assert_int_equal(folder_list(f.s, out.id, false, &a, &folders, &n), 0);
	assert_int_equal(n, 6);
	ac.name = SLICE("web100p1");
	assert_int_equal(account_add(f.s, &ac, NULL, &a, &out, &e), ERR_EXISTS);
	ac.name = SLICE("web1000p1");
	assert_int_equal(
	    account_add(f.s, &ac, NULL, &a, &out, &e), ERR_INVALID);
	ac.name = SLICE("nonsense");
	assert_int_equal(
	    account_add(f.s, &ac, NULL, &a, &out, &e), ERR_INVALID);
	ac.name = SLICE("web200p1");
	ac.package = SLICE("web200");
	assert_int_equal(
	    account_add(f.s, &ac, NULL, &a, &out, &e), ERR_NOTFOUND);
	assert_string_equal(e.text, "there is no such package");
	ac.package = SLICE("web100");
	ac.name = SLICE("web100p7");
	assert_int_equal(account_add(f.s, &ac, NULL, &a, &out, &e), 0);
	ac.name = SLICE("");
	assert_int_equal(account_add(f.s, &ac, NULL, &a, &out, &e), 0);
	assert_slice(out.name, "web100p8");
	/* a number is not given again */
	assert_int_equal(account_del(f.s, SLICE("web100p8"), &e), 0);
	assert_int_equal(account_add(f.s, &ac, NULL, &a, &out, &e), 0);
	assert_slice(out.name, "web100p9");
	arena_clear(&a);
}

static void
test_secrets(void **state)
{
	const struct secret better = { .kind = SECRET_SCRAM_SHA256,
		.value = SLICE("better") };
	struct account ac = { .package = SLICE("web100"),
		.name = SLICE("web100p1"),
		.lang = SLICE("de"),
		.full_name = SLICE("J\303\266rg") };
	struct account one, two;
	char value[SECRET_VALUE_MAX];
	struct arena a;
	struct err e;

	(void)state;
	arena_init(&a);
	memset(value, 'v', sizeof(value));
	for (size_t i = 0; i < ACCOUNT_SECRETS_MAX; i++)
		ac.secrets[i] = (struct secret){ .kind = SECRET_HASH,
			.id = i == 0 ? 1 : 0,
			.label = SLICE("telephone"),
			.value = slice_of(value, sizeof(value)),
			.scope = SCOPE_IMAP };
	ac.nsecrets = ACCOUNT_SECRETS_MAX;
	assert_int_equal(account_add(f.s, &ac, NULL, &a, &one, &e), 0);
	assert_int_equal(one.nsecrets, ACCOUNT_SECRETS_MAX);
	for (size_t i = 0; i < one.nsecrets; i++) {
		assert_int_equal(one.secrets[i].id, i + 1);
		assert_int_equal(one.secrets[i].value.n, SECRET_VALUE_MAX);
		assert_int_equal(one.secrets[i].scope, SCOPE_IMAP);
		assert_true(one.secrets[i].created_at > 0);
	}
	assert_slice(one.full_name, "J\303\266rg");

	/* one revoked, one new: ids are not given again */
	two = one;
	two.nsecrets = ACCOUNT_SECRETS_MAX - 1;
	assert_int_equal(account_set(f.s, &two, NULL, false, &e), 0);
	assert_int_equal(account_get(f.s, ac.name, &a, &two), 0);
	assert_int_equal(two.nsecrets, ACCOUNT_SECRETS_MAX - 1);
	assert_int_equal(two.secret_version, one.secret_version + 1);
	assert_int_equal(two.secrets[0].version, one.secrets[0].version);
	two.secrets[two.nsecrets++] =
	    (struct secret){ .kind = SECRET_HASH, .value = SLICE("new") };
	assert_int_equal(account_set(f.s, &two, NULL, true, &e), 0);
	assert_int_equal(account_get(f.s, ac.name, &a, &two), 0);
	assert_int_equal(two.secrets[15].id, ACCOUNT_SECRETS_MAX + 1);
	assert_int_equal(two.secrets[15].scope, SCOPE_ALL);
	assert_int_equal(two.secrets[15].version, two.secret_version);
	assert_int_equal(two.secret_version, one.secret_version + 2);

	/* nothing of the secrets changes: no new version */
	two.full_name = SLICE("x");
	assert_int_equal(account_set(f.s, &two, NULL, false, &e), 0);
	assert_int_equal(account_get(f.s, ac.name, &a, &one), 0);
	assert_int_equal(one.secret_version, two.secret_version);
	assert_slice(one.full_name, "x");

	/* used_at only rises */
	assert_int_equal(account_secret_used(f.s, one.id, 3, 100), 0);
	assert_int_equal(account_secret_used(f.s, one.id, 3, 50), 0);
	assert_int_equal(
	    account_secret_used(f.s, one.id, 99, 50), ERR_NOTFOUND);
	assert_int_equal(account_set(f.s, &two, NULL, false, &e), 0);
	assert_int_equal(account_get_id(f.s, one.id, &a, &two), 0);
	assert_int_equal(two.secrets[2].used_at, 100);

	/* an upgrade is no change */
	assert_int_equal(
	    account_secret_upgrade(f.s, one.id, 2, SLICE("other"), &better),
	    ERR_CONFLICT);
	assert_int_equal(account_secret_upgrade(
			     f.s, one.id, 2, two.secrets[1].value, &better),
	    0);
	assert_int_equal(account_get_id(f.s, one.id, &a, &one), 0);
	assert_slice(one.secrets[1].value, "better");
	assert_int_equal(one.secrets[1].kind, SECRET_SCRAM_SHA256);
	assert_int_equal(one.secrets[1].version, two.secrets[1].version);
	assert_int_equal(one.secret_version, two.secret_version);

	/* refused */
	one.secrets[0].id = 2;
	assert_int_equal(account_set(f.s, &one, NULL, false, &e), ERR_INVALID);
	one.secrets[0].id = 1;
	one.secrets[0].value = SLICE("");
	assert_int_equal(account_set(f.s, &one, NULL, false, &e), ERR_INVALID);
	one.name = SLICE("web100p77");
	one.nsecrets = 0;
	assert_int_equal(account_set(f.s, &one, NULL, false, &e), ERR_NOTFOUND);
	arena_clear(&a);
}

static void
test_list(void **state)
{
	struct account *v;
	struct arena a;
	size_t n, total = 0;
	struct slice after = SLICE("");

	(void)state;
	arena_init(&a);
	for (int i = 0; i < 25; i++)
		(void)fixture_account(&f, "web100", "", SECRET_HASH, "x");
	v = arena_alloc(&a, 10 * sizeof(*v));
	do {
		assert_int_equal(account_list(f.s, after, &a, v, 10, &n), 0);
		for (size_t i = 0; i < n; i++) {
			assert_true(slice_cmp(v[i].name, after) > 0);
			assert_int_equal(v[i].nsecrets, 1);
			assert_slice(v[i].secrets[0].value, "x");
			after = v[i].name;
		}
		total += n;
	} while (n == 10);
	assert_int_equal(total, 25);
	arena_clear(&a);
}

static void
put_mail(uint64_t account, const char *text)
{
	struct slice part = slice_str(text);
	struct deliver_target target = { .account = account };
	struct deliver_msg msg = {
		.parts = &part, .nparts = 1, .targets = &target, .ntargets = 1
	};
	struct deliver d = { .msgs = &msg, .nmsgs = 1 };
	struct err e = { 0 };
	int rc = deliver(f.s, &d, &e);

	if (rc != 0)
		print_error("deliver: %d %s\n", rc, e.text);
	assert_int_equal(rc, 0);
}

static int
count_rows(struct db_txn *t, void *arg)
{
	static const unsigned tables[] = { T_HOT, T_ENTRY, T_MESSAGE, T_BODY,
		T_GONE, T_EVENT, T_ADDRESS, T_ADDRESS_OF };
	size_t *n = arg;
	struct db_scan *scan;
	struct slice key, value;
	int rc;

	for (size_t i = 0; i < PH_LEN(tables); i++) {
		rc = db_scan_init(
		    t, tables[i], SLICE(""), slice_of(NULL, 0), &scan);
		while (rc == 0 && (rc = db_scan_next(scan, &key, &value)) == 0)
			(*n)++;
		db_scan_fini(&scan);
		if (rc != ERR_NOTFOUND)
			return rc;
	}
	return 0;
}

static void
test_delete(void **state)
{
	static const char *const both[] = { "web100p1", "web100p2" };
	struct usage u;
	struct arena a;
	struct address ad;
	struct slice names[4];
	struct account ac;
	struct err e;
	uint64_t one, two;
	size_t n = 0;

	(void)state;
	arena_init(&a);
	one = fixture_account(&f, "web100", "web100p1", SECRET_HASH, "x");
	two = fixture_account(&f, "web100", "web100p2", SECRET_HASH, "x");
	fixture_address1(&f, "only@example.org", "web100p1");
	fixture_address(&f, "both@example.org", 2, both);
	for (int i = 0; i < 40; i++)
		put_mail(one, "Subject: a\r\n\r\nb\r\n");
	put_mail(two, "Subject: a\r\n\r\nb\r\n");
	assert_int_equal(
	    event_add(f.s, one, EVENT_LOGIN, SLICE("service=imap")), 0);
	assert_int_equal(package_usage(f.s, SLICE("web100"), &u), 0);
	assert_int_equal(u.messages, 41);
	assert_int_equal(account_usage(f.s, one, &u), 0);
	assert_int_equal(u.messages, 40);

	assert_int_equal(account_del(f.s, SLICE("web100p1"), &e), 0);
	assert_int_equal(
	    account_get(f.s, SLICE("web100p1"), &a, &ac), ERR_NOTFOUND);
	assert_int_equal(account_get_id(f.s, one, &a, &ac), ERR_NOTFOUND);
	assert_int_equal(account_usage(f.s, one, &u), ERR_NOTFOUND);
	assert_int_equal(package_usage(f.s, SLICE("web100"), &u), 0);
	assert_int_equal(u.messages, 1);
	assert_int_equal(
	    address_get(f.s, SLICE("only@example.org"), &a, &ad), ERR_NOTFOUND);
	assert_int_equal(
	    address_get(f.s, SLICE("both@example.org"), &a, &ad), 0);
	assert_int_equal(ad.ntargets, 1);
	assert_slice(ad.targets[0], "web100p2");
	assert_int_equal(
	    address_of_account(f.s, SLICE("web100p1"), &a, names, 4, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(account_del(f.s, SLICE("web100p1"), &e), ERR_NOTFOUND);

	assert_int_equal(account_del(f.s, SLICE("web100p2"), &e), 0);
	n = 0;
	assert_int_equal(db_read(f.s->db, count_rows, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(domain_del(f.s, SLICE("example.org"), &e), 0);
	assert_int_equal(package_del(f.s, SLICE("web100"), &e), 0);
	arena_clear(&a);
}

struct life {
	struct slice name;
	enum account_life to;
};

static int
set_life(struct db_txn *t, void *arg)
{
	struct life *l = arg;
	struct account_row row;
	struct arena a;
	int rc;

	arena_init(&a);
	rc = account_row_get(t, l->name, true, &a, &row);
	row.life = l->to;
	if (rc == 0)
		rc = account_row_put(t, &row);
	arena_clear(&a);
	return rc;
}

/* What a crash leaves behind is not seen, and is taken up again. */
static void
test_broken_off(void **state)
{
	struct life l = { SLICE("web100p1"), ACCOUNT_GOES };
	struct account ac = { .package = SLICE("web100"),
		.name = SLICE("web100p1") },
		       out, v[4];
	struct arena a;
	struct err e;
	uint64_t id;
	size_t n;

	(void)state;
	arena_init(&a);
	id = fixture_account(&f, "web100", "web100p1", SECRET_HASH, "x");
	put_mail(id, "a: b\r\n\r\n");
	assert_int_equal(db_update(f.s->db, set_life, &l), 0);
	assert_int_equal(account_get(f.s, ac.name, &a, &out), ERR_NOTFOUND);
	assert_int_equal(account_list(f.s, SLICE(""), &a, v, 4, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(account_set(f.s, &ac, NULL, false, &e), ERR_NOTFOUND);
	assert_int_equal(account_get_id(f.s, id, &a, &out), ERR_NOTFOUND);
	assert_int_equal(account_bin(f.s, ac.name, 0, &e), ERR_NOTFOUND);
	assert_int_equal(account_undelete(f.s, ac.name, &e), ERR_NOTFOUND);
	assert_int_equal(account_add(f.s, &ac, NULL, &a, &out, &e), ERR_EXISTS);
	assert_int_equal(account_del(f.s, ac.name, &e), 0);
	assert_int_equal(account_add(f.s, &ac, NULL, &a, &out, &e), 0);
	assert_int_not_equal(out.id, id);
	assert_int_equal(account_del(f.s, ac.name, &e), 0);
	assert_int_equal(domain_del(f.s, SLICE("example.org"), &e), 0);
	assert_int_equal(package_del(f.s, SLICE("web100"), &e), 0);
	arena_clear(&a);
}

static struct account_bind
bind2(const char *one, const char *two)
{
	return (struct account_bind){ { slice_str(one), slice_str(two) }, 2 };
}

static uint64_t
address_count(const char *account)
{
	struct slice v[8];
	struct arena a;
	size_t n;

	arena_init(&a);
	assert_int_equal(
	    address_of_account(f.s, slice_str(account), &a, v, 8, &n), 0);
	arena_clear(&a);
	return n;
}

/* An account with its addresses: all of it or nothing. */
static void
test_bound(void **state)
{
	struct account ac = { .package = SLICE("web100") }, out;
	struct account_bind good = bind2("b@example.org", "a@example.org");
	struct account_bind taken = bind2("c@example.org", "a@example.org");
	struct account_bind foreign = bind2("d@example.org", "d@elsewhere.net");
	struct account_bind twice = bind2("e@example.org", "e@example.org");
	struct address ad;
	struct arena a;
	struct err e;

	(void)state;
	arena_init(&a);
	(void)fixture_account(&f, "web100", "web100p1", SECRET_HASH, "x");
	ac.name = SLICE("web100p2");
	assert_int_equal(account_add(f.s, &ac, &good, &a, &out, &e), 0);
	assert_int_equal(address_count("web100p2"), 2);
	ac.name = SLICE("web100p3");
	assert_int_equal(
	    account_add(f.s, &ac, &taken, &a, &out, &e), ERR_EXISTS);
	assert_string_equal(
	    e.text, "the address a@example.org leads elsewhere already");
	assert_int_equal(
	    account_add(f.s, &ac, &foreign, &a, &out, &e), ERR_NOTFOUND);
	assert_int_equal(account_get(f.s, ac.name, &a, &out), ERR_NOTFOUND);
	assert_int_equal(
	    address_get(f.s, SLICE("c@example.org"), &a, &ad), ERR_NOTFOUND);
	assert_int_equal(
	    address_get(f.s, SLICE("d@example.org"), &a, &ad), ERR_NOTFOUND);
	/* the same for a change */
	assert_int_equal(account_get(f.s, SLICE("web100p1"), &a, &ac), 0);
	ac.lang = SLICE("en");
	assert_int_equal(account_set(f.s, &ac, &taken, false, &e), ERR_EXISTS);
	assert_int_equal(account_get(f.s, ac.name, &a, &out), 0);
	assert_int_equal(out.lang.n, 0);
	assert_int_equal(account_set(f.s, &ac, &twice, false, &e), 0);
	assert_int_equal(account_set(f.s, &ac, &twice, false, &e), 0);
	assert_int_equal(account_get(f.s, ac.name, &a, &out), 0);
	assert_slice(out.lang, "en");
	assert_int_equal(address_count("web100p1"), 1);
	arena_clear(&a);
}

static bool
routes(const char *addr, const char *account)
{
	struct arena a;
	struct route r;
	bool leads = false;

	arena_init(&a);
	if (address_route(f.s, slice_str(addr), &a, &r) == 0)
		for (size_t i = 0; i < r.naccounts; i++)
			leads = leads || slice_eq(r.account_names[i],
					     slice_str(account));
	arena_clear(&a);
	return leads;
}

static struct package
package_now(struct arena *a)
{
	struct package p;

	assert_int_equal(package_get(f.s, SLICE("web100"), a, &p), 0);
	return p;
}

/* Deleted, and back with all it had and nobody took. */
static void
test_bin(void **state)
{
	struct account_bind bind = bind2("own@example.org", "lost@example.org");
	struct account ac = { .package = SLICE("web100"),
		.name = SLICE("web100p2") },
		       out, v[4];
	struct address ad = { .addr = SLICE("all@example.org"),
		.targets = { SLICE("web100p1"), SLICE("web100p2") },
		.ntargets = 2 };
	struct address lost = { .addr = SLICE("lost@example.org"),
		.targets = { SLICE("web100p1") },
		.ntargets = 1 };
	struct usage u;
	struct arena a;
	struct package p;
	struct err e;
	uint64_t id;
	size_t n;

	(void)state;
	arena_init(&a);
	(void)fixture_account(&f, "web100", "web100p1", SECRET_HASH, "x");
	assert_int_equal(account_add(f.s, &ac, &bind, &a, &out, &e), 0);
	id = out.id;
	put_mail(id, "a: b\r\n\r\n");
	assert_int_equal(address_add(f.s, &ad, &e), 0);

	assert_int_equal(account_bin(f.s, ac.name, 1000, &e), 0);
	assert_int_equal(account_bin(f.s, ac.name, 2000, &e), 0);
	assert_int_equal(account_get(f.s, ac.name, &a, &out), ERR_NOTFOUND);
	assert_int_equal(account_get_id(f.s, id, &a, &out), ERR_NOTFOUND);
	assert_int_equal(account_set(f.s, &ac, NULL, false, &e), ERR_NOTFOUND);
	assert_int_equal(account_add(f.s, &ac, NULL, &a, &out, &e), ERR_EXISTS);
	assert_int_equal(account_list(f.s, SLICE(""), &a, v, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(account_list_binned(f.s, SLICE(""), &a, v, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].purge_at, 1000);
	assert_false(routes("own@example.org", "web100p2"));
	assert_false(routes("all@example.org", "web100p2"));
	assert_true(routes("all@example.org", "web100p1"));
	p = package_now(&a);
	assert_int_equal(p.accounts, 1);

	/* One address is given to another meanwhile. */
	assert_int_equal(address_add(f.s, &lost, &e), 0);
	p.accounts_max = 1;
	assert_int_equal(package_set(f.s, &p, &e), 0);
	assert_int_equal(account_undelete(f.s, ac.name, &e), ERR_LIMIT);
	p.accounts_max = 2;
	assert_int_equal(package_set(f.s, &p, &e), 0);
	assert_int_equal(account_undelete(f.s, ac.name, &e), 0);
	assert_int_equal(account_undelete(f.s, ac.name, &e), 0);
	assert_int_equal(account_get(f.s, ac.name, &a, &out), 0);
	assert_int_equal(out.id, id);
	assert_int_equal(out.deleted_at, 0);
	assert_int_equal(account_usage(f.s, id, &u), 0);
	assert_int_equal(u.messages, 1);
	assert_true(routes("own@example.org", "web100p2"));
	assert_true(routes("all@example.org", "web100p2"));
	assert_false(routes("lost@example.org", "web100p2"));
	assert_int_equal(package_now(&a).accounts, 2);
	assert_int_equal(
	    account_undelete(f.s, SLICE("web100p3"), &e), ERR_NOTFOUND);

	/* And for good, when its time has come. */
	assert_int_equal(account_bin(f.s, ac.name, 1000, &e), 0);
	assert_int_equal(account_purge(f.s, 999, 10, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(account_purge(f.s, 1000, 10, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(account_undelete(f.s, ac.name, &e), ERR_NOTFOUND);
	assert_int_equal(package_usage(f.s, SLICE("web100"), &u), 0);
	assert_int_equal(u.messages, 0);
	assert_int_equal(package_now(&a).accounts, 1);
	arena_clear(&a);
}

static void *
come_and_go(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < 12; i++) {
		struct account ac = { .package = SLICE("web100"),
			.nsecrets = 1,
			.secrets = { { .kind = SECRET_HASH,
			    .id = 1,
			    .value = SLICE("x") } } };
		struct account out;
		struct address ad = { .ntargets = 1 };
		struct arena a;
		struct err e;

		arena_init(&a);
		assert_int_equal(account_add(f.s, &ac, NULL, &a, &out, &e), 0);
		ad.addr =
		    slice_str(arena_printf(&a, "a%u-%u@example.org", me, i));
		ad.targets[0] = out.name;
		assert_int_equal(address_add(f.s, &ad, &e), 0);
		out.full_name = SLICE("y");
		assert_int_equal(account_set(f.s, &out, NULL, false, &e), 0);
		if (i % 2 == 0)
			assert_int_equal(account_del(f.s, out.name, &e), 0);
		arena_clear(&a);
	}
	return NULL;
}

/* Numbers are given once, counts are right, whoever else is at work. */
static void
test_threads(void **state)
{
	struct package p;
	struct account v[40];
	pthread_t th[4];
	struct arena a;
	size_t n;

	(void)state;
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&th[i], NULL, come_and_go, (void *)i), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(th[i], NULL), 0);
	arena_init(&a);
	assert_int_equal(package_get(f.s, SLICE("web100"), &a, &p), 0);
	assert_int_equal(account_list(f.s, SLICE(""), &a, v, 40, &n), 0);
	assert_int_equal(n, 24);
	arena_clear(&a);
}

static int
miscount(struct db_txn *t, void *arg)
{
	struct domain_row row;
	struct arena a;
	int rc;

	arena_init(&a);
	rc = domain_row_get(t, SLICE("example.org"), true, &a, &row);
	row.addresses += *(uint64_t *)arg;
	if (rc == 0)
		rc = domain_row_put(t, &row, false);
	arena_clear(&a);
	return rc;
}

static void
test_verify(void **state)
{
	uint64_t by = 1;
	struct buf report;

	(void)state;
	buf_init(&report, 1000);
	assert_int_equal(db_update(f.s->db, miscount, &by), 0);
	assert_int_equal(store_verify(f.s, &report), ERR_CORRUPT);
	assert_slice(buf_slice(&report),
	    "9 domain example.org: counts 1 addresses, has 0\n");
	by = UINT64_MAX;
	assert_int_equal(db_update(f.s->db, miscount, &by), 0);
	buf_fini(&report);
}

static void
test_host_key(void **state)
{
	uint8_t one[HOST_KEY_LEN], two[HOST_KEY_LEN];

	(void)state;
	assert_int_equal(host_key_get(f.s, one), 0);
	fixture_reopen(&f);
	assert_int_equal(host_key_get(f.s, two), 0);
	assert_memory_equal(one, two, HOST_KEY_LEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_package, setup, teardown),
		cmocka_unit_test_setup_teardown(test_domain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secrets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_broken_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verify, setup, teardown),
		cmocka_unit_test_setup_teardown(test_host_key, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
