#include "pop3d/drop_list.h"

#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/mem.h"
#include "pop3d/drop_priv.h"
#include "storage/msg.h"
#include "storage/uidl.h"

enum { GROUP_MAX = 256, BATCH = 1000 };

struct drop_list {
	struct drop *d;
	bool one;         /* message only */
	uint32_t next;    /* the next number to look at */
	uint32_t last;    /* and the last one */
	struct view *now; /* what is there still, when that (and sizes) is all
			   * that has to be known; or NULL */
	bool sizes;       /* are asked for */
	/* one folder: what session and index know, both rising by UID */
	uint32_t uids[BATCH];
	struct msg_brief briefs[BATCH];
	size_t nuids, nbriefs, at; /* at: the next brief */
	struct arena arena;
	/* several folders, or one message */
	struct msg_iter *it;
	uint32_t from; /* the numbers from..next are in `it` */
};

uint32_t
drop_uidvalidity(const struct drop *d)
{
	return d->view != NULL ? view_uidvalidity(d->view) : 0;
}

/* Where no message has a unique-id of its own, UIDs tell all. */
static int
uidls_usual(struct drop *d, bool *usual_out)
{
	bool unusual;
	int rc;

	if (d->uidls == UIDLS_UNKNOWN) {
		if ((rc = uidl_any(d->store, d->account, &unusual)) != 0)
			return rc;
		/* Messages of this session have had theirs before. */
		d->uidls = unusual ? UIDLS_STORED : UIDLS_USUAL;
	}
	*usual_out = d->uidls == UIDLS_USUAL;
	return 0;
}

static int
look_now(struct drop_list *l)
{
	struct drop *d = l->d;
	bool usual = true;
	int rc = 0;

	if (!l->sizes)
		rc = uidls_usual(d, &usual);
	if (rc != 0 || !usual)
		return rc;
	rc = view_open(
	    d->store, d->account, view_folder(d->view), true, &l->now);
	if (rc == ERR_NOTFOUND)
		l->last = 0; /* the folder has gone */
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
drop_list_open(
    struct drop *d, uint32_t seq, bool uidl, struct drop_list **list_out)
{
	struct drop_list *l = xmalloc(sizeof(*l));
	int rc = 0;

	l->d = d;
	l->one = seq != 0;
	l->next = seq != 0 ? seq : 1;
	l->last = seq != 0 ? seq : drop_count(d);
	l->nuids = l->nbriefs = l->at = 0;
	arena_init(&l->arena);
	l->it = NULL;
	l->now = NULL;
	l->from = l->next;
	l->sizes = !uidl;
	if (seq == 0 && d->view != NULL)
		rc = look_now(l);
	if (rc != 0)
		drop_list_close(&l);
	*list_out = l;
	return rc;
}

void
drop_list_close(struct drop_list **lp)
{
	struct drop_list *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	arena_clear(&l->arena);
	msg_iter_close(&l->it);
	view_close(&l->now);
	free(l);
}

/* The messages from this UID on that are there now. */
static void
brief_now(struct drop_list *l, uint32_t from)
{
	uint32_t uids[BATCH];
	uint32_t seq = view_seq_from(l->now, from);

	l->nbriefs = view_uids(l->now, seq, uids, l->nuids);
	for (size_t i = 0; i < l->nbriefs; i++)
		l->briefs[i] = (struct msg_brief){ .uid = uids[i] };
}

/* Reads the numbers from `next` on; from: the first of them. */
static int
read_batch(struct drop_list *l)
{
	struct drop *d = l->d;
	size_t want = l->last - l->next + 1;

	arena_clear(&l->arena);
	l->at = 0;
	l->from = l->next;
	if (want > BATCH)
		want = BATCH;
	l->nuids = view_uids(d->view, l->next, l->uids, want);
	if (l->nuids == 0)
		return ERR_NOTFOUND;
	if (l->now != NULL) {
		brief_now(l, l->uids[0]);
		if (!l->sizes ||
		    msg_sizes(d->store, d->account, view_folder(d->view),
			l->briefs, l->nbriefs))
			return 0;
	}
	return msg_briefs(d->store, d->account, view_folder(d->view),
	    l->uids[0], &l->arena, l->briefs, l->nuids, &l->nbriefs);
}

/* Moves to the number of the next brief; false: it is behind this batch. */
static bool
find_number(struct drop_list *l, uint32_t uid)
{
	size_t i = l->next - l->from;

	while (i < l->nuids && l->uids[i] < uid)
		i++; /* gone from the index */
	l->next = l->from + (uint32_t)i;
	return i < l->nuids;
}

static int
next_of_view(struct drop_list *l, struct drop_item *out)
{
	int rc;

	while (l->next <= l->last) {
		const struct msg_brief *m;

		if (l->next - l->from >= l->nuids && (rc = read_batch(l)) != 0)
			return rc;
		if (l->at == l->nbriefs)
			break; /* the index has no more */
		m = &l->briefs[l->at];
		if (!find_number(l, m->uid))
			continue; /* of the next batch, or newer than all */
		l->at++;
		if (l->uids[l->next - l->from] != m->uid)
			continue; /* not of the session */
		out->seq = l->next++;
		if (drop_is_gone(l->d, out->seq))
			continue;
		out->uid = m->uid;
		out->size = m->size;
		out->uidl = m->uidl;
		return 0;
	}
	return ERR_NOTFOUND;
}

/* Opens the index for the next numbers that are of one folder with rising
 * UIDs. */
static int
open_group(struct drop_list *l)
{
	struct drop *d = l->d;
	uint32_t uids[GROUP_MAX];
	struct drop_msg first, m;
	size_t n = 0;

	msg_iter_close(&l->it);
	drop_get(d, l->next, &first);
	l->from = l->next;
	m = first;
	do {
		uids[n++] = m.uid;
		if (++l->next > l->last)
			break;
		drop_get(d, l->next, &m);
	} while (
	    n < GROUP_MAX && m.folder == first.folder && m.uid > uids[n - 1]);
	return msg_iter_open(d->store, d->account, first.folder, uids, n, 1,
	    MSG_WANT_UIDL, &l->it);
}

/* One more of the group; ERR_NOTFOUND at its end. */
static int
next_of_group(struct drop_list *l, struct drop_item *out)
{
	struct drop_msg at;
	struct msg_meta m;
	int rc;

	while (l->from < l->next) {
		if ((rc = msg_iter_next(l->it, &m)) != 0)
			return rc;
		for (; l->from < l->next; l->from++) {
			drop_get(l->d, l->from, &at);
			if (at.uid >= m.uid)
				break;
		}
		if (l->from == l->next)
			break;
		out->seq = l->from++;
		if (drop_is_gone(l->d, out->seq))
			continue;
		out->uid = m.uid;
		out->size = m.size;
		out->uidl = m.uidl;
		return 0;
	}
	return ERR_NOTFOUND;
}

int
drop_list_next(struct drop_list *l, struct drop_item *out)
{
	int rc;

	if (l->d->view != NULL && !l->one)
		return next_of_view(l, out);
	for (;;) {
		rc = l->it != NULL ? next_of_group(l, out) : ERR_NOTFOUND;
		if (rc != ERR_NOTFOUND || l->next > l->last)
			return rc;
		if ((rc = open_group(l)) != 0)
			return rc;
	}
}
