/*
 * cert.h - keys and certificates made on the spot for tests of TLS.
 */
#ifndef TESTS_UNIT_CERT_H
#define TESTS_UNIT_CERT_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "lib/base/buf.h"
#include "lib/base/mem.h"
#include "lib/crypt/bundle.h"

struct cert {
	EVP_PKEY *key;
	X509 *x;
};

static inline void
cert_ext(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	ph_assert(ext != NULL && X509_add_ext(x, ext, -1));
	X509_EXTENSION_free(ext);
}

/* names: as for subjectAltName ("DNS:a,DNS:*.b"), NULL for a CA.  ca: who
 * signs, NULL for self-signed. */
static inline struct cert
cert_new(const char *cn, const char *names, const struct cert *ca, bool rsa)
{
	static long serial = 1;
	struct cert c = { rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"),
		X509_new() };
	X509_NAME *n;

	ph_assert(c.key != NULL && c.x != NULL);
	X509_set_version(c.x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x), serial++);
	X509_gmtime_adj(X509_getm_notBefore(c.x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(c.x), 86400);
	n = X509_get_subject_name(c.x);
	X509_NAME_add_entry_by_txt(
	    n, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(
	    c.x, ca != NULL ? X509_get_subject_name(ca->x) : n);
	X509_set_pubkey(c.x, c.key);
	cert_ext(c.x, NID_basic_constraints,
	    names == NULL ? "critical,CA:TRUE" : "CA:FALSE");
	if (names != NULL)
		cert_ext(c.x, NID_subject_alt_name, names);
	ph_assert(X509_sign(c.x, ca != NULL ? ca->key : c.key, EVP_sha256()));
	return c;
}

static inline void
cert_free(struct cert *c)
{
	EVP_PKEY_free(c->key);
	X509_free(c->x);
	*c = (struct cert){ NULL, NULL };
}

static inline void
cert_bio_to(BIO *b, struct buf *out)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);

	buf_add(out, p, (size_t)n);
	BIO_free(b);
}

static inline void
cert_pem(const struct cert *c, struct buf *out)
{
	BIO *b = BIO_new(BIO_s_mem());

	ph_assert(b != NULL && PEM_write_bio_X509(b, c->x));
	cert_bio_to(b, out);
}

/* Appends the pair to a bundle under this name. */
static inline void
cert_pack(const struct cert *c, const struct cert *ca, const char *name,
    struct buf *bundle)
{
	struct bundle_entry e = { .name = slice_str(name) };
	struct buf chain, key;
	BIO *b = BIO_new(BIO_s_mem());

	buf_init(&chain, 100000);
	buf_init(&key, 100000);
	cert_pem(c, &chain);
	if (ca != NULL)
		cert_pem(ca, &chain);
	ph_assert(b != NULL && PEM_write_bio_PrivateKey(
				   b, c->key, NULL, NULL, 0, NULL, NULL));
	cert_bio_to(b, &key);
	e.chain_pem = buf_slice(&chain);
	e.key_pem = buf_slice(&key);
	bundle_add(bundle, &e);
	buf_fini(&chain);
	buf_fini(&key);
}

#endif
