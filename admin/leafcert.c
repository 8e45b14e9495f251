#include "admin/leafcert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "lib/base/mem.h"

enum { CHAIN_MAX = 32 };

struct leafcert {
	X509 *cert;
	STACK_OF(X509) * rest;
};

struct leafcert_cas {
	X509_STORE *store;
};

struct leafcert *
leafcert_read(struct slice chain_pem)
{
	BIO *bio = BIO_new_mem_buf(chain_pem.p, (int)chain_pem.n);
	struct leafcert *leaf = xcalloc(1, sizeof(*leaf));
	X509 *next;

	leaf->rest = sk_X509_new_null();
	leaf->cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	while (leaf->cert != NULL && sk_X509_num(leaf->rest) < CHAIN_MAX &&
	       (next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(leaf->rest, next) == 0)
			X509_free(next);
	BIO_free(bio);
	ERR_clear_error();
	if (leaf->cert == NULL)
		leafcert_free(&leaf);
	return leaf;
}

void
leafcert_free(struct leafcert **leafp)
{
	struct leafcert *leaf = *leafp;

	*leafp = NULL;
	if (leaf == NULL)
		return;
	X509_free(leaf->cert);
	sk_X509_pop_free(leaf->rest, X509_free);
	free(leaf);
}

bool
leafcert_covers(const struct leafcert *leaf, const char *name)
{
	return X509_check_host(leaf->cert, name, 0, 0, NULL) == 1;
}

struct leafcert_cas *
leafcert_cas_new(const char *path)
{
	struct leafcert_cas *cas = xcalloc(1, sizeof(*cas));

	if ((cas->store = X509_STORE_new()) != NULL) {
		if (path[0] != '\0')
			(void)X509_STORE_load_file(cas->store, path);
		else
			(void)X509_STORE_set_default_paths(cas->store);
	}
	ERR_clear_error();
	return cas;
}

void
leafcert_cas_free(struct leafcert_cas **casp)
{
	struct leafcert_cas *cas = *casp;

	*casp = NULL;
	if (cas == NULL)
		return;
	X509_STORE_free(cas->store);
	free(cas);
}

bool
leafcert_trusted(const struct leafcert *leaf, const struct leafcert_cas *cas,
    const char **why_out)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = false;

	*why_out = "it cannot be checked";
	if (ctx != NULL &&
	    X509_STORE_CTX_init(ctx, cas->store, leaf->cert, leaf->rest) == 1 &&
	    X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER) == 1) {
		ok = X509_verify_cert(ctx) == 1;
		*why_out = X509_verify_cert_error_string(
		    X509_STORE_CTX_get_error(ctx));
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}
