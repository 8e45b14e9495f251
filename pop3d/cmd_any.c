#include "pop3d/cmd.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "pop3d/resp.h"

/* RFC 2449 6.  EXPIRE NEVER: nothing here removes mail by age. */
void
pop3_capa(struct client *c, const struct pop3_line *l)
{
	bool tls = conn_is_tls(&c->s.conn);
	bool plain = session_plain_ok(&c->s);

	(void)l;
	resp_ok(&c->s.out, "what this server does");
	buf_add_str(&c->s.out,
	    "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
	    "EXPIRE NEVER\r\nIMPLEMENTATION Posthof\r\n");
	if (plain)
		buf_add_str(&c->s.out, "USER\r\n");
	if (!tls)
		buf_add_str(&c->s.out, "STLS\r\n");
	buf_add_str(&c->s.out, "SASL ");
	auth_mechs(c->s.sl->srv->auth, plain, tls, false, &c->s.out);
	buf_add_str(&c->s.out, "\r\n.\r\n");
}

void
pop3_noop(struct client *c, const struct pop3_line *l)
{
	(void)l;
	resp_ok(&c->s.out, "still here");
}

/* The UIDs marked by DELE, rising; the caller frees. */
static uint32_t *
gone_uids(const struct client *c)
{
	uint32_t *uids = xcalloc(c->ngone, sizeof(*uids));
	uint32_t n = 0, count = view_count(c->view);

	for (uint32_t seq = 1; seq <= count && n < c->ngone; seq++) {
		struct view_msg m;

		if (!(c->gone[seq / 8] & (1u << seq % 8)))
			continue;
		view_get(c->view, seq, &m);
		uids[n++] = m.uid;
	}
	return uids;
}

static void
update_work(struct sjob *j)
{
	struct client *c = client_of(PH_CONTAINER(j, struct session, job));
	uint32_t *uids = gone_uids(c);

	c->update_rc = msg_expunge(j->srv->store, c->who.account,
	    view_folder(c->view), uids, c->ngone, false, NULL);
	j->durable = true;
	free(uids);
}

static void
update_done(struct sjob *j)
{
	struct client *c = client_of(PH_CONTAINER(j, struct session, job));
	int rc = c->update_rc != 0 ? c->update_rc : j->rc;

	if (!session_back(&c->s))
		return;
	if (rc != 0) {
		log_error(c->s.id, "update", "deleted=%u error=%s", c->ngone,
		    err_name(rc));
		resp_err(
		    &c->s.out, "[SYS/TEMP] the messages could not be deleted");
	} else {
		resp_ok(&c->s.out, "%u deleted, goodbye", c->ngone);
	}
	client_close(c, "quit");
}

/* RFC 1939 6: the UPDATE state is this job; a lost connection never gets
 * here, so it deletes nothing. */
void
pop3_quit(struct client *c, const struct pop3_line *l)
{
	(void)l;
	if (c->ngone != 0) {
		session_job(&c->s, false, update_work, update_done);
		return;
	}
	resp_ok(&c->s.out, "goodbye");
	client_close(c, "quit");
}
