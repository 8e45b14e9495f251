#include "submitd/errand.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/crypt/crypt.h"
#include "storage/deliver.h"
#include "storage/fate.h"
#include "submitd/dsn.h"
#include "submitd/waiting.h"

bool
errand_wants(const struct errand *e, size_t rcpt)
{
	return e->row.rcpts[rcpt].state == RCPT_PENDING &&
	       e->out[rcpt] == OUT_NONE;
}

/* A row whose recipients are all served is done for. */
static int
remove_row(struct store *s, uint64_t id)
{
	struct queue_change change = { .id = id };
	int rc = queue_change(s, &change, 1);

	return rc != 0 ? rc : ERR_NOTFOUND;
}

/* Most mails are small: then sending takes no job of its own.  A failure shows
 * when it is read again. */
static void
load_body(struct errand *e, struct store *s)
{
	struct buf b;

	if (e->row.size == 0 || e->row.size > ERRAND_BODY_MAX)
		return;
	buf_init(&b, ERRAND_BODY_MAX);
	if (queue_read(s, &e->row, 0, (size_t)e->row.size, &b) == 0 &&
	    buf_len(&b) == e->row.size)
		e->body = arena_copy(&e->arena, buf_slice(&b));
	buf_fini(&b);
}

/* Where it goes: to the domain of its first recipient still open. */
static void
aim(struct errand *e, size_t first)
{
	struct slice addr = e->row.rcpts[first].addr;

	e->out = arena_alloc(&e->arena, e->row.nrcpts * sizeof(*e->out));
	(void)slice_copy(slice_from(addr, slice_rchr(addr, '@') + 1), e->domain,
	    sizeof(e->domain));
}

static void
copy_body(struct errand *e, const struct slice *parts, size_t nparts)
{
	char *to;

	if (e->row.size == 0 || e->row.size > ERRAND_BODY_MAX)
		return;
	to = arena_alloc(&e->arena, (size_t)e->row.size);
	e->body = slice_of(to, (size_t)e->row.size);
	for (size_t i = 0; i < nparts; to += parts[i++].n)
		if (parts[i].n != 0)
			memcpy(to, parts[i].p, parts[i].n);
}

struct errand *
errand_new(
    const struct queue_row *row, const struct slice *parts, size_t nparts)
{
	struct errand *e = xcalloc(1, sizeof(*e));
	struct arena *a = &e->arena;
	struct queue_row *r = &e->row;

	*r = *row;
	r->sender = arena_copy(a, row->sender);
	r->envid = arena_copy(a, row->envid);
	r->msgid = arena_copy(a, row->msgid);
	r->rcpts = arena_alloc(a, r->nrcpts * sizeof(*r->rcpts));
	for (size_t i = 0; i < r->nrcpts; i++) {
		r->rcpts[i] = row->rcpts[i];
		r->rcpts[i].addr = arena_copy(a, row->rcpts[i].addr);
		r->rcpts[i].orcpt = arena_copy(a, row->rcpts[i].orcpt);
	}
	aim(e, 0);
	copy_body(e, parts, nparts);
	return e;
}

int
errand_load(
    struct runner *r, struct store *s, uint64_t id, struct errand **e_out)
{
	struct errand *e = xcalloc(1, sizeof(*e));
	size_t first = 0;
	int rc = queue_get(s, id, &e->arena, &e->row);

	e->runner = r;
	while (rc == 0 && first < e->row.nrcpts &&
	       e->row.rcpts[first].state != RCPT_PENDING)
		first++;
	if (rc == 0 && first == e->row.nrcpts)
		rc = remove_row(s, id);
	if (rc == 0 && e->row.state == QUEUE_HELD)
		rc = ERR_NOTFOUND; /* since it was found due */
	if (rc != 0) {
		errand_free(&e);
		return rc;
	}
	aim(e, first);
	load_body(e, s);
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

/* What another server said, fit for a report: UTF-8 or ASCII. */
static struct slice
clean_reply(struct arena *a, const char *reply)
{
	struct slice s = slice_sub(slice_str(reply), 0, QUEUE_REPLY_MAX - 1);
	char *copy = arena_str(a, s);

	if (!utf8_valid(s))
		for (size_t i = 0; i < s.n; i++)
			if ((unsigned char)copy[i] >= 0x80)
				copy[i] = '?';
	return slice_of(copy, s.n);
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
	r->reply = clean_reply(&e->arena, reply);
	queue_id_text(e->row.id, id);
	log_mail(id, "relay",
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

	/* Once, however often the outcome has to be written. */
	if (e->planned)
		return;
	e->planned = true;
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

/* The outcomes alone; what should have been reported stays open, to be tried
 * and reported later.  Doing nothing would send again what was sent. */
static int
postpone(struct errand *e, struct store *s, const struct conf *conf)
{
	struct queue_change change = {
		.id = e->row.id, .row = &e->row, .at_work = true
	};

	for (size_t i = 0; i < e->row.nrcpts; i++)
		if (e->row.rcpts[i].state == RCPT_FAILED &&
		    e->out[i] == OUT_PERM)
			e->row.rcpts[i].state = RCPT_PENDING;
	plan_next(e, conf, clock_wall_sec());
	return queue_settle(s, &change, 1);
}

/* What the copy in Sent is to show of this round. */
static struct fate
fate_of(const struct errand *e, bool open, bool called_back)
{
	struct fate f = { .account = e->row.account,
		.folder = e->row.sent_folder,
		.uid = e->row.sent_uid,
		.rows = open ? 0 : -1,
		.deferred = open,
		.cancelled = called_back };

	for (size_t i = 0; i < e->row.nrcpts; i++)
		f.bounced |= e->row.rcpts[i].state == RCPT_FAILED;
	return f;
}

/* The change, its report and its traces together. */
static int
write_once(struct errand *e, struct server *srv, struct dsn *dsn,
    const struct queue_change *ch, struct waiting_step *st)
{
	struct fate fate = fate_of(e, ch->row != NULL, st->called_back);
	struct deliver_msg msgs[2];
	struct deliver d = { .msgs = msgs,
		.gone = st->has_gone ? &st->gone : NULL,
		.box = st->has_box ? &st->box : NULL,
		.changes = ch,
		.nchanges = 1,
		.fate = &fate };

	if (st->has_msg)
		msgs[d.nmsgs++] = st->msg;
	if (dsn->has_msg)
		msgs[d.nmsgs++] = dsn->msg;
	return deliver(srv->store, &d, NULL);
}

/* Without the entry in Outbox when that is what fails. */
static int
write_reported(struct errand *e, struct server *srv, struct dsn *dsn,
    const struct queue_change *ch, struct waiting_step *st)
{
	char id[24];
	int rc = write_once(e, srv, dsn, ch, st);

	queue_id_text(e->row.id, id);
	if (rc != 0 && st->has_box) {
		log_info(id, "outbox", "failed=%s", err_name(rc));
		st->has_msg = st->has_box = false;
		e->row.box_folder = 0;
		rc = write_once(e, srv, dsn, ch, st);
	}
	if (rc == 0 && dsn->has_msg)
		dsn_log(dsn, id);
	return rc;
}

void
errand_log_state(const struct errand *e)
{
	size_t n[RCPT_DROPPED + 1] = { 0 };
	char id[24];

	queue_id_text(e->row.id, id);
	for (size_t i = 0; i < e->row.nrcpts; i++)
		n[e->row.rcpts[i].state]++;
	if (e->gone)
		log_trail(id, "final", "delivered=%zu failed=%zu",
		    n[RCPT_DELIVERED], n[RCPT_FAILED]);
	else
		log_trail(id, "deferred",
		    "attempts=%u next-in=%" PRId64 " waiting=%zu",
		    e->row.attempts, e->row.next_at - clock_wall_sec(),
		    n[RCPT_PENDING]);
}

bool
errand_write(struct errand *e, struct server *srv, struct queue_change *ch)
{
	const struct conf *conf = srv->conf;
	int64_t now = clock_wall_sec();
	bool open = settle(e, now), late;
	struct waiting_step st;
	struct dsn dsn;

	waiting_step(&st, srv, e, open);
	open = open && !st.called_back;
	late = open && delay_due(e, conf, now);
	*ch = (struct queue_change){ .id = e->row.id, .at_work = true };
	if (open) {
		plan_next(e, conf, now);
		ch->row = &e->row;
	}
	e->gone = !open;
	e->rc = dsn_make(&dsn, e, srv, late);
	if (e->rc == 0 && late)
		e->row.flags |= QUEUE_DELAY_TOLD;
	if (e->rc == 0 && !dsn.has_msg && e->row.sent_folder == 0 &&
	    !st.has_box && !st.has_gone) {
		dsn_fini(&dsn);
		return true;
	}
	if (e->rc == 0)
		e->rc = write_reported(e, srv, &dsn, ch, &st);
	dsn_fini(&dsn);
	if (e->rc == 0 || e->rc == ERR_NOTFOUND)
		return false;
	log_error(NULL, "report", "row=%" PRIx64 " failed=%s", e->row.id,
	    err_name(e->rc));
	if (late)
		e->row.flags &= ~(unsigned)QUEUE_DELAY_TOLD;
	e->gone = false;
	e->rc = postpone(e, srv->store, conf);
	return false;
}
