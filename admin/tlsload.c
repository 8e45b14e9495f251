#include "admin/tlsload.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "admin/selfcert.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypt/bundle.h"

enum { PEM_MAX = 1 << 20 };

static int
read_pem(const char *path, struct buf *out, struct err *e)
{
	struct err why;
	int rc = file_read(path, out, &why);

	if (rc != 0)
		return err_set(e, rc, "%s: %s", path, why.text);
	return 0;
}

/* Reads, checks and packs one pair. */
static int
load_pair(struct tlsload_entry *en, const char *host, struct buf *bundle,
    struct err *e)
{
	struct buf chain, key;
	struct selfcert_look look = { 0 };
	struct err why;
	int rc;

	buf_init(&chain, PEM_MAX);
	buf_init(&key, PEM_MAX);
	if ((rc = read_pem(en->chain_path, &chain, e)) != 0 ||
	    (rc = read_pem(en->key_path, &key, e)) != 0)
		goto out;
	rc = selfcert_check(
	    buf_slice(&chain), buf_slice(&key), host, &look, &why);
	if (rc != 0) {
		(void)err_set(e, rc, "%s, %s: %s", en->chain_path, en->key_path,
		    why.text);
		goto out;
	}
	en->expires_at = look.expires_at;
	en->covers = look.covers;
	bundle_add(bundle, &(struct bundle_entry){ .name = slice_str(en->name),
			       .chain_pem = buf_slice(&chain),
			       .key_pem = buf_slice(&key) });
	if (buf_failed(bundle))
		rc = err_set(e, ERR_TOOBIG, "too many certificates");
out:
	if (key.p != NULL)
		mem_wipe(key.p, key.cap);
	buf_fini(&chain);
	buf_fini(&key);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the folders in tls-dir, sorted; the caller frees all. */
static int
list_names(const char *dir, char ***names_out, size_t *n_out, struct err *e)
{
	DIR *d = opendir(dir);
	struct dirent *de;
	size_t cap = 0;

	*names_out = NULL;
	*n_out = 0;
	if (d == NULL)
		return err_set(e, ERR_NOTFOUND,
		    "tls-dir = %s cannot be opened; make it or unset tls-dir",
		    dir);
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.' || de->d_type == DT_REG)
			continue;
		*names_out =
		    mem_grow(*names_out, &cap, *n_out, sizeof(**names_out));
		(*names_out)[(*n_out)++] = xstrdup(de->d_name);
	}
	closedir(d);
	if (*n_out != 0)
		qsort(*names_out, *n_out, sizeof(**names_out), by_name);
	return 0;
}

static void
tell(void (*each)(const struct tlsload_entry *entry, void *arg), void *arg,
    struct tlsload_entry *en, int rc, const struct err *e)
{
	en->rc = rc;
	en->err = e;
	if (each != NULL)
		each(en, arg);
}

static void
load_named(const char *dir, const char *name, struct buf *bundle,
    void (*each)(const struct tlsload_entry *entry, void *arg), void *arg)
{
	char *chain = xasprintf("%s/%s/fullchain.pem", dir, name);
	char *key = xasprintf("%s/%s/privkey.pem", dir, name);
	char *lower = xstrdup(name);
	struct tlsload_entry en = {
		.name = lower, .chain_path = chain, .key_path = key
	};
	struct err e = { 0 };
	int rc;

	for (char *c = lower; *c != '\0'; c++)
		*c = ascii_lower(*c);
	rc = load_pair(&en, lower, bundle, &e);
	tell(each, arg, &en, rc, &e);
	free(lower);
	free(chain);
	free(key);
}

int
tlsload(const struct conf *conf, struct buf *bundle,
    void (*each)(const struct tlsload_entry *entry, void *arg), void *arg,
    struct err *e)
{
	struct tlsload_entry en = { .name = "*",
		.chain_path = conf->tls_cert,
		.key_path = conf->tls_key };
	char **names = NULL;
	size_t n = 0;
	int rc;

	rc = load_pair(
	    &en, conf->hostname[0] != '\0' ? conf->hostname : NULL, bundle, e);
	tell(each, arg, &en, rc, e);
	if (rc == 0 && conf->tls_dir[0] != '\0')
		rc = list_names(conf->tls_dir, &names, &n, e);
	for (size_t i = 0; i < n; i++) {
		if (rc == 0)
			load_named(conf->tls_dir, names[i], bundle, each, arg);
		free(names[i]);
	}
	free(names);
	return rc == 0 && buf_failed(bundle)
		   ? err_set(e, ERR_TOOBIG, "too many certificates")
		   : rc;
}
