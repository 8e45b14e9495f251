/*
 * Whom a login means: an account's name, an address that leads to one account,
 * or an account's name at one of our domains (CLIENTS O2, S15).
 */
#include "auth/auth_priv.h"

#include "auth/keys.h"
#include "lib/base/clock.h"
#include "storage/names.h"

void
auth_found_init(struct auth_found *f)
{
	*f = (struct auth_found){ 0 };
	arena_init(&f->arena);
}

void
auth_found_fini(struct auth_found *f)
{
	arena_clear(&f->arena);
	f->known = false;
}

struct slice
auth_found_name(const struct auth_found *f)
{
	return f->known ? f->ac.name : slice_str(f->login);
}

bool
auth_expired(const struct secret *s)
{
	return s->expires_at != 0 && s->expires_at <= clock_wall_sec();
}

/* The one account behind an address; ERR_NOTFOUND. */
static int
name_of_address(struct auth *a, struct slice addr, struct arena *arena,
    struct slice *name_out)
{
	struct address ad;
	struct slice local = names_local_of(addr);
	bool ours;
	int rc = address_get(a->store, addr, arena, &ad);

	if (rc == 0) {
		*name_out = ad.targets[0];
		return ad.ntargets == 1 &&
			       names_is_account(*name_out, NULL, NULL)
			   ? 0
			   : ERR_NOTFOUND;
	}
	if (rc != ERR_NOTFOUND || !names_is_account(local, NULL, NULL))
		return rc;
	/* "web12p3@host": people put the server behind their name. */
	*name_out = local;
	if (slice_ieq_str(names_domain_of(addr), a->hostname))
		return 0;
	rc = domain_is_local(a->store, names_domain_of(addr), &ours);
	return rc == 0 && !ours ? ERR_NOTFOUND : rc;
}

const struct secret *
auth_secrets(const struct auth_found *f, size_t *n_out)
{
	if (f->support[0] != '\0') {
		*n_out = 1;
		return &f->support_secret;
	}
	*n_out = f->ac.nsecrets;
	return f->ac.secrets;
}

/* The row "NAME:HASH" of support-logins; false: there is none. */
static bool
take_support(struct auth *a, struct slice name, struct auth_found *f)
{
	const struct conf *conf = a->conf; /* the same all the way */
	const struct conf_list *l = &conf->support_logins;
	struct scram_keys keys;

	for (size_t i = 0; i < l->n; i++) {
		struct slice row = slice_str(l->v[i]);
		size_t colon = slice_chr(row, ':');
		struct slice value = slice_from(row, colon + 1);

		if (name.n == 0 || value.n == 0 ||
		    !slice_eq(slice_sub(row, 0, colon), name) ||
		    !slice_copy(name, f->support, sizeof(f->support)))
			continue;
		f->support_secret =
		    (struct secret){ .kind =
					 keys_parse(CRYPT_SHA256, value, &keys)
					     ? SECRET_SCRAM_SHA256
					     : SECRET_HASH,
			    .id = AUTH_SUPPORT_SECRET,
			    .value = value,
			    .scope = SCOPE_ALL };
		return true;
	}
	return false;
}

/* "web100p1*anna" is the account web100p1, used by anna.  False: there is no
 * anna. */
static bool
split_support(struct auth *a, struct slice *login, struct auth_found *f)
{
	size_t star = slice_rchr(*login, '*');
	struct slice name = slice_from(*login, star + 1);

	if (star == login->n)
		return true;
	*login = slice_sub(*login, 0, star);
	return take_support(a, slice_trim(name), f);
}

/* Nobody's name costs as much as somebody's: the first account that there is
 * and its package are read instead. */
static int
look_alike(struct auth *a, struct arena *arena)
{
	struct account ac;
	struct package p;
	size_t n;
	int rc = account_list(a->store, SLICE(""), arena, &ac, 1, &n);

	if (rc == 0 && n != 0)
		rc = package_get(a->store, ac.package, arena, &p);
	return rc == 0 ? ERR_NOTFOUND : rc;
}

static int
load(struct auth *a, struct slice name, struct auth_found *f)
{
	struct package p;
	int rc;

	rc = account_get(a->store, name, &f->arena, &f->ac);
	if (rc == ERR_NOTFOUND)
		return look_alike(a, &f->arena);
	if (rc != 0)
		return rc;
	rc = package_get(a->store, f->ac.package, &f->arena, &p);
	if (rc != 0 && rc != ERR_NOTFOUND)
		return rc;
	f->package_suspended = rc == 0 && p.suspended;
	f->known = true;
	return 0;
}

int
auth_find(struct auth *a, const struct auth_peer *peer, struct slice login,
    struct auth_found *f)
{
	struct slice name, suffix = SLICE("");
	struct err e;
	bool is_address, helps;
	int rc;

	if (!slice_copy(login, f->typed, sizeof(f->typed)))
		f->typed[0] = '\0';
	if (peer->suffix_sep != '\0')
		ident_split_login(login, peer->suffix_sep, &login, &suffix);
	if (!slice_copy(suffix, f->suffix, sizeof(f->suffix)))
		return 0;
	helps = split_support(a, &login, f);
	if (ident_fold_login(login, f->login, &is_address, &e) != 0)
		return 0;
	if (!helps)
		return 0; /* as an account nobody has */
	name = slice_str(f->login);
	if (is_address) {
		rc = name_of_address(a, name, &f->arena, &name);
		if (rc != 0)
			return rc == ERR_NOTFOUND ? 0 : rc;
	} else if (!ident_is_account(name, NULL))
		return 0;
	rc = load(a, name, f);
	return rc == ERR_NOTFOUND ? 0 : rc;
}
