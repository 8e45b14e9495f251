#include "imapd/qresync.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/seqset.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

/* The index does not reach back that far: all that is not there (RFC 7162
 * 3.2.5.2 allows to name UIDs the client has never seen). */
static size_t
all_missing(struct client *c, const struct ranges *among, uint32_t **out)
{
	const struct view *v = c->sel->view;
	uint32_t uid = 0, *uids = NULL;
	size_t n = 0, cap = 0;

	while (uid < UINT32_MAX && ranges_next(among, uid + 1, &uid) &&
	       uid < view_uidnext(v)) {
		if (view_seq(v, uid) != 0)
			continue;
		uids = mem_grow(uids, &cap, n, sizeof(*uids));
		uids[n++] = uid;
	}
	*out = uids;
	return n;
}

static size_t
only_among(uint32_t *uids, size_t n, const struct ranges *among)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++)
		if (ranges_has(among, uids[i]))
			uids[to++] = uids[i];
	return to;
}

int
qresync_vanished(struct client *c, uint64_t modseq, const struct ranges *uids)
{
	uint32_t *gone = NULL;
	size_t n = 0;
	int rc = view_gone_since(c->sel->view, modseq, &gone, &n);

	if (rc == ERR_NOTFOUND) {
		n = all_missing(c, uids, &gone);
		rc = 0;
	} else if (rc == 0) {
		n = only_among(gone, n, uids);
	}
	if (n != 0) {
		buf_add_str(&c->out, "* VANISHED (EARLIER) ");
		seqset_write(&c->out, gone, n);
		buf_add(&c->out, "\r\n", 2);
	}
	free(gone);
	return rc;
}

/* The UIDs a client says it knows; without a word, all there ever were. */
static struct ranges
known(struct client *c, const struct args_select *a)
{
	uint32_t last = view_uidnext(c->sel->view) - 1;
	struct ranges all;

	if (a->has_known)
		return seqset_resolve(&a->known, &c->arena, last);
	all.v = arena_alloc(&c->arena, sizeof(*all.v));
	all.v[0] = (struct seq_range){ 1, last };
	all.n = last != 0;
	return all;
}

enum step
qresync_step(struct client *c, const struct args_select *a, uint32_t *at)
{
	struct view *v = c->sel->view;
	struct ranges uids = known(c, a);
	struct view_cur ahead = { 0 };
	const struct view_msg *m;

	if (*at == 0) {
		if (qresync_vanished(c, a->modseq, &uids) != 0)
			log_error(c->id, "qresync", "folder=%" PRIu64,
			    view_folder(v));
		*at = 1;
	}
	if (view_modseq(v) <= a->modseq)
		return STEP_DONE; /* nothing has changed */
	for (; *at <= view_count(v) && !sync_full(c); ++*at) {
		m = view_at(v, &ahead, *at);
		if (m->modseq > a->modseq && ranges_has(&uids, m->uid))
			sync_fetch_line(c, *at, m, true);
	}
	return *at <= view_count(v) ? STEP_AGAIN : STEP_DONE;
}
