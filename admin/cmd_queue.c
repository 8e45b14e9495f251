#include "admin/cmds.h"

#include <stdlib.h>
#include <string.h>

#include "admin/opt.h"
#include "lib/base/board.h"
#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "storage/outbox.h"
#include "storage/queue.h"

enum { PAGE = 100 };

static const char *const state_names[] = { [QUEUE_QUEUED] = "queued",
	[QUEUE_DEFERRED] = "deferred",
	[QUEUE_HELD] = "held",
	[QUEUE_SCHEDULED] = "scheduled" };
static const char *const rcpt_names[] = { [RCPT_PENDING] = "pending",
	[RCPT_DELIVERED] = "delivered",
	[RCPT_FAILED] = "failed",
	[RCPT_DROPPED] = "dropped" };

static const struct out_col list_cols[] = {
	{ "id", "ID", OUT_TEXT },
	{ "state", "STATE", OUT_TEXT },
	{ "size", "SIZE", OUT_BYTES },
	{ "attempts", "TRIES", OUT_NUM },
	{ "age", "AGE", OUT_SPAN },
	{ "created_at", NULL, OUT_TIME },
	{ "next_at", "NEXT", OUT_TIME },
	{ "expire_at", "EXPIRES", OUT_TIME },
	{ "sender", "FROM", OUT_TEXT },
	{ "recipients", "TO", OUT_LIST },
	{ "last_reply", "LAST REPLY", OUT_TEXT },
	{ "message_id", NULL, OUT_TEXT },
};

static const struct out_col rcpt_cols[] = {
	{ "address", "TO", OUT_TEXT },
	{ "state", "STATE", OUT_TEXT },
	{ "tried_at", "TRIED", OUT_TIME },
	{ "remote", "REMOTE", OUT_TEXT },
	{ "reply", "REPLY", OUT_TEXT },
};

enum { VERB_DROP = QUEUE_RELEASE + 1 };

static const char *const verb_done[] = { [QUEUE_RETRY] = "due now",
	[QUEUE_HOLD] = "held",
	[QUEUE_RELEASE] = "released",
	[VERB_DROP] = "dropped" };

static bool
is_at(struct slice addr, struct slice domain)
{
	return slice_ieq(slice_from(addr, slice_rchr(addr, '@') + 1), domain);
}

/* Which rows are meant: those that all of these fit; p == NULL fits all. */
struct pick {
	struct slice sender, recipient, domain;
};

/* How many criteria there are. */
static int
read_pick(struct cmd *c, struct pick *p, size_t *n_out)
{
	const char *sender = args_get(&c->args, "sender");
	const char *rcpt = args_get(&c->args, "recipient");

	*p = (struct pick){ 0 };
	if (sender != NULL)
		p->sender = slice_str(strcmp(sender, "<>") == 0 ? "" : sender);
	if (rcpt != NULL)
		p->recipient = slice_str(rcpt);
	*n_out =
	    (sender != NULL) + (rcpt != NULL) + args_has(&c->args, "domain");
	return opt_named(c, "domain", ident_fold_domain, &p->domain);
}

/* Does a recipient still waiting have this address and domain? */
static bool
goes_to(const struct queue_row *q, const struct pick *p)
{
	if (p->domain.p == NULL && p->recipient.p == NULL)
		return true;
	for (size_t i = 0; i < q->nrcpts; i++)
		if (q->rcpts[i].state == RCPT_PENDING &&
		    (p->domain.p == NULL ||
			is_at(q->rcpts[i].addr, p->domain)) &&
		    (p->recipient.p == NULL ||
			slice_ieq(q->rcpts[i].addr, p->recipient)))
			return true;
	return false;
}

static bool
fits(const struct queue_row *q, const struct pick *p)
{
	return (p->sender.p == NULL || slice_ieq(q->sender, p->sender)) &&
	       goes_to(q, p);
}

static void
note_active(const struct board_slot *s, void *arg)
{
	(void)map_put_u64(arg, s->number, arg);
}

/* The rows that submitd is at, by its board; none when it does not run. */
static void
read_active(struct cmd *c, struct map *active)
{
	map_init(active);
	(void)board_read(
	    arena_printf(&c->arena, "%s/sessions/relays", c->conf->run_dir),
	    note_active, active);
}

static json_t *
row_of(const struct queue_row *q, const struct map *active)
{
	bool at_work = map_get_u64(active, q->id) != NULL;
	json_t *to = json_array();
	struct slice reply = SLICE("");
	int64_t latest = 0, age = clock_wall_sec() - q->created_at;
	char id[24];

	queue_id_text(q->id, id);
	for (size_t i = 0; i < q->nrcpts; i++) {
		const struct queue_rcpt *r = &q->rcpts[i];

		if (r->state == RCPT_PENDING)
			(void)json_array_append_new(to, out_str(r->addr));
		if (r->tried_at >= latest && r->reply.n != 0) {
			latest = r->tried_at;
			reply = r->reply;
		}
	}
	return json_pack("{s:s,s:s,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
	    "id", id, "state", at_work ? "active" : state_names[q->state],
	    "size", (json_int_t)q->size, "attempts", (json_int_t)q->attempts,
	    "age", (json_int_t)(age > 0 ? age : 0), "created_at",
	    out_time(q->created_at), "next_at",
	    q->state == QUEUE_HELD ? json_null() : out_time(q->next_at),
	    "expire_at", out_time(q->expire_at), "sender", out_str(q->sender),
	    "recipients", to, "last_reply", out_str(reply), "message_id",
	    out_str(q->msgid));
}

/* Calls fn for every row of the queue, in pages. */
static int
each_row(struct cmd *c,
    int (*fn)(struct cmd *c, struct queue_row *q, void *arg), void *arg)
{
	struct queue_row *page = xcalloc(PAGE, sizeof(*page));
	struct arena a;
	uint64_t after = 0;
	size_t n = PAGE;
	int rc = 0;

	arena_init(&a);
	while (n == PAGE && rc == 0 &&
	       (rc = queue_list(c->store, after, &a, page, PAGE, &n)) == 0) {
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = fn(c, &page[i], arg);
		if (n != 0)
			after = page[n - 1].id;
		arena_clear(&a);
	}
	free(page);
	return rc;
}

struct listing {
	struct pick pick;
	struct map active;
};

static int
list_one(struct cmd *c, struct queue_row *q, void *arg)
{
	const struct listing *l = arg;

	if (fits(q, &l->pick))
		out_row(&c->out, row_of(q, &l->active));
	return 0;
}

int
cmd_queue_list(struct cmd *c)
{
	struct listing l;
	size_t n;
	int rc, status;

	if ((status = read_pick(c, &l.pick, &n)) != CMD_DONE)
		return status;
	read_active(c, &l.active);
	out_begin(&c->out, list_cols, PH_LEN(list_cols));
	rc = each_row(c, list_one, &l);
	out_end(&c->out);
	map_fini(&l.active, NULL);
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "queue list");
}

static int
find(struct cmd *c, const char *word, struct queue_row *q)
{
	uint64_t id;
	int rc = ERR_NOTFOUND;

	*q = (struct queue_row){ 0 };
	if (!queue_id_parse(slice_str(word), &id))
		rc = err_set(&c->err, ERR_INVALID,
		    "not an id of the queue; see `posthof queue list`");
	else if ((rc = queue_get(c->store, id, &c->arena, q)) == ERR_NOTFOUND)
		(void)err_set(&c->err, rc,
		    "not in the queue (any more); see `posthof queue list`");
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "%s", word);
}

static json_t *
rcpt_row(const struct queue_rcpt *r)
{
	return json_pack("{s:o,s:s,s:o,s:o,s:o}", "address", out_str(r->addr),
	    "state", rcpt_names[r->state], "tried_at", out_time(r->tried_at),
	    "remote", out_str(r->remote), "reply", out_str(r->reply));
}

int
cmd_queue_show(struct cmd *c)
{
	struct queue_row q;
	struct map active;
	json_t *row, *list;
	int status = find(c, c->args.words[0], &q);

	if (status != CMD_DONE)
		return status;
	read_active(c, &active);
	row = row_of(&q, &active);
	map_fini(&active, NULL);
	if (c->out.json) {
		list = json_array();
		for (size_t i = 0; i < q.nrcpts; i++)
			(void)json_array_append_new(
			    list, rcpt_row(&q.rcpts[i]));
		(void)json_object_set_new(row, "recipients", list);
		out_record(&c->out, NULL, 0, row);
		return CMD_DONE;
	}
	out_record(&c->out, list_cols, PH_LEN(list_cols), row);
	out_printf(&c->out, "\n");
	out_begin(&c->out, rcpt_cols, PH_LEN(rcpt_cols));
	for (size_t i = 0; i < q.nrcpts; i++)
		out_row(&c->out, rcpt_row(&q.rcpts[i]));
	out_end(&c->out);
	return CMD_DONE;
}

/* One run of a verb over some rows. */
struct work {
	int verb;
	struct pick pick;
	size_t done;
	enum queue_state state; /* of the last that was not as it should be */
};

/* Delivered meanwhile, or not in the state: nothing is done. */
static int
change_one(struct cmd *c, struct queue_row *q, void *arg)
{
	struct work *w = arg;
	int rc;

	if (!fits(q, &w->pick))
		return 0;
	if (w->verb == VERB_DROP)
		rc = outbox_cancel(c->store, q, false);
	else
		rc = queue_act(c->store, q->id, (enum queue_verb)w->verb,
		    clock_wall_sec(), &w->state);
	w->done += rc == 0;
	return rc == ERR_NOTFOUND || rc == ERR_INVALID ? 0 : rc;
}

static int
change_named(struct cmd *c, struct work *w)
{
	struct queue_row q;
	int rc, status = CMD_DONE;

	for (size_t i = 0; i < c->args.nwords; i++) {
		size_t before = w->done;

		if (find(c, c->args.words[i], &q) != CMD_DONE) {
			status = CMD_REFUSED;
			continue;
		}
		if ((rc = change_one(c, &q, w)) != 0) {
			status = cmd_refuse(c, rc, "%s", c->args.words[i]);
		} else if (w->done == before) {
			out_error(&c->out,
			    "posthof: %s is %s: %s does not apply\n",
			    c->args.words[i], state_names[w->state],
			    c->row->name);
			status = CMD_REFUSED;
		}
	}
	return status;
}

static int
run_verb(struct cmd *c, int verb)
{
	struct work w = { .verb = verb };
	size_t ways;
	int rc, status;

	if ((status = read_pick(c, &w.pick, &ways)) != CMD_DONE)
		return status;
	if (args_has(&c->args, "all") + (ways != 0) + (c->args.nwords != 0) !=
	    1) {
		out_error(&c->out,
		    "posthof: %s: which?  Name IDs, or --sender, --recipient "
		    "and --domain, or --all\n",
		    c->row->name);
		return CMD_USAGE;
	}
	if (c->args.nwords != 0)
		status = change_named(c, &w);
	else if ((rc = each_row(c, change_one, &w)) != 0)
		status = cmd_refuse(c, rc, "%s", c->row->name);
	if (w.done != 0 && cmd_sync(c) != CMD_DONE)
		return CMD_REFUSED;
	if (c->out.json)
		out_record(&c->out, NULL, 0,
		    json_pack("{s:I}", "changed", (json_int_t)w.done));
	else
		out_printf(&c->out, "%zu %s\n", w.done, verb_done[verb]);
	return status;
}

int
cmd_queue_retry(struct cmd *c)
{
	return run_verb(c, QUEUE_RETRY);
}

int
cmd_queue_hold(struct cmd *c)
{
	return run_verb(c, QUEUE_HOLD);
}

int
cmd_queue_release(struct cmd *c)
{
	return run_verb(c, QUEUE_RELEASE);
}

int
cmd_queue_drop(struct cmd *c)
{
	return run_verb(c, VERB_DROP);
}
