#include "submitd/errand.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/crypt/crypt.h"
#include "storage/deliver.h"
#include "submitd/dsn.h"

bool
errand_wants(const struct errand *e, size_t rcpt)
{
	return e->row.rcpts[rcpt].state == RCPT_PENDING &&
	       e->out[rcpt] == OUT_NONE;
}

int
errand_load(
    struct runner *r, struct store *s, uint64_t id, struct errand **e_out)
{
	struct errand *e = xcalloc(1, sizeof(*e));
	size_t first = 0;
	struct slice addr;
	int rc = queue_get(s, id, &e->arena, &e->row);

	e->runner = r;
	while (rc == 0 && first < e->row.nrcpts &&
	       e->row.rcpts[first].state != RCPT_PENDING)
		first++;
	if (rc != 0 || first == e->row.nrcpts) {
		errand_free(&e);
		return rc != 0 ? rc : ERR_NOTFOUND;
	}
	e->out = arena_alloc(&e->arena, e->row.nrcpts * sizeof(*e->out));
	addr = e->row.rcpts[first].addr;
	(void)slice_copy(slice_from(addr, slice_rchr(addr, '@') + 1), e->domain,
	    sizeof(e->domain));
	*e_out = e;
	return 0;
}

void
errand_free(struct errand **e)
{
	if (*e == NULL)
		return;
	arena_clear(&(*e)->arena);
	free(*e);
	*e = NULL;
}

void
errand_set(struct errand *e, size_t rcpt, enum outcome out, const char *remote,
    const char *reply)
{
	static const char *const words[] = { "none", "sent", "deferred",
		"failed" };
	struct queue_rcpt *r = &e->row.rcpts[rcpt];
	char id[24];

	e->out[rcpt] = out;
	r->tried_at = clock_wall_sec();
	r->remote = slice_str(arena_str(&e->arena, slice_str(remote)));
	r->reply = slice_str(arena_str(
	    &e->arena, slice_sub(slice_str(reply), 0, QUEUE_REPLY_MAX - 1)));
	queue_id_text(e->row.id, id);
	log_info(id, "relay",
	    "to=%s result=%s remote=\"%s\" delay=%" PRId64
	    " attempt=%u reply=%s",
	    log_q(r->addr), words[out], remote, r->tried_at - e->row.created_at,
	    e->row.attempts + 1, log_q(slice_str(reply)));
}

void
errand_set_all(
    struct errand *e, enum outcome out, const char *remote, const char *reply)
{
	for (size_t i = 0; i < e->row.nrcpts; i++)
		if (errand_wants(e, i))
			errand_set(e, i, out, remote, reply);
}

bool
errand_settled(const struct errand *e)
{
	for (size_t i = 0; i < e->row.nrcpts; i++)
		if (errand_wants(e, i))
			return false;
	return true;
}

uint64_t
errand_backoff_ms(
    uint64_t first_ms, uint64_t max_ms, uint32_t attempts, uint32_t random)
{
	uint64_t wait = first_ms;

	while (attempts-- > 1 && wait < max_ms)
		wait *= 2;
	if (wait > max_ms)
		wait = max_ms;
	return wait - wait / 5 + (wait / 5 * 2 + 1) * (random % 1024) / 1024;
}

/* Moves outcomes into the row's states; true while somebody is still to be
 * served.  Past its time a row's temporary failures are final (RFC 5321
 * 4.5.4.1). */
static bool
settle(struct errand *e, int64_t now)
{
	bool open = false;

	for (size_t i = 0; i < e->row.nrcpts; i++) {
		struct queue_rcpt *r = &e->row.rcpts[i];

		if (r->state != RCPT_PENDING)
			continue;
		if (e->out[i] == OUT_SENT)
			r->state = RCPT_DELIVERED;
		else if (e->out[i] == OUT_PERM || now >= e->row.expire_at)
			r->state = RCPT_FAILED;
		else
			open = true;
		if (r->state == RCPT_FAILED && e->out[i] != OUT_PERM)
			e->out[i] = OUT_PERM;
	}
	return open;
}

static void
plan_next(struct errand *e, const struct conf *conf, int64_t now)
{
	uint32_t random;
	uint64_t ms;

	crypt_random(&random, sizeof(random));
	e->row.attempts++;
	e->row.state = QUEUE_DEFERRED;
	ms = errand_backoff_ms(conf->queue_retry_first, conf->queue_retry_max,
	    e->row.attempts, random);
	e->row.next_at = now + (int64_t)((ms + 999) / 1000);
	if (e->row.next_at > e->row.expire_at)
		e->row.next_at =
		    e->row.expire_at > now ? e->row.expire_at : now + 1;
}

static bool
delay_due(const struct errand *e, const struct conf *conf, int64_t now)
{
	return !(e->row.flags & QUEUE_DELAY_TOLD) &&
	       now - e->row.created_at >=
		   (int64_t)(conf->queue_delay_notice / 1000);
}

static void
commit_work(struct sjob *j)
{
	struct errand *e = PH_CONTAINER(j, struct errand, job);
	const struct conf *conf = j->srv->conf;
	int64_t now = clock_wall_sec();
	bool open = settle(e, now), late = open && delay_due(e, conf, now);
	struct queue_change change = { .id = e->row.id };
	struct dsn dsn;
	struct deliver d = { .changes = &change, .nchanges = 1 };

	if (open) {
		plan_next(e, conf, now);
		change.row = &e->row;
	}
	if (late)
		e->row.flags |= QUEUE_DELAY_TOLD;
	dsn_make(&dsn, e, j->srv, late);
	if (dsn.has_msg) {
		d.msgs = &dsn.msg;
		d.nmsgs = 1;
	}
	e->rc = deliver(j->srv->store, &d, NULL);
	dsn_fini(&dsn);
	if (e->rc == 0)
		j->durable = true;
}

static void
commit_done(struct sjob *j)
{
	struct errand *e = PH_CONTAINER(j, struct errand, job);
	char id[24];

	if (e->rc == 0)
		e->rc = j->rc;
	if (e->rc != 0) {
		/* The row is as it was, and due: what was sent may go again,
		 * which is why this is loud. */
		queue_id_text(e->row.id, id);
		log_error(id, "queue", "commit=%s", err_name(e->rc));
	}
	e->committed(e);
}

void
errand_commit(struct errand *e, struct server_loop *sl,
    void (*committed)(struct errand *e))
{
	e->committed = committed;
	e->job.work = commit_work;
	e->job.done = commit_done;
	sjob_submit(sl, &e->job);
}
