/*
 * Connections of the library are made and ended one at a time (2.1.28 races
 * there), and take SCRAM keys from served.c; PLAIN's password goes to our own
 * verifier.  No clear text is ever given to it.
 */
#include "auth/sasl.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth_priv.h"
#include "auth/keys.h"
#include "auth/sasl_lib.h"
#include "auth/scram.h"
#include "auth/secret.h"
#include "auth/served.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { CALLBACKS = 4, IN_MAX = 8 << 10 };

static const struct mech {
	const char *name;
	bool scram, plus;
	enum crypt_hash hash; /* of SCRAM */
} mechs[] = {
	{ .name = "PLAIN" },
	{ "SCRAM-SHA-256", true, false, CRYPT_SHA256 },
	{ "SCRAM-SHA-256-PLUS", true, true, CRYPT_SHA256 },
	{ "SCRAM-SHA-1", true, false, CRYPT_SHA1 },
	{ "SCRAM-SHA-1-PLUS", true, true, CRYPT_SHA1 },
};

struct auth_sasl {
	struct auth *auth;
	struct auth_peer peer; /* its texts below */
	char ip[64], tls[64], session[64], client[80];
	const struct mech *mech;
	struct auth_binding binding;
	sasl_channel_binding_t cb;
	sasl_conn_t *conn;
	sasl_callback_t callbacks[CALLBACKS];
	struct auth_found found;
	struct auth_proof proof;     /* PLAIN: by our verifier */
	struct buf first, challenge; /* SCRAM's messages so far */
	int failed;                  /* why a callback said no; 0: it did not */
	bool started, done;
	struct auth_who who; /* when done */
	struct err err;
};

/* The library's state is the process's, and so is what guards it. */
static pthread_mutex_t conn_lock = PTHREAD_MUTEX_INITIALIZER;

/* What the library says: one line per failed login is ours to write, and the
 * deeper levels tell secrets. */
static int
on_conn_log(void *context, int level, const char *message)
{
	struct auth_sasl *s = context;

	if (level <= SASL_LOG_NOTE)
		log_debug(
		    s->session, "sasl", "text=%s", log_q(slice_str(message)));
	return SASL_OK;
}

/* The exchange a connection of the library belongs to: it hangs on one of its
 * callbacks. */
static struct auth_sasl *
exchange_of(const sasl_utils_t *utils)
{
	sasl_callback_ft proc = NULL;
	void *context = NULL;

	if (utils->getcallback(
		utils->conn, SASL_CB_CANON_USER, &proc, &context) != SASL_OK)
		return NULL;
	return context;
}

/* Another secret, with the salt of those keys, that the client's last message
 * proves; its answer to that goes to out. */
static const struct secret *
other_secret(struct auth_sasl *s, struct slice final, struct buf *out)
{
	const struct scram_said said = { buf_slice(&s->first),
		buf_slice(&s->challenge), final,
		slice_of(s->cb.data, s->cb.len) };
	enum crypt_hash hash = s->mech->hash;
	const struct secret *served = served_secret(&s->found, hash), *v;
	struct scram_keys keys, like;
	size_t n;

	if (served == NULL ||
	    !keys_parse(hash, served_keys(served, hash), &like))
		return NULL;
	v = auth_secrets(&s->found, &n);
	for (size_t i = 0; i < n; i++) {
		if (&v[i] == served ||
		    !keys_parse(hash, served_keys(&v[i], hash), &keys) ||
		    keys.rounds != like.rounds ||
		    memcmp(keys.salt, like.salt, sizeof(like.salt)) != 0)
			continue;
		if (scram_proves(&said, &keys, out))
			return &v[i];
	}
	return NULL;
}

static void
serve(const struct auth_sasl *s, const sasl_server_params_t *sparams,
    const char *name)
{
	struct buf b;

	buf_init(&b, SECRET_VALUE_MAX + 16);
	served_print(s->auth, &s->found, s->mech->hash, &b);
	if (!buf_failed(&b))
		(void)sparams->utils->prop_set(
		    sparams->propctx, name, buf_slice(&b).p, (int)buf_len(&b));
	buf_fini(&b);
}

int
sasl_lookup(void *glob, sasl_server_params_t *sparams, unsigned flags,
    const char *user, unsigned ulen)
{
	const struct propval *p;
	struct auth_sasl *s;

	(void)glob;
	(void)user;
	(void)ulen;
	s = exchange_of(sparams->utils);
	p = sparams->utils->prop_get(sparams->propctx);
	if (s == NULL || p == NULL || !s->mech->scram ||
	    (flags & SASL_AUXPROP_AUTHZID) != 0)
		return SASL_OK;
	for (; p->name != NULL; p++)
		if (slice_eq(slice_str(p->name), SLICE("*authPassword")) &&
		    p->values == NULL)
			serve(s, sparams, p->name);
	return SASL_OK;
}

/* The name the library goes on with: the account's, or the login that leads
 * nowhere. */
static int
on_canon_user(sasl_conn_t *conn, void *context, const char *in, unsigned inlen,
    unsigned flags, const char *realm, char *out, unsigned out_max,
    unsigned *out_len)
{
	struct auth_sasl *s = context;
	struct auth_found other, *f = &s->found;
	struct slice name;
	int rc;

	(void)conn;
	(void)realm;
	if ((flags & SASL_CU_AUTHID) == 0) {
		/* Whom it wants to act for; only itself is allowed. */
		auth_found_init(&other);
		f = &other;
	} else if (f->login[0] != '\0') {
		auth_found_fini(f);
		auth_found_init(f);
	}
	rc = auth_find(s->auth, &s->peer, slice_of(in, inlen), f);
	name = auth_found_name(f);
	if (name.n == 0)
		name = SLICE("?");
	if (rc == 0 && name.n < out_max) {
		memcpy(out, name.p, name.n);
		out[name.n] = '\0';
		*out_len = (unsigned)name.n;
	} else
		s->failed = rc != 0 ? rc : ERR_AUTH;
	if (f == &other)
		auth_found_fini(&other);
	return s->failed == 0 ? SASL_OK : SASL_BADAUTH;
}

static int
on_checkpass(sasl_conn_t *conn, void *context, const char *user,
    const char *pass, unsigned passlen, struct propctx *propctx)
{
	struct auth_sasl *s = context;

	(void)conn;
	(void)user;
	(void)propctx;
	s->failed = auth_verify(s->auth, &s->peer, &s->found,
	    slice_of(pass, passlen), &s->proof, &s->err);
	return s->failed == 0 ? SASL_OK : SASL_BADAUTH;
}

static int
mech_of(struct slice name, bool plain_ok, const struct auth_binding *b,
    struct auth_sasl *s, struct err *e)
{
	const struct mech *m;

	for (m = mechs; m < mechs + PH_LEN(mechs); m++)
		if (slice_ieq_str(name, m->name))
			break;
	if (m == mechs + PH_LEN(mechs) ||
	    (m->hash == CRYPT_SHA1 && !s->auth->conf->scram_sha_1) ||
	    (m->plus && (b == NULL || b->exporter_n + b->endpoint_n == 0)))
		return err_set(
		    e, ERR_UNSUPPORTED, "there is no such mechanism");
	if (!m->scram && !plain_ok)
		return err_set(
		    e, ERR_UNSUPPORTED, "encrypt the connection first");
	s->mech = m;
	return 0;
}

static void
set_callbacks(struct auth_sasl *s)
{
	s->callbacks[0] = (sasl_callback_t){ SASL_CB_CANON_USER,
		SASL_PROC(on_canon_user), s };
	s->callbacks[1] = (sasl_callback_t){ SASL_CB_SERVER_USERDB_CHECKPASS,
		SASL_PROC(on_checkpass), s };
	s->callbacks[2] =
	    (sasl_callback_t){ SASL_CB_LOG, SASL_PROC(on_conn_log), s };
	s->callbacks[3] = (sasl_callback_t){ SASL_CB_LIST_END, NULL, NULL };
}

static int
open_conn(struct auth_sasl *s)
{
	sasl_security_properties_t props = { .max_ssf = 0 };
	sasl_ssf_t ssf = s->tls[0] != '\0' ? 256 : 0;
	int ret;

	set_callbacks(s);
	(void)pthread_mutex_lock(&conn_lock);
	ret = sasl_server_new(s->auth->service, s->auth->hostname, NULL, NULL,
	    NULL, s->callbacks, SASL_SUCCESS_DATA, &s->conn);
	(void)pthread_mutex_unlock(&conn_lock);
	if (ret == SASL_OK)
		ret = sasl_setprop(s->conn, SASL_SEC_PROPS, &props);
	if (ret == SASL_OK)
		ret = sasl_setprop(s->conn, SASL_SSF_EXTERNAL, &ssf);
	return ret == SASL_OK ? 0 : ERR_INTERNAL;
}

static void
copy_peer(struct auth_sasl *s, const struct auth_peer *peer)
{
	struct slice cut;

	cut = slice_sub(slice_str(peer->ip), 0, sizeof(s->ip) - 1);
	(void)slice_copy(cut, s->ip, sizeof(s->ip));
	cut = slice_sub(slice_str(peer->tls), 0, sizeof(s->tls) - 1);
	(void)slice_copy(cut, s->tls, sizeof(s->tls));
	cut = slice_sub(slice_str(peer->session), 0, sizeof(s->session) - 1);
	(void)slice_copy(cut, s->session, sizeof(s->session));
	cut = slice_str(peer->client != NULL ? peer->client : "");
	cut = slice_sub(cut, 0, sizeof(s->client) - 1);
	(void)slice_copy(cut, s->client, sizeof(s->client));
	s->peer = (struct auth_peer){ peer->scope, s->ip, s->tls, s->session,
		peer->suffix_sep, s->client };
}

/*
 * The channel binding of a SCRAM client's first message, RFC 5802 7:
 *	gs2-cbind-flag = ("p=" cb-name) / "n" / "y"
 * The library takes one kind of binding and compares its name, so that what
 * the client chose is looked up first.  False: no such kind, or not with this
 * mechanism.
 */
static bool
bind_channel(struct auth_sasl *s, struct slice first)
{
	struct auth_binding *b = &s->binding;
	bool offered = b->exporter_n + b->endpoint_n != 0;
	struct slice flag = slice_sub(first, 0, slice_chr(first, ','));

	if (!s->mech->plus) {
		/* RFC 5802 6: "y" says we do not offer it, which we do: an
		 * attacker took -PLUS off our list. */
		return slice_eq(flag, SLICE("n")) ||
		       (slice_eq(flag, SLICE("y")) && !offered);
	}
	/* RFC 5929 3.1 has unique, which TLS 1.3 has not; RFC 9266 exporter. */
	if (slice_eq(flag, SLICE("p=tls-exporter")) && b->exporter_n != 0) {
		s->cb.name = "tls-exporter";
		s->cb.data = b->exporter;
		s->cb.len = b->exporter_n;
	} else if (slice_eq(flag, SLICE("p=tls-server-end-point")) &&
		   b->endpoint_n != 0) {
		s->cb.name = "tls-server-end-point";
		s->cb.data = b->endpoint;
		s->cb.len = b->endpoint_n;
	} else
		return false;
	s->cb.critical = 1;
	return sasl_setprop(s->conn, SASL_CHANNEL_BINDING, &s->cb) == SASL_OK;
}

static int
refuse(struct auth_sasl *s, int rc, const char *why, struct err *e)
{
	if (rc == ERR_LIMIT)
		*e = s->err;
	return auth_refuse(
	    s->auth, &s->peer, s->mech->name, &s->found, rc, why, e);
}

/* The library says no, for whatever reason. */
static int
failed(struct auth_sasl *s, int ret, struct err *e)
{
	const char *why = "protocol";

	if (s->failed != 0)
		return refuse(s, s->failed, auth_why(&s->found, s->failed), e);
	if (ret == SASL_NOMEM)
		return refuse(s, ERR_INTERNAL, "memory", e);
	if (ret == SASL_NOAUTHZ)
		why = "authzid";
	else if (ret == SASL_BADAUTH)
		why = auth_why(&s->found, ERR_AUTH);
	if (s->mech->scram && s->found.login[0] != '\0')
		auth_scram_wrong(s->auth, &s->peer, &s->found);
	return refuse(s, ERR_AUTH, why, e);
}

/* The library says yes: is it someone we know, and may he? */
static int
completed(struct auth_sasl *s, struct auth_who *who_out, struct err *e)
{
	int rc;

	if (s->mech->scram) {
		if (s->proof.secret == NULL)
			s->proof.secret =
			    served_secret(&s->found, s->mech->hash);
		if (s->proof.secret != NULL)
			auth_scram_good(s->auth, &s->peer, &s->found);
	}
	if (s->failed != 0 || !s->found.known || s->proof.secret == NULL)
		return refuse(s, ERR_AUTH, "unknown", e);
	rc = auth_finish(
	    s->auth, &s->peer, s->mech->name, &s->found, &s->proof, &s->who, e);
	s->done = rc == 0;
	*who_out = s->who;
	return rc;
}

/* SCRAM's first step told the name: is it time for a try? */
static int
throttled(struct auth_sasl *s, struct err *e)
{
	int rc = auth_scram_begin(s->auth, &s->peer, &s->found, &s->err);

	return rc != 0 ? refuse(s, rc, auth_why(&s->found, rc), e) : 0;
}

static int
first_step(struct auth_sasl *s, struct slice in, const char **reply,
    unsigned *reply_n, struct err *e)
{
	int ret, rc;

	s->started = true;
	if (s->mech->scram && !bind_channel(s, in)) {
		(void)refuse(s, ERR_AUTH, "channel-binding", e);
		return ERR_AUTH;
	}
	buf_add_slice(&s->first, in);
	ret = sasl_server_start(s->conn, s->mech->name, in.n != 0 ? in.p : "",
	    (unsigned)in.n, reply, reply_n);
	if (ret == SASL_OK)
		return 0;
	if (ret != SASL_CONTINUE)
		return failed(s, ret, e);
	if (s->mech->scram && (rc = throttled(s, e)) != 0)
		return rc;
	buf_add(&s->challenge, *reply, *reply_n);
	return 1;
}

static int
next_step(struct auth_sasl *s, struct slice in, const char **reply,
    unsigned *reply_n, struct err *e)
{
	int ret = sasl_server_step(
	    s->conn, in.n != 0 ? in.p : "", (unsigned)in.n, reply, reply_n);

	if (ret == SASL_OK)
		return 0;
	return ret == SASL_CONTINUE ? 1 : failed(s, ret, e);
}

int
auth_sasl_step(struct auth_sasl *s, struct slice in, struct buf *out,
    struct auth_who *who_out, struct err *e)
{
	const char *reply = NULL;
	unsigned reply_n = 0;
	int rc;

	if (s->done) {
		/* The client's word on our last message: it has none. */
		*who_out = s->who;
		return in.n == 0 ? 0 : refuse(s, ERR_AUTH, "protocol", e);
	}
	*who_out = (struct auth_who){ 0 };
	if (in.n > IN_MAX)
		return refuse(s, ERR_AUTH, "too-long", e);
	if (s->started && s->mech->scram &&
	    (s->proof.secret = other_secret(s, in, out)) != NULL)
		rc = 0; /* an app password: the library need not know */
	else
		rc = s->started ? next_step(s, in, &reply, &reply_n, e)
				: first_step(s, in, &reply, &reply_n, e);
	if (rc == 0)
		rc = completed(s, who_out, e);
	if (rc >= 0 && reply_n != 0)
		buf_add(out, reply, reply_n);
	if (rc >= 0 && buf_failed(out))
		return err_set(e, ERR_INTERNAL, "logins do not work");
	return rc;
}

int
auth_sasl_start(struct auth *a, const struct auth_peer *peer, struct slice mech,
    bool plain_ok, const struct auth_binding *binding, struct slice initial,
    struct auth_sasl **sasl_out, struct buf *out, struct auth_who *who_out,
    struct err *e)
{
	struct auth_sasl *s = xcalloc(1, sizeof(*s));
	int rc;

	*sasl_out = NULL;
	*who_out = (struct auth_who){ 0 };
	s->auth = a;
	auth_found_init(&s->found);
	buf_init(&s->first, IN_MAX);
	buf_init(&s->challenge, IN_MAX);
	copy_peer(s, peer);
	if (binding != NULL)
		s->binding = *binding;
	if ((rc = mech_of(mech, plain_ok, binding, s, e)) != 0)
		goto out;
	if ((rc = open_conn(s)) != 0) {
		rc = err_set(e, rc, "logins do not work at the moment");
		goto out;
	}
	/* All of them begin with the client: without an initial response it
	 * is asked for one, and nothing happens yet. */
	rc =
	    initial.p == NULL ? 1 : auth_sasl_step(s, initial, out, who_out, e);
	if (rc >= 0) {
		*sasl_out = s;
		s = NULL;
	}
out:
	auth_sasl_free(&s);
	return rc;
}

void
auth_sasl_free(struct auth_sasl **sp)
{
	struct auth_sasl *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	(void)pthread_mutex_lock(&conn_lock);
	if (s->conn != NULL)
		sasl_dispose(&s->conn);
	(void)pthread_mutex_unlock(&conn_lock);
	auth_found_fini(&s->found);
	buf_fini(&s->first);
	buf_fini(&s->challenge);
	mem_wipe(s, sizeof(*s));
	free(s);
}
