#include "lib/base/log.h"
#include "pop3d/cmd.h"
#include "pop3d/marks.h"
#include "pop3d/resp.h"

/* RFC 2449 6.5: before the login the largest value there may be. */
static void
capa_login_delay(struct client *c)
{
	const struct conf *conf = c->s.sl->srv->conf;
	uint64_t ms = conf->pop3_login_delay, most = conf->pop3_login_delay_max;
	bool differs = c->state != ST_TRANS && most > ms;

	if (c->state == ST_TRANS)
		ms = client_login_delay(c, &c->who);
	else if (differs)
		ms = most;
	if (ms != 0)
		resp_line(c, "LOGIN-DELAY %llu%s",
		    (unsigned long long)(ms + 999) / 1000,
		    differs ? " USER" : "");
}

static void
capa_sasl(struct client *c)
{
	struct buf *out = &c->s.out;

	buf_add_str(out, "SASL ");
	auth_mechs(c->s.sl->srv->auth, session_plain_ok(&c->s),
	    conn_is_tls(&c->s.conn), false, out);
	buf_add(out, "\r\n", 2);
}

/* RFC 2449 6.7: before the login the smallest value there may be. */
static void
capa_expire(struct client *c)
{
	uint64_t day = 24 * 3600, sec = c->who.pop3_remove_sec;

	if (c->state != ST_TRANS)
		resp_line(c, "EXPIRE %llu USER",
		    (unsigned long long)(c->s.sl->srv->conf->pop3_remove_min /
					 (day * 1000)));
	else if (sec == 0)
		resp_line(c, "EXPIRE NEVER");
	else
		resp_line(c, "EXPIRE %llu", (unsigned long long)(sec / day));
}

/* RFC 2449 5, 6; RFC 2595 4, RFC 3206, RFC 5034 3, RFC 6856 2 and 3. */
void
pop3_capa(struct client *c, const struct pop3_line *l)
{
	(void)l;
	resp_ok(c, "what this server does");
	buf_add_str(&c->s.out,
	    "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
	    "IMPLEMENTATION Posthof\r\n");
	capa_expire(c);
	capa_login_delay(c);
	if (session_plain_ok(&c->s))
		resp_line(c, "USER");
	if (!conn_is_tls(&c->s.conn))
		resp_line(c, "STLS");
	capa_sasl(c);
	if (c->s.sl->srv->conf->pop3_utf8)
		buf_add_str(&c->s.out, "UTF8 USER\r\nLANG\r\n");
	resp_dot(c);
}

/* RFC 1939 5 */
void
pop3_noop(struct client *c, const struct pop3_line *l)
{
	(void)l;
	resp_ok(c, "still here");
}

/* RFC 6856 2.1 */
void
pop3_utf8(struct client *c, const struct pop3_line *l)
{
	(void)l;
	c->utf8 = true;
	resp_ok(c, "UTF-8 it is");
}

/* RFC 6856 3.2 */
void
pop3_lang(struct client *c, const struct pop3_line *l)
{
	struct slice range = l->nargs == 0 ? SLICE("") : l->arg[0];

	if (l->nargs == 0) {
		resp_ok(c, "languages follow");
		for (int i = 0; i < TEXT_LANGS; i++)
			resp_line(c, "%s %s", text_tag((enum text_lang)i),
			    text_name((enum text_lang)i));
		resp_dot(c);
		return;
	}
	if (slice_eq(range, SLICE("*")))
		range =
		    slice_str(c->state == ST_TRANS ? c->who.lang
						   : c->s.sl->srv->conf->lang);
	ahead_clear(&c->ahead); /* replies in the old one */
	if (text_lang_of(range, &c->lang))
		resp_ok(c, "%s %s", text_tag(c->lang), text_name(c->lang));
	else
		resp_err(c, "there are no texts in this language");
}

static void
update_work(struct sjob *j)
{
	struct client *c = client_of_job(j);

	if (drop_ngone(c->drop) != 0) {
		c->update_rc = drop_update(c->drop);
		j->durable = true;
	}
	marks_write(c->marks, j->srv->store, c->who.secret_id, c->s.id);
}

static void
update_done(struct sjob *j)
{
	struct client *c = client_of_job(j);
	int rc = c->update_rc != 0 ? c->update_rc : j->rc;

	if (rc != 0)
		log_error(c->s.id, "update", "deleted=%u error=%s",
		    drop_ngone(c->drop), err_name(rc));
	if (!session_back(&c->s))
		return;
	if (rc != 0)
		resp_code(c, "SYS/TEMP", "the messages could not be deleted");
	else if (drop_ngone(c->drop) != 0)
		resp_ok(c, "%u deleted, goodbye", drop_ngone(c->drop));
	else
		resp_ok(c, "goodbye");
	conn_last(&c->s.conn);
	client_close(c, "quit");
}

/* RFC 1939 6: the UPDATE state is this job; a lost connection never gets
 * here, so it deletes nothing. */
void
pop3_quit(struct client *c, const struct pop3_line *l)
{
	(void)l;
	if (c->drop != NULL) {
		c->marks = drop_take_marks(c->drop, true);
		if (drop_ngone(c->drop) != 0 || c->marks != NULL) {
			session_job(&c->s, false, update_work, update_done);
			return;
		}
	}
	resp_ok(c, "goodbye");
	conn_last(&c->s.conn);
	client_close(c, "quit");
}
