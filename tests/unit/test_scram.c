#include "tests/unit/unit.h"

#include "auth/scram.h"
#include "lib/base/b64.h"
#include "lib/base/ph.h"

/* RFC 7677 3: user "user", password "pencil". */
static const struct scram_said example = {
	.client_first = SLICE("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"),
	.server_first = SLICE("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)"
			      "hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
	.client_final =
	    SLICE("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)"
		  "hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
	.binding = SLICE(""),
};

static struct scram_keys
keys_of(enum crypt_hash hash, const char *password)
{
	struct scram_keys keys;
	struct buf salt;

	buf_init(&salt, 16);
	assert_true(b64_decode(&salt, SLICE("W22ZaJ0SNY7soEsUEjb6gQ==")));
	crypt_scram_keys(hash, slice_str(password),
	    (const uint8_t *)buf_slice(&salt).p, 4096, &keys);
	buf_fini(&salt);
	return keys;
}

static bool
proves(struct scram_said said, const char *password, const char *want)
{
	struct scram_keys keys = keys_of(CRYPT_SHA256, password);
	struct buf out;
	bool good;

	buf_init(&out, 100);
	good = scram_proves(&said, &keys, &out);
	if (good && want != NULL)
		assert_slice(buf_slice(&out), want);
	if (!good)
		assert_int_equal(buf_len(&out), 0);
	buf_fini(&out);
	return good;
}

static void
test_rfc(void **state)
{
	(void)state;
	assert_true(proves(example, "pencil",
	    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
	assert_false(proves(example, "pencils", NULL));
}

/* RFC 5802 5, with a proof made here: its example's salt has 12 bytes. */
static void
test_sha1(void **state)
{
	struct scram_said said = example;
	struct scram_keys keys = keys_of(CRYPT_SHA1, "pencil");
	struct buf out;

	(void)state;
	said.client_final =
	    SLICE("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)"
		  "hNlF$k0,p=NxII6noLm3UpyIjcNk1DjtdZIIQ=");
	buf_init(&out, 100);
	assert_true(scram_proves(&said, &keys, &out));
	assert_slice(buf_slice(&out), "v=Tq1dKKdFondzApGMADAzcCNmCr4=");
	/* a proof of the other hash */
	assert_false(scram_proves(&example, &keys, &out));
	keys = keys_of(CRYPT_SHA1, "pencils");
	assert_false(scram_proves(&said, &keys, &out));
	buf_fini(&out);
}

/* Every prefix and every one-byte change of the client's messages is wrong,
 * and reads no byte behind them. */
static void
test_damaged(void **state)
{
	struct slice whole = example.client_final;

	(void)state;
	for (size_t n = 0; n < whole.n; n++) {
		struct scram_said said = example;

		said.client_final = unit_exact(whole.p, n);
		assert_false(proves(said, "pencil", NULL));
		unit_free(said.client_final);
	}
	for (size_t i = 0; i < whole.n; i++) {
		struct slice copy = unit_exact(whole.p, whole.n);
		struct scram_said said = example;

		((char *)(uintptr_t)copy.p)[i] ^= 1;
		said.client_final = copy;
		assert_false(proves(said, "pencil", NULL));
		unit_free(copy);
	}
	whole = example.client_first;
	for (size_t n = 0; n < whole.n; n++) {
		struct scram_said said = example;

		said.client_first = unit_exact(whole.p, n);
		assert_false(proves(said, "pencil", NULL));
		unit_free(said.client_first);
	}
}

/* What else the messages say must fit. */
static void
test_refused(void **state)
{
	static const struct {
		const char *first, *final;
	} cases[] = {
		/* another nonce than the server's */
		{ "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		    "c=biws,r=rOprNGfwEbeRWgbNEkqO,p=dHzbZapWIk4jUhN+Ute9ytag9"
		    "zjfMHgsqmmiz7AndVQ=" },
		/* a client that thinks we have no -PLUS */
		{ "y,,n=user,r=rOprNGfwEbeRWgbNEkqO", NULL },
		/* on behalf of another */
		{ "n,a=other,n=user,r=rOprNGfwEbeRWgbNEkqO", NULL },
		{ "", NULL },
		{ ",", NULL },
		{ "n,,", "p=" },
		{ "n,,x", "c=biws,p=" },
	};

	(void)state;
	for (size_t i = 0; i < PH_LEN(cases); i++) {
		struct scram_said said = example;

		said.client_first = slice_str(cases[i].first);
		if (cases[i].final != NULL)
			said.client_final = slice_str(cases[i].final);
		assert_false(proves(said, "pencil", NULL));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc),
		cmocka_unit_test(test_sha1),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
