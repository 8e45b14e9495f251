/* Addresses, and where they lead. */
#include "tests/unit/account_fixture.h"

#include "storage/address_row.h"
#include "storage/chunk.h"

static struct store_fixture f;
static struct arena a;
static uint64_t one, two, three;

static int
setup(void **state)
{
	(void)state;
	fixture_host(&f);
	fixture_package(&f, "web200");
	fixture_domain(&f, "web200", "second.example");
	one = fixture_account(&f, "web100", "web100p1", 0, NULL);
	two = fixture_account(&f, "web100", "web100p2", 0, NULL);
	three = fixture_account(&f, "web200", "web200p1", 0, NULL);
	arena_init(&a);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_clear(&a);
	assert_store_sound(f.s);
	fixture_free(&f);
	return 0;
}

static void
test_crud(void **state)
{
	struct address ad = { .addr = SLICE("info@example.org"),
		.ntargets = 2,
		.targets = { SLICE("web100p1"), SLICE("x@example.com") } };
	struct address out, v[10];
	struct slice names[10];
	struct err e;
	size_t n;

	(void)state;
	assert_int_equal(address_add(f.s, &ad, &e), 0);
	assert_int_equal(address_add(f.s, &ad, &e), ERR_EXISTS);
	assert_int_equal(address_get(f.s, ad.addr, &a, &out), 0);
	assert_int_equal(out.ntargets, 2);
	assert_slice(out.targets[0], "web100p1");
	assert_slice(out.targets[1], "x@example.com");
	assert_true(out.created_at > 0);
	assert_int_equal(
	    address_of_account(f.s, SLICE("web100p1"), &a, names, 10, &n), 0);
	assert_int_equal(n, 1);
	assert_slice(names[0], "info@example.org");
	ad.targets[0] = SLICE("web100p2");
	assert_int_equal(address_set(f.s, &ad, &e), 0);
	assert_int_equal(
	    address_of_account(f.s, SLICE("web100p1"), &a, names, 10, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(
	    address_of_account(f.s, SLICE("web100p2"), &a, names, 10, &n), 0);
	assert_int_equal(n, 1);
	ad.addr = SLICE("zzz@second.example");
	assert_int_equal(address_set(f.s, &ad, &e), ERR_NOTFOUND);
	assert_int_equal(address_add(f.s, &ad, &e), 0);
	assert_int_equal(address_list(f.s, SLICE(""), &a, v, 10, &n), 0);
	assert_int_equal(n, 2);
	assert_slice(v[0].addr, "info@example.org");
	assert_int_equal(
	    address_list(f.s, SLICE("info@example.org"), &a, v, 10, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(address_del(f.s, SLICE("zzz@second.example"), &e), 0);
	assert_int_equal(
	    address_del(f.s, SLICE("zzz@second.example"), &e), ERR_NOTFOUND);
	assert_int_equal(
	    address_of_account(f.s, SLICE("web100p2"), &a, names, 10, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(domain_del(f.s, SLICE("second.example"), &e), 0);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *addr, *target;
		int want;
	} cases[] = {
		{ "x@example.com", "web100p1", ERR_NOTFOUND },
		{ "x@example.org", "web100p9", ERR_NOTFOUND },
		{ "x@example.org", "nobody", ERR_INVALID },
		{ "x@example.org", "", ERR_INVALID },
		{ "x", "web100p1", ERR_INVALID },
		{ "", "web100p1", ERR_INVALID },
		{ "x\n@example.org", "web100p1", ERR_INVALID },
		{ "x@example.org", "a@b\nc", ERR_INVALID },
	};
	struct address ad = { .ntargets = 1 };
	struct err e;

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		ad.addr = slice_str(cases[i].addr);
		ad.targets[0] = slice_str(cases[i].target);
		assert_int_equal(address_add(f.s, &ad, &e), cases[i].want);
		assert_int_equal(e.kind, cases[i].want);
	}
	ad.addr = SLICE("x@example.org");
	ad.ntargets = 0;
	assert_int_equal(address_add(f.s, &ad, &e), ERR_INVALID);
	ad.ntargets = 2;
	ad.targets[0] = ad.targets[1] = SLICE("web100p1");
	assert_int_equal(address_add(f.s, &ad, &e), ERR_INVALID);
}

/* Fifty long targets are a record of many chunks. */
static void
test_long(void **state)
{
	struct address ad = { .addr = SLICE("all@example.org") }, out, v[3];
	struct err e;
	size_t n;

	(void)state;
	for (int i = 0; i < ADDRESS_TARGETS_MAX; i++)
		ad.targets[ad.ntargets++] =
		    slice_str(arena_printf(&a, "%0250d@example.com", i));
	assert_int_equal(address_add(f.s, &ad, &e), 0);
	fixture_address1(&f, "alm@example.org", "web100p1");
	assert_int_equal(address_get(f.s, ad.addr, &a, &out), 0);
	assert_int_equal(out.ntargets, ADDRESS_TARGETS_MAX);
	for (size_t i = 0; i < out.ntargets; i++)
		assert_true(slice_eq(out.targets[i], ad.targets[i]));
	assert_int_equal(address_list(f.s, SLICE(""), &a, v, 3, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(v[0].ntargets, ADDRESS_TARGETS_MAX);
	assert_int_equal(
	    address_list(f.s, SLICE("all@example.org"), &a, v, 3, &n), 0);
	assert_int_equal(n, 1);
	ad.ntargets = 1;
	assert_int_equal(address_set(f.s, &ad, &e), 0);
	assert_int_equal(address_get(f.s, ad.addr, &a, &out), 0);
	assert_int_equal(out.ntargets, 1);
	assert_int_equal(address_list(f.s, SLICE(""), &a, v, 3, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(address_del(f.s, ad.addr, &e), 0);
	assert_int_equal(address_list(f.s, SLICE(""), &a, v, 3, &n), 0);
	assert_int_equal(n, 1);
}

/* "1 2 x@example.com" for accounts and remote addresses, in any order. */
static void
check_route(const char *addr, int want, const char *detail, size_t naccounts,
    const uint64_t *accounts, size_t nremote, const char *const *remote)
{
	struct slice in = unit_exact(addr, strlen(addr));
	struct route r;
	int rc = address_route(f.s, in, &a, &r);

	unit_free(in); /* nothing borrows it */
	if (rc != want)
		fail_msg("%s: %d, not %d", addr, rc, want);
	if (rc != 0) {
		assert_int_equal(r.naccounts, 0);
		assert_int_equal(r.nremote, 0);
		return;
	}
	assert_slice(r.detail, detail);
	if (r.naccounts != naccounts || r.nremote != nremote)
		fail_msg("%s: %zu accounts, %zu remote", addr, r.naccounts,
		    r.nremote);
	for (size_t i = 0; i < naccounts; i++) {
		bool found = false;

		for (size_t j = 0; j < r.naccounts; j++)
			found = found || r.accounts[j] == accounts[i];
		assert_true(found);
	}
	for (size_t i = 0; i < nremote; i++) {
		bool found = false;

		for (size_t j = 0; j < r.nremote; j++)
			found = found ||
				slice_eq(r.remote[j], slice_str(remote[i]));
		assert_true(found);
	}
}

static void
leads(const char *addr, uint64_t account, const char *detail)
{
	check_route(addr, 0, detail, 1, &account, 0, NULL);
}

static void
nowhere(const char *addr)
{
	check_route(addr, ERR_NOTFOUND, "", 0, NULL, 0, NULL);
}

static void
test_route(void **state)
{
	static const char *const list[] = { "web100p1", "web100p2",
		"x@example.com", "info@example.org" };
	static const char *const x[] = { "x@example.com" };
	const uint64_t both[] = { one, two };

	(void)state;
	fixture_address1(&f, "info@example.org", "web100p1");
	fixture_address1(&f, "plus+sign@example.org", "web100p2");
	fixture_address(&f, "all@example.org", 4, list);
	fixture_address1(&f, "away@example.org", "x@example.com");
	fixture_address1(&f, "@second.example", "web200p1");
	leads("info@example.org", one, "");
	leads("INFO@example.org", one, "");
	leads("info+Rechnungen@example.org", one, "Rechnungen");
	leads("info+a+B@example.org", one, "a+B");
	leads("info+@example.org", one, "");
	leads("plus+sign@example.org", two, "");
	leads("web100p1", one, "");
	leads("WEB100P1", one, "");
	leads("web100p1+X", one, "X");
	leads("web100p1@example.org", one, "");
	leads("web100p1+Y@second.example", one, "Y");
	leads("anything@second.example", three, "");
	leads("web200p1@second.example", three, "");
	check_route("all@example.org", 0, "", 2, both, 1, x);
	check_route("away@example.org", 0, "", 0, NULL, 1, x);
	nowhere("x@example.com");
	nowhere("nobody@example.org");
	nowhere("+x@example.org");
	nowhere("web100p9@example.org");
	nowhere("web100p9");
	nowhere("nobody");
	nowhere("");
	nowhere("@");
	nowhere("@example.org");
}

static void
test_route_chains(void **state)
{
	char from[40], to[40];

	(void)state;
	/* a circle without an end, and one with */
	fixture_address1(&f, "a@example.org", "b@example.org");
	fixture_address1(&f, "b@example.org", "a@example.org");
	nowhere("a@example.org");
	{
		static const char *const self[] = { "c@example.org",
			"web100p1" };

		fixture_address(&f, "c@example.org", 2, self);
		leads("c@example.org", one, "");
	}
	/* depth 10 */
	for (int i = 1; i <= 14; i++) {
		(void)snprintf(from, sizeof(from), "d%d@example.org", i);
		(void)snprintf(to, sizeof(to), "d%d@example.org", i - 1);
		fixture_address1(&f, from, i == 1 ? "web100p1" : to);
	}
	leads("d1@example.org", one, "");
	leads("d10@example.org", one, "");
	nowhere("d11@example.org");
	/* a target that is gone is left out */
	fixture_address1(&f, "gone@example.org", "nobody@example.org");
	nowhere("gone@example.org");
}

/* Wide and deep: no more than a thousand steps. */
static void
test_route_many(void **state)
{
	char from[40];
	const char *targets[ADDRESS_TARGETS_MAX];
	struct route r;

	(void)state;
	for (int i = 0; i < 30; i++) {
		for (int j = 0; j < ADDRESS_TARGETS_MAX; j++)
			targets[j] =
			    arena_printf(&a, "r%d-%d@example.com", i, j);
		(void)snprintf(from, sizeof(from), "wide%d@example.org", i);
		fixture_address(&f, from, ADDRESS_TARGETS_MAX, targets);
	}
	for (int i = 0; i < 30; i++)
		targets[i] = arena_printf(&a, "wide%d@example.org", i);
	fixture_address(&f, "top@example.org", 30, targets);
	assert_int_equal(
	    address_route(f.s, SLICE("top@example.org"), &a, &r), 0);
	assert_int_equal(r.nremote, 1000 - 31);
}

static void
suspend(const char *account, bool refuses_mail)
{
	struct account ac;
	struct err e;

	assert_int_equal(account_get(f.s, slice_str(account), &a, &ac), 0);
	ac.suspended = true;
	ac.refuses_mail = refuses_mail;
	assert_int_equal(account_set(f.s, &ac, NULL, false, &e), 0);
}

static void
test_route_suspended(void **state)
{
	static const char *const list[] = { "web100p1", "web100p2" };
	struct package p = { .name = SLICE("web200"), .suspended = true };
	struct err e;

	(void)state;
	/* Nobody logs in, but mail is taken; unless it is refused too. */
	suspend("web100p1", false);
	leads("web100p1", one, "");
	assert_int_equal(package_set(f.s, &p, &e), 0);
	leads("web200p1", three, "");
	p.refuses_mail = true;

	fixture_address1(&f, "info@example.org", "web100p1");
	fixture_address(&f, "all@example.org", 2, list);
	suspend("web100p1", true);
	check_route("info@example.org", ERR_DENIED, "", 0, NULL, 0, NULL);
	check_route("web100p1", ERR_DENIED, "", 0, NULL, 0, NULL);
	leads("all@example.org", two, "");
	leads("postmaster@example.org", two, "");
	assert_int_equal(package_set(f.s, &p, &e), 0);
	check_route("web200p1", ERR_DENIED, "", 0, NULL, 0, NULL);
}

/* RFC 5321 4.5.1: postmaster is always there. */
static void
test_postmaster(void **state)
{
	(void)state;
	leads("postmaster@example.org", one, "");
	leads("PostMaster@example.org", one, "");
	leads("abuse@example.org", one, "");
	leads("postmaster@second.example", three, "");
	leads("postmaster", one, "");
	nowhere("hostmaster@example.org");
	nowhere("postmaster@example.com");
	fixture_address1(&f, "@second.example", "web100p2");
	leads("postmaster@second.example", two, "");
	fixture_address1(&f, "postmaster@example.org", "web100p2");
	leads("postmaster@example.org", two, "");
	leads("postmaster", two, "");
	leads("abuse@example.org", one, "");
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_crud),
		T(test_refused),
		T(test_long),
		T(test_route),
		T(test_route_chains),
		T(test_route_many),
		T(test_route_suspended),
		T(test_postmaster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
