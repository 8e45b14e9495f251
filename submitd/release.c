#include "submitd/release.h"

#include <stdlib.h>

#include "auth/ident.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/mail/header.h"
#include "storage/fate.h"
#include "submitd/dispatch.h"
#include "submitd/dsn.h"
#include "submitd/waiting.h"

enum { AGAIN_SEC = 60 };

/* Where one recipient leads today: the host may have changed since. */
static int
route(struct server *srv, struct errand *e, size_t i, struct envelope_rcpt *r)
{
	const struct queue_rcpt *q = &e->row.rcpts[i];
	struct slice domain = slice_from(q->addr, slice_rchr(q->addr, '@') + 1);
	bool local = false;
	int rc;

	*r = (struct envelope_rcpt){ .given = q->addr,
		.addr = q->addr,
		.orcpt = q->orcpt,
		.notify = q->notify };
	rc = address_route(srv->store, q->addr, &e->arena, &r->route);
	if (rc == ERR_NOTFOUND) {
		rc = domain_is_local(srv->store, domain, &local);
		if (rc == 0 && !local && domain.n != 0) {
			r->route.remote =
			    arena_alloc(&e->arena, sizeof(q->addr));
			r->route.remote[0] = q->addr;
			r->route.nremote = 1;
			return 0;
		}
		rc = rc != 0 ? rc : ERR_NOTFOUND;
	}
	if (rc != ERR_NOTFOUND && rc != ERR_DENIED)
		return rc;
	r->rc = rc;
	errand_set(e, i, OUT_PERM, "",
	    rc == ERR_DENIED ? "550 5.2.1 this mailbox is suspended"
			     : "550 5.1.1 there is no such address here");
	return 0;
}

static int
make_envelope(struct server *srv, struct errand *e, struct envelope *env)
{
	const struct queue_row *row = &e->row;
	int rc = 0;

	*env = (struct envelope){ .sender = row->sender,
		.envid = row->envid,
		.flags = row->flags & ~(unsigned)QUEUE_UNSENT,
		.nrcpts = row->nrcpts };
	env->rcpts = xcalloc(row->nrcpts, sizeof(*env->rcpts));
	for (size_t i = 0; rc == 0 && i < row->nrcpts; i++) {
		if (row->rcpts[i].state == RCPT_PENDING)
			rc = route(srv, e, i, &env->rcpts[i]);
		else
			env->rcpts[i].rc = ERR_NOTFOUND;
	}
	return rc;
}

/* The new rows know the copy in Sent too. */
static void
inherit(struct dispatch *p, const struct queue_row *row)
{
	for (size_t i = 0; i < p->nqueue; i++) {
		p->queue[i].row.sent_folder = row->sent_folder;
		p->queue[i].row.sent_uid = row->sent_uid;
	}
}

/* The states that the report is made from; has anybody failed? */
static bool
settle(struct errand *e, const struct envelope *env)
{
	bool failed = false;

	for (size_t i = 0; i < env->nrcpts; i++) {
		struct queue_rcpt *q = &e->row.rcpts[i];

		if (q->state != RCPT_PENDING)
			continue;
		if (env->rcpts[i].rc != 0) {
			q->state = RCPT_FAILED;
			failed = true;
		} else if (env->rcpts[i].route.nremote == 0) {
			e->out[i] = OUT_SENT;
			q->state = RCPT_DELIVERED;
		}
	}
	return failed;
}

/* Whoever is full does not get it, and the sender is told. */
static bool
leave_out(struct errand *e, struct envelope *env, const struct dispatch *p,
    const struct deliver *d, int rc)
{
	bool any = false;

	if (rc != ERR_QUOTA || d->bad_msg != 0 || d->bad_target >= p->ntargets)
		return false;
	for (size_t i = 0; i < env->nrcpts; i++) {
		struct envelope_rcpt *r = &env->rcpts[i];

		for (size_t k = 0; r->rc == 0 && k < r->route.naccounts; k++)
			if (r->route.accounts[k] ==
			    p->targets[d->bad_target].account)
				r->rc = rc;
		if (r->rc == rc && e->out[i] == OUT_NONE) {
			errand_set(e, i, OUT_PERM, "",
			    "552 5.2.2 the mailbox is full");
			any = true;
		}
	}
	return any;
}

static int
send_once(struct server *srv, struct errand *e, struct envelope *env,
    struct slice bytes, bool *again_out)
{
	struct dispatch_in in = { .srv = srv,
		.env = env,
		.account = e->row.account,
		.msgid = e->row.msgid,
		.header = slice_sub(bytes, 0, header_end(bytes)) };
	struct queue_change gone = { .id = e->row.id };
	struct deliver_msg msgs[2] = { { .parts = &bytes, .nparts = 1 } };
	struct deliver_gone box = { .account = e->row.account,
		.folder = e->row.box_folder,
		.uid = e->row.box_uid,
		.row = e->row.id,
		.body = e->row.body };
	struct fate fate = { .account = e->row.account,
		.folder = e->row.sent_folder,
		.uid = e->row.sent_uid };
	struct deliver d = { .msgs = msgs,
		.gone = box.folder != 0 ? &box : NULL,
		.changes = &gone,
		.nchanges = 1,
		.fate = &fate };
	struct dispatch p;
	struct dsn dsn;
	char id[24];
	int rc;

	dispatch_make(&p, &in);
	msgs[0].targets = p.targets;
	msgs[0].ntargets = p.ntargets;
	msgs[0].queue = p.queue;
	msgs[0].nqueue = p.nqueue;
	fate.rows = (int64_t)p.nqueue - 1;
	fate.bounced = settle(e, env);
	inherit(&p, &e->row);
	e->original = bytes;
	rc = dsn_make(&dsn, e, srv, false);
	msgs[1] = dsn.msg;
	d.nmsgs = dsn.has_msg ? 2 : 1;
	if (rc == 0)
		rc = deliver(srv->store, &d, NULL);
	*again_out = rc != 0 && leave_out(e, env, &p, &d, rc);
	queue_id_text(e->row.id, id);
	if (rc == 0)
		dispatch_log(&p, srv, id);
	if (rc == 0 && dsn.has_msg)
		dsn_log(&dsn, id);
	dsn_fini(&dsn);
	dispatch_fini(&p);
	return rc;
}

/* 0: it may send; ERR_DENIED: not now. */
static int
may_send(struct server *srv, struct errand *e)
{
	struct account ac;
	struct package pack;
	int rc = account_get_id(srv->store, e->row.account, &e->arena, &ac);

	if (rc == 0)
		rc = package_get(srv->store, ac.package, &e->arena, &pack);
	if (rc != 0)
		return rc == ERR_NOTFOUND ? ERR_DENIED : rc;
	return ac.suspended || pack.suspended ? ERR_DENIED : 0;
}

/* Held when nobody stands for it any more; else tried again soon. */
static int
wait_on(struct server *srv, struct errand *e, int why)
{
	struct queue_row row = e->row;
	struct queue_change ch = { .id = row.id, .row = &row };
	char id[24];

	queue_id_text(row.id, id);
	log_mail(id, "release", "failed=%s", err_name(why));
	for (size_t i = 0; i < row.nrcpts; i++)
		if (e->out[i] != OUT_NONE)
			row.rcpts[i].state = RCPT_PENDING;
	if (why == ERR_DENIED)
		row.state = QUEUE_HELD;
	else
		row.next_at = clock_wall_sec() + AGAIN_SEC;
	return queue_change(srv->store, &ch, 1);
}

static int
send_all(struct server *srv, struct errand *e)
{
	struct envelope env = { 0 };
	struct buf bytes;
	bool again = true;
	int rc;

	buf_init(&bytes, (size_t)e->row.size + 1);
	rc = queue_read(srv->store, &e->row, 0, (size_t)e->row.size, &bytes);
	if (rc == 0)
		rc = make_envelope(srv, e, &env);
	while (rc == 0 && again) {
		rc = send_once(srv, e, &env, buf_slice(&bytes), &again);
		rc = again ? 0 : rc;
	}
	free(env.rcpts);
	buf_fini(&bytes);
	return rc;
}

int
release_row(struct server *srv, struct errand *e)
{
	char id[24];
	int rc = may_send(srv, e);

	if (rc == 0)
		rc = send_all(srv, e);
	queue_id_text(e->row.id, id);
	if (rc == 0)
		log_mail(id, "release", "from=%s rcpts=%zu",
		    log_q(e->row.sender), e->row.nrcpts);
	else if (rc == ERR_CONFLICT) /* called back this very moment */
		rc = waiting_cancel(srv, e);
	else if (rc != ERR_NOTFOUND)
		rc = wait_on(srv, e, rc);
	return rc;
}
