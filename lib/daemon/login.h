/*
 * login.h - one attempt to log in: by name and password, or by SASL.
 *
 * Holds secrets; login_fini() wipes them.  login_work() runs on a worker, the
 * rest on the loop.
 */
#ifndef LIB_DAEMON_LOGIN_H
#define LIB_DAEMON_LOGIN_H

#include "lib/daemon/server.h"

struct login {
	char *user, *pass; /* as typed; user is the mechanism for SASL */
	bool is_sasl, has_in, plain_ok;
	bool known; /* login_now() has said yes */
	/* of auth_peer; set before login_work() */
	char suffix_sep;
	const char *client;
	struct buf in, challenge;
	char tls[64]; /* conn_tls_name(), taken on the loop */
	struct auth_binding binding;
	struct auth_sasl *sasl;
	struct auth_who who; /* when login_verdict() is LOGIN_GOOD */
	struct err err;
	int rc;
	uint64_t began_ms; /* the step */
};

void login_fini(struct login *l);
/* conn: for the log and channel binding. */
void login_password(
    struct login *l, struct slice user, struct slice pass, struct conn *conn);
void login_sasl(
    struct login *l, struct slice mech, struct conn *conn, bool plain_ok);
/* The client's base64; "=" is the empty initial response (RFC 4954 4, RFC
 * 5034 4, RFC 4959 3).  False: not base64. */
bool login_response(struct login *l, struct slice text);

/* Is it known to be good?  On the loop; then it is LOGIN_GOOD, and there is
 * nothing left for login_work() to do. */
bool login_now(struct login *l, struct server *srv, unsigned scope,
    const char *ip, const char *session_id);
/* One step, in a job.  ip and session_id are for the log. */
void login_work(struct login *l, struct server *srv, unsigned scope,
    const char *ip, const char *session_id);

enum login_verdict {
	LOGIN_GOOD,
	LOGIN_CHALLENGE, /* send l->challenge, wait for an answer */
	LOGIN_BAD        /* l->rc, l->err */
};
enum login_verdict login_verdict(const struct login *l);
/* How long what is bad waits, in ms.  A wrong password is answered
 * auth-fail-delay after it came, however long the look at it took: an account
 * that exists and its kind of hash do not show in the time. */
uint64_t login_pause(const struct login *l, const struct conf *conf);

#endif
