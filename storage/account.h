/*
 * account.h - who lives here: packages, domains, accounts, addresses.
 *
 * Names are folded by the caller (auth/ident.h) before they come here.
 * "package" owns "domain" and "account"; an address leads to targets.  Structs
 * filled by *_get have their texts in the arena.
 */
#ifndef STORAGE_ACCOUNT_H
#define STORAGE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct store;

struct package {
	struct slice name; /* "web100" */
	bool suspended;
	bool refuses_mail;     /* while suspended */
	uint64_t accounts_max; /* 0: no limit, as below */
	uint64_t bytes_max, messages_max;
	uint64_t sends_per_hour;
	uint64_t domains_max;
	int64_t created_at;
	uint64_t accounts, domains; /* how many there are; the deleted that
				     * may come back not among them; read
				     * only */
};

struct domain {
	struct slice name; /* A-labels, lower case */
	struct slice package;
	int64_t created_at;
};

/* How a secret is stored; never readable. */
enum secret_kind {
	SECRET_SCRAM_SHA256 = 1, /* value: "iterations:b64salt$b64stored:
					 * b64server" */
	SECRET_HASH = 2          /* value: crypt(3), {SSHA}..., upgraded at the
				 * first good login */
};

enum { SCOPE_IMAP = 1, SCOPE_POP3 = 2, SCOPE_SMTP = 4, SCOPE_ALL = 7 };

struct secret {
	enum secret_kind kind;
	struct slice sha1; /* the same as SCRAM-SHA-1 keys; "": none */
	uint32_t id;       /* within the account; 1 is the main
					 * password */
	struct slice label;
	struct slice value;
	unsigned scope;
	int64_t created_at, used_at, expires_at; /* 0: never */
	uint64_t version; /* the account's secret_version at which this
				 * value came; set by the store */
};

enum { SECRET_VALUE_MAX = 400, SECRET_SHA1_MAX = 200, SECRET_LABEL_MAX = 100 };

enum { ACCOUNT_SECRETS_MAX = 16 };

/* Limits an account sets itself (SETQUOTA): each one more than the limit; 0:
 * none. */
struct account_own {
	uint64_t bytes, messages, folders;
};

struct account {
	uint64_t id;
	struct slice name; /* "web100p1" */
	struct slice package;
	bool suspended;
	bool refuses_mail;     /* while suspended */
	struct slice networks; /* logins from there only (auth/network.h); "":
				* from anywhere */
	struct slice lang;     /* "de", "en" or "" for the host's */
	struct slice full_name;
	uint64_t bytes_max, messages_max; /* 0: no limit */
	uint64_t folders_max;             /* 0: as many as there can be */
	struct account_own own;
	uint64_t pop3_remove_sec; /* after all POP3 devices have fetched a
				   * message; 0: it stays (sweep.h) */
	bool junk_in_inbox;       /* for POP3 programs, which see no Junk */
	uint64_t pop3_delay_sec;  /* between logins; 0: the host's */
	struct slice uidl_format; /* uidl.h; "": the usual one */
	uint64_t secret_version;  /* rises with every change of secrets */
	struct secret secrets[ACCOUNT_SECRETS_MAX];
	size_t nsecrets;
	int64_t created_at;
	int64_t deleted_at, purge_at; /* in the bin; else 0 */
};

enum { ACCOUNT_BIND_MAX = 64, ACCOUNT_NETWORKS_MAX = 300 };

struct usage {
	uint64_t bytes, messages;
};

enum { ADDRESS_TARGETS_MAX = 50 };

/* "local@domain", or "@domain" for the catch-all.  A target is an account's
 * name, or another address (here or elsewhere). */
struct address {
	struct slice addr;
	struct slice targets[ADDRESS_TARGETS_MAX];
	size_t ntargets;
	bool keep_copy; /* of what is forwarded; reserved */
	int64_t created_at;
};

/* add: ERR_EXISTS, ERR_NOTFOUND (its package or domain), ERR_LIMIT (the
 * package's limit), ERR_INVALID.  set: ERR_NOTFOUND.  del: ERR_NOTFOUND;
 * ERR_BUSY while something still belongs to it.  e says what in words. */
PH_MUSTUSE int package_add(
    struct store *s, const struct package *p, struct err *e);
PH_MUSTUSE int package_set(
    struct store *s, const struct package *p, struct err *e);
PH_MUSTUSE int package_get(
    struct store *s, struct slice name, struct arena *a, struct package *out);
PH_MUSTUSE int package_del(struct store *s, struct slice name, struct err *e);

PH_MUSTUSE int domain_add(
    struct store *s, const struct domain *d, struct err *e);
PH_MUSTUSE int domain_get(
    struct store *s, struct slice name, struct arena *a, struct domain *out);
PH_MUSTUSE int domain_del(struct store *s, struct slice name, struct err *e);

/* Addresses to lead to an account, made or changed in one transaction with
 * it.  One that leads elsewhere is ERR_EXISTS, one at a domain of others
 * ERR_NOTFOUND; one that leads there already is good. */
struct account_bind {
	struct slice addrs[ACCOUNT_BIND_MAX];
	size_t n;
};

/* Makes the account, its folders and addresses (bind may be NULL), all or
 * nothing.  ac->name empty: the package's next number is taken (never one that
 * was given before).  *out (arena) has id and name.  A secret with id 0 gets a
 * new id. */
PH_MUSTUSE int account_add(struct store *s, const struct account *ac,
    const struct account_bind *bind, struct arena *a, struct account *out,
    struct err *e);
/* Replaces all but id, name and package.  Bumps secret_version when secrets
 * differ, and notifies (kick: end its sessions).  A secret with id 0 gets a new
 * id; used_at never goes back.  Writes nothing when nothing changes. */
PH_MUSTUSE int account_set(struct store *s, const struct account *ac,
    const struct account_bind *bind, bool kick, struct err *e);
PH_MUSTUSE int account_get(
    struct store *s, struct slice name, struct arena *a, struct account *out);
PH_MUSTUSE int account_get_id(
    struct store *s, uint64_t id, struct arena *a, struct account *out);
/* With its mail; the addresses that lead only to it go too.  Also one from the
 * bin.  Broken off by a crash it is not seen any more, and the next call goes
 * on. */
PH_MUSTUSE int account_del(struct store *s, struct slice name, struct err *e);
/* Into the bin: nobody sees it any more, its addresses go, its mail stays (and
 * counts for the package) until purge_at. */
PH_MUSTUSE int account_bin(
    struct store *s, struct slice name, int64_t purge_at, struct err *e);
/* And back, with those of its addresses that are still free.  ERR_NOTFOUND: it
 * is not in the bin; ERR_LIMIT: the package is full. */
PH_MUSTUSE int account_undelete(
    struct store *s, struct slice name, struct err *e);
/* Those in the bin, like account_list(). */
PH_MUSTUSE int account_list_binned(struct store *s, struct slice after,
    struct arena *a, struct account *v, size_t cap, size_t *n_out);
/* Deletes what was to be purged at `now` or before; at most `most`. */
PH_MUSTUSE int account_purge(
    struct store *s, int64_t now, size_t most, size_t *gone_out);
PH_MUSTUSE int account_usage(struct store *s, uint64_t id, struct usage *out);
PH_MUSTUSE int package_usage(
    struct store *s, struct slice name, struct usage *out);
/* Touches used_at of one secret; not durable, no notification. */
PH_MUSTUSE int account_secret_used(
    struct store *s, uint64_t id, uint32_t secret_id, int64_t when);
/* The same password in another form (a hash becomes SCRAM keys; kind, value and
 * sha1 of `now`): no versions change, nobody is told.  ERR_CONFLICT when the
 * secret's value is not `was` any more. */
PH_MUSTUSE int account_secret_upgrade(struct store *s, uint64_t id,
    uint32_t secret_id, struct slice was, const struct secret *now);

PH_MUSTUSE int address_add(
    struct store *s, const struct address *ad, struct err *e);
PH_MUSTUSE int address_set(
    struct store *s, const struct address *ad, struct err *e);
PH_MUSTUSE int address_get(
    struct store *s, struct slice addr, struct arena *a, struct address *out);
PH_MUSTUSE int address_del(struct store *s, struct slice addr, struct err *e);

/* Name order, those > after, at most cap. */
PH_MUSTUSE int package_list(struct store *s, struct slice after,
    struct arena *a, struct package *v, size_t cap, size_t *n_out);
PH_MUSTUSE int domain_list(struct store *s, struct slice after, struct arena *a,
    struct domain *v, size_t cap, size_t *n_out);
PH_MUSTUSE int account_list(struct store *s, struct slice after,
    struct arena *a, struct account *v, size_t cap, size_t *n_out);
PH_MUSTUSE int address_list(struct store *s, struct slice after,
    struct arena *a, struct address *v, size_t cap, size_t *n_out);
/* Addresses with this account's name among their targets. */
PH_MUSTUSE int address_of_account(struct store *s, struct slice account,
    struct arena *a, struct slice *v, size_t cap, size_t *n_out);

/* Is the domain one of ours?  A frequent question: one short read. */
PH_MUSTUSE int domain_is_local(
    struct store *s, struct slice domain, bool *local_out);
/* True: it is none of ours, as was asked lately; never waits: may be asked on a
 * loop. */
bool domain_away_known(struct store *s, struct slice domain);

/*
 * Where an envelope recipient leads: accounts here and addresses elsewhere,
 * without doubles, aliases followed to depth 10.  addr: local@domain with the
 * domain folded; the local part is matched without case, then without
 * "+detail" (RFC 5233), then the catch-all.  A bare account name ("web100p1",
 * or web100p1@ any local domain) leads to that account.  postmaster@ (RFC 5321
 * 4.5.1) and abuse@ (RFC 2142 4) of a local domain lead to the first account
 * of its package when nothing else takes them; "postmaster" without a domain
 * to that of the first local domain.  Targets that are gone or suspended
 * without mail are left out as long as others remain.
 * ERR_NOTFOUND: no such recipient here (also: a domain of others);
 * ERR_DENIED: suspended.
 */
struct route {
	struct slice detail; /* behind '+', or empty */
	uint64_t *accounts;
	struct slice *account_names;
	size_t naccounts;
	struct slice *remote;
	size_t nremote;
};
PH_MUSTUSE int address_route(
    struct store *s, struct slice addr, struct arena *a, struct route *out);
/* The same from memory, if it was asked lately and no account or address has
 * changed since; never waits: may be asked on a loop. */
bool address_route_known(
    struct store *s, struct slice addr, struct arena *a, struct route *out);

#endif
