#include "pop3d/cmd.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "pop3d/resp.h"

/* In a job: a good login opens its maildrop, INBOX or the folder asked for. */
static int
open_drop(struct client *c, struct slice folder, struct err *e)
{
	struct store *s = c->s.sl->srv->store;
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

static void
auth_work(struct sjob *j)
{
	struct client *c = client_of(PH_CONTAINER(j, struct session, job));
	struct login *l = &c->login;
	struct slice name = SLICE(""), folder = SLICE("");
	char *bare = NULL;

	if (!l->is_sasl) {
		pop3_split_login(slice_str(l->user), &name, &folder);
		bare = slice_dup(name);
	}
	login_work(
	    l, j->srv->auth, SCOPE_POP3, c->s.conn.peer_ip, c->s.id, bare);
	free(bare);
	if (login_verdict(l) == LOGIN_GOOD)
		l->rc = open_drop(c, folder, &l->err);
}

static void
failed(struct session *s)
{
	struct client *c = client_of(s);

	c->state = ST_AUTH;
	resp_fail(&s->out, c->login.rc, c->login.err.text);
	login_fini(&c->login);
	if (++c->auth_failures >= s->sl->srv->conf->auth_tries_max)
		client_close(c, "auth-tries");
}

static void
logged_in(struct client *c)
{
	c->who = c->login.who;
	c->state = ST_TRANS;
	session_logged_in(&c->s, &c->who, c->s.sl->srv->conf->pop3_timeout);
	resp_ok(&c->s.out, "%u messages", view_count(c->view));
	login_fini(&c->login);
}

static void
auth_done(struct sjob *j)
{
	struct client *c = client_of(PH_CONTAINER(j, struct session, job));
	struct login *l = &c->login;

	if (!session_back(&c->s))
		return;
	switch (login_verdict(l)) {
	case LOGIN_GOOD: logged_in(c); break;
	case LOGIN_CHALLENGE:
		/* RFC 5034 4: SCRAM's last message goes as a challenge. */
		c->state = ST_SASL;
		resp_challenge(&c->s.out, buf_slice(&l->challenge));
		break;
	case LOGIN_BAD:
		/* A wrong password waits before it is answered. */
		session_later(&c->s,
		    l->rc == ERR_AUTH ? c->s.sl->srv->conf->auth_fail_delay : 0,
		    failed);
		return;
	}
	session_run(&c->s);
}

void
pop3_user(struct client *c, const struct pop3_line *l)
{
	if (!session_plain_ok(&c->s)) {
		resp_err(&c->s.out, "[AUTH] encrypt the connection first: "
				    "STLS, or SSL/TLS on port 995");
		return;
	}
	if (slice_trim(l->rest).n == 0) {
		resp_err(&c->s.out, "USER takes a name");
		return;
	}
	free(c->user);
	c->user = slice_dup(slice_trim(l->rest));
	/* RFC 1939 7: the same answer whether there is such a user. */
	resp_ok(&c->s.out, "now PASS");
}

void
pop3_pass(struct client *c, const struct pop3_line *l)
{
	if (c->user == NULL || !session_plain_ok(&c->s)) {
		resp_err(&c->s.out, "USER comes first");
		return;
	}
	login_password(&c->login, slice_str(c->user), l->rest, &c->s.conn);
	free(c->user);
	c->user = NULL;
	session_job(&c->s, true, auth_work, auth_done);
}

/* CLIENTS: Outlook asks by a bare AUTH. */
static void
list_mechs(struct client *c)
{
	struct buf mechs;
	struct slice rest, word;

	buf_init(&mechs, 512);
	auth_mechs(c->s.sl->srv->auth, session_plain_ok(&c->s),
	    conn_is_tls(&c->s.conn), false, &mechs);
	resp_ok(&c->s.out, "mechanisms follow");
	rest = buf_slice(&mechs);
	while (rest.n != 0 && slice_split(&rest, ' ', &word)) {
		buf_add_slice(&c->s.out, word);
		buf_add(&c->s.out, "\r\n", 2);
	}
	buf_add_str(&c->s.out, ".\r\n");
	buf_fini(&mechs);
}

/* Decodes the client's bytes and takes the next step. */
static void
respond(struct client *c, struct slice text)
{
	if (login_response(&c->login, text)) {
		session_job(&c->s, true, auth_work, auth_done);
		return;
	}
	login_fini(&c->login);
	c->state = ST_AUTH;
	resp_err(&c->s.out, "that is not base64");
	(void)session_bad_command(&c->s);
}

void
pop3_auth(struct client *c, const struct pop3_line *l)
{
	if (l->nargs == 0) {
		list_mechs(c);
		return;
	}
	login_sasl(&c->login, l->arg[0], &c->s.conn, session_plain_ok(&c->s));
	if (l->nargs > 1)
		respond(c, l->arg[1]);
	else
		session_job(&c->s, true, auth_work, auth_done);
}

void
pop3_auth_line(struct client *c, struct slice line)
{
	if (!slice_eq(line, SLICE("*"))) {
		respond(c, line);
		return;
	}
	login_fini(&c->login);
	c->state = ST_AUTH;
	resp_err(&c->s.out, "cancelled");
}

void
pop3_stls(struct client *c, const struct pop3_line *l)
{
	(void)l;
	if (conn_is_tls(&c->s.conn)) {
		resp_err(&c->s.out, "the connection is encrypted already");
		return;
	}
	resp_ok(&c->s.out, "begin TLS now");
	session_starttls(&c->s);
}
