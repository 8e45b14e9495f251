/* Logins answered from memory, and every reason not to. */
#include "auth/recall.h"

#include "tests/unit/auth_fixture.h"

#include "auth/auth_priv.h"
#include "storage/generation.h"

static struct auth_fixture x;
static struct auth_who who;

UNIT_AROUND(auth_fixture_new(&x), auth_fixture_free(&x))

static const struct auth_peer home = { SCOPE_IMAP, "192.0.2.1", "TLSv1.3", "t1",
	'+', "mutt" };

static int
slow(const char *name, const char *pass)
{
	struct err e = { 0 };

	return auth_login(
	    x.auth, &home, slice_str(name), slice_str(pass), &who, &e);
}

static bool
now_from(const struct auth_peer *peer, const char *name, const char *pass)
{
	return auth_login_now(
	    x.auth, peer, "PLAIN", slice_str(name), slice_str(pass), &who);
}

static bool
now(const char *name, const char *pass)
{
	return now_from(&home, name, pass);
}

static void
learn(const char *name, const char *pass)
{
	assert_int_equal(slow(name, pass), 0);
	assert_int_equal(slow(name, pass), 0);
	assert_true(now(name, pass));
}

/* The second of two logins between which nothing changed. */
static void
test_known(void **state)
{
	static const char *const names[] = { "web100p1", "info@example.org",
		"web100p1+Sent", "WEB100P1@mail.example.org" };

	(void)state;
	for (size_t i = 0; i < PH_LEN(names); i++) {
		assert_false(now(names[i], "pencil"));
		assert_int_equal(slow(names[i], "pencil"), 0);
		assert_false(now(names[i], "pencil"));
		assert_int_equal(slow(names[i], "pencil"), 0);
		who = (struct auth_who){ 0 };
		assert_true(now(names[i], "pencil"));
		assert_int_equal(who.account, x.one);
		assert_string_equal(who.name, "web100p1");
		assert_string_equal(who.package, "web100");
		assert_string_equal(who.suffix, i == 2 ? "Sent" : "");
		assert_string_equal(who.mech, "PLAIN");
		assert_int_equal(who.secret_id, 1);
		assert_int_equal(auth_still_good(x.auth, &who), 0);
	}
}

/* Anything else about it: ask. */
static void
test_others(void **state)
{
	struct auth_peer p;

	(void)state;
	learn("web100p1", "pencil");
	assert_false(now("web100p1", "pencil "));
	assert_false(now("web100p1", "Pencil"));
	assert_false(now("web100p1", ""));
	assert_false(now("web100p1p", "encil"));
	assert_false(now("web100p2", "pencil"));
	p = home;
	p.scope = SCOPE_POP3;
	assert_false(now_from(&p, "web100p1", "pencil"));
	p = home;
	p.ip = "192.0.2.2";
	assert_false(now_from(&p, "web100p1", "pencil"));
	p = home;
	p.client = "fetchmail";
	assert_false(now_from(&p, "web100p1", "pencil"));
	p = home;
	p.suffix_sep = 0;
	assert_false(now_from(&p, "web100p1", "pencil"));
	assert_true(now("web100p1", "pencil"));
}

static void
change(void (*fn)(struct account *ac), bool kick)
{
	struct account ac;
	struct arena a;
	struct err e;

	arena_init(&a);
	assert_int_equal(account_get(x.f.s, SLICE("web100p1"), &a, &ac), 0);
	fn(&ac);
	assert_int_equal(account_set(x.f.s, &ac, NULL, kick, &e), 0);
	arena_clear(&a);
}

static void
suspended(struct account *ac)
{
	ac->suspended = true;
}

static void
released(struct account *ac)
{
	ac->suspended = false;
}

static void
networks(struct account *ac)
{
	ac->networks = SLICE("198.51.100.0/24");
}

static void
anywhere(struct account *ac)
{
	ac->networks = SLICE("");
}

static void
only_mail_out(struct account *ac)
{
	ac->secrets[0].scope = SCOPE_SMTP;
}

static void
german(struct account *ac)
{
	ac->secrets[0].scope = SCOPE_ALL;
	ac->lang = SLICE("de");
}

static void
package(bool suspend)
{
	struct package p;
	struct arena a;
	struct err e;

	arena_init(&a);
	assert_int_equal(package_get(x.f.s, SLICE("web100"), &a, &p), 0);
	p.suspended = suspend;
	assert_int_equal(package_set(x.f.s, &p, &e), 0);
	arena_clear(&a);
}

/* No change of the account or its package goes unseen, whether the process was
 * told of it or not. */
static void
test_changes(void **state)
{
	(void)state;
	learn("web100p1", "pencil");
	change(suspended, false);
	assert_false(now("web100p1", "pencil"));
	assert_int_equal(slow("web100p1", "pencil"), ERR_DENIED);
	change(released, false);
	learn("web100p1", "pencil");
	change(networks, false);
	assert_false(now("web100p1", "pencil"));
	assert_int_equal(slow("web100p1", "pencil"), ERR_DENIED);
	change(anywhere, false);
	learn("web100p1", "pencil");
	change(only_mail_out, false);
	assert_false(now("web100p1", "pencil"));
	assert_int_equal(slow("web100p1", "pencil"), ERR_DENIED);
	change(german, false);
	learn("web100p1", "pencil");
	assert_string_equal(who.lang, "de");
	package(true);
	assert_false(now("web100p1", "pencil"));
	assert_int_equal(slow("web100p1", "pencil"), ERR_DENIED);
	package(false);
	learn("web100p1", "pencil");
}

/* Between two logins: the second has not seen what the first did. */
static void
test_change_between(void **state)
{
	(void)state;
	assert_int_equal(slow("web100p1", "pencil"), 0);
	generation_bump(x.f.s, x.one);
	assert_int_equal(slow("web100p1", "pencil"), 0);
	assert_false(now("web100p1", "pencil"));
	assert_int_equal(slow("web100p1", "pencil"), 0);
	assert_true(now("web100p1", "pencil"));
	generation_bump(x.f.s, 0);
	assert_false(now("web100p1", "pencil"));
}

static void
test_address_moves(void **state)
{
	struct err e = { 0 };

	(void)state;
	learn("info@example.org", "pencil");
	assert_int_equal(address_del(x.f.s, SLICE("info@example.org"), &e), 0);
	assert_false(now("info@example.org", "pencil"));
	assert_int_equal(slow("info@example.org", "pencil"), ERR_AUTH);
}

/* Who has strikes is looked at in full, and they are forgiven there. */
static void
test_strikes(void **state)
{
	(void)state;
	learn("web100p1", "pencil");
	assert_int_equal(slow("web100p1", "wrong"), ERR_AUTH);
	assert_false(now("web100p1", "pencil"));
	assert_int_equal(slow("web100p1", "pencil"), 0);
	assert_true(now("web100p1", "pencil"));
	for (int i = 0; i < 40; i++) {
		char pass[20];

		(void)snprintf(pass, sizeof(pass), "wrong%d", i);
		(void)!slow("web100p1", pass);
	}
	assert_false(now("web100p1", "pencil"));
	assert_int_equal(slow("web100p1", "pencil"), ERR_LIMIT);
}

/* The secret's last day, and the record's last minute. */
static void
test_expiry(void **state)
{
	struct recall_key key;
	struct recall_when w, past;
	char login[IDENT_MAX + 1];

	(void)state;
	learn("web100p1", "pencil");
	assert_true(auth_recall_key(
	    x.auth, &home, SLICE("web100p1"), SLICE("pencil"), &key));
	assert_true(recall_get(x.auth->recall, &key, &w, &who, login));
	past = w;
	past.expires_at = 1;
	recall_put(x.auth->recall, &key, &past, &who, slice_str(login));
	assert_false(now("web100p1", "pencil"));
	past = w;
	past.until_ms = 1;
	recall_put(x.auth->recall, &key, &past, &who, slice_str(login));
	assert_false(now("web100p1", "pencil"));
	recall_put(x.auth->recall, &key, &w, &who, slice_str(login));
	assert_true(now("web100p1", "pencil"));
}

/* A reload changes what a login says; helpers are asked for each time. */
static void
test_conf(void **state)
{
	struct conf *conf = NULL;
	struct buf errors;

	(void)state;
	learn("web100p1", "pencil");
	buf_init(&errors, 1000);
	assert_int_equal(
	    conf_parse("test", SLICE("auth-cache-time = 0\n"), &conf, &errors),
	    0);
	auth_set_conf(x.auth, conf);
	assert_false(now("web100p1", "pencil"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(slow("web100p1", "pencil"), 0);
	assert_false(now("web100p1", "pencil"));
	auth_set_conf(x.auth, x.conf);
	conf_free(&conf);
	buf_fini(&errors);
}

/* The oldest goes. */
static void
test_bound(void **state)
{
	struct recall *r = recall_new(2);
	struct recall_key k[3] = { { { 1 } }, { { 2 } }, { { 3 } } };
	struct recall_when w = { .until_ms = 5 };
	struct auth_who w1 = { .account = 1 }, out;
	char login[IDENT_MAX + 1];

	(void)state;
	for (int i = 0; i < 3; i++)
		for (int n = 0; n < 2; n++)
			recall_put(r, &k[i], &w, &w1, SLICE("a"));
	assert_false(recall_get(r, &k[0], &w, &out, login));
	assert_true(recall_get(r, &k[1], &w, &out, login));
	assert_true(recall_get(r, &k[2], &w, &out, login));
	assert_string_equal(login, "a");
	assert_int_equal(w.until_ms, 5);
	recall_forget_all(r);
	assert_false(recall_get(r, &k[2], &w, &out, login));
	recall_free(&r);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_known),
		T(test_others),
		T(test_changes),
		T(test_change_between),
		T(test_address_moves),
		T(test_strikes),
		T(test_expiry),
		T(test_conf),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
