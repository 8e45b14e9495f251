#include "imapd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/esearch.h"
#include "imapd/parse_sort.h"
#include "imapd/search_scan.h"
#include "imapd/thread.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum {
	BATCH = 512,
	SLICE_US = 30000, /* of one job, before others have a turn */
	HEADER_MAX = 1 << 20
};

enum stage { FINDING, READING, WRITING };

struct sort_run {
	struct search_scan scan;
	enum stage stage;
	bool threads;
	unsigned wants;
	/* reading: scan.found into v */
	size_t at;
	struct arena texts;
	struct order_msg *v;
	size_t n;
	struct buf header;
	/* writing */
	struct esearch e; /* SORT: of seqs, and for the MODSEQ */
	uint32_t *seqs;
	struct thread thread;
	uint32_t top; /* the next conversation */
	bool said_head;
	size_t said;
};

static void
end(struct client *c)
{
	struct sort_run *r = c->cmd.run;

	scan_fini(&r->scan);
	thread_fini(&r->thread);
	arena_clear(&r->texts);
	buf_fini(&r->header);
	free(r->v);
	free(r->seqs);
	free(r);
}

/* ---- reading ---- */

/* The fields the index keeps, or else the header itself. */
static int
headers_of(struct client *c, struct sort_run *r, const struct msg_meta *m,
    struct slice *out)
{
	int rc;

	*out = m->headers;
	if (m->headers.p != NULL)
		return 0;
	buf_clear(&r->header);
	rc = msg_read(client_store(c), m, 0,
	    m->header_bytes < HEADER_MAX ? m->header_bytes : HEADER_MAX,
	    &r->header);
	*out = buf_slice(&r->header);
	return rc;
}

static int
take(struct client *c, struct sort_run *r, uint32_t seq,
    const struct msg_meta *m)
{
	const struct args_sort *a = c->cmd.args;
	struct order_msg *x = &r->v[r->n];
	struct slice headers = { 0 };
	int rc;

	*x = (struct order_msg){ .seq = seq };
	if (r->wants != 0 && (rc = headers_of(c, r, m, &headers)) != 0)
		return rc;
	order_fill(&r->texts, r->wants, m, headers, x);
	r->n++;
	if (r->threads && a->by_references)
		thread_add(&r->thread, x, headers);
	return 0;
}

/* Reads the next of those found. */
static int
read_batch(struct client *c, struct sort_run *r)
{
	const uint32_t *seqs = r->scan.found + r->at;
	size_t n = r->scan.nfound - r->at, i = 0;
	struct view *v = c->sel->view;
	uint32_t uids[BATCH];
	struct view_cur ahead = { 0 };
	struct msg_iter *it;
	struct msg_meta meta;
	int rc;

	if (n > BATCH)
		n = BATCH;
	for (size_t k = 0; k < n; k++)
		uids[k] = view_at(v, &ahead, seqs[k])->uid;
	r->at += n;
	rc = msg_iter_open(client_store(c), view_account(v), view_folder(v),
	    uids, n, 0, r->wants != 0 ? MSG_WANT_META : MSG_WANT_INFO, &it);
	if (rc != 0)
		return rc;
	while (rc == 0 && (rc = msg_iter_next(it, &meta)) == 0) {
		while (i < n && uids[i] < meta.uid)
			i++;
		if (i < n && uids[i] == meta.uid)
			rc = take(c, r, seqs[i], &meta);
	}
	msg_iter_close(&it);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* False: done, or failed. */
static bool
read_on(struct client *c, struct sort_run *r, int *rc)
{
	uint64_t until = clock_steady_us() + SLICE_US;

	*rc = 0;
	while (r->at < r->scan.nfound && *rc == 0) {
		*rc = read_batch(c, r);
		if (clock_steady_us() > until)
			return *rc == 0;
	}
	return false;
}

/* ---- writing ---- */

static uint32_t
number(uint32_t seq, void *arg)
{
	const struct client *c = arg;
	struct view_msg m;

	if (!c->cmd.uid)
		return seq;
	view_get(c->sel->view, seq, &m);
	return m.uid;
}

static enum step
write_sorted(struct client *c, struct sort_run *r)
{
	if (!r->said_head)
		buf_add_str(&c->out, "* SORT");
	r->said_head = true;
	for (; r->said < r->n; r->said++) {
		if (sync_full(c))
			return STEP_AGAIN;
		buf_add_char(&c->out, ' ');
		buf_add_u64(&c->out, number(r->v[r->said].seq, c));
	}
	if (r->e.a->has_modseq && r->n != 0) /* RFC 7162 3.1.9 */
		buf_printf(&c->out, " (MODSEQ %" PRIu64 ")", r->e.modseq);
	buf_add(&c->out, "\r\n", 2);
	return cmd_ok(c, "sorted");
}

/* RFC 5267 3 */
static enum step
write_esort(struct client *c, struct sort_run *r)
{
	while (!esearch_write(c, &r->e))
		if (sync_full(c))
			return STEP_AGAIN;
	return cmd_ok(c, "sorted");
}

static enum step
write_threads(struct client *c, struct sort_run *r)
{
	if (!r->said_head)
		buf_add_str(&c->out, "* THREAD");
	if (!r->said_head && r->top != 0)
		buf_add_char(&c->out, ' ');
	r->said_head = true;
	for (; r->top != 0; r->top = r->thread.v[r->top].next) {
		if (sync_full(c))
			return STEP_AGAIN;
		thread_write(&r->thread, r->top, &c->out, number, c);
	}
	buf_add(&c->out, "\r\n", 2);
	return cmd_ok(c, "threaded");
}

static void
arrange_sorted(struct client *c, struct sort_run *r, const struct args_sort *a)
{
	order_sort(r->v, r->n, a->by, a->nby);
	r->e.a = &a->search;
	r->e.ret = a->search.ret;
	if (!a->search.extended && !a->search.has_modseq)
		return;
	r->seqs = xcalloc(r->n + 1, sizeof(*r->seqs));
	for (size_t i = 0; i < r->n; i++)
		r->seqs[i] = r->v[i].seq;
	r->e.v = r->seqs;
	r->e.n = r->n;
	esearch_begin(c, &r->e);
}

static void
arrange(struct client *c, struct sort_run *r, const struct args_sort *a)
{
	if (!r->threads)
		arrange_sorted(c, r, a);
	else if (a->by_references)
		thread_by_references(&r->thread);
	else
		thread_by_subject(&r->thread, r->v, r->n);
	r->top = r->thread.v[0].child;
}

/* ---- the commands ---- */

static enum step
begin(struct client *c, const struct args_sort *a, bool threads)
{
	struct sort_run *r = xcalloc(1, sizeof(*r));

	c->cmd.run = r;
	c->cmd.end = end;
	r->threads = threads;
	r->wants = threads ? ORDER_WANT_DATE | ORDER_WANT_SUBJECT
			   : order_wants(a->by, a->nby);
	thread_init(&r->thread);
	buf_init(&r->header, HEADER_MAX);
	if (a->search.has_modseq)
		sync_condstore(c);
	return scan_init(&r->scan, c, a->search.key)
		   ? STEP_AGAIN
		   : cmd_bad(c, "no such message");
}

/* Goes on with finding and reading; STEP_DONE: that failed. */
static enum step
gather(struct client *c, struct sort_run *r)
{
	bool more;
	int rc;

	more =
	    r->stage == FINDING ? scan_go(&r->scan, &rc) : read_on(c, r, &rc);
	if (rc == 0 && r->stage == FINDING)
		rc = r->scan.s.rc;
	if (rc != 0) {
		if (((const struct args_sort *)c->cmd.args)->search.ret &
		    SR_SAVE) /* RFC 5182 2.1 */
			c->sel->nsaved = 0;
		return cmd_fail(c, rc, "some messages cannot be read");
	}
	/* Finding is one half of the way, reading the other. */
	c->cmd.goal = 2 * (uint64_t)r->scan.count;
	c->cmd.at = r->scan.last;
	if (r->stage == READING && r->scan.nfound != 0)
		c->cmd.at += r->at * r->scan.count / r->scan.nfound;
	if (more)
		return STEP_AGAIN;
	if (r->stage == FINDING) {
		r->v = xcalloc(r->scan.nfound + 1, sizeof(*r->v));
		r->stage = READING;
	} else {
		arrange(c, r, c->cmd.args);
		c->cmd.goal = 0;
		r->stage = WRITING;
	}
	return STEP_AGAIN;
}

static enum step
run(struct client *c, bool threads)
{
	struct sort_run *r;

	if (c->cmd.run == NULL && begin(c, c->cmd.args, threads) == STEP_DONE)
		return STEP_DONE;
	r = c->cmd.run;
	while (r->stage != WRITING) {
		enum stage before = r->stage;

		if (gather(c, r) == STEP_DONE)
			return STEP_DONE;
		if (r->stage == before)
			return STEP_AGAIN;
	}
	if (threads)
		return write_threads(c, r);
	return r->e.a->extended ? write_esort(c, r) : write_sorted(c, r);
}

/* RFC 5256 3 */
enum step
cmd_sort(struct client *c)
{
	return run(c, false);
}

enum step
cmd_thread(struct client *c)
{
	return run(c, true);
}
