#include "submitd/claim.h"

#include <string.h>

#include "auth/ident.h"
#include "lib/base/log.h"
#include "lib/base/prefix.h"
#include "lib/mail/address.h"
#include "lib/mail/header.h"
#include "submitd/refusal.h"
#include "submitd/srs.h"
#include "submitd/words.h"

enum { FROM_MAX = 10 /* addresses looked at */ };

static bool
is(const char *option, const char *word)
{
	return strcmp(option, word) == 0;
}

static bool
is_trusted(const struct client *c)
{
	const struct conf_list *from = &c->s.sl->srv->conf->own_sender_from;
	struct prefix p;

	for (size_t i = 0; i < from->n; i++)
		if (prefix_parse(slice_str(from->v[i]), &p) &&
		    prefix_has_ip(&p, c->s.conn.peer_ip))
			return true;
	return false;
}

static int
is_ours(const struct client *c, struct slice domain, bool *ours_out)
{
	char folded[IDENT_MAX + 1];

	*ours_out = false;
	if (domain.n == 0 || ident_fold_domain(domain, folded, NULL) != 0)
		return 0;
	return domain_is_local(
	    c->s.sl->srv->store, slice_str(folded), ours_out);
}

bool
claim_asks(const struct client *c)
{
	return c->role == ROLE_MX &&
	       is(c->s.sl->srv->conf->own_sender, "reject");
}

static struct slice
domain_of(struct slice addr)
{
	size_t at = slice_rchr(addr, '@');

	return at == addr.n ? SLICE("") : slice_from(addr, at + 1);
}

/* What we have forwarded may come back under our own address. */
static int
sender_claims(const struct client *c, struct slice sender, bool *claims_out)
{
	*claims_out = false;
	return srs_is(sender) ? 0 : is_ours(c, domain_of(sender), claims_out);
}

int
claim_sender(struct client *c, struct slice sender)
{
	bool claims;
	int rc;

	if (!claim_asks(c) || is_trusted(c))
		return 0;
	rc = sender_claims(c, sender, &claims);
	return rc == 0 && claims ? ERR_DENIED : rc;
}

/* Any address in any From field: what a reader may be shown. */
static int
from_claims(struct client *c, struct slice header, bool *claims_out)
{
	struct header h;
	int rc = 0;

	*claims_out = false;
	while (rc == 0 && !*claims_out && header_next(&header, &h)) {
		struct mail_addr *a;

		if (!slice_ieq(h.name, SLICE("From")))
			continue;
		a = address_parse(&c->env.arena, h.value, FROM_MAX);
		for (; rc == 0 && a != NULL && !*claims_out; a = a->next)
			if (!a->group_start && !a->group_end)
				rc = is_ours(c, a->host, claims_out);
	}
	return rc;
}

static int
refuse_from(struct client *c, struct err *e)
{
	refusal_record(c, "own-from", c->env.sender, SLICE(""));
	return words_refuse(c, e, ERR_DENIED, "550 5.7.1 ",
	    "From has an address of this host: log in on port 587 or 465 to "
	    "send as it",
	    "");
}

int
claim_mark(
    struct client *c, struct slice header, struct buf *head, struct err *e)
{
	const struct conf *conf = c->s.sl->srv->conf;
	bool sender = false, from = false;
	int rc = 0;

	if (c->role != ROLE_MX || is_trusted(c))
		return 0;
	if (!is(conf->own_sender, "accept"))
		rc = sender_claims(c, c->env.sender, &sender);
	if (rc == 0 && !is(conf->own_from, "accept"))
		rc = from_claims(c, header, &from);
	if (rc != 0)
		return err_set(e, rc, "%s", "");
	if (from && is(conf->own_from, "reject"))
		return refuse_from(c, e);
	if (!sender && !from)
		return 0;
	buf_printf(head, "X-Posthof-Unverified: %s\r\n",
	    sender && from ? "sender, from"
	    : sender       ? "sender"
			   : "from");
	log_info(c->s.id, "claims", "from=%s sender=%d from-field=%d peer=%s",
	    log_q(c->env.sender), sender, from, c->s.conn.peer);
	return 0;
}
