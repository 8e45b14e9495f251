/* Stored forms of a password, and RFC 4013. */
#include "auth/keys.h"
#include "auth/secret.h"

#include <argon2.h>
#include <crypt.h>
#include <stdio.h>

#include "lib/base/b64.h"
#include "tests/unit/unit.h"

static struct secret
hash_of(const char *value)
{
	return (struct secret){ .kind = SECRET_HASH,
		.id = 1,
		.value = slice_str(value),
		.scope = SCOPE_ALL };
}

static bool
verify(const struct secret *s, struct slice password)
{
	struct secret_try t;
	struct slice exact = unit_exact(password.p, password.n);
	bool ok;

	secret_try_init(&t, exact);
	ok = secret_verify(&t, s);
	secret_try_fini(&t);
	unit_free(exact);
	return ok;
}

static void
test_saslprep(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		/* RFC 4013 3 */
		{ "I\302\255X", "IX" },
		{ "user", "user" },
		{ "USER", "USER" },
		{ "\302\252", "a" },
		{ "\342\205\250", "IX" },
		{ "\007", NULL },
		{ "\330\247\061", NULL },
		/* others */
		{ "a\302\240b", "a b" },
		{ "a\342\200\213b", "a b" },
		{ "\342\200\215", NULL }, /* nothing is left */
		{ "pass\360\237\230\200", "pass\360\237\230\200" },
		{ "\303\244", "\303\244" },
		{ "a\314\210", "\303\244" },
		{ "\330\247\331\204", "\330\247\331\204" },
		{ "\330\247a\330\247", NULL },
		{ "a\330\247", NULL },
		{ "\356\200\200", NULL },     /* private use */
		{ "\357\277\277", NULL },     /* no character */
		{ "\363\240\200\201", NULL }, /* a tag */
		{ "\342\200\256a", NULL },    /* changes direction */
		{ "\303", NULL },
		{ "\355\240\200", NULL },
		{ "a\177", NULL },
		{ "", NULL },
	};
	struct prepared p;

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct slice in = unit_exact(cases[i].in, strlen(cases[i].in));

		if (cases[i].want == NULL) {
			assert_int_equal(saslprep(in, &p), ERR_INVALID);
			assert_int_equal(p.n, 0);
		} else {
			assert_int_equal(saslprep(in, &p), 0);
			assert_slice(saslprep_slice(&p), cases[i].want);
		}
		unit_free(in);
	}
}

static void
test_saslprep_long(void **state)
{
	char big[PASSWORD_MAX + 1];
	struct prepared p;

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(saslprep(slice_of(big, PASSWORD_MAX), &p), 0);
	assert_int_equal(p.n, PASSWORD_MAX);
	assert_int_equal(
	    saslprep(slice_of(big, PASSWORD_MAX + 1), &p), ERR_INVALID);
	/* U+FDFA becomes 33 bytes */
	for (size_t i = 0; i + 3 <= PASSWORD_MAX; i += 3)
		memcpy(big + i, "\357\267\272", 3);
	assert_int_equal(
	    saslprep(slice_of(big, PASSWORD_MAX / 3 * 3), &p), ERR_INVALID);
}

static void
test_scram_form(void **state)
{
	static const char *const bad[] = { "", "4096", "4096:", "4096:AA==$",
		"0:AAAAAAAAAAAAAAAAAAAAAA==$AAAA:AAAA",
		"4096:AAAAAAAAAAAAAAAAAAAAAA==$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"99999999:AAAAAAAAAAAAAAAAAAAAAA==$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"4096:AAAAAAAAAAAAAAAAAAAAAAA=$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
	struct scram_keys keys, back;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < PH_LEN(bad); i++) {
		struct slice in = unit_exact(bad[i], strlen(bad[i]));

		assert_false(keys_parse(CRYPT_SHA256, in, &keys));
		unit_free(in);
	}
	crypt_random(&keys, sizeof(keys));
	keys.hash = CRYPT_SHA256;
	keys.rounds = 4096;
	buf_init(&b, SECRET_VALUE_MAX);
	keys_print(&keys, &b);
	assert_false(buf_failed(&b));
	assert_true(keys_parse(CRYPT_SHA256, buf_slice(&b), &back));
	assert_memory_equal(&keys, &back, sizeof(keys));
	for (size_t n = 0; n < buf_len(&b); n++) {
		struct slice in = unit_exact(b.p, n);

		assert_false(keys_parse(CRYPT_SHA256, in, &back));
		unit_free(in);
	}
	buf_fini(&b);
}

static void
test_make(void **state)
{
	struct account ac = { .nsecrets = 1 };
	struct scram_keys one, two;
	struct secret s[2];
	struct buf b[2];
	struct secret_try t;
	struct err e;

	(void)state;
	buf_init(&b[0], SECRET_VALUE_MAX);
	buf_init(&b[1], SECRET_VALUE_MAX);
	assert_int_equal(
	    secret_make(SLICE("gr\303\274n"), 4096, NULL, &b[0], NULL, &e), 0);
	s[0] = (struct secret){ .kind = SECRET_SCRAM_SHA256,
		.value = buf_slice(&b[0]) };
	assert_true(verify(&s[0], SLICE("gr\303\274n")));
	assert_true(verify(&s[0], SLICE("gru\314\210n")));
	assert_false(verify(&s[0], SLICE("grun")));
	assert_false(verify(&s[0], SLICE("")));
	assert_false(verify(&s[0], slice_of("gr\303\274n\0", 6)));

	/* an app password with the same salt costs no derivation more */
	ac.secrets[0] = s[0];
	assert_int_equal(
	    secret_make(SLICE("app"), 4096, &ac, &b[1], NULL, &e), 0);
	s[1] = (struct secret){ .kind = SECRET_SCRAM_SHA256,
		.value = buf_slice(&b[1]) };
	assert_true(keys_parse(CRYPT_SHA256, s[0].value, &one));
	assert_true(keys_parse(CRYPT_SHA256, s[1].value, &two));
	assert_memory_equal(one.salt, two.salt, sizeof(one.salt));
	secret_try_init(&t, SLICE("app"));
	assert_false(secret_verify(&t, &s[0]));
	assert_true(secret_verify(&t, &s[1]));
	secret_verify_nothing(&t, 4096);
	assert_true(secret_verify(&t, &s[1]));
	secret_try_fini(&t);

	assert_int_equal(
	    secret_make(SLICE(""), 4096, NULL, &b[0], NULL, &e), ERR_INVALID);
	assert_int_equal(
	    secret_make(SLICE("a\nb"), 4096, NULL, &b[0], NULL, &e),
	    ERR_INVALID);
	assert_int_equal(
	    secret_make(SLICE("a"), 0, NULL, &b[0], NULL, &e), ERR_INVALID);
	buf_fini(&b[0]);
	buf_fini(&b[1]);
}

/* RFC 7677 3 */
static void
test_rfc7677(void **state)
{
	static const uint8_t salt[16] = { 0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12,
		0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81 };
	struct scram_keys keys;
	struct secret s = { .kind = SECRET_SCRAM_SHA256 };
	struct buf b;

	(void)state;
	crypt_scram_keys(CRYPT_SHA256, SLICE("pencil"), salt, 4096, &keys);
	buf_init(&b, SECRET_VALUE_MAX);
	keys_print(&keys, &b);
	s.value = buf_slice(&b);
	assert_true(
	    slice_starts(s.value, SLICE("4096:W22ZaJ0SNY7soEsUEjb6gQ==$")));
	assert_true(verify(&s, SLICE("pencil")));
	assert_false(verify(&s, SLICE("pencil ")));
	buf_fini(&b);
}

static void
test_hashes(void **state)
{
	/* all of the password "secret" */
	static const char *const known[] = {
		"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
		"{sha}5en6G6MezRroT3XKqkdPOmY/BfQ=",
		"{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
		"{SHA512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnv"
		"CXdhztmeD2cmW192CF5bDufKRpayrW/isg==",
	};
	static const char *const refused[] = { "{SCRAM-SHA-1}",
		"{SCRAM-SHA-1}4096,c2Fseg==,AAAA,AAAA",
		"{SCRAM-SHA-512}4096,c2Fseg==,AAAA,AAAA", "", "secret",
		"{PLAIN}secret", "{CLEARTEXT}secret", "{SHA}", "{SHA}secret",
		"{SSHA}AAAA", "$9$abc$def", "$2b$31$abcdefghijklmnopqrstuv",
		"{CRYPT}secret", "$6$rounds=999999999$abc$def",
		"{ARGON2ID}$argon2id$v=19$x", "abcdefghijklm", "{MD5}x", "!",
		"*", "x",
		/* more memory, time or lanes than a login may cost */
		"$argon2id$v=19$m=1048576,t=1,p=1$c2FsdHNhbHQ$aaaaaaaaaaaaaaaa",
		"$argon2id$v=19$m=65536,t=100,p=1$c2FsdHNhbHQ$aaaaaaaaaaaaaaaa",
		"$argon2id$v=19$m=64,t=1,p=99$c2FsdHNhbHQ$aaaaaaaaaaaaaaaa",
		"$argon2id$v=19$t=1,m=64,p=1$c2FsdHNhbHQ$aaaaaaaaaaaaaaaa",
		"$argon2x$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aaaaaaaaaaaaaaaa" };

	(void)state;
	for (size_t i = 0; i < PH_LEN(known); i++) {
		struct secret s = hash_of(known[i]);

		assert_true(secret_hash_known(s.value));
		assert_true(verify(&s, SLICE("secret")));
		assert_false(verify(&s, SLICE("Secret")));
		assert_false(verify(&s, SLICE("")));
	}
	for (size_t i = 0; i < PH_LEN(refused); i++) {
		struct slice v = unit_exact(refused[i], strlen(refused[i]));
		struct secret s = hash_of("");

		s.value = v;
		assert_false(secret_hash_known(v));
		assert_false(verify(&s, SLICE("secret")));
		unit_free(v);
	}
}

/* Keys as Dovecot writes them; where the salt is as long as ours, a mechanism
 * can serve them. */
static void
test_scram_import(void **state)
{
	static const struct {
		const char *in;
		enum secret_kind kind;
		bool sha1;
	} cases[] = {
		{ "{SCRAM-SHA-1}4096,MDEyMzQ1Njc4OWFiY2RlZg==,ZnqDkbqfwR2KK"
		  "V/RA37Ut+cv+dg=,XH6+sRFySz39hhtQA1fE+aOQl/U=",
		    SECRET_HASH, true },
		{ "{SCRAM-SHA-256}4096,MDEyMzQ1Njc4OWFiY2RlZg==,bpSY5Ze9NUH"
		  "+I35LC3gVq+DpBfK46iXBxvhAKqVu9pE=,VpYlBuxyzeCI1Knctrefdl"
		  "jpB1mk3Gp7sBI/t11+NkQ=",
		    SECRET_SCRAM_SHA256, false },
		{ "{SCRAM-SHA-1}1000,c2Fseg==,SDJjYohhHschJwB3rljPYwpPRcI=,"
		  "Otwee/kl4ibvaQUufLJOLBybgIQ=",
		    SECRET_HASH, false },
		{ "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", SECRET_HASH, false },
	};
	struct scram_keys keys;
	struct arena a;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct secret s = { 0 };
		struct slice in = unit_exact(cases[i].in, strlen(cases[i].in));

		assert_true(secret_hash_known(in));
		assert_true(secret_import(in, &a, &s));
		assert_int_equal(s.kind, cases[i].kind);
		assert_int_equal(s.sha1.n != 0, cases[i].sha1);
		assert_true(
		    !cases[i].sha1 || keys_parse(CRYPT_SHA1, s.sha1, &keys));
		assert_true(verify(&s, SLICE("secret")));
		assert_false(verify(&s, SLICE("secrets")));
		assert_false(verify(&s, slice_of("secret\0", 7)));
		for (size_t n = 1; i < 3 && n < in.n; n++) {
			struct slice cut = unit_exact(in.p, n);

			assert_false(secret_import(cut, &a, &s));
			unit_free(cut);
		}
		unit_free(in);
	}
	arena_clear(&a);
}

static void
test_salted(void **state)
{
	uint8_t digest[SHA512_LEN + 4];
	struct secret s;
	struct buf b;
	char *value;

	(void)state;
	crypt_sha1(SLICE("secretsalt"), digest);
	memcpy(digest + SHA1_LEN, "salt", 4);
	buf_init(&b, 200);
	buf_add_str(&b, "{SSHA}");
	b64_encode(&b, slice_of(digest, SHA1_LEN + 4));
	value = buf_take_str(&b);
	s = hash_of(value);
	assert_true(verify(&s, SLICE("secret")));
	assert_false(verify(&s, SLICE("secretsalt")));
	free(value);
	crypt_sha512(SLICE("secretsalt"), digest);
	memcpy(digest + SHA512_LEN, "salt", 4);
	buf_add_str(&b, "{SSHA512}");
	b64_encode(&b, slice_of(digest, SHA512_LEN + 4));
	value = buf_take_str(&b);
	s = hash_of(value);
	assert_true(secret_hash_known(s.value));
	assert_true(verify(&s, SLICE("secret")));
	assert_false(verify(&s, SLICE("secre")));
	free(value);
	buf_fini(&b);
}

static void
test_crypt_families(void **state)
{
	static const struct {
		const char *word, *setting;
	} cases[] = {
		{ "", "$1$abcdefgh$" },
		{ "{MD5-CRYPT}", "$1$abcdefgh$" },
		{ "", "$5$rounds=1000$abcdefgh$" },
		{ "{SHA512-CRYPT}", "$6$abcdefgh$" },
		{ "{CRYPT}", "$6$rounds=1000$abcdefgh$" },
		{ "", "$2b$04$abcdefghijklmnopqrstuu" },
		{ "{BLF-CRYPT}", "$2y$04$abcdefghijklmnopqrstuu" },
		{ "{crypt}", "$y$j75$abcdefgh$" },
		{ "{CRYPT}", "ab" },
	};
	struct crypt_data data;

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct secret s;
		char *hash, *value;
		struct buf b;

		memset(&data, 0, sizeof(data));
		hash = crypt_rn(
		    "s3cret\303\244", cases[i].setting, &data, sizeof(data));
		assert_non_null(hash);
		assert_int_not_equal(hash[0], '*');
		buf_init(&b, 500);
		buf_add_str(&b, cases[i].word);
		buf_add_str(&b, hash);
		value = buf_take_str(&b);
		s = hash_of(value);
		assert_true(secret_hash_known(s.value));
		assert_true(verify(&s, SLICE("s3cret\303\244")));
		/* typed in another form */
		assert_true(verify(&s, SLICE("s3creta\314\210")));
		assert_false(verify(&s, SLICE("s3cres")));
		free(value);
	}
}

/* What libargon2 makes, and its own known answers (argon2's test.c). */
static void
test_argon2(void **state)
{
	static const struct {
		argon2_type type;
		const char *word;
	} cases[] = {
		{ Argon2_id, "" },
		{ Argon2_i, "{ARGON2I}" },
		{ Argon2_d, "{ARGON2}" },
		{ Argon2_id, "{argon2id}" },
	};
	struct secret old = hash_of("$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$"
				    "/U3YPXYsSb3q9XxHvc0MLxur+"
				    "GP960kN9j7emXX8zwY");

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		char encoded[200], value[250];
		struct secret s;

		assert_int_equal(argon2_hash(1, 64, 1, "s3cret", 6, "saltsalt",
				     8, NULL, 32, encoded, sizeof(encoded),
				     cases[i].type, ARGON2_VERSION_13),
		    ARGON2_OK);
		(void)snprintf(
		    value, sizeof(value), "%s%s", cases[i].word, encoded);
		s = hash_of(value);
		assert_true(secret_hash_known(s.value));
		assert_true(verify(&s, SLICE("s3cret")));
		assert_false(verify(&s, SLICE("s3creT")));
		assert_false(verify(&s, SLICE("")));
	}
	assert_true(secret_hash_known(old.value));
	assert_true(verify(&old, SLICE("password")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_saslprep),
		cmocka_unit_test(test_saslprep_long),
		cmocka_unit_test(test_scram_form),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_rfc7677),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_scram_import),
		cmocka_unit_test(test_salted),
		cmocka_unit_test(test_crypt_families),
		cmocka_unit_test(test_argon2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
