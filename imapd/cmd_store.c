#include "imapd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/msgset.h"
#include "imapd/parse_args.h"
#include "storage/msg.h"

struct store_run {
	struct uid_list uids;
	size_t at;        /* next to be told */
	uint32_t *failed; /* RFC 7162 3.1.3: MODIFIED; rising */
	size_t nfailed, at_failed;
};

static void
end(struct client *c)
{
	struct store_run *r = c->cmd.run;

	free(r->uids.v);
	free(r->failed);
}

static int
change(struct client *c, const struct args_store *a, struct store_run *r)
{
	struct msg_change ch = {
		.uids = r->uids.v,
		.n = r->uids.n,
		.op = a->op,
		.flags = a->flags.flags & rights_flags(c->sel->rights),
		.keywords = a->flags.keywords,
		.nkeywords = c->sel->rights & RIGHT_WRITE ? a->flags.n : 0,
		.unchanged_since = a->unchanged_since,
		.fixed = MSG_SYSTEM_FLAGS & ~rights_flags(c->sel->rights),
		.fixed_keywords = !(c->sel->rights & RIGHT_WRITE),
	};
	int rc = msg_store_flags(client_store(c), view_account(c->sel->view),
	    view_folder(c->sel->view), &ch);

	if (rc == 0) {
		c->job.durable = ch.nchanged != 0;
		c->changed += ch.nchanged;
		/* We tell these ourselves, or not at all (.SILENT). */
		view_seen_changes(
		    c->sel->view, ch.changed, ch.modseqs, ch.nchanged);
		r->failed = ch.failed;
		r->nfailed = ch.nfailed;
		ch.failed = NULL;
		ch.nfailed = 0;
	}
	msg_change_fini(&ch);
	return rc;
}

/* Did the condition fail for this one? */
static bool
was_refused(struct store_run *r, uint32_t uid)
{
	while (r->at_failed < r->nfailed && r->failed[r->at_failed] < uid)
		r->at_failed++;
	return r->at_failed < r->nfailed && r->failed[r->at_failed] == uid;
}

/* Most often the one behind the last. */
static uint32_t
seq_of(struct view *v, struct view_cur *ahead, uint32_t last, uint32_t uid)
{
	if (last != 0 && last < view_count(v) &&
	    view_at(v, ahead, last + 1)->uid == uid)
		return last + 1;
	return view_seq(v, uid);
}

/* RFC 9051 6.4.6: the flags as they are now. */
static enum step
tell(struct client *c, const struct args_store *a, struct store_run *r)
{
	struct view *v = c->sel->view;
	bool modseq =
	    a->unchanged_since != UINT64_MAX || c->enabled & EN_CONDSTORE;
	struct view_cur ahead = { 0 };
	const struct view_msg *m;
	uint32_t seq = 0;

	for (; r->at < r->uids.n && !sync_full(c); r->at++) {
		seq = seq_of(v, &ahead, seq, r->uids.v[r->at]);
		if (seq == 0 || was_refused(r, r->uids.v[r->at]))
			continue;
		m = view_at(v, &ahead, seq);
		if (!a->silent)
			sync_fetch_line(c, seq, m, c->cmd.uid);
		else if (modseq) /* RFC 7162 3.1.3: in spite of .SILENT */
			sync_modseq_line(c, seq, m, c->cmd.uid);
	}
	return r->at < r->uids.n ? STEP_AGAIN : STEP_DONE;
}

/* "MODIFIED set", of UIDs or message numbers as the command was. */
static enum step
modified(struct client *c, const struct store_run *r)
{
	uint32_t *v = r->failed;
	const char *code;
	struct buf set;
	size_t n = 0;

	for (size_t i = 0; i < r->nfailed; i++) {
		uint32_t seq = view_seq(c->sel->view, r->failed[i]);

		if (c->cmd.uid)
			v[n++] = r->failed[i];
		else if (seq != 0)
			v[n++] = seq;
	}
	buf_init(&set, 8 << 20);
	seqset_write(&set, v, n);
	code = arena_printf(
	    &c->arena, "MODIFIED %.*s", (int)buf_len(&set), buf_slice(&set).p);
	buf_fini(&set);
	return cmd_ok_code(c, code, "some have changed meanwhile");
}

static enum step
go_on(struct client *c, const struct args_store *a, struct store_run *r)
{
	if (tell(c, a, r) == STEP_AGAIN)
		return STEP_AGAIN;
	return r->nfailed != 0 ? modified(c, r) : cmd_ok(c, "stored");
}

/* RFC 4314 4: may he change one of these flags? */
static bool
may_change(const struct client *c, const struct args_store *a)
{
	unsigned rights = c->sel->rights;

	if (rights & RIGHT_WRITE || a->flags.flags & rights_flags(rights))
		return true;
	/* None named: all go, as far as they are his to change. */
	return a->op == MSG_OP_SET && rights_flags(rights) != 0 &&
	       a->flags.flags == 0 && a->flags.n == 0;
}

/* Flags, then the view, then what is said of it. */
enum step
cmd_store(struct client *c)
{
	const struct args_store *a = c->cmd.args;
	struct store_run *r = c->cmd.run;
	struct ranges seqs;
	int rc;

	if (r != NULL)
		return go_on(c, a, r);
	if (c->sel->read_only)
		return cmd_no(c, "READ-ONLY", "the folder is read-only");
	if (!may_change(c, a))
		return cmd_fail(c, ERR_DENIED, NULL);
	if (!msgset_seqs(c, &a->set, c->cmd.uid, &seqs))
		return cmd_bad(c, "no such message");
	if (a->unchanged_since != UINT64_MAX)
		sync_condstore(c);
	r = c->cmd.run = arena_alloc(&c->arena, sizeof(*r));
	c->cmd.end = end;
	r->uids = msgset_list(c, &seqs);
	if (r->uids.n != 0 &&
	    ((rc = change(c, a, r)) != 0 || (rc = sync_take(c, false)) != 0))
		return cmd_fail(c, rc, NULL);
	return go_on(c, a, r);
}
