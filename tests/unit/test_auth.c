/* Logins by name and password, and what they may. */
#include "auth/auth.h"

#include "tests/unit/auth_fixture.h"

#include <time.h>

#include "storage/event.h"

static struct auth_fixture x;
static struct auth_who who;
static struct err err;

UNIT_AROUND(auth_fixture_new(&x), auth_fixture_free(&x))

static int
login_from(const char *ip, unsigned scope, const char *name, const char *pass)
{
	struct auth_peer peer = { scope, ip, "TLSv1.3", "t1", 0, "" };
	struct slice n = unit_exact(name, strlen(name));
	struct slice p = unit_exact(pass, strlen(pass));
	int rc;

	memset(&err, 0, sizeof(err));
	rc = auth_login(x.auth, &peer, n, p, &who, &err);
	if (rc != 0) {
		assert_int_equal(err.kind, rc);
		assert_true(strlen(err.text) > 0);
		assert_int_equal(who.account, 0);
	}
	unit_free(n);
	unit_free(p);
	return rc;
}

static int
login(const char *name, const char *pass)
{
	return login_from("192.0.2.1", SCOPE_IMAP, name, pass);
}

static void
change(const char *name, void (*fn)(struct account *ac))
{
	struct account ac;
	struct arena a;
	struct err e;

	arena_init(&a);
	assert_int_equal(account_get(x.f.s, slice_str(name), &a, &ac), 0);
	fn(&ac);
	assert_int_equal(account_set(x.f.s, &ac, NULL, true, &e), 0);
	arena_clear(&a);
}

static void
test_names(void **state)
{
	static const char *const many[] = { "web100p1", "web100p2" };
	static const char *const good[] = { "web100p1", "WEB100P1",
		" web100p1 ", "info@example.org", "INFO@Example.Org",
		"web100p1@example.org", "web100p1@mail.example.org",
		"chef@xn--mller-kva.de", "chef@M\303\274ller.de" };
	static const char *const bad[] = { "", "web100p9", "web100", "root",
		"info@example.com", "info%example.org", "both@example.org",
		"away@example.org", "chain@example.org", "@example.org",
		"web100p1@example.com", "nobody@example.org",
		"web100p1+x@example.org", "../web100p1", "web100p1\n",
		"info@example.org@example.org" };

	(void)state;
	fixture_domain(&x.f, "web100", "xn--mller-kva.de");
	fixture_address1(&x.f, "chef@xn--mller-kva.de", "web100p1");
	fixture_address(&x.f, "both@example.org", 2, many);
	fixture_address1(&x.f, "away@example.org", "else@example.com");
	fixture_address1(&x.f, "chain@example.org", "info@example.org");
	fixture_address1(&x.f, "@example.org", "web100p1");
	for (size_t i = 0; i < PH_LEN(good); i++) {
		assert_int_equal(login(good[i], "pencil"), 0);
		assert_int_equal(who.account, x.one);
		assert_string_equal(who.name, "web100p1");
		assert_string_equal(who.package, "web100");
		assert_string_equal(who.lang, "en");
		assert_int_equal(who.secret_id, 1);
	}
	for (size_t i = 0; i < PH_LEN(bad); i++) {
		/* a name with a newline at its end is a name with a blank */
		if (strcmp(bad[i], "web100p1\n") == 0)
			continue;
		assert_int_equal(login(bad[i], "pencil"), ERR_AUTH);
		assert_string_equal(err.text, "wrong name or password");
	}
}

static void
test_passwords(void **state)
{
	static const struct slice bad[] = { SLICE(""), SLICE("Pencil"),
		SLICE("pencil "), SLICE("pencil\0"), SLICE("\0pencil"),
		SLICE("pencil\0x"), SLICE("\377\376"), SLICE("p\001") };
	struct auth_peer peer = { SCOPE_IMAP, "", "", "t1", 0, "" };
	char big[1025];

	(void)state;
	for (size_t i = 0; i < PH_LEN(bad); i++) {
		struct slice p = unit_exact(bad[i].p, bad[i].n);
		int rc =
		    auth_login(x.auth, &peer, SLICE("web100p1"), p, &who, &err);

		/* the delay may come first: never 0 */
		assert_true(rc == ERR_AUTH || rc == ERR_LIMIT);
		unit_free(p);
	}
	memset(big, 'x', sizeof(big));
	assert_int_equal(auth_login(x.auth, &peer, SLICE("web100p2"),
			     slice_of(big, sizeof(big)), &who, &err),
	    ERR_AUTH);
}

static void
to_german(struct account *ac)
{
	ac->lang = SLICE("de");
}

static void
suspend(struct account *ac)
{
	ac->suspended = true;
}

static void
resume(struct account *ac)
{
	ac->suspended = false;
}

static void
test_denied(void **state)
{
	struct package p = { .name = SLICE("web100"), .suspended = true };

	(void)state;
	change("web100p1", to_german);
	assert_int_equal(login("web100p1", "pencil"), 0);
	assert_string_equal(who.lang, "de");
	change("web100p1", suspend);
	assert_int_equal(login("web100p1", "pencil"), ERR_DENIED);
	assert_int_equal(login("web100p1", "wrong"), ERR_AUTH);
	change("web100p1", resume);
	assert_int_equal(login("web100p1", "pencil"), 0);
	assert_int_equal(package_set(x.f.s, &p, &err), 0);
	assert_int_equal(login("web100p1", "pencil"), ERR_DENIED);
	p.suspended = false;
	assert_int_equal(package_set(x.f.s, &p, &err), 0);
	assert_int_equal(login("web100p1", "pencil"), 0);
}

static void
drop_first_app(struct account *ac)
{
	ac->secrets[1] = ac->secrets[--ac->nsecrets];
}

static void
test_app_passwords(void **state)
{
	struct auth_who scanner, tablet, main_one;

	(void)state;
	auth_fixture_secret(&x.f, "web100p1", "scanner", 0, SCOPE_SMTP, 0);
	auth_fixture_secret(
	    &x.f, "web100p1", "tablet", 0, SCOPE_IMAP | SCOPE_SMTP, 0);
	auth_fixture_secret(&x.f, "web100p1", "old", 0, SCOPE_ALL, 1000);
	assert_int_equal(login("web100p1", "pencil"), 0);
	main_one = who;
	assert_int_equal(login("web100p1", "tablet"), 0);
	tablet = who;
	assert_int_equal(tablet.secret_id, 3);
	assert_int_equal(login("web100p1", "scanner"), ERR_DENIED);
	assert_string_equal(err.text, "this password is not for imap");
	assert_int_equal(
	    login_from("192.0.2.1", SCOPE_SMTP, "web100p1", "scanner"), 0);
	scanner = who;
	assert_int_equal(scanner.secret_id, 2);
	assert_int_equal(login("web100p1", "old"), ERR_AUTH);
	/* revoking one leaves the others' sessions */
	assert_int_equal(auth_still_good(x.auth, &scanner), 0);
	change("web100p1", drop_first_app);
	assert_int_equal(auth_still_good(x.auth, &scanner), ERR_DENIED);
	assert_int_equal(auth_still_good(x.auth, &tablet), 0);
	assert_int_equal(auth_still_good(x.auth, &main_one), 0);
	assert_int_equal(
	    login_from("192.0.2.1", SCOPE_SMTP, "web100p1", "scanner"),
	    ERR_AUTH);
}

static char new_value[SECRET_VALUE_MAX];
static size_t new_value_n;

static void
new_main(struct account *ac)
{
	ac->secrets[0].value = slice_of(new_value, new_value_n);
}

static void
test_change_password(void **state)
{
	struct auth_who before;
	struct buf b;

	(void)state;
	assert_int_equal(login("web100p1", "pencil"), 0);
	before = who;
	assert_int_equal(login("web100p1", "eraser"), ERR_AUTH);
	buf_init(&b, sizeof(new_value));
	assert_int_equal(
	    auth_make_secret(SLICE("eraser"), 4096, NULL, &b, NULL, &err), 0);
	new_value_n = buf_len(&b);
	memcpy(new_value, b.p, new_value_n);
	buf_fini(&b);
	assert_int_equal(auth_still_good(x.auth, &before), 0);
	change("web100p1", new_main);
	/* at once, without a notification: versions are part of the key */
	assert_int_equal(login("web100p1", "pencil"), ERR_AUTH);
	assert_int_equal(login("web100p1", "eraser"), 0);
	assert_int_equal(auth_still_good(x.auth, &before), ERR_DENIED);
	assert_int_equal(auth_still_good(x.auth, &who), 0);
	auth_forget(x.auth, x.one);
	auth_forget(x.auth, 0);
	assert_int_equal(login("web100p1", "eraser"), 0);
	before = who;
	assert_int_equal(account_del(x.f.s, SLICE("web100p1"), &err), 0);
	assert_int_equal(auth_still_good(x.auth, &before), ERR_DENIED);
	assert_int_equal(login("web100p1", "eraser"), ERR_AUTH);
}

static void
test_upgrade(void **state)
{
	struct account ac;
	struct auth_who before;
	struct arena a;

	(void)state;
	arena_init(&a);
	assert_int_equal(login("web100p2", "pencils"), ERR_AUTH);
	assert_int_equal(account_get_id(x.f.s, x.two, &a, &ac), 0);
	assert_int_equal(ac.secrets[0].kind, SECRET_HASH);
	assert_int_equal(login("web100p2", "pencil"), 0);
	before = who;
	assert_int_equal(account_get_id(x.f.s, x.two, &a, &ac), 0);
	assert_int_equal(ac.secrets[0].kind, SECRET_SCRAM_SHA256);
	assert_true(ac.secrets[0].sha1.n != 0);
	assert_true(ac.secrets[0].used_at > 0);
	auth_forget(x.auth, 0);
	assert_int_equal(login("web100p2", "pencil"), 0);
	assert_int_equal(auth_still_good(x.auth, &before), 0);
	arena_clear(&a);
}

static void
test_throttle(void **state)
{
	char pass[20];
	int rc = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		assert_int_equal(login("web100p1", "old one"), ERR_AUTH);
	assert_int_equal(login("web100p1", "pencil"), 0);
	for (int i = 0; i < 30 && rc != ERR_LIMIT; i++) {
		(void)snprintf(pass, sizeof(pass), "guess%d", i);
		rc = login("web100p1", pass);
	}
	assert_int_equal(rc, ERR_LIMIT);
	assert_int_equal(login("web100p1", "pencil"), ERR_LIMIT);
	assert_int_equal(
	    login_from("192.0.2.2", SCOPE_IMAP, "web100p1", "pencil"), 0);
	assert_int_equal(login("web100p2", "pencil"), 0);
	/* unknown ones are counted alike */
	rc = 0;
	for (int i = 0; i < 30 && rc != ERR_LIMIT; i++) {
		(void)snprintf(pass, sizeof(pass), "guess%d", i);
		rc = login("web100p99", pass);
	}
	assert_int_equal(rc, ERR_LIMIT);
}

static size_t
events(uint64_t account, enum event_kind kind)
{
	struct event v[50];
	struct arena a;
	size_t n, found = 0;

	arena_init(&a);
	assert_int_equal(event_list(x.f.s, account, &a, v, 50, &n), 0);
	for (size_t i = 0; i < n; i++) {
		found += v[i].kind == kind;
		assert_int_equal(
		    slice_find(v[i].text, SLICE("pencil")), v[i].text.n);
		assert_true(slice_starts(v[i].text, SLICE("service=")));
	}
	arena_clear(&a);
	return found;
}

static void
test_events(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(login("web100p1", "pencil"), 0);
	assert_int_equal(events(x.one, EVENT_LOGIN), 1);
	assert_int_equal(
	    login_from("192.0.2.9", SCOPE_IMAP, "web100p1", "pencil"), 0);
	assert_int_equal(
	    login_from("192.0.2.9", SCOPE_POP3, "web100p1", "pencil"), 0);
	assert_int_equal(events(x.one, EVENT_LOGIN), 3);
	for (int i = 0; i < 10; i++)
		assert_int_equal(login("web100p1", "pencils"), ERR_AUTH);
	assert_int_equal(events(x.one, EVENT_LOGIN_FAILED), 1);
}

static uint64_t
cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* CPU of n failed logins. */
static uint64_t
cost_of(const char *name, int n)
{
	uint64_t start = cpu_ns();
	char pass[30], ip[30];

	for (int i = 0; i < n; i++) {
		(void)snprintf(pass, sizeof(pass), "guess%d", i);
		(void)snprintf(ip, sizeof(ip), "10.%d.%d.1", i / 200, i % 200);
		assert_int_equal(
		    login_from(ip, SCOPE_IMAP, name, pass), ERR_AUTH);
	}
	return cpu_ns() - start;
}

/* An unknown name costs what a known one costs: a derivation. */
static void
test_cost(void **state)
{
	uint64_t known, unknown;

	(void)state;
	(void)cost_of("web100p1", 2);
	known = cost_of("web100p1", 20);
	unknown = cost_of("web100p77", 20);
	print_message("known %llu us, unknown %llu us each\n",
	    (unsigned long long)known / 20000,
	    (unsigned long long)unknown / 20000);
	assert_true(unknown * 2 > known && known * 2 > unknown);
}

static void
test_mechs(void **state)
{
	static const struct {
		bool plain, binding, login;
		const char *want;
	} cases[] = {
		{ false, false, false, "SCRAM-SHA-256 SCRAM-SHA-1" },
		{ true, false, false, "PLAIN SCRAM-SHA-256 SCRAM-SHA-1" },
		{ true, true, true,
		    "PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS SCRAM-SHA-1 "
		    "SCRAM-SHA-1-PLUS" },
		{ false, true, true,
		    "SCRAM-SHA-256 SCRAM-SHA-256-PLUS SCRAM-SHA-1 "
		    "SCRAM-SHA-1-PLUS" },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, 200);
		auth_mechs(x.auth, cases[i].plain, cases[i].binding,
		    cases[i].login, &b);
		assert_slice(buf_slice(&b), cases[i].want);
		buf_fini(&b);
	}
}

static void
test_send_as(void **state)
{
	static const char *const list[] = { "web100p1", "web100p2",
		"x@example.com" };
	static const struct {
		const char *addr;
		int one, two;
	} cases[] = {
		{ "info@example.org", 0, ERR_DENIED },
		{ "INFO@EXAMPLE.ORG", 0, ERR_DENIED },
		{ "info+news@example.org", 0, ERR_DENIED },
		{ "web100p1@example.org", 0, ERR_DENIED },
		{ "web100p2@example.org", ERR_DENIED, 0 },
		{ "web100p1@second.example", 0, ERR_DENIED },
		{ "web100p1@foreign.example", ERR_DENIED, ERR_DENIED },
		{ "web100p1+x@foreign.example", ERR_DENIED, ERR_DENIED },
		{ "web100p1@example.com", ERR_DENIED, ERR_DENIED },
		{ "all@example.org", 0, 0 },
		{ "alias@example.org", 0, ERR_DENIED },
		{ "boss@foreign.example", ERR_DENIED, 0 },
		{ "nobody@example.org", ERR_DENIED, ERR_DENIED },
		{ "anything@second.example", ERR_DENIED, 0 },
		{ "else@example.com", ERR_DENIED, ERR_DENIED },
		{ "", ERR_DENIED, ERR_DENIED },
		{ "info", ERR_DENIED, ERR_DENIED },
		{ "web100p1", ERR_DENIED, ERR_DENIED },
		{ "info@example.org\n", ERR_DENIED, ERR_DENIED },
	};
	struct auth_who one, two;

	(void)state;
	assert_int_equal(login("web100p1", "pencil"), 0);
	one = who;
	assert_int_equal(login("web100p2", "pencil"), 0);
	two = who;
	fixture_package(&x.f, "web200");
	fixture_domain(&x.f, "web200", "foreign.example");
	fixture_domain(&x.f, "web100", "second.example");
	fixture_address(&x.f, "all@example.org", 3, list);
	fixture_address1(&x.f, "alias@example.org", "info@example.org");
	fixture_address1(&x.f, "boss@foreign.example", "web100p2");
	fixture_address1(&x.f, "@second.example", "web100p2");
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice s =
		    unit_exact(cases[i].addr, strlen(cases[i].addr));

		if (auth_may_send_as(x.auth, &one, s) != cases[i].one ||
		    auth_may_send_as(x.auth, &two, s) != cases[i].two)
			fail_msg("%s: %d %d", cases[i].addr,
			    auth_may_send_as(x.auth, &one, s),
			    auth_may_send_as(x.auth, &two, s));
		unit_free(s);
	}
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_names),
		T(test_passwords),
		T(test_denied),
		T(test_app_passwords),
		T(test_change_password),
		T(test_upgrade),
		T(test_throttle),
		T(test_events),
		T(test_cost),
		T(test_mechs),
		T(test_send_as),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
