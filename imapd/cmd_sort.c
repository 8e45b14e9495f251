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
	/* reading: of scan.found, either digests or what they do not tell */
	size_t at;
	struct digests *digests; /* or NULL */
	const struct digest **digest;
	uint32_t *number; /* of those in digest */
	struct arena texts;
	struct order_msg *v;
	size_t n; /* of either */
	struct buf header;
	/* writing */
	struct esearch e; /* SORT with RETURN, and for the MODSEQ */
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
	digests_give(client_store(c), &r->digests);
	thread_fini(&r->thread);
	arena_clear(&r->texts);
	buf_fini(&r->header);
	free(r->digest);
	free(r->number);
	free(r->v);
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

/* Threads by reference need nothing but the tree; sorting by one key that
 * digests are sorted by, nothing but them. */
static void
take_digest(
    struct client *c, struct sort_run *r, uint32_t seq, const struct digest *d)
{
	const struct args_sort *a = c->cmd.args;
	struct order_msg x = { .seq = seq };
	struct thread_ids ids;

	if (r->digest != NULL) {
		r->number[r->n] = seq;
		r->digest[r->n++] = d;
		return;
	}
	digest_order(d, &x);
	if (r->threads && a->by_references) {
		ids = digest_ids(d);
		thread_add(&r->thread, &x, &ids);
	} else {
		r->v[r->n++] = x;
	}
}

static void
take_message(struct client *c, struct sort_run *r, uint32_t seq,
    const struct msg_meta *m, struct slice headers)
{
	const struct args_sort *a = c->cmd.args;
	struct order_msg x = { .seq = seq };
	uint64_t refs[THREAD_REFS_MAX];
	struct thread_ids ids;

	order_fill(&r->texts, r->wants, m, headers, &x);
	if (r->threads && a->by_references) {
		ids = thread_ids(headers, refs);
		thread_add(&r->thread, &x, &ids);
	} else {
		r->v[r->n++] = x;
	}
}

/* One is too large for a digest: all over again, without them. */
static void
without_digests(struct client *c, struct sort_run *r)
{
	digests_give(client_store(c), &r->digests);
	free(r->digest);
	r->digest = NULL;
	r->v = xcalloc(r->scan.nfound + 1, sizeof(*r->v));
	r->at = r->n = 0;
}

static int
take(struct client *c, struct sort_run *r, uint32_t seq,
    const struct msg_meta *m)
{
	struct slice headers = { 0 };
	const struct digest *d = NULL;
	int rc;

	if (r->wants != 0 && (rc = headers_of(c, r, m, &headers)) != 0)
		return rc;
	if (r->digests != NULL)
		d = digests_add(r->digests, m, headers);
	if (d != NULL)
		take_digest(c, r, seq, d);
	else if (r->digest != NULL)
		without_digests(c, r);
	else
		take_message(c, r, seq, m, headers);
	return 0;
}

/* Some that have no digest, of the messages seqs[i] with uids[i]. */
static int
read_index(struct client *c, struct sort_run *r, const uint32_t *seqs,
    const uint32_t *uids, size_t n)
{
	struct msg_iter *it;
	struct msg_meta meta;
	size_t i = 0;
	int rc;

	rc = msg_iter_open(client_store(c), view_account(c->sel->view),
	    view_folder(c->sel->view), uids, n, 0,
	    r->wants != 0 ? MSG_WANT_META : MSG_WANT_INFO, &it);
	if (rc != 0)
		return rc;
	while (rc == 0 && r->at != 0 && (rc = msg_iter_next(it, &meta)) == 0) {
		while (i < n && uids[i] < meta.uid)
			i++;
		if (i < n && uids[i] == meta.uid)
			rc = take(c, r, seqs[i], &meta);
	}
	msg_iter_close(&it);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

/* Takes the next of those found: what has digests, and stretches between. */
static int
read_batch(struct client *c, struct sort_run *r)
{
	const struct digest *known[BATCH] = { NULL };
	const uint32_t *seqs = r->scan.found + r->at;
	size_t n = r->scan.nfound - r->at, i = 0, from;
	struct view_cur ahead = { 0 };
	uint32_t uids[BATCH];
	int rc = 0;

	if (n > BATCH)
		n = BATCH;
	for (size_t k = 0; k < n; k++)
		uids[k] = view_at(c->sel->view, &ahead, seqs[k])->uid;
	if (r->digests != NULL)
		digests_get(r->digests, uids, n, known);
	r->at += n;
	while (i < n && rc == 0 && r->at != 0) {
		for (; i < n && known[i] != NULL; i++)
			take_digest(c, r, seqs[i], known[i]);
		for (from = i; i < n && known[i] == NULL;)
			i++;
		if (i != from)
			rc = read_index(
			    c, r, seqs + from, uids + from, i - from);
	}
	return rc;
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
		buf_add_u64(&c->out, number(r->scan.found[r->said], c));
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

/* The numbers take the place of what was found. */
static void
sort(struct sort_run *r, const struct args_sort *a)
{
	if (r->digest != NULL) {
		digests_sort(r->digests, a->by[0], r->digest, r->number, r->n,
		    r->scan.found);
		return;
	}
	order_sort(r->v, r->n, a->by, a->nby);
	for (size_t i = 0; i < r->n; i++)
		r->scan.found[i] = r->v[i].seq;
}

static void
arrange_sorted(struct client *c, struct sort_run *r, const struct args_sort *a)
{
	sort(r, a);
	r->e.a = &a->search;
	r->e.ret = a->search.ret;
	if (!a->search.extended && !a->search.has_modseq)
		return;
	r->e.v = r->scan.found;
	r->e.n = r->n;
	esearch_begin(c, &r->e);
}

static void
arrange(struct client *c, struct sort_run *r, const struct args_sort *a)
{
	if (!r->threads)
		arrange_sorted(c, r, a);
	else if (a->refs)
		thread_by_refs(&r->thread);
	else if (a->by_references)
		thread_by_references(&r->thread);
	else
		thread_by_subject(&r->thread, r->v, r->n);
	r->top = r->thread.v[0].child;
}

/* ---- the commands ---- */

/* Do digests tell all that is asked for? */
static bool
wants_digests(const struct sort_run *r)
{
	return r->wants != 0 &&
	       !(r->wants & ~(unsigned)(ORDER_WANT_DATE | ORDER_WANT_SUBJECT));
}

static enum step
begin(struct client *c, const struct args_sort *a, bool threads)
{
	struct sort_run *r = xcalloc(1, sizeof(*r));

	c->cmd.run = r;
	c->cmd.end = end;
	r->threads = threads;
	r->wants = threads ? ORDER_WANT_DATE | ORDER_WANT_SUBJECT
			   : order_wants(a->by, a->nby);
	if (wants_digests(r))
		r->digests =
		    digests_take(client_store(c), view_folder(c->sel->view));
	thread_init(&r->thread);
	buf_init(&r->header, HEADER_MAX);
	if (a->search.has_modseq)
		sync_condstore(c);
	return scan_init(&r->scan, c, a->search.key)
		   ? STEP_AGAIN
		   : cmd_bad(c, "no such message");
}

static void
make_room(struct sort_run *r, const struct args_sort *a)
{
	size_t n = r->scan.nfound + 1;

	if (r->threads && a->by_references) {
		thread_expect(&r->thread, r->scan.nfound);
		return;
	}
	if (r->digests != NULL && !r->threads && a->nby == 1) {
		r->digest = xcalloc(n, sizeof(*r->digest));
		r->number = xcalloc(n, sizeof(*r->number));
	} else
		r->v = xcalloc(n, sizeof(*r->v));
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
		make_room(r, c->cmd.args);
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
