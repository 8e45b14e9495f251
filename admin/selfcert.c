#include "admin/selfcert.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/mem.h"
#include "lib/crypt/crypt.h"

enum { CA_DAYS = 3650, CERT_DAYS = 825, DAY_SEC = 86400, SERIAL_BYTES = 16 };

static int
ssl_failed(struct err *e, int kind, const char *what)
{
	char text[160] = "";
	unsigned long code = ERR_get_error();

	if (code != 0)
		ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	(void)err_set(e, kind, "%s", what);
	err_detail(e, "%s: %s", what, text);
	return kind;
}

static bool
add_ext(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	if ((ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value)) == NULL)
		return false;
	ok = X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool
set_serial(X509 *cert)
{
	unsigned char raw[SERIAL_BYTES];
	BIGNUM *bn;
	bool ok;

	crypt_random(raw, sizeof(raw));
	raw[0] = (raw[0] & 0x7f) | 0x40; /* positive, full length */
	if ((bn = BN_bin2bn(raw, sizeof(raw), NULL)) == NULL)
		return false;
	ok = BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)) != NULL;
	BN_free(bn);
	return ok;
}

/* A certificate without extensions and signature. */
static X509 *
blank_cert(EVP_PKEY *key, const char *cn, long days)
{
	X509 *cert = X509_new();
	X509_NAME *name;

	if (cert == NULL)
		return NULL;
	name = X509_get_subject_name(cert);
	if (X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), -3600) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), days * DAY_SEC) != NULL &&
	    X509_set_pubkey(cert, key) == 1 &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		(const unsigned char *)cn, -1, -1, 0) == 1)
		return cert;
	X509_free(cert);
	return NULL;
}

static bool
put_bio(BIO *bio, struct buf *out)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	if (n > 0)
		buf_add(out, p, (size_t)n);
	return n > 0 && !buf_failed(out);
}

static bool
put_pem(X509 *cert, EVP_PKEY *key, struct buf *cert_out, struct buf *key_out)
{
	BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_secmem());
	bool ok = c != NULL && k != NULL && PEM_write_bio_X509(c, cert) == 1 &&
		  PEM_write_bio_PKCS8PrivateKey(
		      k, key, NULL, NULL, 0, NULL, NULL) == 1 &&
		  put_bio(c, cert_out) && put_bio(k, key_out);

	BIO_free(c);
	BIO_free(k);
	return ok;
}

int
selfcert_ca(const char *common_name, struct buf *cert_out, struct buf *key_out,
    struct err *e)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key != NULL ? blank_cert(key, common_name, CA_DAYS) : NULL;
	bool ok =
	    cert != NULL &&
	    X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
	    add_ext(cert, cert, NID_basic_constraints,
		"critical,CA:TRUE,pathlen:0") &&
	    add_ext(
		cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    add_ext(cert, cert, NID_subject_key_identifier, "hash") &&
	    X509_sign(cert, key, EVP_sha256()) > 0 &&
	    put_pem(cert, key, cert_out, key_out);

	X509_free(cert);
	EVP_PKEY_free(key);
	return ok ? 0 : ssl_failed(e, ERR_INTERNAL, "cannot make a CA");
}

static X509 *
read_cert(struct slice pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return cert;
}

/* No prompt for keys with a passphrase: they cannot be used. */
static int
no_passphrase(char *to, int size, int writing, void *arg)
{
	(void)to, (void)size, (void)writing, (void)arg;
	return 0;
}

static EVP_PKEY *
read_key(struct slice pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);

	BIO_free(bio);
	return key;
}

static char *
alt_names(const char *const *names, size_t nnames)
{
	struct buf out;
	unsigned char ip[16];

	buf_init(&out, 64 << 10);
	for (size_t i = 0; i < nnames; i++) {
		bool is_ip = inet_pton(AF_INET, names[i], ip) == 1 ||
			     inet_pton(AF_INET6, names[i], ip) == 1;

		buf_printf(&out, "%s%s:%s", i != 0 ? "," : "",
		    is_ip ? "IP" : "DNS", names[i]);
	}
	return buf_take_str(&out);
}

static bool
sign_leaf(X509 *cert, X509 *ca, EVP_PKEY *ca_key, const char *alt)
{
	return X509_set_issuer_name(cert, X509_get_subject_name(ca)) == 1 &&
	       add_ext(cert, ca, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_ext(cert, ca, NID_key_usage, "critical,digitalSignature") &&
	       add_ext(cert, ca, NID_ext_key_usage, "serverAuth") &&
	       add_ext(cert, ca, NID_subject_key_identifier, "hash") &&
	       add_ext(cert, ca, NID_authority_key_identifier, "keyid") &&
	       add_ext(cert, ca, NID_subject_alt_name, alt) &&
	       X509_sign(cert, ca_key, EVP_sha256()) > 0;
}

int
selfcert_issue(struct slice ca_cert, struct slice ca_key,
    const char *const *names, size_t nnames, struct buf *cert_out,
    struct buf *key_out, struct err *e)
{
	X509 *ca = read_cert(ca_cert), *cert = NULL;
	EVP_PKEY *signer = read_key(ca_key), *key = EVP_EC_gen("P-256");
	char *alt = alt_names(names, nnames);
	bool ok = false;

	if (ca != NULL && signer != NULL && key != NULL &&
	    (cert = blank_cert(key, names[0], CERT_DAYS)) != NULL)
		ok = sign_leaf(cert, ca, signer, alt) &&
		     put_pem(cert, key, cert_out, key_out);
	free(alt);
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(signer);
	return ok ? 0
		  : ssl_failed(e, ERR_TLS,
			"cannot make a certificate from "
			"this CA");
}

static int64_t
expiry(const X509 *cert)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
		return 0;
	return timegm(&tm);
}

int
selfcert_check(struct slice chain, struct slice key, const char *name,
    struct selfcert_look *out, struct err *e)
{
	X509 *cert = read_cert(chain);
	EVP_PKEY *pkey = read_key(key);
	int rc = 0;

	*out = (struct selfcert_look){ 0 };
	if (cert == NULL)
		rc = ssl_failed(e, ERR_TLS, "no certificate in PEM form");
	else if (pkey == NULL)
		rc = ssl_failed(e, ERR_TLS,
		    "no private key in PEM form without passphrase");
	else if (X509_check_private_key(cert, pkey) != 1)
		rc = ssl_failed(e, ERR_TLS,
		    "the key does not belong to the first certificate of "
		    "the chain");
	if (rc == 0) {
		out->expires_at = expiry(cert);
		out->covers = name != NULL &&
			      X509_check_host(cert, name, 0, 0, NULL) == 1;
	}
	ERR_clear_error();
	X509_free(cert);
	EVP_PKEY_free(pkey);
	return rc;
}
