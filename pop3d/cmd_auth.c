#include "pop3d/cmd.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/b64.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "pop3d/resp.h"

enum { SASL_MAX = 12 << 10 };

static bool
plain_ok(const struct client *c)
{
	return conn_is_tls(&c->conn) || c->sl->srv->conf->plaintext_without_tls;
}

static void
wipe_str(char **s)
{
	if (*s != NULL)
		mem_wipe(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void
pop3_login_fini(struct login *l)
{
	wipe_str(&l->user);
	wipe_str(&l->pass);
	if (l->in.p != NULL)
		mem_wipe(l->in.p, l->in.cap);
	buf_fini(&l->in);
	buf_fini(&l->challenge);
	auth_sasl_free(&l->sasl);
	*l = (struct login){ 0 };
}

/* In a job: a good login opens its maildrop, INBOX or the folder asked for. */
static int
open_drop(struct client *c, struct slice folder, struct err *e)
{
	struct store *s = c->sl->srv->store;
	uint64_t account = c->login.who.account;
	struct folder_info info;
	struct folder_status st;
	int rc;

	rc = folder_find(
	    s, account, folder.n != 0 ? folder : SLICE("INBOX"), &info);
	if (rc == ERR_NOTFOUND || (rc == 0 && info.id == 0))
		return err_set(e, ERR_DENIED, "there is no such folder");
	if (rc != 0 ||
	    (rc = view_open(s, account, info.id, true, &c->view)) != 0 ||
	    (rc = folder_status_get(s, info.id, &st)) != 0)
		return err_set(e, rc, "the mailbox cannot be opened");
	c->total_bytes = st.bytes;
	c->gone = xcalloc(view_count(c->view) / 8 + 1, 1);
	return 0;
}

static struct auth_peer
peer_of(const struct client *c, char tls[64])
{
	conn_tls_name(&c->conn, tls, 64);
	return (struct auth_peer){ .scope = SCOPE_POP3,
		.ip = c->conn.peer_ip,
		.tls = tls,
		.session = c->id };
}

static void
login_work(struct sjob *j)
{
	struct client *c = PH_CONTAINER(j, struct client, job);
	struct login *l = &c->login;
	struct slice name, folder;
	char tls[64];
	struct auth_peer peer = peer_of(c, tls);

	pop3_split_login(slice_str(l->user), &name, &folder);
	l->rc = auth_login(
	    j->srv->auth, &peer, name, slice_str(l->pass), &l->who, &l->err);
	if (l->rc == 0)
		l->rc = open_drop(c, folder, &l->err);
}

static void
sasl_work(struct sjob *j)
{
	struct client *c = PH_CONTAINER(j, struct client, job);
	struct login *l = &c->login;
	char tls[64];
	struct auth_peer peer = peer_of(c, tls);
	struct slice in =
	    l->in.p != NULL ? buf_slice(&l->in) : (struct slice){ NULL, 0 };

	buf_clear(&l->challenge);
	if (l->sasl == NULL)
		l->rc = auth_sasl_start(j->srv->auth, &peer, l->mech,
		    plain_ok(c), &l->binding, in, &l->sasl, &l->challenge,
		    &l->who, &l->err);
	else
		l->rc = auth_sasl_step(
		    l->sasl, in, &l->challenge, &l->who, &l->err);
	if (l->rc == 0 && buf_len(&l->challenge) == 0)
		l->rc = open_drop(c, SLICE(""), &l->err);
}

static void
logged_in(struct client *c)
{
	c->who = c->login.who;
	c->state = ST_TRANS;
	c->session = true;
	server_session(c->sl->srv, 1);
	conn_set_timeout(&c->conn, c->sl->srv->conf->pop3_timeout);
	resp_ok(&c->out, "%u messages", view_count(c->view));
	pop3_login_fini(&c->login);
	client_flush(c);
	client_run(c);
}

/* A wrong password waits before it is answered, which costs guessers time and
 * us nothing: the connection is paused and its timer set. */
static void
login_done(struct sjob *j)
{
	struct client *c = PH_CONTAINER(j, struct client, job);
	struct login *l = &c->login;

	if (!client_back(c))
		return;
	if (l->rc == 1 || (l->rc == 0 && buf_len(&l->challenge) != 0)) {
		/* RFC 5034 4: SCRAM's last message goes as a challenge. */
		c->state = ST_SASL;
		resp_challenge(&c->out, buf_slice(&l->challenge));
		client_flush(c);
		client_run(c);
		return;
	}
	if (l->rc == 0) {
		logged_in(c);
		return;
	}
	c->delayed = true;
	conn_pause(&c->conn);
	conn_set_timeout(&c->conn,
	    l->rc == ERR_AUTH ? c->sl->srv->conf->auth_fail_delay + 1 : 1);
}

void
pop3_auth_failed(struct client *c)
{
	const struct conf *conf = c->sl->srv->conf;

	c->delayed = false;
	c->state = ST_AUTH;
	resp_fail(&c->out, c->login.rc, c->login.err.text);
	pop3_login_fini(&c->login);
	if (++c->auth_failures >= conf->auth_tries_max) {
		client_flush(c);
		client_close(c, "auth-tries");
		return;
	}
	client_flush(c);
	conn_set_timeout(&c->conn, conf->login_timeout);
	conn_resume(&c->conn);
	client_run(c);
}

static void
start_job(struct client *c, void (*work)(struct sjob *j))
{
	c->working = true;
	c->job.work = work;
	c->job.done = login_done;
	sjob_submit_auth(c->sl, &c->job);
}

void
pop3_user(struct client *c, const struct pop3_line *l)
{
	if (!plain_ok(c)) {
		resp_err(&c->out, "[AUTH] encrypt the connection first: STLS, "
				  "or SSL/TLS on port 995");
		return;
	}
	if (l->rest.n == 0 || l->rest.n > 400) {
		resp_err(&c->out, "USER takes a name");
		return;
	}
	wipe_str(&c->user);
	c->user = slice_dup(slice_trim(l->rest));
	/* RFC 1939 7: the same answer whether there is such a user. */
	resp_ok(&c->out, "now PASS");
}

void
pop3_pass(struct client *c, const struct pop3_line *l)
{
	if (c->user == NULL || !plain_ok(c)) {
		resp_err(&c->out, "USER comes first");
		return;
	}
	pop3_login_fini(&c->login);
	c->login.user = c->user;
	c->user = NULL;
	c->login.pass = slice_dup(l->rest);
	start_job(c, login_work);
}

static void
list_mechs(struct client *c)
{
	struct buf mechs;
	struct slice rest, word;

	/* CLIENTS: Outlook asks by a bare AUTH. */
	buf_init(&mechs, 512);
	auth_mechs(c->sl->srv->auth, plain_ok(c), conn_is_tls(&c->conn), false,
	    &mechs);
	resp_ok(&c->out, "mechanisms follow");
	rest = buf_slice(&mechs);
	while (rest.n != 0 && slice_split(&rest, ' ', &word)) {
		buf_add_slice(&c->out, word);
		buf_add(&c->out, "\r\n", 2);
	}
	buf_add_str(&c->out, ".\r\n");
	buf_fini(&mechs);
}

static void
take_binding(struct client *c)
{
	struct auth_binding *b = &c->login.binding;

	if (!conn_is_tls(&c->conn))
		return;
	b->exporter_n = conn_tls_binding(
	    &c->conn, "tls-exporter", b->exporter, sizeof(b->exporter));
	b->endpoint_n = conn_tls_binding(
	    &c->conn, "tls-server-end-point", b->endpoint, sizeof(b->endpoint));
}

/* Decodes what the client sent; "=" is the empty response (RFC 5034 4). */
static bool
take_response(struct client *c, struct slice text)
{
	struct login *l = &c->login;

	if (l->in.p != NULL)
		mem_wipe(l->in.p, l->in.cap);
	buf_fini(&l->in);
	buf_init(&l->in, SASL_MAX);
	(void)buf_reserve(&l->in, 1);
	if (slice_eq(text, SLICE("=")) || b64_decode(&l->in, text))
		return true;
	pop3_login_fini(l);
	c->state = ST_AUTH;
	resp_err(&c->out, "that is not base64");
	return false;
}

void
pop3_auth(struct client *c, const struct pop3_line *l)
{
	if (l->nargs == 0) {
		list_mechs(c);
		return;
	}
	pop3_login_fini(&c->login);
	c->login.user = slice_dup(l->arg[0]);
	c->login.mech = slice_str(c->login.user);
	buf_init(&c->login.challenge, SASL_MAX);
	take_binding(c);
	if (l->nargs > 1 && !take_response(c, l->arg[1]))
		return;
	start_job(c, sasl_work);
}

void
pop3_auth_line(struct client *c, struct slice line)
{
	if (slice_eq(line, SLICE("*"))) {
		pop3_login_fini(&c->login);
		c->state = ST_AUTH;
		resp_err(&c->out, "cancelled");
		return;
	}
	if (take_response(c, line))
		start_job(c, sasl_work);
}

void
pop3_stls(struct client *c, const struct pop3_line *l)
{
	struct server *srv = c->sl->srv;

	(void)l;
	if (conn_is_tls(&c->conn)) {
		resp_err(&c->out, "the connection is encrypted already");
		return;
	}
	resp_ok(&c->out, "begin TLS now");
	client_flush(c);
	wipe_str(&c->user);
	/* RFC 2595 4: bytes behind STLS are an injection. */
	if (conn_tls_server(&c->conn, srv->tls, srv->conf->handshake_timeout) !=
	    0) {
		log_warn(c->id, "injection", "peer=%s bytes=%zu", c->conn.peer,
		    buf_len(&c->conn.in));
		client_close(c, "stls-injection");
		return;
	}
	c->handshake = true;
}
