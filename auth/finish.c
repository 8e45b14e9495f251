/*
 * How a login ends: who it is and whether he may, in the log and in the
 * account's events.
 */
#include "auth/auth_priv.h"

#include <string.h>

#include "auth/network.h"
#include "lib/base/clock.h"
#include "lib/base/cset.h"
#include "lib/base/log.h"
#include "storage/event.h"
#include "storage/generation.h"

enum { EVENT_TEXT_MAX = 400, USED_EVERY_SEC = 60, CLIENT_MAX = 100 };

static const char *
service_of(const struct auth_peer *peer)
{
	switch (peer->scope) {
	case SCOPE_IMAP: return "imap";
	case SCOPE_POP3: return "pop3";
	case SCOPE_SMTP: return "smtp";
	}
	return "other";
}

static const char *
shown(const char *s)
{
	return s != NULL && s[0] != '\0' ? s : "-";
}

/* What a program calls itself is anything: quoted, and without what would
 * end the quotes. */
static void
add_client(struct buf *b, const char *client)
{
	struct slice s =
	    slice_sub(slice_str(client != NULL ? client : ""), 0, CLIENT_MAX);

	if (s.n == 0)
		return;
	buf_add_str(b, " client=\"");
	for (size_t i = 0; i < s.n; i++)
		buf_add_char(b, s.p[i] == '"' || cset_has(&cset_ctl, s.p[i])
				    ? '?'
				    : s.p[i]);
	buf_add_char(b, '"');
}

static void
record(struct auth *a, const struct auth_peer *peer, const char *mech,
    const struct auth_found *f, enum event_kind kind, const char *more)
{
	struct buf b;
	int rc;

	if (!f->known)
		return;
	buf_init(&b, EVENT_TEXT_MAX);
	buf_printf(&b, "service=%s ip=%s mech=%s tls=%s %s", service_of(peer),
	    shown(peer->ip), mech, shown(peer->tls), more);
	add_client(&b, peer->client);
	rc = event_add(a->store, f->ac.id, kind, buf_slice(&b));
	if (rc != 0)
		log_warn(peer->session, "event-lost", "account=%s why=%s",
		    log_q(f->ac.name), err_name(rc));
	buf_fini(&b);
}

const char *
auth_why(const struct auth_found *f, int rc)
{
	if (rc == ERR_LIMIT)
		return "throttled";
	if (rc != ERR_AUTH)
		return err_name(rc);
	return f->known ? "password" : "unknown";
}

int
auth_refuse(struct auth *a, const struct auth_peer *peer, const char *mech,
    const struct auth_found *f, int rc, const char *why, struct err *e)
{
	struct throttle_try tr = { .name = auth_found_name(f), .ip = peer->ip };
	char more[100];
	struct buf b;

	log_warn(peer->session, "login-failed",
	    "service=%s login=%s account=%s ip=%s mech=%s tls=%s why=%s",
	    service_of(peer), log_q(slice_str(f->login)),
	    f->known ? log_q(f->ac.name) : "-", shown(peer->ip), mech,
	    log_q(slice_str(shown(peer->tls))), why);
	buf_init(&b, sizeof(more));
	buf_printf(&b, "why=%s", why);
	if (slice_copy(buf_slice(&b), more, sizeof(more)) && f->known &&
	    throttle_tell(a->throttle, &tr, clock_steady_ms()))
		record(a, peer, mech, f, EVENT_LOGIN_FAILED, more);
	buf_fini(&b);
	switch (rc) {
	case ERR_LIMIT:
	case ERR_DENIED: return rc; /* e says it already */
	case ERR_AUTH: return err_set(e, rc, "wrong name or password");
	}
	return err_set(e, rc, "logins do not work at the moment");
}

/* The account's language as two letters. */
static void
set_lang(const struct auth *a, const struct auth_found *f, char out[3])
{
	if (f->ac.lang.n != 2 || !slice_copy(f->ac.lang, out, 3))
		(void)slice_copy(
		    slice_sub(slice_str(a->conf->lang), 0, 2), out, 3);
}

static int
may(const struct auth_peer *peer, const struct auth_found *f,
    const struct secret *s, const char **why_out, struct err *e)
{
	if (f->support[0] != '\0')
		return 0;
	if (f->ac.suspended || f->package_suspended) {
		*why_out = "suspended";
		return err_set(e, ERR_DENIED,
		    "this account is suspended; please ask your provider");
	}
	if (!network_allows(f->ac.networks, peer->ip)) {
		*why_out = "network";
		return err_set(e, ERR_DENIED,
		    "this account may not be used from your network");
	}
	if ((s->scope & peer->scope) == 0) {
		*why_out = "scope";
		return err_set(e, ERR_DENIED, "this password is not for %s",
		    service_of(peer));
	}
	return 0;
}

void
auth_log_good(const struct auth_peer *peer, const char *mech,
    const struct auth_who *who, struct slice login, const char *support)
{
	log_info(peer->session, "login",
	    "service=%s account=%s login=%s ip=%s mech=%s tls=%s secret=%u%s%s",
	    service_of(peer), who->name, log_q(login), shown(peer->ip), mech,
	    log_q(slice_str(shown(peer->tls))), (unsigned)who->secret_id,
	    who->support ? " support=" : "", support);
}

/* The next one like it may be answered from memory, as long as this one counts
 * for the record too. */
static void
remember(struct auth *a, const struct auth_found *f,
    const struct auth_proof *proof, const struct auth_who *who,
    uint64_t until_ms)
{
	uint64_t keep = clock_steady_ms() + a->conf->auth_cache_time;
	struct recall_when when = { generation_of(a->store, who->account),
		generation_of(a->store, 0), until_ms < keep ? until_ms : keep,
		proof->secret->expires_at };

	if (proof->keyed && until_ms != 0)
		recall_put(
		    a->recall, &proof->key, &when, who, slice_str(f->login));
}

int
auth_finish(struct auth *a, const struct auth_peer *peer, const char *mech,
    const struct auth_found *f, const struct auth_proof *proof,
    struct auth_who *who_out, struct err *e)
{
	const struct secret *s = proof->secret;
	struct auth_who who = { .account = f->ac.id,
		.secret_id = s->id,
		.secret_version = f->ac.secret_version,
		.pop3_remove_sec = f->ac.pop3_remove_sec,
		.pop3_delay_sec = f->ac.pop3_delay_sec,
		.mech = mech,
		.support = f->support[0] != '\0' };
	const char *why;
	char more[120];
	int64_t now = clock_wall_sec();
	uint64_t until = 0;
	int rc;

	if ((rc = may(peer, f, s, &why, e)) != 0)
		return auth_refuse(a, peer, mech, f, rc, why, e);
	if (!slice_copy(f->ac.name, who.name, sizeof(who.name)) ||
	    !slice_copy(f->ac.package, who.package, sizeof(who.package)) ||
	    !slice_copy(slice_str(f->suffix), who.suffix, sizeof(who.suffix)))
		return err_set(e, ERR_CORRUPT, "the account is damaged");
	set_lang(a, f, who.lang);
	auth_log_good(peer, mech, &who, slice_str(f->login), f->support);
	/* A mailbox that is polled every minute is not recorded each time. */
	if (who.support || !auth_told(a, peer, f->ac.id, s->id, &until)) {
		struct buf b;

		buf_init(&b, sizeof(more));
		if (who.support)
			buf_printf(&b, "support=%s", f->support);
		else
			buf_printf(&b, "secret=%u", (unsigned)s->id);
		if (slice_copy(buf_slice(&b), more, sizeof(more)))
			record(a, peer, mech, f, EVENT_LOGIN, more);
		buf_fini(&b);
		if (!who.support && s->used_at + USED_EVERY_SEC <= now &&
		    account_secret_used(a->store, f->ac.id, s->id, now) != 0)
			log_warn(peer->session, "used-not-written",
			    "account=%s", who.name);
	}
	remember(a, f, proof, &who, until);
	*who_out = who;
	return 0;
}

void
auth_client(
    struct auth *a, const struct auth_peer *peer, const struct auth_who *who)
{
	struct buf b;
	uint64_t until;
	int rc;

	if (auth_told(a, peer, who->account, who->secret_id, &until))
		return;
	buf_init(&b, EVENT_TEXT_MAX);
	buf_printf(&b, "service=%s ip=%s mech=%s tls=%s secret=%u",
	    service_of(peer), shown(peer->ip),
	    who->mech != NULL ? who->mech : "-", shown(peer->tls),
	    (unsigned)who->secret_id);
	add_client(&b, peer->client);
	rc = event_add(a->store, who->account, EVENT_CLIENT, buf_slice(&b));
	if (rc != 0)
		log_warn(peer->session, "event-lost", "account=%s why=%s",
		    who->name, err_name(rc));
	buf_fini(&b);
}
