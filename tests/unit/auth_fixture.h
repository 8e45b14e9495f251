/*
 * auth_fixture.h - a scratch host with accounts that can log in: "web100p1"
 * with the password "pencil" and the address info@example.org, "web100p2" with
 * a hash brought along, also "pencil".
 */
#ifndef TESTS_UNIT_AUTH_FIXTURE_H
#define TESTS_UNIT_AUTH_FIXTURE_H

#include "tests/unit/account_fixture.h"

#include "auth/auth.h"

struct auth_fixture {
	struct store_fixture f;
	struct conf *conf;
	struct auth *auth;
	uint64_t one, two;
};

static inline void
auth_fixture_secret(struct store_fixture *f, const char *account,
    const char *password, uint32_t id, unsigned scope, int64_t expires_at)
{
	struct account ac;
	struct arena a;
	struct buf b, sha1;
	struct err e = { 0 };

	arena_init(&a);
	buf_init(&b, SECRET_VALUE_MAX);
	buf_init(&sha1, SECRET_SHA1_MAX);
	assert_int_equal(
	    auth_make_secret(slice_str(password), 4096, NULL, &b, &sha1, &e),
	    0);
	assert_int_equal(account_get(f->s, slice_str(account), &a, &ac), 0);
	ac.secrets[ac.nsecrets++] =
	    (struct secret){ .kind = SECRET_SCRAM_SHA256,
		    .id = id,
		    .value = buf_slice(&b),
		    .sha1 = buf_slice(&sha1),
		    .scope = scope,
		    .expires_at = expires_at };
	assert_int_equal(account_set(f->s, &ac, NULL, false, &e), 0);
	buf_fini(&b);
	buf_fini(&sha1);
	arena_clear(&a);
}

static inline void
auth_fixture_new(struct auth_fixture *x)
{
	struct err e = { 0 };
	struct buf errors;

	fixture_host(&x->f);
	buf_init(&errors, 1000);
	assert_int_equal(
	    conf_parse("test", SLICE("lang = en\n"), &x->conf, &errors), 0);
	buf_fini(&errors);
	if (auth_new(
		x->conf, x->f.s, "imap", "mail.example.org", &x->auth, &e) != 0)
		fail_msg("auth_new: %s", e.text);
	x->one = fixture_account(&x->f, "web100", "web100p1", 0, NULL);
	auth_fixture_secret(&x->f, "web100p1", "pencil", 1, SCOPE_ALL, 0);
	x->two = fixture_account(&x->f, "web100", "web100p2", SECRET_HASH,
	    "{SHA256}E4CWaPtDY4Zwb2fcsFLtWEoEuhaowCoX1m00ww/O2iE=");
	fixture_address1(&x->f, "info@example.org", "web100p1");
}

static inline void
auth_fixture_free(struct auth_fixture *x)
{
	auth_free(&x->auth);
	conf_free(&x->conf);
	assert_store_sound(x->f.s);
	fixture_free(&x->f);
}

#endif
