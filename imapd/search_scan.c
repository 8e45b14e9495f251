#include "imapd/search_scan.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

enum { SLICE_US = 30000 }; /* of one job, before others have a turn */

bool
scan_init(struct search_scan *sc, struct client *c, struct search_key *key)
{
	sc->c = c;
	sc->count = view_count(c->sel->view);
	if (!search_init(&sc->s, c, key))
		return false;
	if (sc->s.digests)
		sc->digests =
		    digests_take(client_store(c), view_folder(c->sel->view));
	return true;
}

void
scan_fini(struct search_scan *sc)
{
	msg_iter_close(&sc->it);
	if (sc->c != NULL)
		digests_give(client_store(sc->c), &sc->digests);
	search_fini(&sc->s);
	free(sc->found);
}

static void
add_found(struct search_scan *sc, uint32_t seq)
{
	sc->found =
	    mem_grow(sc->found, &sc->cap, sc->nfound, sizeof(*sc->found));
	sc->found[sc->nfound++] = seq;
}

static void
end_batch(struct search_scan *sc)
{
	for (uint32_t i = 0; i < sc->n; i++)
		if (sc->yes[i])
			add_found(sc, sc->first + i);
	sc->n = 0;
}

/* What digests can tell of those that are open. */
static void
ask_digests(struct search_scan *sc)
{
	const struct digest *v[SCAN_BATCH];
	size_t open = 0;

	digests_get(sc->digests, sc->uid, sc->nopen, v);
	for (size_t i = 0; i < sc->nopen; i++) {
		enum search_says says = SAYS_MAYBE;

		if (v[i] != NULL)
			says = search_by_digest(&sc->s, sc->seq[i], v[i]);
		sc->yes[sc->seq[i] - sc->first] = says == SAYS_YES;
		if (says != SAYS_MAYBE)
			continue;
		sc->seq[open] = sc->seq[i];
		sc->uid[open++] = sc->uid[i];
	}
	sc->nopen = open;
}

/* Nothing of the program is for the view: all are open. */
static void
take_all(struct search_scan *sc)
{
	size_t left = sc->count - sc->last;

	sc->n = sc->nopen = view_uids(sc->c->sel->view, sc->first, sc->uid,
	    left < SCAN_BATCH ? left : SCAN_BATCH);
	for (size_t i = 0; i < sc->n; i++) {
		sc->yes[i] = false;
		sc->seq[i] = ++sc->last;
	}
}

static void
ask_view(struct search_scan *sc)
{
	for (sc->n = 0; sc->n < SCAN_BATCH && sc->last < sc->count; sc->n++) {
		enum search_says says = search_by_view(&sc->s, ++sc->last);

		sc->yes[sc->n] = says == SAYS_YES;
		if (says != SAYS_MAYBE)
			continue;
		sc->seq[sc->nopen] = sc->last;
		sc->uid[sc->nopen++] = sc->s.m->uid;
	}
}

/* The next messages, as far as view and digests can tell. */
static int
begin_batch(struct search_scan *sc)
{
	sc->first = sc->last + 1;
	sc->nopen = sc->at = 0;
	if (sc->s.view)
		ask_view(sc);
	else
		take_all(sc);
	if (sc->digests != NULL && sc->nopen != 0)
		ask_digests(sc);
	if (sc->nopen == 0)
		return 0;
	if (sc->it != NULL) {
		msg_iter_again(sc->it, sc->uid, sc->nopen);
		return 0;
	}
	return msg_iter_open(client_store(sc->c),
	    view_account(sc->c->sel->view), view_folder(sc->c->sel->view),
	    sc->uid, sc->nopen, 0,
	    sc->s.last >= BY_META ? MSG_WANT_META : MSG_WANT_INFO, &sc->it);
}

/* One of those that the index is asked for; false: there are no more. */
static bool
look_up(struct search_scan *sc, int *rc)
{
	struct msg_meta m;

	*rc = sc->nopen != 0 ? msg_iter_next(sc->it, &m) : ERR_NOTFOUND;
	if (*rc != 0) {
		*rc = *rc == ERR_NOTFOUND ? 0 : *rc;
		return false;
	}
	while (sc->at < sc->nopen && sc->uid[sc->at] < m.uid)
		sc->at++; /* expunged meanwhile */
	if (sc->at == sc->nopen || sc->uid[sc->at] != m.uid)
		return true;
	if (sc->digests != NULL && m.headers.p != NULL)
		(void)digests_add(sc->digests, &m, m.headers);
	sc->yes[sc->seq[sc->at] - sc->first] =
	    search_by_index(&sc->s, sc->seq[sc->at], &m) == SAYS_YES;
	return true;
}

bool
scan_go(struct search_scan *sc, int *rc)
{
	uint64_t until = clock_steady_us() + SLICE_US;

	*rc = 0;
	while (clock_steady_us() < until) {
		if (sc->n == 0 && sc->last == sc->count)
			return false;
		if (sc->n == 0 && (*rc = begin_batch(sc)) != 0)
			return false;
		/* Text is slow, the rest is not: the clock is asked for each
		 * message only then. */
		while (look_up(sc, rc))
			if (sc->s.hunt != NULL && clock_steady_us() > until)
				return true;
		if (*rc != 0)
			return false;
		end_batch(sc);
	}
	return true;
}
