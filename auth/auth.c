#include "auth/auth.h"

#include <stdlib.h>

#include "auth/auth_priv.h"
#include "auth/sasl_lib.h"
#include "auth/secret.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "storage/generation.h"
#include "storage/names.h"

enum { CACHED_ACCOUNTS_MAX = 20000, RECALLED_MAX = 20000 };

int
auth_new(const struct conf *conf, struct store *store, const char *service,
    const char *hostname, struct auth **auth_out, struct err *e)
{
	struct auth *a;
	int rc;

	*auth_out = NULL;
	if ((rc = sasl_lib_setup(e)) != 0)
		return rc;
	a = xcalloc(1, sizeof(*a));
	a->conf = conf;
	a->store = store;
	a->service = xstrdup(service);
	a->hostname = xstrdup(hostname);
	a->cache = cache_new(conf->auth_cache_time, CACHED_ACCOUNTS_MAX);
	a->throttle = throttle_new(&throttle_defaults);
	a->recall = recall_new(RECALLED_MAX);
	crypt_random(a->start_key, sizeof(a->start_key));
	crypt_random(a->recall_keys, sizeof(a->recall_keys));
	if ((rc = host_key_get(store, a->host_key)) != 0) {
		auth_free(&a);
		return err_set(e, rc, "the host's key cannot be read");
	}
	*auth_out = a;
	return 0;
}

static bool
same_list(const struct conf_list *x, const struct conf_list *y)
{
	bool same = x->n == y->n;

	for (size_t i = 0; same && i < x->n; i++)
		same = slice_eq(slice_str(x->v[i]), slice_str(y->v[i]));
	return same;
}

void
auth_set_conf(struct auth *a, const struct conf *conf)
{
	const struct conf *was = a->conf;

	a->conf = conf;
	/* What proved a login of support may be a password of before. */
	if (!same_list(&was->support_logins, &conf->support_logins))
		cache_forget(a->cache, 0);
	recall_forget_all(a->recall);
	cache_set_keep(a->cache, conf->auth_cache_time, clock_steady_ms());
}

void
auth_free(struct auth **ap)
{
	struct auth *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	cache_free(&a->cache);
	throttle_free(&a->throttle);
	recall_free(&a->recall);
	free(a->service);
	free(a->hostname);
	mem_wipe(a, sizeof(*a));
	free(a);
}

int
auth_login(struct auth *a, const struct auth_peer *peer, struct slice login,
    struct slice password, struct auth_who *who_out, struct err *e)
{
	struct auth_found f;
	struct auth_proof proof;
	int rc;

	*who_out = (struct auth_who){ 0 };
	auth_found_init(&f);
	if ((rc = auth_find(a, peer, login, &f)) != 0)
		rc = auth_refuse(a, peer, "LOGIN", &f, rc, err_name(rc), e);
	else if ((rc = auth_verify(a, peer, &f, password, &proof, e)) != 0)
		rc = auth_refuse(a, peer, "LOGIN", &f, rc, auth_why(&f, rc), e);
	else
		rc = auth_finish(a, peer, "LOGIN", &f, &proof, who_out, e);
	auth_found_fini(&f);
	return rc;
}

bool
auth_login_now(struct auth *a, const struct auth_peer *peer, const char *mech,
    struct slice login, struct slice password, struct auth_who *who_out)
{
	uint64_t now = clock_steady_ms();
	char shown[IDENT_MAX + 1];
	struct throttle_try tr = { .ip = peer->ip };
	struct recall_key key;
	struct recall_when w;

	if (!auth_recall_key(a, peer, login, password, &key) ||
	    !recall_get(a->recall, &key, &w, who_out, shown) ||
	    now >= w.until_ms ||
	    (w.expires_at != 0 && w.expires_at <= clock_wall_sec()) ||
	    w.account != generation_of(a->store, who_out->account) ||
	    w.all != generation_of(a->store, 0))
		return false;
	tr.name = slice_str(who_out->name);
	if (!throttle_clean(a->throttle, &tr, now))
		return false;
	who_out->mech = mech;
	auth_log_good(peer, mech, who_out, slice_str(shown), "");
	return true;
}

void
auth_mechs(const struct auth *a, bool plain_ok, bool binding, bool login,
    struct buf *out)
{
	if (plain_ok)
		buf_add_str(out, "PLAIN ");
	if (plain_ok && login)
		buf_add_str(out, "LOGIN ");
	buf_add_str(out, "SCRAM-SHA-256");
	if (binding)
		buf_add_str(out, " SCRAM-SHA-256-PLUS");
	if (!a->conf->scram_sha_1)
		return;
	buf_add_str(out, " SCRAM-SHA-1");
	if (binding)
		buf_add_str(out, " SCRAM-SHA-1-PLUS");
}

/* The secret of this session, unchanged since. */
static bool
secret_still_good(const struct account *ac, const struct auth_who *who)
{
	if (who->secret_id == AUTH_SUPPORT_SECRET)
		return true;
	for (size_t i = 0; i < ac->nsecrets; i++) {
		const struct secret *s = &ac->secrets[i];

		if (s->id == who->secret_id)
			return s->version <= who->secret_version &&
			       !auth_expired(s);
	}
	return false;
}

int
auth_still_good(struct auth *a, const struct auth_who *who)
{
	struct arena arena;
	struct account ac;
	struct package p;
	int rc;

	arena_init(&arena);
	rc = account_get_id(a->store, who->account, &arena, &ac);
	if (rc == ERR_NOTFOUND ||
	    (rc == 0 && (ac.suspended || !secret_still_good(&ac, who))))
		rc = ERR_DENIED;
	if (rc == 0) {
		rc = package_get(a->store, ac.package, &arena, &p);
		if (rc == ERR_NOTFOUND || (rc == 0 && p.suspended))
			rc = ERR_DENIED;
	}
	arena_clear(&arena);
	return rc;
}

bool
auth_suspects(struct auth *a, const char *ip)
{
	return throttle_suspects(a->throttle, ip, clock_steady_ms());
}

void
auth_forget(struct auth *a, uint64_t account)
{
	cache_forget(a->cache, account);
}

/* A name people use for themselves: their account's at a domain of their own
 * package. */
static int
is_own_name(struct auth *a, const struct auth_who *who, struct slice addr,
    bool *own_out, bool *foreign_out)
{
	struct slice local = names_local_of(addr);
	struct arena arena;
	struct domain d;
	bool named;
	int rc;

	*own_out = *foreign_out = false;
	local = slice_sub(local, 0, slice_chr(local, '+'));
	named = names_is_account(local, NULL, NULL);
	arena_init(&arena);
	rc = domain_get(a->store, names_domain_of(addr), &arena, &d);
	if (rc == 0) {
		bool ours = slice_eq(d.package, slice_str(who->package));

		*own_out =
		    named && ours && slice_eq(local, slice_str(who->name));
		*foreign_out = named && !ours;
	}
	arena_clear(&arena);
	return rc;
}

/* Does the address itself name the account? */
static int
is_target(struct auth *a, const struct auth_who *who, struct slice addr)
{
	struct arena arena;
	struct address ad;
	int rc;

	arena_init(&arena);
	rc = address_get(a->store, addr, &arena, &ad);
	if (rc == 0) {
		rc = ERR_DENIED;
		for (size_t i = 0; i < ad.ntargets; i++)
			if (slice_eq(ad.targets[i], slice_str(who->name)))
				rc = 0;
	}
	arena_clear(&arena);
	return rc == ERR_NOTFOUND ? ERR_DENIED : rc;
}

static int
leads_to(struct auth *a, const struct auth_who *who, struct slice addr)
{
	struct arena arena;
	struct route r;
	int rc;

	arena_init(&arena);
	rc = address_route(a->store, addr, &arena, &r);
	if (rc == 0) {
		rc = ERR_DENIED;
		for (size_t i = 0; i < r.naccounts; i++)
			if (r.accounts[i] == who->account)
				rc = 0;
	}
	arena_clear(&arena);
	return rc == ERR_NOTFOUND ? ERR_DENIED : rc;
}

int
auth_may_send_as(
    struct auth *a, const struct auth_who *who, struct slice address)
{
	char text[IDENT_MAX + 1];
	struct slice addr;
	struct err e;
	bool own, foreign;
	int rc;

	if (ident_fold_address(address, text, &e) != 0)
		return ERR_DENIED;
	addr = slice_str(text);
	rc = is_own_name(a, who, addr, &own, &foreign);
	if (rc != 0)
		return rc == ERR_NOTFOUND ? ERR_DENIED : rc;
	if (own)
		return 0;
	/* Mail to web1p1@ any of our domains arrives, but only its own
	 * package's are its names. */
	if (foreign)
		return is_target(a, who, addr);
	return leads_to(a, who, addr);
}

int
auth_make_secret(struct slice password, uint32_t rounds,
    const struct account *like, struct buf *value_out, struct buf *sha1_out,
    struct err *e)
{
	return secret_make(password, rounds, like, value_out, sha1_out, e);
}
