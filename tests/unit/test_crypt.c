#include "lib/crypt/crypt.h"

#include "lib/base/b64.h"
#include "tests/unit/unit.h"

static void
assert_hex(const uint8_t *got, const char *want)
{
	static const char hex[] = "0123456789abcdef";
	char text[2 * SHA256_LEN + 1] = "";

	for (size_t i = 0; i < SHA256_LEN; i++) {
		text[2 * i] = hex[got[i] >> 4];
		text[2 * i + 1] = hex[got[i] & 15];
	}
	assert_string_equal(text, want);
}

/* FIPS 180-2 B.1, B.2 and the empty message. */
static const struct {
	const char *in, *want;
} digests[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
	      "5" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2001"
		 "5ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c"
	    "1" },
};

static void
sha256(void **state)
{
	uint8_t out[SHA256_LEN];

	(void)state;
	for (size_t i = 0; i < PH_LEN(digests); i++) {
		struct slice in = slice_str(digests[i].in);

		crypt_sha256(in, out);
		assert_hex(out, digests[i].want);
		for (size_t cut = 0; cut <= in.n; cut++) {
			struct crypt_sha256_ctx *c = crypt_sha256_new();

			crypt_sha256_update(c, in.p, cut);
			crypt_sha256_update(c, in.p + cut, in.n - cut);
			crypt_sha256_final(&c, out);
			assert_null(c);
			assert_hex(out, digests[i].want);
		}
	}
	crypt_sha256(slice_of(NULL, 0), out);
	assert_hex(out, digests[0].want);
}

/* FIPS 180-2 B.3: a million times "a". */
static void
sha256_long(void **state)
{
	struct crypt_sha256_ctx *c = crypt_sha256_new();
	uint8_t out[SHA256_LEN];
	char a[1000];

	(void)state;
	memset(a, 'a', sizeof(a));
	for (int i = 0; i < 1000; i++)
		crypt_sha256_update(c, a, sizeof(a));
	crypt_sha256_final(&c, out);
	assert_hex(out,
	    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* RFC 4231 4.2, 4.3, 4.4, 4.7 */
static void
hmac(void **state)
{
	uint8_t out[SHA256_LEN];
	char key[131], data[50];

	(void)state;
	memset(key, 0x0b, 20);
	crypt_hmac_sha256(slice_of(key, 20), SLICE("Hi There"), out);
	assert_hex(out,
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	crypt_hmac_sha256(
	    SLICE("Jefe"), SLICE("what do ya want for nothing?"), out);
	assert_hex(out,
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	memset(data, 0xdd, sizeof(data));
	crypt_hmac_sha256(slice_of(key, 20), slice_of(data, 50), out);
	assert_hex(out,
	    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	crypt_hmac_sha256(slice_of(key, 131),
	    SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
	    out);
	assert_hex(out,
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	/* An empty key is a key. */
	crypt_hmac_sha256(slice_of(NULL, 0), slice_of(NULL, 0), out);
	assert_hex(out,
	    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 7914 11: PBKDF2-HMAC-SHA-256, the first 32 of 64 bytes. */
static void
pbkdf2(void **state)
{
	uint8_t out[SHA256_LEN];

	(void)state;
	crypt_pbkdf2(CRYPT_SHA256, SLICE("passwd"), SLICE("salt"), 1, out);
	assert_hex(out,
	    "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	crypt_pbkdf2(
	    CRYPT_SHA256, SLICE("Password"), SLICE("NaCl"), 80000, out);
	assert_hex(out,
	    "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
	crypt_pbkdf2(CRYPT_SHA256, slice_of(NULL, 0), SLICE("salt"), 1, out);
}

static void
decode(const char *b64, uint8_t *out, size_t n)
{
	struct buf b;

	buf_init(&b, 100);
	assert_true(b64_decode(&b, slice_str(b64)));
	assert_int_equal(buf_len(&b), n);
	memcpy(out, buf_slice(&b).p, n);
	buf_fini(&b);
}

/*
 * The exchange of RFC 7677 3, both sides: the client's proof XOR its
 * signature hashes to our StoredKey, and our ServerKey signs as shown.
 */
static void
scram(void **state)
{
	static const char auth[] =
	    "n=user,r=rOprNGfwEbeRWgbNEkqO,"
	    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
	    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
	struct slice message = slice_of(auth, sizeof(auth) - 1);
	uint8_t salt[16], proof[SHA256_LEN], want[SHA256_LEN];
	uint8_t sig[SHA256_LEN], stored[SHA256_LEN];
	struct scram_keys keys;

	(void)state;
	decode("W22ZaJ0SNY7soEsUEjb6gQ==", salt, sizeof(salt));
	decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", proof,
	    sizeof(proof));
	decode(
	    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", want, sizeof(want));
	crypt_scram_keys(CRYPT_SHA256, SLICE("pencil"), salt, 4096, &keys);
	crypt_hmac_sha256(slice_of(keys.server_key, SHA256_LEN), message, sig);
	assert_memory_equal(sig, want, SHA256_LEN);
	crypt_hmac_sha256(slice_of(keys.stored_key, SHA256_LEN), message, sig);
	for (size_t i = 0; i < SHA256_LEN; i++)
		sig[i] ^= proof[i];
	crypt_sha256(slice_of(sig, SHA256_LEN), stored);
	assert_memory_equal(stored, keys.stored_key, SHA256_LEN);
	assert_int_equal(keys.rounds, 4096);
	assert_memory_equal(keys.salt, salt, sizeof(salt));
}

/* RFC 5802 5: the same with SHA-1; keys as long as the hash. */
static void
scram_sha1(void **state)
{
	static const char auth[] =
	    "n=user,r=fyko+d2lbbFgONRv9qkxdawL,"
	    "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
	    "s=QSXCR+Q6sek8bf92,i=4096,"
	    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j";
	struct slice message = slice_of(auth, sizeof(auth) - 1);
	uint8_t salt[12], proof[SHA1_LEN], want[SHA1_LEN];
	uint8_t sig[SHA1_LEN], hash[SHA1_LEN], stored[SHA1_LEN],
	    server[SHA1_LEN];

	(void)state;
	decode("QSXCR+Q6sek8bf92", salt, sizeof(salt));
	decode("v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", proof, sizeof(proof));
	decode("rmF9pqV8S7suAoZWja4dJRkFsKQ=", want, sizeof(want));
	crypt_scram_derive(CRYPT_SHA1, SLICE("pencil"),
	    slice_of(salt, sizeof(salt)), 4096, stored, server);
	crypt_hmac(CRYPT_SHA1, slice_of(server, SHA1_LEN), message, sig);
	assert_memory_equal(sig, want, SHA1_LEN);
	crypt_hmac(CRYPT_SHA1, slice_of(stored, SHA1_LEN), message, sig);
	for (size_t i = 0; i < SHA1_LEN; i++)
		sig[i] ^= proof[i];
	crypt_digest(CRYPT_SHA1, slice_of(sig, SHA1_LEN), hash);
	assert_memory_equal(hash, stored, SHA1_LEN);
	assert_int_equal(crypt_hash_len(CRYPT_SHA1), SHA1_LEN);
}

static void
scram_verify(void **state)
{
	static const uint8_t salt[16] = "0123456789abcde";
	struct scram_keys keys;

	(void)state;
	crypt_scram_keys(CRYPT_SHA256, SLICE("pencil"), salt, 4096, &keys);
	assert_true(crypt_scram_verify(SLICE("pencil"), &keys));
	assert_false(crypt_scram_verify(SLICE("pencil "), &keys));
	assert_false(crypt_scram_verify(SLICE("pencil\0"), &keys));
	assert_false(crypt_scram_verify(SLICE("Pencil"), &keys));
	assert_false(crypt_scram_verify(SLICE(""), &keys));
	keys.stored_key[31] ^= 1;
	assert_false(crypt_scram_verify(SLICE("pencil"), &keys));
	/* A damaged record is an answer, not an abort or an hour. */
	keys.rounds = 0;
	assert_false(crypt_scram_verify(SLICE("pencil"), &keys));
	keys.rounds = UINT32_MAX;
	assert_false(crypt_scram_verify(SLICE("pencil"), &keys));
	crypt_scram_keys(CRYPT_SHA1, SLICE("pencil"), salt, 4096, &keys);
	assert_true(crypt_scram_verify(SLICE("pencil"), &keys));
	keys.stored_key[SHA1_LEN - 1] ^= 1;
	assert_false(crypt_scram_verify(SLICE("pencil"), &keys));
}

static void
equal_and_random(void **state)
{
	uint8_t a[64], b[64];

	(void)state;
	assert_true(crypt_equal("", "", 0));
	assert_true(crypt_equal("abc", "abd", 2));
	assert_false(crypt_equal("abc", "abd", 3));
	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	crypt_random(a, sizeof(a));
	crypt_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	crypt_random(a, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256),
		cmocka_unit_test(sha256_long),
		cmocka_unit_test(hmac),
		cmocka_unit_test(pbkdf2),
		cmocka_unit_test(scram),
		cmocka_unit_test(scram_sha1),
		cmocka_unit_test(scram_verify),
		cmocka_unit_test(equal_and_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
