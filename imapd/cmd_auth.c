#include "imapd/cmd.h"

#include <stdlib.h>

#include "imapd/capability.h"
#include "imapd/parse_args.h"
#include "lib/base/b64.h"
#include "lib/base/mem.h"

enum { LOGIN_MAX = 4096 };

static struct login *
fresh_login(struct client *c)
{
	if (c->login == NULL)
		c->login = xcalloc(1, sizeof(*c->login));
	return c->login;
}

static void
drop_login(struct client *c)
{
	if (c->login == NULL)
		return;
	login_fini(c->login);
	free(c->login);
	c->login = NULL;
}

static void
auth_work(struct sjob *j)
{
	struct client *c = client_of_job(j);

	login_work(c->login, j->srv, SCOPE_IMAP, c->conn.peer_ip, c->id);
}

/* RFC 9051 6.2.3: the new capabilities come with the answer. */
static void
good(struct client *c)
{
	const char *why;
	struct buf b;

	c->who = c->login->who;
	drop_login(c);
	if (!client_logged_in(c, &why)) {
		/* RFC 5530 3: LIMIT is what the user may do something about. */
		c->who = (struct auth_who){ 0 };
		(void)cmd_no(c, "LIMIT", why);
		cmd_finish(c);
		return;
	}
	if (c->program != NULL)
		server_name_client(c->sl->srv, &c->seat, slice_str(c->program));
	buf_init(&b, 4096);
	buf_add_str(&b, "CAPABILITY");
	caps_write(c, &b);
	(void)cmd_ok_code(c, arena_str(&c->arena, buf_slice(&b)), "logged in");
	buf_fini(&b);
	cmd_finish(c);
}

/* RFC 5530 3.  Here ERR_DENIED is the right password of somebody who may not,
 * ERR_LIMIT too many wrong ones. */
static struct resp_fail
why_not(int kind)
{
	struct resp_fail say = resp_fail(kind);

	if (kind == ERR_DENIED)
		say.code = "CONTACTADMIN";
	else if (kind == ERR_LIMIT)
		say = (struct resp_fail){ "UNAVAILABLE",
			"too many attempts, try again later" };
	return say;
}

/* After the pause that a wrong password costs. */
static void
failed(struct client *c)
{
	struct login *l = c->login;
	struct resp_fail say = why_not(l->rc);

	if (l->rc != ERR_AUTH && l->err.text[0] != '\0')
		say.text = arena_str(&c->arena, slice_str(l->err.text));
	(void)cmd_no(c, say.code, say.text);
	drop_login(c);
	cmd_finish(c);
	if (++c->auth_failures >= client_conf(c)->auth_tries_max)
		client_bye(c, "auth-tries", NULL, "too many failed logins");
}

/* One step of the login is done. */
static void
settle(struct client *c)
{
	struct login *l = c->login;

	switch (login_verdict(l)) {
	case LOGIN_GOOD:
		if (c->mode == MODE_SASL)
			cmd_release(c);
		good(c);
		break;
	case LOGIN_CHALLENGE:
		/* SCRAM's last message goes as a challenge too, RFC 9051
		 * 6.2.2. */
		cmd_hold(c, MODE_SASL);
		resp_challenge(&c->out, buf_slice(&l->challenge));
		break;
	case LOGIN_BAD:
		if (c->mode == MODE_SASL)
			cmd_release(c);
		client_later(c, login_pause(l, client_conf(c)), failed);
		break;
	}
}

static void
auth_done(struct sjob *j)
{
	struct client *c = client_of_job(j);

	if (!client_back(c))
		return;
	settle(c);
	client_run(c);
}

/* The command may be over, and c->login gone, when this returns. */
static void
take_step(struct client *c)
{
	struct login *l = c->login;

	l->client = c->program;
	if (login_now(l, c->sl->srv, SCOPE_IMAP, c->conn.peer_ip, c->id))
		settle(c);
	else
		client_job(c, true, auth_work, auth_done);
}

enum step
cmd_login(struct client *c)
{
	const struct args_login *a = c->cmd.args;

	if (!client_plain_ok(c))
		return cmd_no(c, "PRIVACYREQUIRED",
		    "encrypt first: STARTTLS, or SSL/TLS on port 993");
	login_password(fresh_login(c), a->user, a->pass, &c->conn);
	mem_wipe((void *)(uintptr_t)a->pass.p, a->pass.n);
	take_step(c);
	return STEP_PENDING;
}

/* The client's base64; false: it is none. */
static bool
respond(struct client *c, struct slice text)
{
	if (!login_response(c->login, text))
		return false;
	take_step(c);
	return true;
}

/* AUTHENTICATE LOGIN is ours: a name, then a password, each in base64. */
static bool
login_answer(struct client *c, struct slice text)
{
	struct buf b;
	bool good;

	buf_init(&b, LOGIN_MAX);
	good = slice_eq(text, SLICE("=")) || b64_decode(&b, text);
	if (good && c->login_name == NULL) {
		c->login_name = slice_dup(buf_slice(&b));
		resp_challenge(&c->out, SLICE("Password:"));
		cmd_hold(c, MODE_SASL);
	} else if (good) {
		login_password(c->login, slice_str(c->login_name),
		    buf_slice(&b), &c->conn);
		free(c->login_name);
		c->login_name = NULL;
		take_step(c);
	}
	if (b.p != NULL)
		mem_wipe(b.p, b.cap);
	buf_fini(&b);
	return good;
}

static enum step
start_login(struct client *c, const struct args_auth *a)
{
	c->sasl_login = true;
	if (!client_plain_ok(c))
		return cmd_no(c, "PRIVACYREQUIRED", "encrypt first");
	(void)fresh_login(c);
	if (a->initial.p != NULL)
		return login_answer(c, a->initial)
			   ? STEP_PENDING
			   : cmd_bad(c, "that is not base64");
	resp_challenge(&c->out, SLICE("Username:"));
	cmd_hold(c, MODE_SASL);
	return STEP_PENDING;
}

enum step
cmd_authenticate(struct client *c)
{
	const struct args_auth *a = c->cmd.args;

	free(c->login_name);
	c->login_name = NULL;
	c->sasl_login = false;
	if (slice_ieq(a->mech, SLICE("LOGIN")))
		return start_login(c, a);
	login_sasl(fresh_login(c), a->mech, &c->conn, client_plain_ok(c));
	if (a->initial.p == NULL) {
		take_step(c);
		return STEP_PENDING;
	}
	if (respond(c, a->initial))
		return STEP_PENDING;
	drop_login(c);
	return cmd_bad(c, "that is not base64");
}

/* RFC 9051 6.2.2: "*" cancels, and the answer is BAD. */
void
cmd_auth_line(struct client *c, struct slice line)
{
	bool cancel = slice_eq(line, SLICE("*"));

	if (!cancel &&
	    (c->sasl_login ? login_answer(c, line) : respond(c, line)))
		return;
	cmd_release(c);
	drop_login(c);
	(void)cmd_bad(c, cancel ? "cancelled" : "that is not base64");
	cmd_finish(c);
}

enum step
cmd_starttls(struct client *c)
{
	if (conn_is_tls(&c->conn))
		return cmd_bad(c, "the connection is encrypted already");
	resp_tagged(&c->out, c->cmd.tag, RESP_OK, NULL, "begin TLS now");
	/* RFC 9051 6.2.1: what was said before is forgotten. */
	cmd_drop(c);
	client_starttls(c);
	return STEP_PENDING;
}
