/*
 * auth_priv.h - what the files of auth/ share: one login from name to end.
 * For auth/ only.
 */
#ifndef AUTH_AUTH_PRIV_H
#define AUTH_AUTH_PRIV_H

#include "auth/auth.h"
#include "auth/cache.h"
#include "auth/ident.h"
#include "auth/recall.h"
#include "auth/throttle.h"
#include "lib/crypt/crypt.h"
#include "storage/host_key.h"

struct auth {
	const struct conf *_Atomic conf; /* auth_set_conf() */
	struct store *store;
	char *service, *hostname;
	struct cache *cache;
	struct throttle *throttle;
	struct recall *recall;
	uint8_t start_key[SHA256_LEN];  /* of this process: cache, throttle */
	uint64_t recall_keys[4];        /* the same: auth_recall_key() */
	uint8_t host_key[HOST_KEY_LEN]; /* of this host: made-up secrets */
};

/* Whom a login means.  auth_found_fini() always. */
struct auth_found {
	char login[IDENT_MAX + 1];   /* folded; "" when it cannot be */
	char suffix[256];            /* not part of it */
	char typed[IDENT_MAX + 257]; /* all of it, as it came; or "" */
	bool known;
	bool package_suspended;
	/* "web100p1*anna": who helps, by support-logins, and the only secret
	 * that counts then; support[0] '\0': the account itself */
	char support[64];
	struct secret support_secret;
	struct account ac; /* when known; texts in the arena */
	struct arena arena;
};

void auth_found_init(struct auth_found *f);
void auth_found_fini(struct auth_found *f);
/* 0 also for a login that is unknown or impossible; else the store's error. */
PH_MUSTUSE int auth_find(struct auth *a, const struct auth_peer *peer,
    struct slice login, struct auth_found *f);
/* The account's name, or the login that is none. */
struct slice auth_found_name(const struct auth_found *f);

/* The secrets a login may be proved with. */
const struct secret *auth_secrets(const struct auth_found *f, size_t *n_out);

/* Which secret proved a login. */
struct auth_proof {
	const struct secret *secret;
	bool keyed; /* the login may be remembered as a whole, under key */
	struct recall_key key;
};

/*
 * Is this the password?  0; ERR_AUTH; ERR_LIMIT (e says how long to wait).
 * Counts what is wrong, remembers what is good, costs the same for unknown
 * logins.
 */
PH_MUSTUSE int auth_verify(struct auth *a, const struct auth_peer *peer,
    const struct auth_found *f, struct slice password,
    struct auth_proof *proof_out, struct err *e);

/* The same around SCRAM, where the password is not seen: may it be tried, and
 * how it went. */
PH_MUSTUSE int auth_scram_begin(struct auth *a, const struct auth_peer *peer,
    const struct auth_found *f, struct err *e);
void auth_scram_wrong(
    struct auth *a, const struct auth_peer *peer, const struct auth_found *f);
void auth_scram_good(
    struct auth *a, const struct auth_peer *peer, const struct auth_found *f);

/* Has this been recorded from there not long ago?  It has until *until_out. */
bool auth_told(struct auth *a, const struct auth_peer *peer, uint64_t account,
    uint32_t secret_id, uint64_t *until_out);

/* recall.h's key; false: not to be remembered. */
bool auth_recall_key(const struct auth *a, const struct auth_peer *peer,
    struct slice typed, struct slice password, struct recall_key *key_out);
/* The line of a login that has gone well.  login: folded. */
void auth_log_good(const struct auth_peer *peer, const char *mech,
    const struct auth_who *who, struct slice login, const char *support);

/*
 * The end of a login that was proved: may he?  0 with *who_out, logged and
 * recorded; ERR_DENIED with a text.  mech: for the log.
 */
PH_MUSTUSE int auth_finish(struct auth *a, const struct auth_peer *peer,
    const char *mech, const struct auth_found *f,
    const struct auth_proof *proof, struct auth_who *who_out, struct err *e);

/* The end of one that failed: logs and records it, once, and makes every kind
 * of wrong look alike.  why: static word for the log.  Returns rc. */
int auth_refuse(struct auth *a, const struct auth_peer *peer, const char *mech,
    const struct auth_found *f, int rc, const char *why, struct err *e);

/* The word for the log when auth_verify() said rc. */
const char *auth_why(const struct auth_found *f, int rc);

/* Is this secret past its time? */
bool auth_expired(const struct secret *s);

#endif
