#include "imapd/cmd.h"

#include <stdlib.h>

#include "imapd/fetch.h"
#include "imapd/qresync.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum {
	SLICE_US = 30000, /* of one job, before others have a turn */
	LOOK_EVERY = 32,  /* messages between looks at the clock */
	/* What the view knows by itself. */
	VIEW_ITEMS = FI_FLAGS | FI_UID | FI_MODSEQ,
	INFO_ITEMS = FI_INTERNALDATE | FI_SIZE | FI_SAVEDATE | FI_EMAILID
};

void
fetch_sep(struct fetch_run *r)
{
	if (!r->first)
		buf_add_char(&r->c->out, ' ');
	r->first = false;
}

void
fetch_trouble(struct fetch_run *r, int kind)
{
	struct resp_fail say = resp_fail(kind);

	log_error(r->c->id, "message", "account=%s folder=%llu uid=%u error=%s",
	    r->c->who.name, (unsigned long long)r->folder, r->m.uid,
	    err_name(kind));
	r->no_code = say.code;
	r->no_text = "some messages cannot be read";
}

void
fetch_free(struct fetch_run **rp)
{
	struct fetch_run *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	msg_iter_close(&r->it);
	arena_clear(&r->scratch);
	buf_fini(&r->picked);
	free(r->seen);
	free(r);
}

static void
end(struct client *c)
{
	struct fetch_run *r = c->cmd.run;

	fetch_free(&r);
}

/* ---- at the start ---- */

/* RFC 9051 6.4.5: sections without PEEK set \Seen; here for all of them in
 * one go, before the first is shown. */
static int
mark_seen(struct fetch_run *r)
{
	struct client *c = r->c;
	struct view *v = c->sel->view;
	struct uid_list l = msgset_list(c, &r->seqs);
	struct msg_change ch = { .op = MSG_OP_ADD,
		.flags = MSG_SEEN,
		.unchanged_since = UINT64_MAX };
	struct view_msg m;
	int rc = 0;

	ch.uids = l.v;
	for (size_t i = 0; i < l.n; i++) {
		view_get(v, view_seq(v, l.v[i]), &m);
		if (!(m.flags & MSG_SEEN))
			l.v[ch.n++] = l.v[i];
	}
	if (ch.n != 0)
		rc = msg_store_flags(
		    client_store(c), view_account(v), view_folder(v), &ch);
	if (rc == 0)
		view_seen_changes(v, ch.changed, ch.modseqs, ch.nchanged);
	if (rc == 0 && ch.nchanged != 0) {
		c->job.durable = true;
		r->seen = ch.changed;
		r->nseen = ch.nchanged;
		ch.changed = NULL;
		rc = sync_take(c, false);
	}
	msg_change_fini(&ch);
	free(l.v);
	return rc;
}

/* RFC 7162 3.2.6: VANISHED goes with UID FETCH and CHANGEDSINCE. */
static int
tell_vanished(struct fetch_run *r)
{
	struct client *c = r->c;
	struct ranges uids = seqset_resolve(
	    &r->a->set, &c->arena, view_uidnext(c->sel->view) - 1);

	return qresync_vanished(c, r->a->since, &uids);
}

static unsigned
want_of(const struct args_fetch *a)
{
	return a->sections != NULL ||
		       a->items & ~(unsigned)(VIEW_ITEMS | INFO_ITEMS)
		   ? MSG_WANT_META
		   : MSG_WANT_INFO;
}

struct fetch_run *
fetch_new(struct client *c, const struct args_fetch *a, struct ranges seqs)
{
	struct fetch_run *r = xcalloc(1, sizeof(*r));

	r->c = c;
	r->folder = view_folder(c->sel->view);
	r->a = a;
	r->seqs = seqs;
	buf_init(&r->picked, FETCH_FIELDS_MAX);
	r->want = want_of(a);
	r->need_index =
	    r->want == MSG_WANT_META || a->items & ~(unsigned)VIEW_ITEMS;
	return r;
}

static enum step
begin(struct client *c, const struct args_fetch *a)
{
	struct fetch_run *r;
	struct ranges seqs;
	int rc = 0;

	if (a->vanished &&
	    (!c->cmd.uid || !a->has_since || !(c->enabled & EN_QRESYNC)))
		return cmd_bad(c, "VANISHED needs QRESYNC, UID FETCH and "
				  "CHANGEDSINCE");
	if (a->partial.text.p != NULL && !c->cmd.uid) /* RFC 9394 3.3 */
		return cmd_bad(c, "PARTIAL needs UID FETCH");
	if (!msgset_seqs(c, &a->set, c->cmd.uid, &seqs))
		return cmd_bad(c, "no such message");
	if (a->partial.text.p != NULL)
		seqs = partial_ranges(&a->partial, &seqs, &c->arena);
	if (a->has_since || a->items & FI_MODSEQ)
		sync_condstore(c);
	r = c->cmd.run = fetch_new(c, a, seqs);
	c->cmd.end = end;
	if (a->sets_seen && !c->sel->read_only &&
	    c->sel->rights & RIGHT_SEEN) /* RFC 4314 4 */
		rc = mark_seen(r);
	if (rc == 0 && a->vanished)
		rc = tell_vanished(r);
	return rc == 0 ? STEP_AGAIN : cmd_fail(c, rc, NULL);
}

/* ---- the batch ---- */

/* Takes the next messages of the set; false: there are none. */
static bool
fill_batch(struct fetch_run *r)
{
	struct view *v = r->c->sel->view;
	struct view_cur ahead = { 0 };
	const struct view_msg *m;

	r->n = r->at = 0;
	while (r->n < FETCH_BATCH && r->last < UINT32_MAX &&
	       ranges_next(&r->seqs, r->last + 1, &r->last)) {
		m = view_at(v, &ahead, r->last);
		if (r->a->has_since && m->modseq <= r->a->since)
			continue;
		r->msg[r->n] = *m;
		r->seq[r->n] = r->last;
		r->uid[r->n++] = m->uid;
	}
	return r->n != 0;
}

static int
next_batch(struct fetch_run *r)
{
	struct client *c = r->c;

	r->ahead = false;
	if (!fill_batch(r))
		return ERR_NOTFOUND;
	if (!r->need_index)
		return 0;
	if (r->it != NULL) {
		msg_iter_again(r->it, r->uid, r->n);
		return 0;
	}
	return msg_iter_open(client_store(c), view_account(c->sel->view),
	    view_folder(c->sel->view), r->uid, r->n, 0, r->want, &r->it);
}

/* The index's record of the message at r->at.  ERR_NOTFOUND: expunged by
 * somebody, and the peer has not been told yet. */
static int
find_meta(struct fetch_run *r)
{
	int rc;

	if (!r->need_index)
		return 0;
	if (!r->ahead) {
		if ((rc = msg_iter_next(r->it, &r->meta)) != 0) {
			r->meta.uid = UINT32_MAX;
			if (rc != ERR_NOTFOUND)
				return rc;
		}
		r->ahead = true;
	}
	if (r->meta.uid != r->uid[r->at])
		return ERR_NOTFOUND;
	r->ahead = false;
	return 0;
}

/* ---- one message ---- */

static void
open_message(struct fetch_run *r)
{
	r->at_seq = r->seq[r->at];
	r->m = r->msg[r->at];
	sync_keywords(r->c, r->m.keywords);
	sync_fetch_head(r->c, r->at_seq, r->m.uid);
	r->open = r->first = true;
	r->section = r->a->sections;
	fetch_items(r);
}

static void
close_message(struct fetch_run *r)
{
	buf_add(&r->c->out, ")\r\n", 3);
	r->open = false;
	r->root = NULL;
	r->whole = (struct slice){ NULL, 0 };
	arena_clear(&r->scratch);
	r->c->said++;
	r->at++;
}

/* Goes on with the message that is open; true when it is complete. */
static bool
write_sections(struct fetch_run *r)
{
	while (r->section != NULL) {
		if (!fetch_section(r))
			return false;
		r->section = r->section->next;
	}
	return true;
}

/* RFC 2180 4.1.3, RFC 5530 3: numbers that nobody has any more. */
static void
skip_message(struct fetch_run *r, int rc)
{
	if (rc != ERR_NOTFOUND) {
		r->m.uid = r->uid[r->at];
		fetch_trouble(r, rc);
	} else if (!r->c->cmd.uid && r->no_text == NULL) {
		r->no_code = "EXPUNGEISSUED";
		r->no_text = "some messages have been expunged";
	}
	r->at++;
}

/* One step; false when all is done. */
static bool
advance(struct fetch_run *r)
{
	int rc;

	if (r->open) {
		if (write_sections(r))
			close_message(r);
		return true;
	}
	if (r->at == r->n) {
		rc = next_batch(r);
		if (rc != 0 && rc != ERR_NOTFOUND)
			fetch_trouble(r, rc);
		return rc == 0;
	}
	if ((rc = find_meta(r)) != 0)
		skip_message(r, rc);
	else
		open_message(r);
	return true;
}

/* Nothing else is needed for each but the view: the short way. */
static void
write_plain(struct fetch_run *r)
{
	while (r->at < r->n && !sync_full(r->c)) {
		open_message(r);
		close_message(r);
	}
}

bool
fetch_go(struct fetch_run *r)
{
	uint64_t until = clock_steady_us() + SLICE_US;
	unsigned rounds = 0;

	while (!sync_full(r->c) && r->c->bye_text == NULL) {
		/* One that the output's end cut is finished first. */
		if (!r->need_index && !r->open)
			write_plain(r);
		if (!advance(r))
			return true;
		if (++rounds % LOOK_EVERY == 0 && clock_steady_us() > until)
			break;
	}
	return false;
}

enum step
cmd_fetch(struct client *c)
{
	struct fetch_run *r = c->cmd.run;

	if (r == NULL) {
		if (begin(c, c->cmd.args) == STEP_DONE)
			return STEP_DONE;
		r = c->cmd.run;
	}
	if (!fetch_go(r))
		return STEP_AGAIN;
	return r->no_text != NULL ? cmd_no(c, r->no_code, r->no_text)
				  : cmd_ok(c, "fetched");
}

/* Flags of some messages, and their keywords' names are known. */
bool
cmd_fetch_at_once(struct client *c)
{
	const struct args_fetch *a = c->cmd.args;
	struct view_cur ahead = { 0 };
	struct ranges seqs;
	uint32_t last = 0;

	if (a->sections != NULL || a->vanished ||
	    a->items & ~(unsigned)VIEW_ITEMS ||
	    !msgset_seqs(c, &a->set, c->cmd.uid, &seqs) ||
	    ranges_count(&seqs) > FETCH_BATCH)
		return false;
	while (ranges_next(&seqs, last + 1, &last))
		if (view_at(c->sel->view, &ahead, last)->keywords &
		    ~c->sel->known)
			return false;
	return true;
}
