/*
 * PLAIN, SCRAM-SHA-256, SCRAM-SHA-1 and their -PLUS against a SCRAM client
 * made here from RFC 5802 and RFC 7677.
 */
#include "auth/sasl.h"

#include "tests/unit/auth_fixture.h"

#include <pthread.h>

#include "auth/keys.h"
#include "auth/secret.h"
#include "lib/base/b64.h"
#include "lib/crypt/crypt.h"
#include "storage/event.h"

static struct auth_fixture x;

/* The mechanism under test. */
static const char *mech, *plus, *lower;
static enum crypt_hash hash;

static int
setup(void **state)
{
	(void)state;
	mech = "SCRAM-SHA-256";
	plus = "SCRAM-SHA-256-PLUS";
	lower = "scram-sha-256";
	hash = CRYPT_SHA256;
	auth_fixture_new(&x);
	return 0;
}

static int
setup_sha1(void **state)
{
	int rc = setup(state);

	mech = "SCRAM-SHA-1";
	plus = "SCRAM-SHA-1-PLUS";
	lower = "scram-sha-1";
	hash = CRYPT_SHA1;
	return rc;
}

static int
teardown(void **state)
{
	(void)state;
	auth_fixture_free(&x);
	return 0;
}

/* A client's part. */
struct client {
	const char *user, *pass;
	const char *gs2;      /* "n,,", "y,,", "p=tls-exporter,," */
	struct slice binding; /* its data, behind "p=" */
	const char *ip;
	bool no_initial;    /* waits for the empty challenge */
	bool tamper;        /* changes a byte of its proof */
	struct slice extra; /* behind its last message */
	/* result */
	struct auth_who who;
	struct err err;
	bool server_proved;
	uint8_t salt[16];
};

static struct auth_binding
bindings(void)
{
	struct auth_binding b;

	memset(b.exporter, 'e', sizeof(b.exporter));
	memset(b.endpoint, 's', sizeof(b.endpoint));
	b.exporter_n = 32;
	b.endpoint_n = 32;
	return b;
}

/* "k=value" of a message. */
static struct slice
attr(struct slice msg, char key)
{
	struct slice part;

	while (slice_split(&msg, ',', &part))
		if (part.n >= 2 && part.p[0] == key && part.p[1] == '=')
			return slice_from(part, 2);
	return slice_of("", 0);
}

static void
add_b64(struct buf *b, const void *p, size_t n)
{
	b64_encode(b, slice_of(p, n));
}

/* The client's final message without its proof. */
static void
final_bare(const struct client *c, struct slice nonce, struct buf *out)
{
	struct buf cbind;

	buf_init(&cbind, 1000);
	buf_add_str(&cbind, c->gs2);
	buf_add_slice(&cbind, c->binding);
	buf_add_str(out, "c=");
	b64_encode(out, buf_slice(&cbind));
	buf_add_str(out, ",r=");
	buf_add_slice(out, nonce);
	buf_fini(&cbind);
}

/* RFC 5802 3: the proof, and what the server must answer. */
static void
prove(struct client *c, struct slice auth_message, struct slice salt,
    uint32_t rounds, uint8_t proof[SHA256_LEN], uint8_t server[SHA256_LEN])
{
	uint8_t salted[SHA256_LEN], ck[SHA256_LEN], sk[SHA256_LEN],
	    sig[SHA256_LEN];
	struct prepared prep;
	struct slice pass = slice_str(c->pass);
	size_t n = crypt_hash_len(hash);

	if (saslprep(pass, &prep) == 0)
		pass = saslprep_slice(&prep);
	crypt_pbkdf2(hash, pass, salt, rounds, salted);
	crypt_hmac(hash, slice_of(salted, n), SLICE("Client Key"), ck);
	crypt_digest(hash, slice_of(ck, n), sk);
	crypt_hmac(hash, slice_of(sk, n), auth_message, sig);
	for (size_t i = 0; i < n; i++)
		proof[i] = ck[i] ^ sig[i];
	crypt_hmac(hash, slice_of(salted, n), SLICE("Server Key"), sk);
	crypt_hmac(hash, slice_of(sk, n), auth_message, server);
}

static int
second(struct client *c, struct auth_sasl *sasl, struct slice first_bare,
    struct slice server_first, struct buf *out)
{
	uint8_t proof[SHA256_LEN], server[SHA256_LEN];
	struct buf bare, message, want, salt;
	uint64_t rounds = 0;
	int rc;

	buf_init(&bare, 2000);
	buf_init(&message, 4000);
	buf_init(&want, 200);
	buf_init(&salt, 200);
	assert_true(b64_decode(&salt, attr(server_first, 's')));
	assert_int_equal(buf_len(&salt), 16);
	memcpy(c->salt, salt.p, 16);
	assert_true(num_parse(attr(server_first, 'i'), 100000, &rounds));
	final_bare(c, attr(server_first, 'r'), &bare);
	buf_add_slice(&message, first_bare);
	buf_add_char(&message, ',');
	buf_add_slice(&message, server_first);
	buf_add_char(&message, ',');
	buf_add_slice(&message, buf_slice(&bare));
	prove(c, buf_slice(&message), buf_slice(&salt), (uint32_t)rounds, proof,
	    server);
	proof[0] ^= c->tamper;
	buf_add_str(&bare, ",p=");
	add_b64(&bare, proof, crypt_hash_len(hash));
	buf_add_slice(&bare, c->extra);
	buf_clear(out);
	rc = auth_sasl_step(sasl, buf_slice(&bare), out, &c->who, &c->err);
	buf_add_str(&want, "v=");
	add_b64(&want, server, crypt_hash_len(hash));
	c->server_proved = slice_eq(buf_slice(out), buf_slice(&want));
	buf_fini(&bare);
	buf_fini(&message);
	buf_fini(&want);
	buf_fini(&salt);
	return rc;
}

/* One whole SCRAM exchange; what the server said in the end. */
static int
scram(struct client *c, const char *name, const struct auth_binding *b)
{
	struct auth_peer peer = { SCOPE_IMAP,
		c->ip != NULL ? c->ip : "192.0.2.1", "TLSv1.3", "t1", 0, "" };
	struct auth_sasl *sasl = NULL;
	struct buf first, out, server_first;
	struct slice bare;
	uint8_t nonce[18];
	int rc;

	buf_init(&first, 2000);
	buf_init(&out, 8000);
	buf_init(&server_first, 8000);
	crypt_random(nonce, sizeof(nonce));
	memset(&c->who, 0, sizeof(c->who));
	memset(&c->err, 0, sizeof(c->err));
	c->server_proved = false;
	buf_add_str(&first, c->gs2);
	buf_add_str(&first, "n=");
	buf_add_str(&first, c->user);
	buf_add_str(&first, ",r=");
	add_b64(&first, nonce, sizeof(nonce));
	bare = slice_from(buf_slice(&first), strlen(c->gs2));
	rc = auth_sasl_start(x.auth, &peer, slice_str(name), true, b,
	    c->no_initial ? slice_of(NULL, 0) : buf_slice(&first), &sasl, &out,
	    &c->who, &c->err);
	if (c->no_initial && rc == 1) {
		assert_int_equal(buf_len(&out), 0);
		rc = auth_sasl_step(
		    sasl, buf_slice(&first), &out, &c->who, &c->err);
	}
	if (rc == 1) {
		buf_add_slice(&server_first, buf_slice(&out));
		rc = second(c, sasl, bare, buf_slice(&server_first), &out);
	}
	if (rc == 0) {
		assert_true(c->server_proved);
		assert_int_equal(c->who.account, x.one);
		memset(&c->who, 0, sizeof(c->who));
		buf_clear(&out);
		rc = auth_sasl_step(sasl, SLICE(""), &out, &c->who, &c->err);
		assert_int_equal(rc, 0);
		assert_int_equal(buf_len(&out), 0);
	} else
		assert_int_equal(c->who.account, 0);
	auth_sasl_free(&sasl);
	buf_fini(&first);
	buf_fini(&out);
	buf_fini(&server_first);
	return rc;
}

static void
test_scram(void **state)
{
	static const char *const users[] = { "web100p1", "WEB100P1",
		"info@example.org", "Info@Example.org" };
	struct client c = { .pass = "pencil", .gs2 = "n,," };

	(void)state;
	for (size_t i = 0; i < PH_LEN(users); i++) {
		c.user = users[i];
		c.no_initial = i % 2 == 1;
		if (scram(&c, mech, NULL) != 0)
			fail_msg("%s: %s", users[i], c.err.text);
		assert_string_equal(c.who.name, "web100p1");
		assert_int_equal(c.who.secret_id, 1);
		assert_true(c.who.secret_version > 0);
	}
	c.gs2 = "y,,"; /* nothing to bind to: no lie */
	assert_int_equal(scram(&c, lower, NULL), 0);
}

static void
test_scram_wrong(void **state)
{
	struct client c = {
		.user = "web100p1", .pass = "pencils", .gs2 = "n,,"
	};
	uint8_t salt[16], fake[16];

	(void)state;
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	assert_string_equal(c.err.text, "wrong name or password");
	memcpy(salt, c.salt, 16);
	c.pass = "pencil";
	c.tamper = true;
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	c.tamper = false;
	assert_int_equal(scram(&c, mech, NULL), 0);
	assert_memory_equal(salt, c.salt, 16);
	c.pass = "";
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	c.pass = "pencil";
	c.extra = SLICE(",x=y");
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	c.extra = SLICE("");

	/* An unknown one gets a salt too, the same each time and after a
	 * restart, and the same answer. */
	c.user = "web100p77";
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	assert_string_equal(c.err.text, "wrong name or password");
	memcpy(fake, c.salt, 16);
	assert_memory_not_equal(fake, salt, 16);
	auth_free(&x.auth);
	assert_int_equal(auth_new(x.conf, x.f.s, "imap", "mail.example.org",
			     &x.auth, &c.err),
	    0);
	memset(c.salt, 0, 16);
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	assert_memory_equal(fake, c.salt, 16);
	c.user = "nobody@example.org";
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	assert_memory_not_equal(fake, c.salt, 16);
	c.user = "../x";
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	/* a hash brought along has no keys */
	c.user = "web100p2";
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	assert_string_equal(c.err.text, "wrong name or password");
}

static void
test_plus(void **state)
{
	struct auth_binding b = bindings(), only, none = { .exporter_n = 0 };
	struct client c = {
		.user = "web100p1", .pass = "pencil", .gs2 = "p=tls-exporter,,"
	};

	(void)state;
	c.binding = slice_of(b.exporter, b.exporter_n);
	assert_int_equal(scram(&c, plus, &b), 0);
	c.no_initial = true;
	assert_int_equal(scram(&c, plus, &b), 0);
	c.no_initial = false;
	/* other bytes: somebody sits in between */
	c.binding = slice_of(b.endpoint, b.endpoint_n);
	assert_int_equal(scram(&c, plus, &b), ERR_AUTH);
	c.binding = slice_of(b.exporter, b.exporter_n - 1);
	assert_int_equal(scram(&c, plus, &b), ERR_AUTH);
	c.gs2 = "p=tls-server-end-point,,";
	c.binding = slice_of(b.endpoint, b.endpoint_n);
	assert_int_equal(scram(&c, plus, &b), 0);
	/* a kind there is not */
	c.gs2 = "p=tls-unique,,";
	assert_int_equal(scram(&c, plus, &b), ERR_AUTH);
	only = b;
	only.exporter_n = 0;
	c.gs2 = "p=tls-exporter,,";
	assert_int_equal(scram(&c, plus, &only), ERR_AUTH);
	/* and plain SCRAM still works */
	c.gs2 = "n,,";
	c.binding = SLICE("");
	assert_int_equal(scram(&c, mech, &only), 0);
	/* -PLUS without binding, binding without -PLUS */
	assert_int_equal(scram(&c, plus, &b), ERR_AUTH);
	c.gs2 = "p=tls-exporter,,";
	assert_int_equal(scram(&c, mech, &b), ERR_AUTH);
	/* RFC 5802 6: our list was changed on the way */
	c.gs2 = "y,,";
	assert_int_equal(scram(&c, mech, &b), ERR_AUTH);
	assert_int_equal(scram(&c, plus, &b), ERR_AUTH);
	assert_int_equal(scram(&c, plus, &none), ERR_UNSUPPORTED);
	assert_int_equal(scram(&c, plus, NULL), ERR_UNSUPPORTED);
}

static int
plain_as(const char *ip, unsigned scope, bool initial, bool plain_ok,
    struct slice text, struct auth_who *who, struct err *e)
{
	struct auth_peer peer = { scope, ip, "TLSv1.3", "t1", 0, "" };
	struct auth_sasl *sasl = NULL;
	struct slice exact = unit_exact(text.p, text.n);
	struct buf out;
	int rc;

	buf_init(&out, 1000);
	memset(e, 0, sizeof(*e));
	rc = auth_sasl_start(x.auth, &peer, SLICE("PLAIN"), plain_ok, NULL,
	    initial ? exact : slice_of(NULL, 0), &sasl, &out, who, e);
	if (!initial && rc == 1) {
		assert_int_equal(buf_len(&out), 0);
		rc = auth_sasl_step(sasl, exact, &out, who, e);
	}
	assert_int_equal(buf_len(&out), 0);
	assert_true(rc <= 0);
	if (rc != 0)
		assert_int_equal(who->account, 0);
	auth_sasl_free(&sasl);
	buf_fini(&out);
	unit_free(exact);
	return rc;
}

/* Keys of SCRAM-SHA-1 come at the first login in PLAIN; before, nothing tells
 * that there are none, and the salt does not change. */
static void
test_sha1_late(void **state)
{
	struct client c = {
		.user = "web100p3", .pass = "pencil", .gs2 = "n,,"
	};
	uint8_t salt[16], beside[16];
	struct auth_who who;
	struct account ac;
	struct secret s;
	struct arena a;
	struct err e;

	(void)state;
	(void)fixture_account(&x.f, "web100", "web100p3", 0, NULL);
	auth_fixture_secret(&x.f, "web100p3", "pencil", 1, SCOPE_ALL, 0);
	arena_init(&a);
	assert_int_equal(account_get(x.f.s, SLICE("web100p3"), &a, &ac), 0);
	s = ac.secrets[0];
	s.sha1 = SLICE("");
	assert_int_equal(
	    account_secret_upgrade(x.f.s, ac.id, 1, s.value, &s), 0);
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	assert_string_equal(c.err.text, "wrong name or password");
	memcpy(salt, c.salt, sizeof(salt));
	assert_int_equal(plain_as("192.0.2.1", SCOPE_SMTP, true, true,
			     SLICE("\0web100p3\0pencil"), &who, &e),
	    0);
	x.one = ac.id; /* scram() looks who it is */
	assert_int_equal(scram(&c, mech, NULL), 0);
	assert_memory_equal(salt, c.salt, sizeof(salt));
	/* the other mechanism's salt shows the same of everybody */
	hash = CRYPT_SHA256;
	assert_int_equal(scram(&c, "SCRAM-SHA-256", NULL), 0);
	keys_salt_sha1(c.salt, beside);
	assert_memory_equal(beside, salt, sizeof(salt));
	arena_clear(&a);
}

/* Nobody's salts: for some names as if both keys had been made together, for
 * others as if those of SHA-1 had been brought along. */
static void
test_sha1_nobody(void **state)
{
	char name[20];
	struct client c = { .user = name, .pass = "x", .gs2 = "n,," };
	uint8_t salt[16], beside[16];
	int same = 0;

	(void)state;
	for (int i = 10; i < 42; i++) {
		(void)snprintf(name, sizeof(name), "web100p%d", i);
		c.ip = name; /* not throttled */
		hash = CRYPT_SHA1;
		assert_int_equal(scram(&c, "SCRAM-SHA-1", NULL), ERR_AUTH);
		memcpy(salt, c.salt, sizeof(salt));
		hash = CRYPT_SHA256;
		assert_int_equal(scram(&c, "SCRAM-SHA-256", NULL), ERR_AUTH);
		assert_memory_not_equal(salt, c.salt, sizeof(salt));
		keys_salt_sha1(c.salt, beside);
		same += memcmp(beside, salt, sizeof(salt)) == 0;
	}
	assert_true(same > 0 && same < 32);
}

/* The option scram-sha-1 = false. */
static void
test_sha1_withheld(void **state)
{
	struct client c = {
		.user = "web100p1", .pass = "pencil", .gs2 = "n,,"
	};
	struct auth_binding b = bindings();

	(void)state;
	x.conf->scram_sha_1 = false;
	assert_int_equal(scram(&c, mech, NULL), ERR_UNSUPPORTED);
	assert_int_equal(scram(&c, plus, &b), ERR_UNSUPPORTED);
	hash = CRYPT_SHA256;
	assert_int_equal(scram(&c, "SCRAM-SHA-256", NULL), 0);
}

static void
test_authzid(void **state)
{
	struct client c = { .user = "web100p1", .pass = "pencil" };

	(void)state;
	c.gs2 = "n,a=web100p1,";
	assert_int_equal(scram(&c, mech, NULL), 0);
	c.gs2 = "n,a=info@example.org,";
	assert_int_equal(scram(&c, mech, NULL), 0);
	c.gs2 = "n,a=web100p2,";
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	c.gs2 = "n,a=nobody,";
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
}

static void
test_plain(void **state)
{
	static const struct {
		struct slice text;
		int want;
	} cases[] = {
		{ SLICE("\0web100p1\0pencil"), 0 },
		{ SLICE("\0info@example.org\0pencil"), 0 },
		{ SLICE("web100p1\0web100p1\0pencil"), 0 },
		{ SLICE("Info@example.org\0WEB100P1\0pencil"), 0 },
		{ SLICE("web100p2\0web100p1\0pencil"), ERR_AUTH },
		{ SLICE("nobody\0web100p1\0pencil"), ERR_AUTH },
		{ SLICE("\0web100p1\0pencils"), ERR_AUTH },
		{ SLICE("\0web100p1\0"), ERR_AUTH },
		{ SLICE("\0web100p1"), ERR_AUTH },
		{ SLICE("\0\0"), ERR_AUTH },
		{ SLICE("\0\0pencil"), ERR_AUTH },
		{ SLICE(""), ERR_AUTH },
		{ SLICE("\0web100p1\0pencil\0"), ERR_AUTH },
		{ SLICE("\0web100p1\0pencil\0x"), ERR_AUTH },
		{ SLICE("\0web100p9\0pencil"), ERR_AUTH },
		{ SLICE("web100p1 pencil"), ERR_AUTH },
	};
	struct auth_who who;
	struct err e;

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		int rc = plain_as("192.0.2.1", SCOPE_SMTP, i % 2 == 0, true,
		    cases[i].text, &who, &e);

		if (rc != cases[i].want)
			fail_msg("case %zu: %d %s", i, rc, e.text);
		if (rc == 0)
			assert_int_equal(who.account, x.one);
		else
			assert_string_equal(e.text, "wrong name or password");
	}
	assert_int_equal(plain_as("192.0.2.1", SCOPE_SMTP, true, false,
			     cases[0].text, &who, &e),
	    ERR_UNSUPPORTED);
}

static void
test_plain_sizes(void **state)
{
	char text[1100 + 20] = "\0web100p1";
	struct auth_who who;
	struct err e;

	(void)state;
	memset(text + 10, 'x', sizeof(text) - 10);
	assert_int_equal(plain_as("192.0.2.1", SCOPE_SMTP, true, true,
			     slice_of(text, 10 + 1024), &who, &e),
	    ERR_AUTH);
	assert_int_equal(plain_as("192.0.2.1", SCOPE_SMTP, true, true,
			     slice_of(text, 10 + 1025), &who, &e),
	    ERR_AUTH);
	/* a hash is verified and upgraded here too */
	assert_int_equal(plain_as("192.0.2.1", SCOPE_SMTP, true, true,
			     SLICE("\0web100p2\0pencil"), &who, &e),
	    0);
	assert_int_equal(who.account, x.two);
}

static void
test_unknown_mechs(void **state)
{
	static const char *const names[] = { "", "LOGIN", "CRAM-MD5",
		"DIGEST-MD5", "NTLM", "ANONYMOUS", "EXTERNAL", "GSSAPI",
		"SCRAM-SHA-512", "SCRAM-SHA-512-PLUS", "SCRAM-SHA-",
		"PLAIN-PLUS", "PLAIN ", "SCRAM-SHA-256-PLUS-PLUS" };
	struct auth_peer peer = { SCOPE_IMAP, "", "", "t1", 0, "" };
	struct auth_binding b = bindings();
	struct auth_sasl *sasl;
	struct auth_who who;
	struct buf out;
	struct err e;

	(void)state;
	buf_init(&out, 100);
	for (size_t i = 0; i < PH_LEN(names); i++) {
		assert_int_equal(
		    auth_sasl_start(x.auth, &peer, slice_str(names[i]), true,
			&b, SLICE("x"), &sasl, &out, &who, &e),
		    ERR_UNSUPPORTED);
		assert_null(sasl);
	}
	buf_fini(&out);
}

/* Nonsense in the first and in the second message, and an end in between. */
static void
test_nonsense(void **state)
{
	static const char *const first[] = { "", "n", "n,", "n,,",
		"n,,n=", "n,,n=web100p1", "n,,n=web100p1,r=", "x,,n=a,r=b",
		"p=,,n=a,r=b", "n,,m=x,n=a,r=b", "n,,n=a=b,r=c",
		"n,,n==3D=2C,r=c", "n,a,n=a,r=b", ",,,,,", "n,,r=b,n=a" };
	static const char *const secnd[] = { "", "c=", "c=biws", "c=biws,r=x",
		"c=biws,r=x,p=AAAA", "p=", ",,,", "c=biws,r=,p=!!!!" };
	struct auth_peer peer = { SCOPE_IMAP, "", "", "t1", 0, "" };
	struct auth_sasl *sasl;
	struct auth_who who;
	struct buf out;
	struct err e;
	int rc;

	(void)state;
	buf_init(&out, 2000);
	for (size_t i = 0; i < PH_LEN(first); i++) {
		struct slice in = unit_exact(first[i], strlen(first[i]));

		rc = auth_sasl_start(x.auth, &peer, SLICE("SCRAM-SHA-256"),
		    false, NULL, in, &sasl, &out, &who, &e);
		assert_true(rc == ERR_AUTH || rc == 1);
		auth_sasl_free(&sasl);
		buf_clear(&out);
		unit_free(in);
	}
	for (size_t i = 0; i < PH_LEN(secnd); i++) {
		struct slice in = unit_exact(secnd[i], strlen(secnd[i]));

		assert_int_equal(
		    auth_sasl_start(x.auth, &peer, SLICE("SCRAM-SHA-256"),
			false, NULL, SLICE("n,,n=web100p1,r=abcdefgh"), &sasl,
			&out, &who, &e),
		    1);
		assert_int_equal(
		    auth_sasl_step(sasl, in, &out, &who, &e), ERR_AUTH);
		auth_sasl_free(&sasl);
		buf_clear(&out);
		unit_free(in);
	}
	/* cancelled */
	assert_int_equal(
	    auth_sasl_start(x.auth, &peer, SLICE("SCRAM-SHA-256"), false, NULL,
		SLICE("n,,n=web100p1,r=abcdefgh"), &sasl, &out, &who, &e),
	    1);
	auth_sasl_free(&sasl);
	assert_null(sasl);
	auth_sasl_free(&sasl);
	buf_fini(&out);
}

static void
set_account(bool suspended, unsigned scope)
{
	struct account ac;
	struct arena a;
	struct err e;

	arena_init(&a);
	assert_int_equal(account_get_id(x.f.s, x.one, &a, &ac), 0);
	ac.suspended = suspended;
	ac.secrets[0].scope = scope;
	assert_int_equal(account_set(x.f.s, &ac, NULL, true, &e), 0);
	arena_clear(&a);
}

static void
test_denied(void **state)
{
	struct client c = {
		.user = "web100p1", .pass = "pencil", .gs2 = "n,,"
	};
	struct auth_who who;
	struct err e;

	(void)state;
	set_account(true, SCOPE_ALL);
	assert_int_equal(scram(&c, mech, NULL), ERR_DENIED);
	assert_true(slice_find(slice_str(c.err.text), SLICE("suspended")) <
		    strlen(c.err.text));
	assert_int_equal(plain_as("192.0.2.1", SCOPE_IMAP, true, true,
			     SLICE("\0web100p1\0pencil"), &who, &e),
	    ERR_DENIED);
	c.pass = "pencils";
	assert_int_equal(scram(&c, mech, NULL), ERR_AUTH);
	c.pass = "pencil";
	set_account(false, SCOPE_SMTP);
	assert_int_equal(scram(&c, mech, NULL), ERR_DENIED);
	set_account(false, SCOPE_ALL);
	assert_int_equal(scram(&c, mech, NULL), 0);
}

static void
test_throttled(void **state)
{
	struct client c = { .user = "web100p1",
		.pass = "pencils",
		.gs2 = "n,,",
		.ip = "192.0.2.8" };
	int rc = ERR_AUTH;
	int n = 0;

	(void)state;
	for (; n < 500 && rc == ERR_AUTH; n++)
		rc = scram(&c, mech, NULL);
	assert_int_equal(rc, ERR_LIMIT);
	assert_true(n > 100);
	c.pass = "pencil";
	assert_int_equal(scram(&c, mech, NULL), ERR_LIMIT);
	assert_true(strlen(c.err.text) > 0);
	c.ip = "192.0.2.9";
	assert_int_equal(scram(&c, mech, NULL), 0);
}

static void
test_events(void **state)
{
	struct client c = {
		.user = "web100p1", .pass = "pencil", .gs2 = "n,,"
	};
	struct event v[10];
	struct account ac;
	struct arena a;
	size_t n;

	(void)state;
	arena_init(&a);
	for (int i = 0; i < 5; i++)
		assert_int_equal(scram(&c, mech, NULL), 0);
	assert_int_equal(event_list(x.f.s, x.one, &a, v, 10, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(v[0].kind, EVENT_LOGIN);
	assert_slice(v[0].text, "service=imap ip=192.0.2.1 "
				"mech=SCRAM-SHA-256 tls=TLSv1.3 secret=1");
	assert_int_equal(account_get_id(x.f.s, x.one, &a, &ac), 0);
	assert_true(ac.secrets[0].used_at > 0);
	arena_clear(&a);
}

static void *
log_in_often(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;
	struct auth_binding b = bindings();
	struct client c = {
		.user = "web100p1", .pass = "pencil", .gs2 = "n,,"
	};
	struct auth_who who;
	struct err e;

	for (unsigned i = 0; i < 25; i++) {
		switch ((me + i) % 4) {
		case 0:
			c.gs2 = "n,,";
			c.binding = SLICE("");
			assert_int_equal(scram(&c, mech, NULL), 0);
			break;
		case 1:
			c.gs2 = "p=tls-exporter,,";
			c.binding = slice_of(b.exporter, b.exporter_n);
			assert_int_equal(scram(&c, plus, &b), 0);
			break;
		case 2:
			assert_int_equal(
			    plain_as("192.0.2.1", SCOPE_IMAP, true, true,
				SLICE("\0web100p1\0pencil"), &who, &e),
			    0);
			break;
		case 3:
			assert_int_equal(
			    plain_as("192.0.2.1", SCOPE_IMAP, false, true,
				SLICE("\0web100p1\0old"), &who, &e),
			    ERR_AUTH);
			break;
		}
		if (i % 10 == 9)
			auth_forget(x.auth, x.one);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t th[8];

	(void)state;
	for (uintptr_t i = 0; i < 8; i++)
		assert_int_equal(
		    pthread_create(&th[i], NULL, log_in_often, (void *)i), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_join(th[i], NULL), 0);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define T1(fn) cmocka_unit_test_setup_teardown(fn, setup_sha1, teardown)
	const struct CMUnitTest tests[] = {
		T(test_scram),
		T(test_scram_wrong),
		T(test_plus),
		T(test_authzid),
		T(test_plain),
		T(test_plain_sizes),
		T(test_unknown_mechs),
		T(test_nonsense),
		T(test_denied),
		T(test_throttled),
		T(test_events),
		T(test_threads),
		T1(test_scram),
		T1(test_scram_wrong),
		T1(test_plus),
		T1(test_authzid),
		T1(test_denied),
		T1(test_throttled),
		T1(test_threads),
		T1(test_sha1_late),
		T1(test_sha1_nobody),
		T1(test_sha1_withheld),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
