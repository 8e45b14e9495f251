/*
 * A relay's login (RFC 4954) to a host that the configuration names.
 */
#include "submitd/relay_priv.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/b64.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { FILE_MAX = 256 << 10, LINE_OUT_MAX = 2048 };

static const struct conf *
conf_of(const struct relay *r)
{
	return r->env->sl->srv->conf;
}

static void
wipe(struct buf *b)
{
	size_t n = buf_len(b);

	buf_clear(b);
	mem_wipe(buf_reserve(b, n), n);
}

/* "HOST LOGIN PASSWORD"; blanks may stand in the password alone. */
static bool
take_line(struct relay *r, struct slice line, const char *host)
{
	struct slice name, login;

	line = slice_trim(line);
	if (line.n == 0 || line.p[0] == '#' ||
	    !slice_split(&line, ' ', &name) || !slice_ieq_str(name, host))
		return false;
	line = slice_trim(line);
	return slice_split(&line, ' ', &login) &&
	       slice_copy(login, r->login, sizeof(r->login)) &&
	       slice_copy(slice_trim(line), r->password, sizeof(r->password));
}

static void
read_work(struct sjob *j)
{
	struct relay *r = PH_CONTAINER(j, struct relay, job);
	struct slice rest, line;
	struct buf b;
	struct err e = { 0 };
	bool found = false;

	buf_init(&b, FILE_MAX);
	r->read_rc = file_read(j->srv->conf->relay_passwords, &b, &e);
	if (r->read_rc != 0)
		log_error(NULL, "relay-passwords",
		    "failed=\"%s\" detail=\"%s\"", e.text, e.detail);
	rest = buf_slice(&b);
	while (!found && slice_split(&rest, '\n', &line))
		found = take_line(r, line, r->auth_host);
	wipe(&b);
	buf_fini(&b);
}

/* What is secret is not kept longer than it takes to write it. */
static void
say_secret(struct relay *r, const char *before, struct slice plain)
{
	struct buf out;

	buf_init(&out, LINE_OUT_MAX);
	buf_add_str(&out, before);
	b64_encode(&out, plain);
	buf_add_str(&out, "\r\n");
	conn_write(&r->conn, buf_slice(&out));
	wipe(&out);
	buf_fini(&out);
	relay_wait(r, WAIT_REPLY);
}

static void
say_plain(struct relay *r)
{
	struct buf plain;

	buf_init(&plain, LINE_OUT_MAX);
	buf_add_char(&plain, '\0');
	buf_add_str(&plain, r->login);
	buf_add_char(&plain, '\0');
	buf_add_str(&plain, r->password);
	r->state = RELAY_AUTH;
	say_secret(r, "AUTH PLAIN ", buf_slice(&plain));
	wipe(&plain);
	buf_fini(&plain);
}

static void
begin(struct relay *r)
{
	bool in_clear = r->list.tls == ROUTE_TLS_NONE;

	if (r->read_rc != 0)
		relay_next_hop(r,
		    OWN "451 4.3.5 the file of relay passwords cannot be read");
	else if (r->login[0] == '\0')
		relay_mail_start(r);
	else if (!conn_is_tls(&r->conn) && !in_clear)
		relay_next_hop(r, OWN "451 4.7.0 no login without TLS");
	else if (r->can & CAN_PLAIN)
		say_plain(r);
	else if (r->can & CAN_LOGIN) {
		conn_write(&r->conn, SLICE("AUTH LOGIN\r\n"));
		r->state = RELAY_AUTH_NAME;
		relay_wait(r, WAIT_REPLY);
	} else
		relay_next_hop(r, OWN
		    "451 4.7.4 the other server offers no login by password");
}

static void
read_done(struct sjob *j)
{
	struct relay *r = PH_CONTAINER(j, struct relay, job);

	r->working = false;
	if (r->aborting) {
		r->errand = NULL;
		relay_maybe_free(r);
	} else if (r->dead) {
		relay_connect(r);
	} else if (!conn_closing(&r->conn)) {
		begin(r);
	}
}

void
relay_auth(struct relay *r)
{
	r->login[0] = r->password[0] = '\0';
	if (!r->list.fixed || conf_of(r)->relay_passwords[0] == '\0') {
		relay_mail_start(r);
		return;
	}
	r->state = RELAY_PASSWORD;
	relay_wait(r, WAIT_NONE);
	r->auth_host = r->list.hops[r->hop].host; /* the job's */
	r->working = true;
	r->job.work = read_work;
	r->job.done = read_done;
	sjob_submit(r->env->sl, &r->job);
}

void
relay_auth_reply(struct relay *r, const char *text)
{
	char why[QUEUE_REPLY_MAX];
	int code = r->reply.code;

	if (r->state == RELAY_AUTH && code == 235) {
		mem_wipe(r->password, sizeof(r->password));
		relay_mail_start(r);
	} else if (r->state == RELAY_AUTH_NAME && code == 334) {
		r->state = RELAY_AUTH_PASS;
		say_secret(r, "", slice_str(r->login));
	} else if (r->state == RELAY_AUTH_PASS && code == 334) {
		r->state = RELAY_AUTH;
		say_secret(r, "", slice_str(r->password));
	} else {
		/* A password that is wrong here is no fault of the mail. */
		(void)snprintf(why, sizeof(why),
		    OWN "451 4.7.8 the other server refuses our login: %.200s",
		    text);
		relay_next_hop(r, why);
	}
}
