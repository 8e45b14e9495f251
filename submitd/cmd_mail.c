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
#include "submitd/parse.h"
#include "submitd/resp.h"

/* Both run in a job: they ask the store. */

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
		resp_line(out, "503 5.5.1 ", "%s comes first",
		    c->role == ROLE_LMTP ? "LHLO" : "EHLO");
	else if (c->role == ROLE_SUBMIT && c->who.account == 0)
		resp_lines(out, "530", "5.7.0", need_auth);
	else if (c->env.open)
		resp_line(out, "503 5.5.1 ", "one mail at a time");
	else if (!store_has_space(c->s.sl->srv->store))
		resp_fail(out, ERR_NOSPACE, "");
	else
		return true;
	return false;
}

static bool
param_size(struct client *c, struct slice v)
{
	return num_parse(v, UINT64_MAX, &c->env.size);
}

static bool
param_body(struct client *c, struct slice v)
{
	if (slice_ieq(v, SLICE("7BIT")))
		return true;
	c->env.flags |= QUEUE_8BIT;
	return slice_ieq(v, SLICE("8BITMIME"));
}

static bool
param_utf8(struct client *c, struct slice v)
{
	c->env.flags |= QUEUE_UTF8;
	return v.p == NULL;
}

static bool
param_ret(struct client *c, struct slice v)
{
	if (slice_ieq(v, SLICE("FULL")))
		c->env.flags |= QUEUE_RET_FULL;
	else if (slice_ieq(v, SLICE("HDRS")))
		c->env.flags |= QUEUE_RET_HDRS;
	else
		return false;
	return true;
}

static bool
take_xtext(struct client *c, struct slice v, size_t max, struct slice *out)
{
	struct buf b;
	bool ok;

	buf_init(&b, max);
	ok = v.n != 0 && smtp_xtext(&b, v);
	if (ok)
		*out = arena_copy(&c->env.arena, buf_slice(&b));
	buf_fini(&b);
	return ok;
}

static bool
param_envid(struct client *c, struct slice v)
{
	return take_xtext(c, v, 100, &c->env.envid); /* RFC 3461 4.4 */
}

/* RFC 4954 5: we do not trust it, and say nothing. */
static bool
param_auth(struct client *c, struct slice v)
{
	(void)c;
	return v.n != 0;
}

static const struct {
	const char *key;
	bool (*take)(struct client *c, struct slice value);
} mail_params[] = {
	{ "SIZE", param_size },     /* RFC 1870 */
	{ "BODY", param_body },     /* RFC 6152 */
	{ "SMTPUTF8", param_utf8 }, /* RFC 6531 3.4 */
	{ "RET", param_ret },       /* RFC 3461 4.3 */
	{ "ENVID", param_envid },   /* RFC 3461 4.4 */
	{ "AUTH", param_auth },     /* RFC 4954 5 */
};

static bool
take_mail_param(struct client *c, const struct smtp_param *p)
{
	for (size_t i = 0; i < PH_LEN(mail_params); i++)
		if (slice_ieq_str(p->key, mail_params[i].key)) {
			if (mail_params[i].take(c, p->value))
				return true;
			resp_line(&c->s.out, "501 5.5.4 ", "bad value of %s",
			    mail_params[i].key);
			return false;
		}
	/* RFC 5321 4.1.1.11 */
	resp_line(&c->s.out, "555 5.5.4 ", "unknown parameter");
	return false;
}

static void
bad_path(struct client *c, const char *why)
{
	resp_line(&c->s.out, "501 5.1.7 ", "%s", why);
	(void)session_bad_command(&c->s);
}

/* RFC 6409 6.1: the envelope's sender must belong to the login. */
static bool
may_send_as(struct client *c, struct slice addr)
{
	char folded[IDENT_MAX + 1];

	if (c->role != ROLE_SUBMIT || addr.n == 0)
		return true;
	if (ident_fold_address(addr, folded, NULL) == 0 &&
	    auth_may_send_as(c->s.sl->srv->auth, &c->who, slice_str(folded)) ==
		0)
		return true;
	log_info(c->s.id, "refused", "why=sender account=%s from=%s",
	    c->who.name, log_q(addr));
	resp_line(&c->s.out, "553 5.7.1 ",
	    "%s may not send as this address: use one of its own", c->who.name);
	return false;
}

/* The parameters are good, and the message may come; else says why not. */
static bool
mail_ok(struct client *c, const struct smtp_path *path)
{
	uint64_t max = c->s.sl->srv->conf->message_max;

	for (unsigned i = 0; i < path->nparams; i++)
		if (!take_mail_param(c, &path->params[i]))
			return false;
	if (c->env.size > max) {
		/* RFC 1870 6.1 */
		resp_line(&c->s.out, "552 5.3.4 ",
		    "at most %" PRIu64 " bytes a message", max);
		return false;
	}
	return may_send_as(c, path->addr);
}

void
smtp_mail(struct client *c, struct slice rest)
{
	struct smtp_path path;
	const char *why;

	if (!may_mail(c))
		return;
	if (!smtp_parse_path(
		rest, "FROM", c->role == ROLE_SUBMIT, &path, &why)) {
		bad_path(c, why);
		return;
	}
	envelope_reset(c);
	if (!mail_ok(c, &path)) {
		envelope_reset(c);
		return;
	}
	c->env.sender = arena_copy(&c->env.arena, path.addr);
	c->env.flags |= utf8_is_ascii(path.addr) ? 0 : QUEUE_UTF8;
	c->env.open = true;
	resp_line(&c->s.out, "250 2.1.0 ", "sender ok");
}

/* From outside nobody may have us report success: the sender may be forged.
 * So port 25 does not offer DSN; asked all the same, it leaves that out. */
static bool
rcpt_notify(struct client *c, struct slice v, struct envelope_rcpt *r)
{
	if (!smtp_parse_notify(v, &r->notify))
		return false;
	if (c->role == ROLE_MX && (r->notify & NOTIFY_ON_SUCCESS)) {
		r->notify &= ~(unsigned)NOTIFY_ON_SUCCESS;
		if (r->notify == 0)
			r->notify = NOTIFY_ON_NEVER;
	}
	return true;
}

static bool
rcpt_orcpt(struct client *c, struct slice v, struct envelope_rcpt *r)
{
	size_t semi = slice_chr(v, ';');

	return semi != 0 && semi != v.n && take_xtext(c, v, 500, &r->orcpt);
}

static const struct {
	const char *key;
	bool (*take)(
	    struct client *c, struct slice value, struct envelope_rcpt *r);
} rcpt_params[] = {
	{ "NOTIFY", rcpt_notify }, /* RFC 3461 4.1 */
	{ "ORCPT", rcpt_orcpt },   /* RFC 3461 4.2 */
};

static bool
take_rcpt_param(
    struct client *c, const struct smtp_param *p, struct envelope_rcpt *r)
{
	for (size_t i = 0; i < PH_LEN(rcpt_params); i++)
		if (slice_ieq_str(p->key, rcpt_params[i].key)) {
			if (rcpt_params[i].take(c, p->value, r))
				return true;
			resp_line(&c->s.out, "501 5.5.4 ", "bad value of %s",
			    rcpt_params[i].key);
			return false;
		}
	resp_line(&c->s.out, "555 5.5.4 ", "unknown parameter");
	return false;
}

/* One more recipient fits; else says why not. */
static bool
may_rcpt(struct client *c)
{
	uint64_t max = c->s.sl->srv->conf->recipients_max;

	if (!c->env.open)
		resp_line(&c->s.out, "503 5.5.1 ", "MAIL comes first");
	else if (c->spool != NULL)
		resp_line(&c->s.out, "503 5.5.1 ", "go on with BDAT");
	else if (c->env.nrcpts >= max)
		/* RFC 5321 4.5.3.1.10 */
		resp_line(&c->s.out, "452 4.5.3 ",
		    "at most %" PRIu64 " recipients a message", max);
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
	resp_line(&c->s.out, "553 5.1.3 ", "%s",
	    e.text[0] != '\0' ? e.text : "the address has no domain");
	return false;
}

static void
unknown_rcpt(struct client *c, struct slice addr)
{
	log_info(c->s.id, "refused", "why=unknown from=%s to=%s peer=%s",
	    log_q(c->env.sender), log_q(addr), c->s.conn.peer);
	resp_line(&c->s.out, "550 5.1.1 ", "there is no such address here");
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
	resp_line(&c->s.out, "450 4.7.1 ",
	    "too many unknown recipients from your address, try again later");
	return true;
}

/* An address of another host: our people's mail goes out, others' does not. */
static bool
route_away(struct client *c, struct slice addr, struct envelope_rcpt *r)
{
	struct slice domain = slice_from(addr, slice_rchr(addr, '@') + 1);
	bool local;
	int rc = domain_is_local(c->s.sl->srv->store, domain, &local);

	if (rc != 0) {
		resp_fail(&c->s.out, rc, "");
	} else if (local || domain.n == 0) {
		unknown_rcpt(c, addr);
	} else if (c->role != ROLE_SUBMIT) {
		log_info(c->s.id, "refused", "why=relay from=%s to=%s peer=%s",
		    log_q(c->env.sender), log_q(addr), c->s.conn.peer);
		resp_line(&c->s.out, "550 5.7.1 ",
		    "we do not relay: log in "
		    "on port 587 or 465");
		(void)session_bad_command(&c->s);
	} else {
		r->route.remote =
		    arena_alloc(&c->env.arena, sizeof(struct slice));
		r->route.remote[0] = addr;
		r->route.nremote = 1;
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
		resp_fail(&c->s.out, rc, "");
	return rc == 0;
}

static bool
route_rcpt(struct client *c, struct slice addr, struct envelope_rcpt *r)
{
	int rc =
	    address_route(c->s.sl->srv->store, addr, &c->env.arena, &r->route);

	if (rc == 0)
		return fits(c, r);
	if (rc == ERR_NOTFOUND)
		return route_away(c, addr, r);
	resp_fail(
	    &c->s.out, rc, rc == ERR_DENIED ? "this mailbox is suspended" : "");
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

	if (!may_rcpt(c))
		return;
	if (!smtp_parse_path(rest, "TO", c->role == ROLE_SUBMIT, &path, &why) ||
	    path.addr.n == 0) {
		bad_path(c, why);
		return;
	}
	for (unsigned i = 0; i < path.nparams; i++)
		if (!take_rcpt_param(c, &path.params[i], &r))
			return;
	if (!fold_rcpt(c, &path, folded) || is_guesser(c))
		return;
	r.given = arena_copy(&env->arena, path.addr);
	r.addr = slice_str(arena_str(&env->arena, slice_str(folded)));
	if (!route_rcpt(c, r.addr, &r))
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
