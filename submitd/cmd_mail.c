#include "submitd/cmd.h"

#include <inttypes.h>
#include <string.h>

#include "auth/ident.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/utf8.h"
#include "storage/deliver.h"
#include "submitd/app.h"
#include "submitd/claim.h"
#include "submitd/forward.h"
#include "submitd/own.h"
#include "submitd/params.h"
#include "submitd/parse.h"
#include "submitd/refusal.h"
#include "submitd/resp.h"
#include "submitd/srs.h"
#include "submitd/words.h"

/* Both ask the store, in a job; but on the loop when they need not: what was
 * asked lately is remembered. */

static uint64_t
smaller(uint64_t max, uint64_t host)
{
	return max != 0 && max < host ? max : host;
}

static bool
knows_sender(struct client *c, struct slice rest)
{
	struct server *srv = c->s.sl->srv;
	struct rights_cache *known = app_of(srv)->rights;
	char folded[IDENT_MAX + 1] = "";
	struct policy_limits limits;
	struct smtp_path path;
	struct rights r;
	const char *why;

	if (!smtp_parse_path(rest, "FROM", true, &path, &why) ||
	    !rights_known(known, srv->conf, &c->who, &r) ||
	    (path.addr.n != 0 && !own_address_known(c, path.addr)) ||
	    (path.domain.n != 0 &&
		ident_fold_domain(path.domain, folded, NULL) != 0) ||
	    !rights_domain_known(known, slice_str(folded), &limits))
		return false;
	c->known_max =
	    smaller(rights_rcpt_max(&r, &limits), srv->conf->recipients_max);
	return true;
}

/* What it finds out is for smtp_mail(), which comes next. */
bool
smtp_mail_waits(struct client *c, struct slice rest)
{
	c->knows_sender = c->role == ROLE_SUBMIT && c->who.account != 0 &&
			  knows_sender(c, rest);
	return c->role == ROLE_SUBMIT ? !c->knows_sender : claim_asks(c);
}

static const char *const need_auth[] = {
	"Please log in: your mail program has to send a user name and password",
	"when it sends mail. Turn on \"server requires authentication\".",
	"Bitte anmelden: im Mailprogramm beim Postausgangsserver die Option",
	"\"Server erfordert Authentifizierung\" einschalten.",
	NULL,
};

/* MAIL may start now; else says why not. */
static bool
may_mail(struct client *c)
{
	struct buf *out = &c->s.out;

	if (c->helo[0] == '\0')
		words_tell(c, "503 5.5.1 ", "%s comes first",
		    c->role == ROLE_LMTP ? "LHLO" : "EHLO");
	else if (c->role == ROLE_SUBMIT && c->who.account == 0)
		resp_lines(out, "530 5.7.0 ", need_auth);
	else if (c->env.open)
		words_tell(c, "503 5.5.1 ", "one mail at a time");
	else if (c->role == ROLE_MX &&
		 !rate_take(app_of(c->s.sl->srv)->rates, RATE_MAILS,
		     c->s.conn.peer_ip, 1,
		     c->s.sl->srv->conf->smtp_messages_per_minute,
		     clock_steady_ms()))
		words_tell(c, "450 4.7.1 ",
		    "too many mails from your address, try later");
	else if (!store_has_space(c->s.sl->srv->store))
		words_fail(c, ERR_NOSPACE, "", "");
	else
		return true;
	return false;
}

static void
bad_path(struct client *c, const char *why)
{
	words_tell(c, "501 5.1.7 ", "%s", why);
	(void)session_bad_command(&c->s);
}

/* RFC 6409 6.1: the envelope's sender must belong to the login. */
static bool
may_send_as(struct client *c, struct slice addr)
{
	char en[200], de[200];
	int rc = 0;

	if (c->role == ROLE_SUBMIT && addr.n != 0)
		rc = own_address(c, addr);
	if (rc == 0)
		return true;
	if (rc != ERR_DENIED) {
		words_fail(c, rc, "", "");
		return false;
	}
	log_info(c->s.id, "refused", "why=sender account=%s from=%s",
	    c->who.name, log_q(addr));
	(void)snprintf(en, sizeof(en),
	    "%s may not send as this address: use one of its own", c->who.name);
	(void)snprintf(de, sizeof(de),
	    "%s darf diese Absenderadresse nicht verwenden: eine eigene "
	    "eintragen",
	    c->who.name);
	words_say(c, "553 5.7.1 ", en, de);
	return false;
}

/* From outside, in the name of somebody here (O11). */
static bool
may_claim(struct client *c, struct slice addr)
{
	int rc = claim_sender(c, addr);

	if (rc == ERR_DENIED) {
		refusal_record(c, "own-sender", addr, SLICE(""));
		words_tell(c, "550 5.7.1 ",
		    "the sender is an address of this host: log in on port "
		    "587 or 465 to send as it");
	} else if (rc != 0) {
		words_fail(c, rc, "", "");
	}
	return rc == 0;
}

static void
too_big(struct client *c, uint64_t max)
{
	char en[100], de[100];

	(void)snprintf(en, sizeof(en),
	    "at most %" PRIu64 " bytes a message: send less", max);
	(void)snprintf(de, sizeof(de),
	    "hoechstens %" PRIu64 " Bytes je E-Mail: kleinere Anlagen senden",
	    max);
	words_say(c, "552 5.3.4 ", en, de);
}

/* How many recipients this message may have. */
static bool
set_rcpt_max(struct client *c, struct slice domain, bool known)
{
	struct server *srv = c->s.sl->srv;
	char folded[IDENT_MAX + 1] = "";
	struct policy_limits limits = { 0 };
	struct rights r;
	int rc = 0;

	c->env.rcpt_max = known ? c->known_max : srv->conf->recipients_max;
	if (c->role != ROLE_SUBMIT)
		return true;
	if (ident_fold_domain(domain, folded, NULL) != 0)
		folded[0] = '\0';
	c->env.domain = slice_str(arena_str(&c->env.arena, slice_str(folded)));
	if (known)
		return true;
	rc = rights_get(app_of(srv)->rights, srv->conf, &c->who, &r);
	if (rc == 0)
		rc = rights_domain(app_of(srv)->rights, c->env.domain, &limits);
	if (rc != 0) {
		words_fail(c, rc, "", "");
		return false;
	}
	c->env.rcpt_max =
	    smaller(rights_rcpt_max(&r, &limits), c->env.rcpt_max);
	return true;
}

/* The parameters are good, and the message may come; else says why not. */
static bool
mail_ok(struct client *c, const struct smtp_path *path, bool known)
{
	uint64_t max = c->s.sl->srv->conf->message_max;

	if (!params_mail(c, path->params, path->nparams))
		return false;
	if (c->env.size > max) {
		/* RFC 1870 6.1 */
		too_big(c, max);
		return false;
	}
	return (known ||
		   (may_send_as(c, path->addr) && may_claim(c, path->addr))) &&
	       set_rcpt_max(c, path->domain, known);
}

void
smtp_mail(struct client *c, struct slice rest)
{
	bool known = c->knows_sender;
	struct smtp_path path;
	const char *why;

	c->knows_sender = false;
	if (!may_mail(c))
		return;
	if (!smtp_parse_path(
		rest, "FROM", c->role == ROLE_SUBMIT, &path, &why)) {
		bad_path(c, why);
		return;
	}
	envelope_reset(c);
	if (!mail_ok(c, &path, known)) {
		envelope_reset(c);
		return;
	}
	c->env.sender = arena_copy(&c->env.arena, path.addr);
	c->env.flags |= utf8_is_ascii(path.addr) ? 0 : QUEUE_UTF8;
	c->env.open = true;
	resp_line(&c->s.out, "250 2.1.0 ", "sender ok");
}

/* RFC 5321 4.5.3.1.10 */
static void
too_many(struct client *c, uint64_t max)
{
	char en[80], de[80];

	(void)snprintf(
	    en, sizeof(en), "at most %" PRIu64 " recipients a message", max);
	(void)snprintf(
	    de, sizeof(de), "hoechstens %" PRIu64 " Empfaenger je E-Mail", max);
	words_say(c, "452 4.5.3 ", en, de);
}

/* One more recipient fits; else says why not. */
static bool
may_rcpt(struct client *c)
{
	if (!c->env.open)
		words_tell(c, "503 5.5.1 ", "MAIL comes first");
	else if (c->spool != NULL)
		words_tell(c, "503 5.5.1 ", "go on with BDAT");
	else if (c->env.nrcpts >= c->env.rcpt_max)
		too_many(c, c->env.rcpt_max);
	else
		return true;
	return false;
}

/* "<postmaster>" (RFC 5321 4.1.1.3) and account names stand without a domain;
 * anything else is folded. */
static bool
fold_rcpt(struct client *c, const struct smtp_path *path, char *out)
{
	struct err e = { 0 };
	int rc = ERR_INVALID;

	if (path->domain.n != 0)
		rc = ident_fold_address(path->addr, out, &e);
	else if (slice_ieq(path->local, SLICE("postmaster")))
		rc = slice_copy(SLICE("postmaster"), out, IDENT_MAX) ? 0 : rc;
	else if (ident_is_account(path->local, NULL))
		rc = ident_fold_account(path->local, out, &e);
	if (rc == 0)
		return true;
	words_tell(c, "553 5.1.3 ", "%s",
	    e.text[0] != '\0' ? e.text : "the address has no domain");
	return false;
}

static void
unknown_rcpt(struct client *c, struct slice addr)
{
	log_info(c->s.id, "refused", "why=unknown from=%s to=%s peer=%s",
	    log_q(c->env.sender), log_q(addr), c->s.conn.peer);
	words_say(c, "550 5.1.1 ", "there is no such address here",
	    "diese Adresse gibt es hier nicht: bitte Schreibweise pruefen");
	if (c->role != ROLE_MX)
		return;
	probe_count(app_of(c->s.sl->srv)->probe, c->s.conn.peer_ip, false,
	    clock_steady_ms());
	(void)session_bad_command(&c->s);
}

/* Who has guessed too often learns nothing more for a while. */
static bool
is_guesser(struct client *c)
{
	const struct conf *conf = c->s.sl->srv->conf;

	if (c->role != ROLE_MX || conf->unknown_recipients_max == 0 ||
	    probe_score(app_of(c->s.sl->srv)->probe, c->s.conn.peer_ip,
		clock_steady_ms()) < conf->unknown_recipients_max)
		return false;
	log_info(c->s.id, "refused", "why=guessing peer=%s", c->s.conn.peer);
	words_tell(c, "450 4.7.1 ",
	    "too many unknown recipients from your address, try again later");
	return true;
}

static struct slice
domain_of(struct slice addr)
{
	return slice_from(addr, slice_rchr(addr, '@') + 1);
}

static void
lead_away(struct client *c, struct slice addr, struct route *out)
{
	*out = (struct route){ .detail = SLICE(""), .nremote = 1 };
	out->remote = arena_alloc(&c->env.arena, sizeof(*out->remote));
	out->remote[0] = addr;
}

/* An address of another host: our people's mail goes out, others' does not. */
static bool
route_away(struct client *c, struct slice addr, struct envelope_rcpt *r)
{
	struct slice domain = domain_of(addr);
	bool local;
	int rc = domain_is_local(c->s.sl->srv->store, domain, &local);

	if (rc != 0) {
		words_fail(c, rc, "", "");
	} else if (local || domain.n == 0) {
		unknown_rcpt(c, addr);
	} else if (c->role != ROLE_SUBMIT) {
		refusal_record(c, "relay", c->env.sender, addr);
		words_tell(c, "550 5.7.1 ",
		    "we do not relay: log in "
		    "on port 587 or 465");
		(void)session_bad_command(&c->s);
	} else {
		lead_away(c, addr, &r->route);
		return true;
	}
	return false;
}

/* Full boxes are told now, not by a bounce later (O7). */
static bool
fits(struct client *c, const struct envelope_rcpt *r)
{
	int rc;

	if (r->route.naccounts != 1 || r->route.nremote != 0)
		return true;
	rc = deliver_fits(
	    c->s.sl->srv->store, r->route.accounts[0], c->env.size);
	if (rc != 0)
		words_fail(c, rc, "", "");
	return rc == 0;
}

/* What it finds out is for smtp_rcpt(), which comes next. */
bool
smtp_rcpt_waits(struct client *c, struct slice rest)
{
	char folded[IDENT_MAX + 1];
	struct slice addr;
	struct smtp_path path;
	const char *why;

	c->knows = false;
	if (!c->env.open ||
	    !smtp_parse_path(rest, "TO", c->role == ROLE_SUBMIT, &path, &why) ||
	    path.domain.n == 0 ||
	    ident_fold_address(path.addr, folded, NULL) != 0)
		return true;
	addr = slice_str(folded);
	if (c->role == ROLE_SUBMIT &&
	    domain_away_known(c->s.sl->srv->store, domain_of(addr))) {
		lead_away(c, arena_copy(&c->env.arena, addr), &c->known);
		c->knows = true;
		return false;
	}
	c->knows =
	    !srs_is(addr) &&
	    address_route_known(
		c->s.sl->srv->store, addr, &c->env.arena, &c->known) &&
	    (c->known.naccounts != 1 || deliver_fits_known(c->s.sl->srv->store,
					    c->known.accounts[0], c->env.size));
	return !c->knows;
}

static bool
route_rcpt(struct client *c, struct slice addr, struct envelope_rcpt *r)
{
	int rc = srs_is(addr) && c->role != ROLE_SUBMIT
		     ? forward_back(c, r->given, r)
		     : address_route(
			   c->s.sl->srv->store, addr, &c->env.arena, &r->route);

	if (rc == 0)
		return fits(c, r);
	if (rc == ERR_NOTFOUND)
		return route_away(c, addr, r);
	words_fail(c, rc,
	    rc != ERR_DENIED ? ""
	    : srs_is(addr)   ? "only reports come back this way"
			     : "this mailbox is suspended",
	    "");
	return false;
}

void
smtp_rcpt(struct client *c, struct slice rest)
{
	struct envelope *env = &c->env;
	struct envelope_rcpt r = { 0 };
	char folded[IDENT_MAX + 1];
	struct smtp_path path;
	const char *why = "an address is missing";
	bool known = c->knows;

	c->knows = false;
	if (known)
		r.route = c->known;
	if (!may_rcpt(c))
		return;
	if (!smtp_parse_path(rest, "TO", c->role == ROLE_SUBMIT, &path, &why) ||
	    path.addr.n == 0) {
		bad_path(c, why);
		return;
	}
	if (!params_rcpt(c, path.params, path.nparams, &r))
		return;
	if (!fold_rcpt(c, &path, folded) || is_guesser(c))
		return;
	r.given = arena_copy(&env->arena, path.addr);
	r.addr = slice_str(arena_str(&env->arena, slice_str(folded)));
	if (!known && !route_rcpt(c, r.addr, &r))
		return;
	env->rcpts =
	    mem_grow(env->rcpts, &env->cap, env->nrcpts, sizeof(*env->rcpts));
	env->rcpts[env->nrcpts++] = r;
	env->flags |= utf8_is_ascii(path.addr) ? 0 : QUEUE_UTF8;
	if (c->role == ROLE_MX)
		probe_count(app_of(c->s.sl->srv)->probe, c->s.conn.peer_ip,
		    true, clock_steady_ms());
	resp_line(&c->s.out, "250 2.1.5 ", "recipient ok");
}
