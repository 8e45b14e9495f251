#include "submitd/cmd.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/prefix.h"
#include "submitd/parse.h"
#include "submitd/resp.h"

/*
 * XCLIENT (Postfix's XCLIENT_README): a content filter or a balancer that is
 * listed in xclient-from tells whose session it carries on.  The session then
 * begins anew.
 */

/* What was told; texts are the command's. */
struct told {
	char ip[46];
	uint64_t port;
	bool has_ip;
	char helo[256];
};

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

/* "[UNAVAILABLE]" and "[TEMPUNAVAIL]" */
static bool
is_unknown(struct slice v)
{
	return v.n != 0 && v.p[0] == '[';
}

static bool
take_addr(struct told *t, struct slice v)
{
	uint8_t bytes[16];

	if (is_unknown(v))
		return true;
	if (slice_istarts(v, SLICE("IPV6:")))
		v = slice_from(v, 5);
	t->has_ip = slice_copy(v, t->ip, sizeof(t->ip)) &&
		    (inet_pton(AF_INET, t->ip, bytes) == 1 ||
			inet_pton(AF_INET6, t->ip, bytes) == 1);
	return t->has_ip;
}

static bool
take_port(struct told *t, struct slice v)
{
	return is_unknown(v) || num_parse(v, UINT16_MAX, &t->port);
}

static bool
take_helo(struct told *t, struct slice v)
{
	return is_unknown(v) ||
	       (smtp_helo_ok(v) && slice_copy(v, t->helo, sizeof(t->helo)));
}

static bool
take_proto(struct told *t, struct slice v)
{
	(void)t;
	return is_unknown(v) || slice_ieq(v, SLICE("SMTP")) ||
	       slice_ieq(v, SLICE("ESMTP"));
}

/* We look nobody up, so nobody need tell us. */
static bool
take_name(struct told *t, struct slice v)
{
	(void)t;
	return v.n != 0;
}

static const struct {
	const char *key;
	bool (*take)(struct told *t, struct slice value);
} attributes[] = {
	{ "ADDR", take_addr },
	{ "PORT", take_port },
	{ "NAME", take_name },
	{ "HELO", take_helo },
	{ "PROTO", take_proto },
};

static bool
take(struct told *t, struct slice word)
{
	struct slice key;
	struct buf value;
	bool good = false;

	if (!slice_split(&word, '=', &key) || word.p == NULL)
		return false;
	buf_init(&value, 300);
	for (size_t i = 0; i < PH_LEN(attributes); i++)
		if (slice_ieq_str(key, attributes[i].key))
			good = smtp_xtext(&value, word) &&
			       attributes[i].take(t, buf_slice(&value));
	buf_fini(&value);
	return good;
}

static void
become(struct client *c, const struct told *t)
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
	struct told t = { 0 };
	struct slice word;
	bool good = rest.n != 0;

	if (!smtp_xclient_ok(c)) {
		resp_line(&c->s.out, "550 5.7.0 ", "not from you");
		(void)session_bad_command(&c->s);
		return;
	}
	if (c->env.open || c->who.account != 0) {
		resp_line(&c->s.out, "503 5.5.1 ", "not now");
		return;
	}
	while (good && slice_split(&rest, ' ', &word))
		good = word.n == 0 || take(&t, word);
	if (good)
		become(c, &t);
	else
		resp_line(&c->s.out, "501 5.5.4 ", "bad attribute");
}
