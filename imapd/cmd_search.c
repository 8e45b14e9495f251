#include "imapd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/esearch.h"
#include "imapd/search_scan.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

enum {
	WRITE_AT_ONCE = 5000,
	/* a search no larger than this is done on the loop */
	MESSAGES_MAX = 1000,
	KEYS_MAX = 16
};

struct search_run {
	struct search_scan scan;
	bool extended; /* an ESEARCH */
	struct esearch e;
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

/* A part of the list; false when there is more. */
static bool
write_list(struct client *c, struct search_run *r)
{
	size_t end = r->said + WRITE_AT_ONCE;
	struct view_msg m;

	for (; r->said < r->scan.nfound && r->said < end; r->said++) {
		uint32_t n = r->scan.found[r->said];

		if (c->cmd.uid) {
			view_get(c->sel->view, n, &m);
			n = m.uid;
		}
		buf_add_char(&c->out, ' ');
		buf_add_u64(&c->out, n);
	}
	return r->said == r->scan.nfound;
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
		buf_printf(&c->out, " (MODSEQ %" PRIu64 ")", r->e.modseq);
	buf_add(&c->out, "\r\n", 2);
	return true;
}

/* RFC 5182 2.1: a search that is answered NO leaves "$" empty. */
static enum step
failed(struct client *c, const struct search_run *r, int rc)
{
	if (r->e.ret & SR_SAVE)
		c->sel->nsaved = 0;
	return cmd_fail(c, rc, "some messages cannot be read");
}

static enum step
write_result(
    struct client *c, const struct args_search *a, struct search_run *r)
{
	bool whole;

	do {
		whole = r->extended ? esearch_write(c, &r->e)
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
	r->e.a = a;
	r->e.ret = a->ret;
	r->extended = a->extended;
	if (c->enabled & EN_REV2 && !a->extended) { /* RFC 9051 6.4.4 */
		r->extended = true;
		r->e.ret = SR_ALL;
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
		if (scan_go(&r->scan, &rc)) {
			c->cmd.at = r->scan.last;
			c->cmd.goal = r->scan.count;
			return STEP_AGAIN;
		}
		c->cmd.goal = 0;
		if (rc != 0)
			return failed(c, r, rc);
		r->scanned = true;
		r->e.v = r->scan.found;
		r->e.n = r->scan.nfound;
		esearch_begin(c, &r->e);
	}
	return write_result(c, a, r);
}

/* How many keys there are; KEYS_MAX + 1: too many, or some that the view does
 * not answer. */
static unsigned
count_keys(const struct search_key *k)
{
	unsigned n = 1;

	if (!search_is_of_view(k))
		return KEYS_MAX + 1;
	for (k = k->sub; k != NULL && n <= KEYS_MAX; k = k->next)
		n += count_keys(k);
	return n;
}

bool
cmd_search_at_once(struct client *c)
{
	const struct args_search *a = c->cmd.args;

	return view_count(c->sel->view) <= MESSAGES_MAX &&
	       count_keys(a->key) <= KEYS_MAX;
}
