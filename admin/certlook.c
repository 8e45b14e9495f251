#include "admin/certlook.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/leafcert.h"
#include "admin/tlsload.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/crypt/bundle.h"

enum { BUNDLE_MAX = 16 << 20, FIX_MAX = 3000, WILD_MAX = 260 };

struct entry {
	char *name, *chain_path;
	struct leafcert *leaf; /* NULL: it is not used */
	int64_t expires_at;
	bool good; /* it is in the bundle */
};

struct certlook {
	const struct conf *conf;
	struct findings *f; /* while loading */
	struct buf bundle;
	struct entry *v; /* the first is the default */
	size_t n, cap;
};

enum finding_level
certlook_level(int64_t now, int64_t expires_at)
{
	return expires_at <= now + CERTLOOK_SOON_SEC ? FINDING_ERROR
						     : FINDING_OK;
}

static const char *
subject_of(const char *name)
{
	return strcmp(name, "*") == 0 ? "default" : name;
}

static void
look_at_key(struct findings *f, const char *path)
{
	char fix[FIX_MAX];
	struct stat st;

	if (stat(path, &st) != 0 || (st.st_mode & 0027) == 0)
		return;
	(void)snprintf(fix, sizeof(fix), "chmod 600 %s", path);
	findings_add(f, FINDING_ERROR, "key-mode", path, fix,
	    "a private key with mode %04o: others than its owner may %s it",
	    st.st_mode & 07777u, (st.st_mode & 0004) != 0 ? "read" : "change");
}

static void
on_entry(const struct tlsload_entry *en, void *arg)
{
	struct certlook *look = arg;
	struct entry *e;

	look->v = mem_grow(look->v, &look->cap, look->n, sizeof(*look->v));
	e = &look->v[look->n++];
	*e = (struct entry){ .name = xstrdup(en->name),
		.chain_path = xstrdup(en->chain_path),
		.expires_at = en->expires_at,
		.good = en->rc == 0 };
	if (en->rc != 0)
		findings_add(look->f, FINDING_ERROR, "tls",
		    subject_of(en->name),
		    "put a chain and its key there, both PEM, readable for "
		    "who starts the host; then posthof reload",
		    "cannot be used: %s", en->err->text);
	look_at_key(look->f, en->key_path);
}

/* The bundle has the good ones, in the same order. */
static void
read_chains(struct certlook *look)
{
	struct slice rest = buf_slice(&look->bundle);
	struct bundle_entry be;
	bool bad = false;

	for (size_t i = 0; i < look->n; i++) {
		struct entry *e = &look->v[i];

		if (e->good && bundle_next(&rest, &be, &bad) && !bad &&
		    slice_eq(be.name, slice_str(e->name)))
			e->leaf = leafcert_read(be.chain_pem);
	}
}

/* What ends soon is told for each name that needs it. */
static void
look_at_chains(struct certlook *look)
{
	struct leafcert_cas *cas = leafcert_cas_new(look->conf->tls_ca);
	int64_t now = clock_wall_sec();
	const char *why;

	for (size_t i = 0; i < look->n; i++) {
		const struct entry *e = &look->v[i];

		if (e->leaf == NULL || e->expires_at <= now ||
		    leafcert_trusted(e->leaf, cas, &why))
			continue;
		findings_add(look->f, FINDING_WARNING, "chain",
		    subject_of(e->name),
		    "a certificate of a public CA, with all between it and "
		    "the root behind it in the file (fullchain.pem), then "
		    "posthof reload",
		    "%s leads to no CA that is known here (%s); mail programs "
		    "that have not been given its CA warn their users",
		    e->chain_path, why);
	}
	leafcert_cas_free(&cas);
}

struct certlook *
certlook_load(const struct conf *conf, struct findings *f)
{
	struct certlook *look = xcalloc(1, sizeof(*look));
	unsigned before = f->errors;
	struct err e = { 0 };

	look->conf = conf;
	look->f = f;
	buf_init(&look->bundle, BUNDLE_MAX);
	if (tlsload(conf, &look->bundle, on_entry, look, &e) != 0 &&
	    f->errors == before)
		findings_add(
		    f, FINDING_ERROR, "tls", "tls-dir", NULL, "%s", e.text);
	read_chains(look);
	look_at_chains(look);
	if (conf->profile_key[0] != '\0')
		look_at_key(f, conf->profile_key);
	return look;
}

void
certlook_free(struct certlook **lookp)
{
	struct certlook *look = *lookp;

	*lookp = NULL;
	if (look == NULL)
		return;
	for (size_t i = 0; i < look->n; i++) {
		leafcert_free(&look->v[i].leaf);
		free(look->v[i].name);
		free(look->v[i].chain_path);
	}
	free(look->v);
	if (look->bundle.p != NULL)
		mem_wipe(look->bundle.p, look->bundle.cap);
	buf_fini(&look->bundle);
	free(look);
}

static const struct entry *
named(const struct certlook *look, const char *name)
{
	for (size_t i = 0; i < look->n; i++)
		if (look->v[i].leaf != NULL &&
		    strcmp(look->v[i].name, name) == 0)
			return &look->v[i];
	return NULL;
}

/* As lib/net/tls.c chooses: the name itself, then "*.parent" (RFC 9525 6.3:
 * one label only), then the default. */
static const struct entry *
shown_for(const struct certlook *look, const char *name)
{
	const struct entry *e = named(look, name);
	const char *dot = strchr(name, '.');
	char wild[WILD_MAX];

	if (e == NULL && dot != NULL) {
		(void)snprintf(wild, sizeof(wild), "*%s", dot);
		e = named(look, wild);
	}
	return e != NULL ? e : named(look, "*");
}

static void
write_fix(const struct certlook *look, const char *name, char fix[FIX_MAX])
{
	if (look->conf->tls_dir[0] != '\0')
		(void)snprintf(fix, FIX_MAX,
		    "put fullchain.pem and privkey.pem for %s into %s/%s (the "
		    "certbot hook does), then posthof reload",
		    name, look->conf->tls_dir, name);
	else
		(void)snprintf(fix, FIX_MAX,
		    "set tls-dir, put fullchain.pem and privkey.pem for %s "
		    "into TLS-DIR/%s (the certbot hook does), then posthof "
		    "reload",
		    name, name);
}

void
certlook_name(const struct certlook *look, struct findings *f,
    enum finding_level missing, const char *subject, const char *name)
{
	const struct entry *e = shown_for(look, name);
	int64_t now = clock_wall_sec();
	char fix[FIX_MAX], when[32];
	enum finding_level level;

	write_fix(look, name, fix);
	if (e == NULL || !leafcert_covers(e->leaf, name)) {
		findings_add(f, missing, "certificate", subject, fix,
		    "no certificate covers %s; mail programs warn their users",
		    name);
		return;
	}
	out_time_text(e->expires_at, when);
	level = certlook_level(now, e->expires_at);
	findings_add(f, level, "certificate", subject,
	    level != FINDING_OK ? fix : NULL, "%s: %s %s at %s", name,
	    e->chain_path, e->expires_at < now ? "expired" : "expires", when);
}
