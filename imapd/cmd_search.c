#include "imapd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/search_scan.h"
#include "imapd/seqset.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum { WRITE_AT_ONCE = 5000 };

struct search_run {
	struct search_scan scan;
	bool extended; /* an ESEARCH, with these */
	unsigned ret;
	/* the result: scan.found, later as UIDs if the command asks so */
	uint64_t modseq; /* the highest of them */
	bool scanned, said_head;
	size_t said;
};

static void
end(struct client *c)
{
	struct search_run *r = c->cmd.run;

	scan_fini(&r->scan);
	free(r);
}

/* ---- the result ---- */

static void
to_uids(struct client *c, struct search_run *r)
{
	struct view_msg m;

	for (size_t i = 0; i < r->scan.nfound; i++) {
		view_get(c->sel->view, r->scan.found[i], &m);
		r->scan.found[i] = m.uid;
	}
}

/* Are results other than the first and the last wanted? */
static bool
wants_all(const struct search_run *r)
{
	return r->ret & (SR_ALL | SR_COUNT) || !(r->ret & (SR_MIN | SR_MAX));
}

/* Is this one of those that the options speak of? */
static bool
counts(const struct search_run *r, size_t i)
{
	return wants_all(r) || (i == 0 && r->ret & SR_MIN) ||
	       (i + 1 == r->scan.nfound && r->ret & SR_MAX);
}

/* RFC 7162 3.1.10: of those, the highest. */
static void
find_modseq(struct client *c, struct search_run *r)
{
	struct view_msg m;

	for (size_t i = 0; i < r->scan.nfound; i++) {
		if (!counts(r, i))
			continue;
		view_get(c->sel->view, r->scan.found[i], &m);
		if (m.modseq > r->modseq)
			r->modseq = m.modseq;
	}
}

/* RFC 5182 2.1: what "$" is from here on; UIDs, rising. */
static void
save(struct client *c, struct search_run *r)
{
	struct selected *sel = c->sel;
	size_t n = 0;

	free(sel->saved);
	sel->saved = xcalloc(r->scan.nfound + 1, sizeof(*sel->saved));
	for (size_t i = 0; i < r->scan.nfound; i++) {
		struct view_msg m;

		if (!counts(r, i))
			continue;
		view_get(c->sel->view, r->scan.found[i], &m);
		sel->saved[n++] = m.uid;
	}
	sel->nsaved = n;
}

/* A part of the list; false when there is more. */
static bool
write_list(struct client *c, struct search_run *r)
{
	size_t end = r->said + WRITE_AT_ONCE;

	for (; r->said < r->scan.nfound && r->said < end; r->said++) {
		buf_add_char(&c->out, ' ');
		buf_add_u64(&c->out, r->scan.found[r->said]);
	}
	return r->said == r->scan.nfound;
}

/* The same as a sequence set. */
static bool
write_set(struct client *c, struct search_run *r)
{
	size_t n = r->scan.nfound - r->said;

	if (n > WRITE_AT_ONCE)
		n = WRITE_AT_ONCE;
	if (r->said != 0 && n != 0)
		buf_add_char(&c->out, ',');
	seqset_write(&c->out, r->scan.found + r->said, n);
	r->said += n;
	return r->said == r->scan.nfound;
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
	if (r->ret & SR_COUNT)
		buf_printf(out, " COUNT %zu", r->scan.nfound);
	if (r->scan.nfound == 0)
		return; /* the others are left out then */
	if (r->ret & SR_MIN)
		buf_printf(out, " MIN %" PRIu32, r->scan.found[0]);
	if (r->ret & SR_MAX)
		buf_printf(
		    out, " MAX %" PRIu32, r->scan.found[r->scan.nfound - 1]);
	if (a->has_modseq) /* RFC 7162 3.1.10 */
		buf_printf(out, " MODSEQ %" PRIu64, r->modseq);
	if (r->ret & SR_ALL)
		buf_add_str(out, " ALL ");
}

static bool
esearch(struct client *c, const struct args_search *a, struct search_run *r)
{
	if (!r->said_head)
		esearch_head(c, a, r);
	r->said_head = true;
	if (r->ret & SR_ALL && r->scan.nfound != 0 && !write_set(c, r))
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
	if (a->has_modseq && r->scan.nfound != 0) /* RFC 7162 3.1.5 */
		buf_printf(&c->out, " (MODSEQ %" PRIu64 ")", r->modseq);
	buf_add(&c->out, "\r\n", 2);
	return true;
}

/* RFC 5182 2.1: a search that is answered NO leaves "$" empty. */
static enum step
failed(struct client *c, const struct search_run *r, int rc)
{
	if (r->ret & SR_SAVE)
		c->sel->nsaved = 0;
	return cmd_fail(c, rc, "some messages cannot be read");
}

static enum step
write_result(
    struct client *c, const struct args_search *a, struct search_run *r)
{
	bool whole, none = r->extended && !(r->ret & ~(unsigned)SR_SAVE);

	do {
		whole = none          ? true
			: r->extended ? esearch(c, a, r)
				      : plain_search(c, a, r);
	} while (!whole && !sync_full(c));
	if (!whole)
		return STEP_AGAIN;
	if (r->scan.s.rc != 0)
		return failed(c, r, r->scan.s.rc);
	return cmd_ok(c, "searched");
}

/* ---- the command ---- */

static enum step
begin(struct client *c, const struct args_search *a)
{
	struct search_run *r = xcalloc(1, sizeof(*r));

	c->cmd.run = r;
	c->cmd.end = end;
	r->ret = a->ret;
	r->extended = a->extended;
	if (c->enabled & EN_REV2 && !a->extended) { /* RFC 9051 6.4.4 */
		r->extended = true;
		r->ret = SR_ALL;
	}
	if (a->has_modseq)
		sync_condstore(c);
	return scan_init(&r->scan, c, a->key) ? STEP_AGAIN
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
		if (scan_go(&r->scan, &rc))
			return STEP_AGAIN;
		if (rc != 0)
			return failed(c, r, rc);
		r->scanned = true;
		if (a->has_modseq)
			find_modseq(c, r);
		if (r->ret & SR_SAVE)
			save(c, r);
		if (c->cmd.uid)
			to_uids(c, r);
	}
	return write_result(c, a, r);
}
