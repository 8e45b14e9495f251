#include "imapd/msgset.h"

#include "lib/base/mem.h"

static uint32_t
uid_at(const struct view *v, uint32_t seq)
{
	struct view_msg m;

	view_get(v, seq, &m);
	return m.uid;
}

/* From ranges of UIDs to ranges of numbers. */
static struct ranges
from_uids(struct client *c, const struct ranges *uids)
{
	const struct view *v = c->sel->view;
	struct ranges out = { 0 };

	out.v = arena_alloc(&c->arena, (uids->n + 1) * sizeof(*out.v));
	for (size_t i = 0; i < uids->n; i++) {
		uint32_t lo = view_seq_from(v, uids->v[i].lo);
		uint32_t hi = uids->v[i].hi == UINT32_MAX
				  ? view_count(v)
				  : view_seq_from(v, uids->v[i].hi + 1) - 1;

		if (lo > hi)
			continue;
		if (out.n != 0 && out.v[out.n - 1].hi + 1 == lo)
			out.v[out.n - 1].hi = hi;
		else
			out.v[out.n++] = (struct seq_range){ lo, hi };
	}
	return out;
}

/* RFC 5182 2.1: "$" is what was found and is still there. */
static struct ranges
from_saved(struct client *c)
{
	const struct selected *sel = c->sel;
	struct ranges out = { 0 };

	out.v = arena_alloc(&c->arena, (sel->nsaved + 1) * sizeof(*out.v));
	for (size_t i = 0; i < sel->nsaved; i++) {
		uint32_t seq = view_seq(sel->view, sel->saved[i]);

		if (seq == 0)
			continue;
		if (out.n != 0 && out.v[out.n - 1].hi + 1 == seq)
			out.v[out.n - 1].hi = seq;
		else
			out.v[out.n++] = (struct seq_range){ seq, seq };
	}
	return out;
}

bool
msgset_seqs(
    struct client *c, const struct seqset *set, bool uid, struct ranges *out)
{
	const struct view *v = c->sel->view;
	uint32_t n = view_count(v);

	if (set->saved) {
		*out = from_saved(c);
		return true;
	}
	if (uid) {
		*out =
		    seqset_resolve(set, &c->arena, n != 0 ? uid_at(v, n) : 0);
		*out = from_uids(c, out);
		return true;
	}
	/* In an empty folder nothing fits, and 1:* is what many send. */
	if (n != 0 && !seqset_fits(set, n))
		return false;
	*out = seqset_resolve(set, &c->arena, n);
	for (size_t i = 0; i < out->n; i++) { /* "9:*" of three */
		if (out->v[i].hi > n)
			out->v[i].hi = n;
		if (out->v[i].lo > n)
			out->n = i;
	}
	return true;
}

struct uid_list
msgset_list(struct client *c, const struct ranges *seqs)
{
	struct uid_list l = { 0 };

	l.v = xcalloc(ranges_count(seqs) + 1, sizeof(*l.v));
	for (size_t i = 0; i < seqs->n; i++)
		l.n += view_uids(c->sel->view, seqs->v[i].lo, l.v + l.n,
		    (size_t)seqs->v[i].hi - seqs->v[i].lo + 1);
	return l;
}

bool
msgset_uids(
    struct client *c, const struct seqset *set, bool uid, struct uid_list *out)
{
	struct ranges seqs;

	*out = (struct uid_list){ 0 };
	if (!msgset_seqs(c, set, uid, &seqs))
		return false;
	*out = msgset_list(c, &seqs);
	return true;
}
