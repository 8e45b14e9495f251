#include "lib/crypt/cms.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>

/* The first certificate and the ones behind it. */
static int
read_chain(
    struct slice pem, X509 **first_out, STACK_OF(X509) * others, struct err *e)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *cert;

	*first_out = PEM_read_bio_X509(in, NULL, NULL, NULL);
	while (*first_out != NULL &&
	       (cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(others, cert) == 0)
			X509_free(cert);
	BIO_free(in);
	ERR_clear_error();
	return *first_out != NULL
		   ? 0
		   : err_set(e, ERR_TLS, "no certificate in the file");
}

static int
read_key(struct slice pem, EVP_PKEY **key_out, struct err *e)
{
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);

	*key_out = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
	BIO_free(in);
	ERR_clear_error();
	return *key_out != NULL ? 0 : err_set(e, ERR_TLS, "no key in the file");
}

static int
write_der(CMS_ContentInfo *cms, struct buf *out, struct err *e)
{
	unsigned char *der = NULL;
	int n = cms != NULL ? i2d_CMS_ContentInfo(cms, &der) : -1;

	if (n <= 0) {
		ERR_clear_error();
		return err_set(
		    e, ERR_TLS, "certificate and key do not sign together");
	}
	buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	return 0;
}

int
cms_sign(struct slice chain_pem, struct slice key_pem, struct slice content,
    struct buf *out, struct err *e)
{
	STACK_OF(X509) *others = sk_X509_new_null();
	CMS_ContentInfo *cms = NULL;
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	BIO *in = NULL;
	int rc;

	if ((rc = read_chain(chain_pem, &cert, others, e)) == 0 &&
	    (rc = read_key(key_pem, &key, e)) == 0) {
		in = BIO_new_mem_buf(content.p, (int)content.n);
		cms = CMS_sign(cert, key, others, in, CMS_BINARY);
		rc = write_der(cms, out, e);
	}
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	EVP_PKEY_free(key);
	X509_free(cert);
	sk_X509_pop_free(others, X509_free);
	return rc;
}
