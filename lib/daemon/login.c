#include "lib/daemon/login.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/b64.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum { SASL_MAX = 12 << 10 };

static void
wipe_str(char **s)
{
	if (*s != NULL)
		mem_wipe(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

static void
wipe_buf(struct buf *b)
{
	if (b->p != NULL)
		mem_wipe(b->p, b->cap);
	buf_fini(b);
}

void
login_fini(struct login *l)
{
	wipe_str(&l->user);
	wipe_str(&l->pass);
	wipe_buf(&l->in);
	wipe_buf(&l->challenge);
	auth_sasl_free(&l->sasl);
	*l = (struct login){ 0 };
}

void
login_password(
    struct login *l, struct slice user, struct slice pass, struct conn *conn)
{
	login_fini(l);
	conn_tls_name(conn, l->tls, sizeof(l->tls));
	l->user = slice_dup(user);
	l->pass = slice_dup(pass);
}

void
login_sasl(struct login *l, struct slice mech, struct conn *conn, bool plain_ok)
{
	struct auth_binding *b = &l->binding;

	login_fini(l);
	conn_tls_name(conn, l->tls, sizeof(l->tls));
	l->is_sasl = true;
	l->plain_ok = plain_ok;
	l->user = slice_dup(mech);
	buf_init(&l->challenge, SASL_MAX);
	/* It costs as much as all the rest, and PLAIN binds nothing. */
	if (!conn_is_tls(conn) || slice_ieq(mech, SLICE("PLAIN")))
		return;
	b->exporter_n = conn_tls_binding(
	    conn, "tls-exporter", b->exporter, sizeof(b->exporter));
	b->endpoint_n = conn_tls_binding(
	    conn, "tls-server-end-point", b->endpoint, sizeof(b->endpoint));
}

bool
login_response(struct login *l, struct slice text)
{
	wipe_buf(&l->in);
	buf_init(&l->in, SASL_MAX);
	l->has_in = true;
	return slice_eq(text, SLICE("=")) || b64_decode(&l->in, text);
}

static struct auth_peer
peer_of(const struct login *l, unsigned scope, const char *ip,
    const char *session_id)
{
	return (struct auth_peer){ scope, ip, l->tls, session_id, l->suffix_sep,
		l->client };
}

static void
ask_auth(struct login *l, struct auth *auth, unsigned scope, const char *ip,
    const char *session_id)
{
	struct auth_peer peer = peer_of(l, scope, ip, session_id);
	/* An empty response is not the same as none. */
	struct slice in = !l->has_in             ? (struct slice){ NULL, 0 }
			  : buf_len(&l->in) == 0 ? SLICE("")
						 : buf_slice(&l->in);

	if (!l->is_sasl) {
		l->rc = auth_login(auth, &peer, slice_str(l->user),
		    slice_str(l->pass), &l->who, &l->err);
		return;
	}
	buf_clear(&l->challenge);
	if (l->sasl == NULL)
		l->rc = auth_sasl_start(auth, &peer, slice_str(l->user),
		    l->plain_ok, &l->binding, in, &l->sasl, &l->challenge,
		    &l->who, &l->err);
	else
		l->rc = auth_sasl_step(
		    l->sasl, in, &l->challenge, &l->who, &l->err);
}

/* RFC 4616 2: message = [authzid] UTF8NUL authcid UTF8NUL passwd; by who asks
 * for nobody else. */
static bool
split_plain(
    const struct login *l, struct slice *user_out, struct slice *pass_out)
{
	struct slice in = buf_slice(&l->in);
	size_t nul;

	if (!l->plain_ok || !l->has_in || l->sasl != NULL || in.n == 0 ||
	    in.p[0] != '\0' || !slice_ieq_str(slice_str(l->user), "PLAIN"))
		return false;
	in = slice_from(in, 1);
	nul = slice_chr(in, '\0');
	*user_out = slice_sub(in, 0, nul);
	*pass_out = slice_from(in, nul + 1);
	return nul != in.n;
}

bool
login_now(struct login *l, struct server *srv, unsigned scope, const char *ip,
    const char *session_id)
{
	struct auth_peer peer = peer_of(l, scope, ip, session_id);
	struct slice user, pass;

	if (!l->is_sasl) {
		user = slice_str(l->user);
		pass = slice_str(l->pass);
	} else if (!split_plain(l, &user, &pass)) {
		return false;
	}
	l->known = auth_login_now(srv->auth, &peer,
	    l->is_sasl ? "PLAIN" : "LOGIN", user, pass, &l->who);
	if (l->known)
		figures_add(srv->figures, FIG_LOGINS_GOOD, 1);
	return l->known;
}

void
login_work(struct login *l, struct server *srv, unsigned scope, const char *ip,
    const char *session_id)
{
	enum login_verdict v;

	if (l->known)
		return;
	l->began_ms = clock_steady_ms();
	ask_auth(l, srv->auth, scope, ip, session_id);
	if ((v = login_verdict(l)) != LOGIN_CHALLENGE)
		figures_add(srv->figures,
		    v == LOGIN_GOOD ? FIG_LOGINS_GOOD : FIG_LOGINS_BAD, 1);
}

enum login_verdict
login_verdict(const struct login *l)
{
	if (l->rc == 1 || (l->rc == 0 && buf_len(&l->challenge) != 0))
		return LOGIN_CHALLENGE;
	return l->rc == 0 ? LOGIN_GOOD : LOGIN_BAD;
}

uint64_t
login_pause(const struct login *l, const struct conf *conf)
{
	uint64_t spent = clock_steady_ms() - l->began_ms;

	if (l->rc != ERR_AUTH || spent >= conf->auth_fail_delay)
		return 0;
	return conf->auth_fail_delay - spent;
}
