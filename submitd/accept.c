#include "submitd/accept.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "storage/deliver_join.h"
#include "submitd/app.h"
#include "submitd/binary.h"
#include "submitd/fixup.h"
#include "submitd/dispatch.h"
#include "submitd/submission.h"
#include "submitd/resp.h"
#include "submitd/success.h"
#include "submitd/words.h"

enum { JOIN_MAX = 64, BRIEF_MAX = 64 << 10 };

/* Data that no message may hold; 0 or the reply's kind. */
static int
check_data(struct client *c, struct err *e)
{
	int rc = spool_status(c->spool);

	if (rc != 0)
		return err_set(e, rc, "%s", "");
	if (c->env.binary)
		return 0; /* binary.h */
	/* RFC 5321 2.3.8: a stray CR or LF is how mail is smuggled (O18). */
	if (c->data_flags & (DOTTED_BARE_CR | DOTTED_BARE_LF))
		return words_refuse(c, e, ERR_DENIED, "554 5.6.0 ",
		    "the message has a bare CR or LF; lines end in CR LF",
		    "die E-Mail hat ein CR oder LF allein; Zeilen enden mit "
		    "CR LF");
	if (c->data_flags & DOTTED_NUL)
		return words_refuse(c, e, ERR_DENIED, "554 5.6.0 ",
		    "the message has a NUL byte",
		    "die E-Mail hat ein NUL-Byte");
	if (c->data_flags & DOTTED_8BIT)
		c->env.flags |= QUEUE_8BIT;
	return 0;
}

static bool
leads_to(const struct envelope_rcpt *r, uint64_t account)
{
	for (size_t i = 0; i < r->route.naccounts; i++)
		if (r->route.accounts[i] == account)
			return true;
	return false;
}

/* A message on its way, perhaps with others in one transaction. */
struct accept {
	struct client *c;
	struct fixup fix;
	struct submission sub;
	bool retried;
	/* this attempt */
	uint64_t fresh[FRESH_ROWS]; /* reserved rows */
	size_t nfresh;
	struct dispatch p;
	struct deliver_msg msg;
	struct deliver_join join;
};

static void
accept_free(struct accept *a)
{
	dispatch_fini(&a->p);
	submission_fini(&a->sub);
	fixup_fini(&a->fix);
	free(a);
}

/* LMTP: whoever leads to the account that cannot have it gets that answer,
 * and it is tried again with the rest (RFC 2033 4.2). */
static bool
leave_out(
    struct client *c, const struct dispatch *p, const struct deliver *d, int rc)
{
	uint64_t account;

	if (c->role != ROLE_LMTP || (rc != ERR_QUOTA && rc != ERR_NOTFOUND) ||
	    d->bad_msg != 0 || d->bad_target >= p->ntargets)
		return false;
	account = p->targets[d->bad_target].account;
	for (size_t i = 0; i < c->env.nrcpts; i++)
		if (c->env.rcpts[i].rc == 0 &&
		    leads_to(&c->env.rcpts[i], account))
			c->env.rcpts[i].rc = rc;
	return true;
}

static struct fresh *
fresh_of(const struct accept *a)
{
	return app_of(a->c->s.sl->srv)->fresh;
}

/* Rows that go out at once are brought to the runner, if it has time. */
static void
reserve(struct accept *a)
{
	struct queue_new *q = a->p.queue;
	size_t n = a->p.nqueue;

	if (n == 0 || n > FRESH_ROWS || (q[0].row.flags & QUEUE_UNSENT))
		return;
	for (size_t i = 0; i < n; i++)
		a->fresh[i] = q[i].id = store_new_id(a->c->s.sl->srv->store);
	if (!fresh_reserve(fresh_of(a), a->fresh, n))
		return;
	a->nfresh = n;
	for (size_t i = 0; i < n; i++)
		q[i].quiet = true;
}

/* They are committed, or not. */
static void
keep_fresh(struct accept *a, bool committed)
{
	struct errand *e;

	if (!committed)
		fresh_release(fresh_of(a), a->fresh, a->nfresh);
	for (size_t i = 0; committed && i < a->nfresh; i++) {
		e = errand_new(&a->p.queue[i].row, a->fix.parts, a->fix.nparts);
		TAILQ_INSERT_TAIL(&a->c->fresh, e, link);
	}
	a->nfresh = 0;
}

/* Where it goes this time.  False: nowhere (any more), and accept_rc says
 * why. */
static bool
attempt(struct accept *a)
{
	struct client *c = a->c;
	struct dispatch_in in = { .srv = c->s.sl->srv,
		.env = &c->env,
		.account = c->who.account,
		.msgid = a->fix.msgid,
		.header = a->fix.header };

	dispatch_fini(&a->p);
	dispatch_make(&a->p, &in);
	if (a->p.ntargets + a->p.nqueue == 0) {
		if (c->accept_rc == 0 && a->p.failed != 0)
			c->accept_rc = words_refuse(c, &c->accept_err,
			    a->p.failed, "554 5.4.6 ",
			    "not forwarded: it is junk, or has been here "
			    "before",
			    "");
		return false;
	}
	a->join.d = (struct deliver){ .msgs = &a->msg, .nmsgs = 1 };
	a->join.d.submit = submission_add(&a->sub, c, &a->fix, &a->p);
	if (a->sub.box.target != NULL)
		a->join.d.box = &a->sub.box;
	a->msg = (struct deliver_msg){ .parts = a->fix.parts,
		.nparts = a->fix.nparts,
		.targets = a->p.targets,
		.ntargets = a->p.ntargets,
		.queue = a->p.queue,
		.nqueue = a->p.nqueue };
	reserve(a);
	return true;
}

/* The mail, and with it the report that it was delivered; if that is what
 * fails, the mail alone. */
static int
deliver_both(struct accept *a)
{
	struct store *store = a->c->s.sl->srv->store;
	struct deliver_msg both[2] = { a->msg };
	struct deliver *d = &a->join.d;
	struct err *e = &a->c->accept_err;
	struct success s;
	int rc;

	success_make(&s, a->c, &a->fix);
	both[1] = s.dsn.msg;
	d->msgs = both;
	d->nmsgs = s.dsn.has_msg ? 2 : 1;
	rc = deliver(store, d, e);
	if (rc != 0 && d->bad_msg != 0) {
		d->nmsgs = 1;
		d->bad_msg = d->bad_target = 0;
		rc = deliver(store, d, e);
	}
	if (rc == 0 && d->nmsgs == 2)
		dsn_log(&s.dsn, a->c->queue_id);
	success_fini(&s);
	return rc;
}

/* An attempt has ended so; true: there is another. */
static bool
go_on(struct accept *a, int rc)
{
	struct client *c = a->c;

	c->accept_rc = rc;
	keep_fresh(a, rc == 0);
	if (rc == 0) {
		dispatch_log(&a->p, c->s.sl->srv, c->queue_id);
		return false;
	}
	if (leave_out(c, &a->p, &a->join.d, rc) ||
	    submission_without_copy(&a->sub, &a->p, &a->join.d, rc))
		return true;
	/* A folder named by "+detail" may have gone this moment. */
	if (rc != ERR_NOTFOUND || a->retried)
		return false;
	a->retried = true;
	return true;
}

static void
deliver_all(struct accept *a)
{
	while (attempt(a) && go_on(a, deliver_both(a)))
		;
}

static void
conclude(struct accept *a, struct sjob *j)
{
	struct client *c = a->c;

	c->accept_rc = submission_result(&a->sub, c, c->accept_rc);
	j->durable = j->durable || c->accept_rc == 0;
	accept_free(a);
}

/* What may share a transaction: a message alone, and not so large that others
 * would wait for it. */
static bool
may_join(const struct accept *a)
{
	return a->join.d.box == NULL && a->p.ntargets <= JOIN_MAX &&
	       a->p.nqueue <= JOIN_MAX && !success_wanted(a->c);
}

/* What stood in the way of all together may not stand in the way of some: here
 * it has been tried alone too. */
static void
joined(struct deliver_join *join)
{
	struct accept *a = PH_CONTAINER(join, struct accept, join);
	struct sjob *j = &a->c->s.job;

	if (join->rc != 0)
		a->c->accept_err = join->e;
	if (go_on(a, join->rc))
		deliver_all(a);
	conclude(a, j);
	sjob_end(j);
}

static void
accept_join(struct sjob *j)
{
	struct accept *a = client_of_job(j)->accept;

	deliver_join(j->srv->store, &a->join, work_brief_next);
}

static void
begin(struct accept *a, struct sjob *j)
{
	if (!attempt(a)) {
		conclude(a, j);
	} else if (may_join(a)) {
		a->join.done = joined;
		a->c->accept = a;
		j->then = accept_join;
	} else {
		if (go_on(a, deliver_both(a)))
			deliver_all(a);
		conclude(a, j);
	}
}

static void
accept_work(struct sjob *j)
{
	struct client *c = client_of_job(j);
	struct accept *a = xcalloc(1, sizeof(*a));
	struct err *e = &c->accept_err;
	struct slice bytes;
	int rc;

	a->c = c;
	TAILQ_INIT(&c->fresh);
	*e = (struct err){ 0 };
	c->accept_rc = 0;
	c->accept_head = NULL;
	c->accept_de[0] = '\0';
	queue_id_text(store_new_id(j->srv->store), c->queue_id);
	if ((rc = check_data(c, e)) == 0 &&
	    (rc = spool_bytes(c->spool, &bytes)) == 0 &&
	    (rc = binary_fix(c, &bytes, e)) == 0 &&
	    (rc = fixup_make(&a->fix, c, bytes, e)) == 0 &&
	    (rc = submission_init(&a->sub, c, &a->fix)) == 0) {
		begin(a, j);
		return;
	}
	c->accept_rc = rc;
	accept_free(a);
}

static void
answer_one(struct client *c, int rc, bool own)
{
	const char *en = own ? "" : c->accept_err.text;
	const char *de = own ? "" : c->accept_de;

	if (rc == 0)
		resp_line(
		    &c->s.out, "250 2.0.0 ", "accepted as %s", c->queue_id);
	else if (!own && c->accept_head != NULL)
		words_say(c, c->accept_head, en, de);
	else
		words_fail(c, rc, en, de);
}

static void
answer(struct client *c, int rc)
{
	if (c->role != ROLE_LMTP) {
		answer_one(c, rc, false);
		return;
	}
	for (size_t i = 0; i < c->env.nrcpts; i++) {
		int own = c->env.rcpts[i].rc;

		answer_one(c, own != 0 ? own : rc, own != 0);
	}
}

static void
log_outcome(const struct client *c, int rc)
{
	const struct envelope *env = &c->env;
	struct figures *f = c->s.sl->srv->figures;

	if (rc != 0) {
		figures_add(f, FIG_REFUSED, 1);
		log_mail(c->s.id, "refused",
		    "id=%s why=%s from=%s rcpts=%zu size=%" PRIu64
		    " text=\"%s\" detail=\"%s\"",
		    c->queue_id, err_name(rc), log_q(env->sender), env->nrcpts,
		    spool_size(c->spool), c->accept_err.text,
		    c->accept_err.detail);
		return;
	}
	figures_add(f, FIG_ACCEPTED, 1);
	figures_add(f, FIG_RECIPIENTS, env->nrcpts);
	figures_add(f, FIG_ACCEPTED_BYTES, spool_size(c->spool));
	log_mail(c->s.id, "accept",
	    "id=%s from=%s to=%s rcpts=%zu size=%" PRIu64 " account=%s peer=%s",
	    c->queue_id, log_q(env->sender), log_q(env->rcpts[0].addr),
	    env->nrcpts, spool_size(c->spool), c->who.name, c->s.conn.peer);
	for (size_t i = 1; i < env->nrcpts; i++)
		log_trail(c->s.id, "accept", "id=%s to=%s", c->queue_id,
		    log_q(env->rcpts[i].addr));
}

static void
accept_done(struct sjob *j)
{
	struct client *c = client_of_job(j);
	int rc = c->accept_rc != 0 ? c->accept_rc : j->rc;

	log_outcome(c, rc);
	/* The process may end: then who comes after it finds them. */
	if (!TAILQ_EMPTY(&c->fresh) && app_of(j->srv) != NULL)
		fresh_bring(app_of(j->srv)->fresh, &c->fresh, rc == 0);
	if (!session_back(&c->s))
		return;
	answer(c, rc);
	c->messages += rc == 0;
	envelope_reset(c);
	session_run(&c->s);
}

void
accept_start(struct client *c)
{
	c->s.job.brief = spool_size(c->spool) <= BRIEF_MAX;
	session_job(&c->s, false, accept_work, accept_done);
}
