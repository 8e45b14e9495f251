/*
 * auth.h - who is this, and may he?
 *
 * All calls but auth_mechs() and auth_login_now() may take milliseconds (key
 * derivation) or wait for the store: they run on the auth workers.  Wrong
 * password, unknown user and expired secret look alike in answer and time.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/conf.h"
#include "lib/base/err.h"
#include "storage/account.h"

struct auth;
struct auth_sasl;

/* The good end of a login. */
struct auth_who {
	uint64_t account;
	char name[64]; /* "web100p1" */
	char package[32];
	char lang[3]; /* "de" or "en", the host's if unset */
	uint32_t secret_id;
	uint64_t secret_version;
	/* of the account, see there */
	uint64_t pop3_remove_sec, pop3_delay_sec;
	char suffix[256]; /* behind auth_peer.suffix_sep */
	const char *mech; /* static */
	bool support;     /* somebody who helps, not the owner */
};

/* Who asks: for throttling, the log and `logins`. */
struct auth_peer {
	unsigned scope;      /* SCOPE_IMAP, _POP3 or _SMTP: one */
	const char *ip;      /* "" for a Unix socket */
	const char *tls;     /* conn_tls_name(), "" in clear */
	const char *session; /* id for the log */
	char suffix_sep;     /* "web100p1+Sent": the name ends before it; '\0':
			      * names have no suffix */
	const char *client;  /* what the program calls itself; NULL: unknown */
};

/* service: "imap", "pop" or "smtp"-like name for SASL; hostname for SASL. */
PH_MUSTUSE int auth_new(const struct conf *conf, struct store *store,
    const char *service, const char *hostname, struct auth **auth_out,
    struct err *e);
/* A reload: logins from here on go by this configuration.  The one before is
 * kept by the caller until auth_free(), as logins may be looking at it.  From
 * one thread at a time. */
void auth_set_conf(struct auth *a, const struct conf *conf);
void auth_free(struct auth **a);

/*
 * A login with name and password (LOGIN, USER/PASS, AUTH LOGIN and PLAIN).
 * 0; ERR_AUTH: wrong, in whatever way; ERR_DENIED: right, but suspended or
 * out of scope (text says it); ERR_LIMIT: too many wrong ones, later;
 * ERR_BUSY, ERR_IO ...: temporary.  Records the login.  Wipe the password
 * afterwards.
 */
PH_MUSTUSE int auth_login(struct auth *a, const struct auth_peer *peer,
    struct slice login, struct slice password, struct auth_who *who_out,
    struct err *e);

/* The same for a login that is known to be good: it was a little while ago, it
 * has been recorded since, and nothing of it has changed.  mech: static, for
 * the log.  False: nothing has happened, ask auth_login() or auth_sasl_start().
 * Never blocks: for the loop. */
bool auth_login_now(struct auth *a, const struct auth_peer *peer,
    const char *mech, struct slice login, struct slice password,
    struct auth_who *who_out);

/* Mechanisms to offer, space-separated, e.g. "PLAIN LOGIN SCRAM-SHA-256
 * SCRAM-SHA-256-PLUS SCRAM-SHA-1 SCRAM-SHA-1-PLUS": PLAIN and LOGIN only when
 * plain_ok, -PLUS only when binding, SHA-1 unless the option scram-sha-1 is
 * false.  LOGIN is ours (not for POP3/IMAP when login false). */
void auth_mechs(const struct auth *a, bool plain_ok, bool binding, bool login,
    struct buf *out);

/* Channel binding of this connection, for -PLUS; n 0: none. */
struct auth_binding {
	uint8_t exporter[64], endpoint[64]; /* tls-exporter,
						 * tls-server-end-point */
	size_t exporter_n, endpoint_n;
};

/*
 * A SASL exchange.  initial.p == NULL: the client sent none.  Decoded bytes in
 * and out; the protocol does base64 and "=" and "*".  Result:
 * 0: done, *who_out is set, and what is left in `out` (SCRAM's last message)
 * goes to the client first when the protocol can only send it as a challenge:
 * then auth_sasl_step() is called once more with the empty answer and returns
 * 0.  1: out is a challenge, go on.  Negative: as auth_login, and
 * ERR_UNSUPPORTED: no such mechanism, or not here.
 * Used by one thread at a time.
 */
PH_MUSTUSE int auth_sasl_start(struct auth *a, const struct auth_peer *peer,
    struct slice mech, bool plain_ok, const struct auth_binding *binding,
    struct slice initial, struct auth_sasl **sasl_out, struct buf *out,
    struct auth_who *who_out, struct err *e);
PH_MUSTUSE int auth_sasl_step(struct auth_sasl *sasl, struct slice in,
    struct buf *out, struct auth_who *who_out, struct err *e);
/* Also ends an exchange the client cancelled. */
void auth_sasl_free(struct auth_sasl **sasl);

/* The program of a session said who it is after its login: for `logins`. */
void auth_client(
    struct auth *a, const struct auth_peer *peer, const struct auth_who *who);

/* Did wrong passwords for several accounts come from there lately?  Never
 * blocks for long: may be asked on a loop. */
bool auth_suspects(struct auth *a, const char *ip);

/* Is the login still good (NOTIFY_ACCOUNT)?  0, or ERR_DENIED when the
 * account is suspended or gone or its secrets changed with a kick. */
PH_MUSTUSE int auth_still_good(struct auth *a, const struct auth_who *who);
/* Forgets cached logins of the account (0: of all). */
void auth_forget(struct auth *a, uint64_t account);

/* May this login send as this address (envelope or From)?  0 or ERR_DENIED:
 * its own name at a local domain, or an address that leads to it. */
PH_MUSTUSE int auth_may_send_as(
    struct auth *a, const struct auth_who *who, struct slice address);

/* What to store for a password: the value of SECRET_SCRAM_SHA256 and, unless
 * sha1_out is NULL, secret.sha1.  like: an account whose secrets' salt is
 * taken, or NULL. */
PH_MUSTUSE int auth_make_secret(struct slice password, uint32_t rounds,
    const struct account *like, struct buf *value_out, struct buf *sha1_out,
    struct err *e);

/* Names an account's secret by its id; the one of who helps (support-logins)
 * is no secret of the account. */
enum { AUTH_MAIN_SECRET = 1 };
#define AUTH_SUPPORT_SECRET UINT32_MAX

#endif
