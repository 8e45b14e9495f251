#include "imapd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/append.h"
#include "imapd/catenate.h"
#include "imapd/mailbox.h"
#include "imapd/parse_append.h"
#include "imapd/seqset.h"
#include "imapd/watch.h"
#include "lib/base/mem.h"
#include "storage/sent_again.h"

/* What deliver() takes, one of each for a message. */
struct bundle {
	struct deliver d;
	struct deliver_msg *msgs;
	struct deliver_target *targets;
	struct slice *parts;
};

static void
fill(struct client *c, const struct args_append *a, struct slice all,
    const struct folder_info *to, struct bundle *b)
{
	bool words = (to->rights & RIGHT_WRITE) != 0;
	uint64_t from = 0;

	b->msgs = arena_alloc(&c->arena, a->n * sizeof(*b->msgs));
	b->targets = arena_alloc(&c->arena, a->n * sizeof(*b->targets));
	b->parts = arena_alloc(&c->arena, a->n * sizeof(*b->parts));
	for (size_t i = 0; i < a->n; i++) {
		const struct append_msg *m = &a->v[i];
		uint64_t end = c->append->ends[i];

		b->parts[i] = slice_sub(all, from, end - from);
		b->targets[i] = (struct deliver_target){
			.account = to->account,
			.folder = to->id,
			/* RFC 4314 4: those he may set */
			.flags = m->flags.flags & rights_flags(to->rights),
			.keywords = m->flags.keywords,
			.nkeywords = words ? m->flags.n : 0,
		};
		b->msgs[i] = (struct deliver_msg){
			.parts = &b->parts[i],
			.nparts = 1,
			/* 0 would be the time of day */
			.internal_date =
			    m->has_date && m->date == 0 ? 1 : m->date,
			.targets = &b->targets[i],
			.ntargets = 1,
		};
		from = end;
	}
	b->d = (struct deliver){ .msgs = b->msgs, .nmsgs = a->n };
}

static const uint32_t *
uids_of(struct client *c, const struct bundle *b)
{
	uint32_t *uids = arena_alloc(&c->arena, b->d.nmsgs * sizeof(*uids));

	for (size_t i = 0; i < b->d.nmsgs; i++)
		uids[i] = b->targets[i].uid;
	return uids;
}

/* RFC 4315 3: APPENDUID uidvalidity uid-set */
static const char *
uid_code(struct client *c, const struct bundle *b, const uint32_t *uids)
{
	const char *code;
	struct buf set;

	buf_init(&set, 1 << 20);
	seqset_write(&set, uids, b->d.nmsgs);
	code = arena_printf(&c->arena, "APPENDUID %" PRIu32 " %.*s",
	    b->targets[0].uidvalidity, (int)buf_len(&set), set.p);
	buf_fini(&set);
	return code;
}

struct append_run {
	struct catenate *cat;
	struct deliver_gone *goes; /* REPLACE; or NULL */
};

static void
end(struct client *c)
{
	struct append_run *r = c->cmd.run;

	catenate_free(&r->cat);
}

/* What is wrong with what came, before the store is asked. */
static const char *
unfit(const struct client *c, const struct args_append *a)
{
	const struct append_in *in = c->append;

	if ((in != NULL ? in->n : 0) != a->nliterals)
		return "the messages do not fit the command";
	if (in != NULL && in->has_nul) /* RFC 3516 4.3 */
		return "the message has NUL characters";
	return NULL;
}

/* Literals of one message lie side by side already. */
static void
join_literals(struct client *c, const struct args_append *a)
{
	struct append_in *in = c->append;
	size_t at = 0;

	for (size_t i = 0; i < a->n; i++) {
		at += a->v[i].nparts;
		in->ends[i] = in->ends[at - 1];
	}
	in->n = a->n;
}

static bool
has_empty(const struct append_in *in)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->ends[i] == (i != 0 ? in->ends[i - 1] : 0))
			return true;
	return false;
}

static enum step
deliver_all(
    struct client *c, const struct args_append *a, const struct folder_info *to)
{
	struct append_run *r = c->cmd.run;
	struct bundle b;
	struct slice all;
	struct err e = { 0 };
	const uint32_t *uids;
	int rc = spool_bytes(c->append->spool, &all);

	if (rc == 0) {
		fill(c, a, all, to, &b);
		b.d.gone = r->goes;
		rc = to->use == USE_SENT ? sent_again(client_store(c), &b.d, &e)
					 : deliver(client_store(c), &b.d, &e);
	}
	if (rc == ERR_NOTFOUND) /* gone since we looked */
		return cmd_no(c, "TRYCREATE", "no such folder");
	if (rc == ERR_CONFLICT && r->goes != NULL)
		return cmd_no(c, "EXPUNGEISSUED", "it has been expunged");
	if (rc != 0)
		return cmd_fail(c, rc, e.text);
	c->job.durable = true;
	uids = uids_of(c, &b);
	watch_own_messages(c, to->id, uids, b.d.nmsgs);
	if (r->goes == NULL)
		return cmd_ok_code(c, uid_code(c, &b, uids), "stored");
	/* RFC 8508 4.3: before the EXPUNGE. */
	resp_tagged(
	    &c->out, SLICE("*"), RESP_OK, uid_code(c, &b, uids), "it is there");
	c->cmd.tells_modseq = true;
	return cmd_ok(c, "replaced");
}

/* On to the folder, when the messages are whole. */
static enum step
put(struct client *c, const struct args_append *a)
{
	struct folder_info info;
	int rc;

	if (has_empty(c->append)) /* RFC 3502 6.3.11 */
		return cmd_no(c, "CANNOT", "an empty message");
	rc = mailbox_find(c, a->name, RIGHT_INSERT, &info);
	if (rc == ERR_NOTFOUND)
		return cmd_no(c, "TRYCREATE", "no such folder");
	if (rc != 0)
		return cmd_fail(c, rc, NULL);
	return deliver_all(c, a, &info);
}

static enum step
begin(struct client *c, const struct args_append *a)
{
	const char *why = unfit(c, a);
	int rc;

	c->cmd.run = arena_alloc(&c->arena, sizeof(struct append_run));
	c->cmd.end = end;
	if (why != NULL)
		return cmd_no(c, "CANNOT", why);
	if (c->append != NULL && (rc = spool_status(c->append->spool)) != 0)
		return cmd_fail(c, rc, NULL);
	return STEP_AGAIN;
}

static enum step
store(struct client *c, const struct args_append *a)
{
	struct append_run *r = c->cmd.run;
	bool failed;

	if (a->nurls == 0)
		join_literals(c, a);
	else if (catenate_step(c, a, &r->cat, &failed) == STEP_AGAIN)
		return STEP_AGAIN;
	else if (failed)
		return STEP_DONE;
	return put(c, a);
}

/* RFC 9051 6.3.12, RFC 3502, RFC 4469 */
enum step
cmd_append(struct client *c)
{
	const struct args_append *a = c->cmd.args;

	if (c->cmd.run == NULL && begin(c, a) == STEP_DONE)
		return STEP_DONE;
	return store(c, a);
}

/* RFC 8508 3.4: which message goes?  0: the command has its result. */
static uint32_t
find_goes(struct client *c, const struct args_append *a)
{
	const struct view *v = c->sel->view;
	uint32_t n = a->goes.n, count = view_count(v);
	struct view_msg m;

	if (c->cmd.uid && !a->goes.star) {
		if (view_seq(v, n) != 0)
			return n;
		(void)cmd_no(c, "EXPUNGEISSUED", "no such message");
		return 0;
	}
	if (a->goes.star)
		n = count;
	if (n == 0 || n > count) {
		(void)cmd_bad(c, "no such message");
		return 0;
	}
	view_get(v, n, &m);
	return m.uid;
}

/* RFC 8508: what comes and what goes are one transaction. */
enum step
cmd_replace(struct client *c)
{
	const struct args_append *a = c->cmd.args;
	struct append_run *r;
	struct deliver_gone *goes;
	uint32_t uid;

	if (c->cmd.run != NULL)
		return store(c, a);
	if (c->sel->read_only)
		return cmd_no(c, "READ-ONLY", "the folder is read-only");
	if (~c->sel->rights & (RIGHT_DELETE | RIGHT_EXPUNGE)) /* 4.1 */
		return cmd_no(c, "NOPERM", "you may not expunge here");
	if ((uid = find_goes(c, a)) == 0 || begin(c, a) == STEP_DONE)
		return STEP_DONE;
	r = c->cmd.run;
	goes = r->goes = arena_alloc(&c->arena, sizeof(*goes));
	goes->account = view_account(c->sel->view);
	goes->folder = view_folder(c->sel->view);
	goes->uid = uid;
	return store(c, a);
}
