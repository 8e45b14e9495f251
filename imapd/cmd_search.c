#include "imapd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/search.h"
#include "imapd/seqset.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum {
	BATCH = 512,
	SLICE_US = 30000, /* of one job, before others have a turn */
	WRITE_AT_ONCE = 5000
};

struct search_run {
	struct search s;
	uint32_t count, last; /* messages there are; looked at */
	/* the batch */
	uint32_t first;                  /* its first message */
	uint32_t n;                      /* how many */
	bool yes[BATCH];                 /* by distance from first */
	uint32_t seq[BATCH], uid[BATCH]; /* those to be looked up */
	size_t nopen;
	struct msg_iter *it;
	size_t at; /* of nopen */
	/* the result, rising */
	uint32_t *found; /* numbers or UIDs as the command asks */
	size_t nfound, cap;
	uint64_t modseq; /* the highest of them */
	bool scanned, said_head;
	size_t said;
};

static void
end(struct client *c)
{
	struct search_run *r = c->cmd.run;

	msg_iter_close(&r->it);
	search_fini(&r->s);
	free(r->found);
	free(r);
}

/* ---- finding ---- */

static void
add_found(struct search_run *r, uint32_t seq)
{
	r->found = mem_grow(r->found, &r->cap, r->nfound, sizeof(*r->found));
	r->found[r->nfound++] = seq;
}

static void
end_batch(struct search_run *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (r->yes[i])
			add_found(r, r->first + i);
	msg_iter_close(&r->it);
	r->n = 0;
}

/* The next messages, as far as the view can tell. */
static int
begin_batch(struct client *c, struct search_run *r)
{
	struct view_msg m;

	r->first = r->last + 1;
	r->nopen = r->at = 0;
	for (r->n = 0; r->n < BATCH && r->last < r->count; r->n++) {
		enum search_says says = search_by_view(&r->s, ++r->last);

		r->yes[r->n] = says == SAYS_YES;
		if (says != SAYS_MAYBE)
			continue;
		view_get(c->sel->view, r->last, &m);
		r->seq[r->nopen] = r->last;
		r->uid[r->nopen++] = m.uid;
	}
	if (r->nopen == 0)
		return 0;
	return msg_iter_open(client_store(c), c->who.account,
	    view_folder(c->sel->view), r->uid, r->nopen, 0,
	    r->s.last >= BY_META ? MSG_WANT_META : MSG_WANT_INFO, &r->it);
}

/* One of those that the index is asked for; false: there are no more. */
static bool
look_up(struct search_run *r, int *rc)
{
	struct msg_meta m;

	*rc = r->it != NULL ? msg_iter_next(r->it, &m) : ERR_NOTFOUND;
	if (*rc != 0) {
		*rc = *rc == ERR_NOTFOUND ? 0 : *rc;
		return false;
	}
	while (r->at < r->nopen && r->uid[r->at] < m.uid)
		r->at++; /* expunged meanwhile */
	if (r->at < r->nopen && r->uid[r->at] == m.uid)
		r->yes[r->seq[r->at] - r->first] =
		    search_by_index(&r->s, r->seq[r->at], &m) == SAYS_YES;
	return true;
}

/* Looks on for a while; false when all has been looked at, or failed. */
static bool
scan(struct client *c, struct search_run *r, int *rc)
{
	uint64_t until = clock_steady_us() + SLICE_US;

	*rc = 0;
	while (clock_steady_us() < until) {
		if (r->n == 0 && r->last == r->count)
			return false;
		if (r->n == 0 && (*rc = begin_batch(c, r)) != 0)
			return false;
		/* Text is slow, the rest is not: the clock is asked for each
		 * message only then. */
		while (look_up(r, rc))
			if (r->s.hunt != NULL && clock_steady_us() > until)
				return true;
		if (*rc != 0)
			return false;
		end_batch(r);
	}
	return true;
}

/* ---- the result ---- */

static void
to_uids(struct client *c, struct search_run *r)
{
	struct view_msg m;

	for (size_t i = 0; i < r->nfound; i++) {
		view_get(c->sel->view, r->found[i], &m);
		r->found[i] = m.uid;
	}
}

/* Are results other than the first and the last wanted? */
static bool
wants_all(const struct args_search *a)
{
	return a->ret & (SR_ALL | SR_COUNT) || !(a->ret & (SR_MIN | SR_MAX));
}

/* Is this one of those that the options speak of? */
static bool
counts(const struct args_search *a, const struct search_run *r, size_t i)
{
	return wants_all(a) || (i == 0 && a->ret & SR_MIN) ||
	       (i + 1 == r->nfound && a->ret & SR_MAX);
}

/* RFC 7162 3.1.10: of those, the highest. */
static void
find_modseq(struct client *c, const struct args_search *a, struct search_run *r)
{
	struct view_msg m;

	for (size_t i = 0; i < r->nfound; i++) {
		if (!counts(a, r, i))
			continue;
		view_get(c->sel->view, r->found[i], &m);
		if (m.modseq > r->modseq)
			r->modseq = m.modseq;
	}
}

/* RFC 5182 2.1: what "$" is from here on; UIDs, rising. */
static void
save(struct client *c, const struct args_search *a, struct search_run *r)
{
	struct selected *sel = c->sel;
	size_t n = 0;

	free(sel->saved);
	sel->saved = xcalloc(r->nfound + 1, sizeof(*sel->saved));
	for (size_t i = 0; i < r->nfound; i++) {
		struct view_msg m;

		if (!counts(a, r, i))
			continue;
		view_get(c->sel->view, r->found[i], &m);
		sel->saved[n++] = m.uid;
	}
	sel->nsaved = n;
}

/* A part of the list; false when there is more. */
static bool
write_list(struct client *c, struct search_run *r)
{
	size_t end = r->said + WRITE_AT_ONCE;

	for (; r->said < r->nfound && r->said < end; r->said++) {
		buf_add_char(&c->out, ' ');
		buf_add_u64(&c->out, r->found[r->said]);
	}
	return r->said == r->nfound;
}

/* The same as a sequence set. */
static bool
write_set(struct client *c, struct search_run *r)
{
	size_t n = r->nfound - r->said;

	if (n > WRITE_AT_ONCE)
		n = WRITE_AT_ONCE;
	if (r->said != 0 && n != 0)
		buf_add_char(&c->out, ',');
	seqset_write(&c->out, r->found + r->said, n);
	r->said += n;
	return r->said == r->nfound;
}

/* RFC 4731 3.2.  An ESEARCH names its tag; a string, as RFC 4466 has it. */
static void
esearch_head(
    struct client *c, const struct args_search *a, struct search_run *r)
{
	struct buf *out = &c->out;

	buf_add_str(out, "* ESEARCH (TAG ");
	resp_string(out, c->cmd.tag);
	buf_add_str(out, c->cmd.uid ? ") UID" : ")");
	if (a->ret & SR_COUNT)
		buf_printf(out, " COUNT %zu", r->nfound);
	if (r->nfound == 0)
		return; /* the others are left out then */
	if (a->ret & SR_MIN)
		buf_printf(out, " MIN %" PRIu32, r->found[0]);
	if (a->ret & SR_MAX)
		buf_printf(out, " MAX %" PRIu32, r->found[r->nfound - 1]);
	if (a->has_modseq) /* RFC 7162 3.1.10 */
		buf_printf(out, " MODSEQ %" PRIu64, r->modseq);
	if (a->ret & SR_ALL)
		buf_add_str(out, " ALL ");
}

static bool
esearch(struct client *c, const struct args_search *a, struct search_run *r)
{
	if (!r->said_head)
		esearch_head(c, a, r);
	r->said_head = true;
	if (a->ret & SR_ALL && r->nfound != 0 && !write_set(c, r))
		return false;
	buf_add(&c->out, "\r\n", 2);
	return true;
}

static bool
plain_search(
    struct client *c, const struct args_search *a, struct search_run *r)
{
	if (!r->said_head)
		buf_add_str(&c->out, "* SEARCH");
	r->said_head = true;
	if (!write_list(c, r))
		return false;
	if (a->has_modseq && r->nfound != 0) /* RFC 7162 3.1.5 */
		buf_printf(&c->out, " (MODSEQ %" PRIu64 ")", r->modseq);
	buf_add(&c->out, "\r\n", 2);
	return true;
}

/* RFC 5182 2.1: a search that is answered NO leaves "$" empty. */
static enum step
failed(struct client *c, const struct args_search *a, int rc)
{
	if (a->ret & SR_SAVE)
		c->sel->nsaved = 0;
	return cmd_fail(c, rc, "some messages cannot be read");
}

static enum step
write_result(
    struct client *c, const struct args_search *a, struct search_run *r)
{
	bool whole, none = a->extended && !(a->ret & ~(unsigned)SR_SAVE);

	do {
		whole = none          ? true
			: a->extended ? esearch(c, a, r)
				      : plain_search(c, a, r);
	} while (!whole && !sync_full(c));
	if (!whole)
		return STEP_AGAIN;
	if (r->s.rc != 0)
		return failed(c, a, r->s.rc);
	return cmd_ok(c, "searched");
}

/* ---- the command ---- */

static enum step
begin(struct client *c, const struct args_search *a)
{
	struct search_run *r = xcalloc(1, sizeof(*r));

	c->cmd.run = r;
	c->cmd.end = end;
	if (a->has_modseq)
		sync_condstore(c);
	r->count = view_count(c->sel->view);
	return search_init(&r->s, c, a->key) ? STEP_AGAIN
					     : cmd_bad(c, "no such message");
}

/* RFC 9051 6.4.4 */
enum step
cmd_search(struct client *c)
{
	const struct args_search *a = c->cmd.args;
	struct search_run *r;
	int rc = 0;

	if (c->cmd.run == NULL && begin(c, a) == STEP_DONE)
		return STEP_DONE;
	r = c->cmd.run;
	if (!r->scanned) {
		if (scan(c, r, &rc))
			return STEP_AGAIN;
		if (rc != 0)
			return failed(c, a, rc);
		r->scanned = true;
		if (a->has_modseq)
			find_modseq(c, a, r);
		if (a->ret & SR_SAVE)
			save(c, a, r);
		if (c->cmd.uid)
			to_uids(c, r);
	}
	return write_result(c, a, r);
}
