#include "submitd/alarm.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/mail/date.h"
#include "storage/account.h"
#include "storage/deliver.h"

enum { MAIL_MAX = 8 << 10 };

static void
compose(struct buf *b, struct client *c, const struct sending *what,
    const char *words)
{
	const char *host = c->s.sl->srv->hostname;
	int64_t now = clock_wall_sec();

	buf_add_str(b, "Date: ");
	date_rfc5322(b, now, 0);
	buf_printf(b,
	    "\r\nFrom: \"Posthof\" <postmaster@%s>\r\n"
	    "To: <postmaster@%s>\r\n"
	    "Subject: %.*s: limit of sending reached\r\n"
	    "Message-ID: <limit.%s.%lld@%s>\r\n"
	    "Auto-Submitted: auto-generated\r\n" /* RFC 3834 5 */
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
	    host, host, (int)what->hit->name.n, what->hit->name.p, c->queue_id,
	    (long long)now, host);
	buf_printf(b,
	    "The account %s was refused a message just now:\r\n\r\n"
	    "  %s\r\n\r\n"
	    "It logged in from %s and sends as %.*s.\r\n"
	    "If that is not its owner, change the password:\r\n\r\n"
	    "  posthof account passwd %s\r\n"
	    "  posthof queue list\r\n\r\n"
	    "If it is, raise the limit, at once and for good:\r\n\r\n"
	    "  posthof %s set %.*s --messages-per-hour N\r\n"
	    "      --recipients-per-hour N --new-recipients-per-day N\r\n\r\n"
	    "You are told once until less has been sent again.\r\n",
	    c->who.name, words, c->s.conn.peer_ip, (int)c->env.sender.n,
	    c->env.sender.p, c->who.name,
	    what->hit->kind == POLICY_ACCOUNT  ? "account"
	    : what->hit->kind == POLICY_DOMAIN ? "domain"
					       : "package",
	    (int)what->hit->name.n, what->hit->name.p);
}

static int
post(struct store *s, struct slice text)
{
	struct deliver_msg msg = { .parts = &text, .nparts = 1 };
	struct deliver d = { .msgs = &msg, .nmsgs = 1 };
	struct route to;
	struct arena a;
	int rc;

	arena_init(&a);
	rc = address_route(s, SLICE("postmaster"), &a, &to);
	if (rc == 0 && to.naccounts != 0) {
		msg.targets =
		    arena_alloc(&a, to.naccounts * sizeof(*msg.targets));
		for (size_t i = 0; i < to.naccounts; i++)
			msg.targets[msg.ntargets++] =
			    (struct deliver_target){ .account = to.accounts[i],
				    .over_quota = true };
		rc = deliver(s, &d, NULL);
	}
	arena_clear(&a);
	return rc;
}

void
alarm_limit(struct client *c, const struct sending *what, const char *words)
{
	struct store *s = c->s.sl->srv->store;
	struct buf b;
	bool first;
	int rc = sending_tell(s, what, &first);

	if (rc == 0 && !first)
		return;
	buf_init(&b, MAIL_MAX);
	compose(&b, c, what, words);
	if (rc == 0)
		rc = post(s, buf_slice(&b));
	buf_fini(&b);
	if (rc != 0)
		log_error(c->s.id, "alarm", "failed=%s", err_name(rc));
	else
		c->s.job.durable = true; /* and so this mail gets out */
}
