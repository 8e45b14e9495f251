#include "submitd/cmd.h"

#include <stdio.h>

#include "lib/base/log.h"
#include "lib/base/prefix.h"
#include "submitd/resp.h"
#include "submitd/xclient.h"

/*
 * XCLIENT (Postfix's XCLIENT_README): a content filter or a balancer that is
 * listed in xclient-from tells whose session it carries on.  The session then
 * begins anew.
 */

bool
smtp_xclient_ok(const struct client *c)
{
	const struct conf_list *from = &c->s.sl->srv->conf->xclient_from;
	struct prefix p;

	for (size_t i = 0; c->role != ROLE_LMTP && i < from->n; i++)
		if (prefix_parse(slice_str(from->v[i]), &p) &&
		    prefix_has_ip(&p, c->xclient_ip[0] != '\0'
					  ? c->xclient_ip
					  : c->s.conn.peer_ip))
			return true;
	return false;
}

static void
become(struct client *c, const struct xclient *t)
{
	const char *why;

	/* Who may say so is decided by who really is there. */
	if (c->xclient_ip[0] == '\0')
		(void)snprintf(c->xclient_ip, sizeof(c->xclient_ip), "%s",
		    c->s.conn.peer_ip);
	if (t->has_ip && !session_peer(&c->s, t->ip, (unsigned)t->port, &why)) {
		resp_line(&c->s.out, "421 4.7.0 ", "%s %s",
		    c->s.sl->srv->hostname, why);
		client_close(c, "limit");
		return;
	}
	envelope_reset(c);
	(void)slice_copy(slice_str(t->helo), c->helo, sizeof(c->helo));
	log_info(
	    c->s.id, "xclient", "peer=%s by=%s", c->s.conn.peer, c->xclient_ip);
	resp_line(&c->s.out, "220 ", "%s ESMTP Posthof ready",
	    c->s.sl->srv->hostname);
}

void
smtp_xclient(struct client *c, struct slice rest)
{
	struct xclient t;

	if (!smtp_xclient_ok(c)) {
		resp_line(&c->s.out, "550 5.7.0 ", "not from you");
		(void)session_bad_command(&c->s);
		return;
	}
	if (c->env.open || c->who.account != 0) {
		resp_line(&c->s.out, "503 5.5.1 ", "not now");
		return;
	}
	if (xclient_parse(rest, &t))
		become(c, &t);
	else
		resp_line(&c->s.out, "501 5.5.4 ", "bad attribute");
}
