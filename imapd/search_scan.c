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
	return search_init(&sc->s, c, key);
}

void
scan_fini(struct search_scan *sc)
{
	msg_iter_close(&sc->it);
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
	msg_iter_close(&sc->it);
	sc->n = 0;
}

/* The next messages, as far as the view can tell. */
static int
begin_batch(struct search_scan *sc)
{
	sc->first = sc->last + 1;
	sc->nopen = sc->at = 0;
	for (sc->n = 0; sc->n < SCAN_BATCH && sc->last < sc->count; sc->n++) {
		enum search_says says = search_by_view(&sc->s, ++sc->last);

		sc->yes[sc->n] = says == SAYS_YES;
		if (says != SAYS_MAYBE)
			continue;
		sc->seq[sc->nopen] = sc->last;
		sc->uid[sc->nopen++] = sc->s.m->uid;
	}
	if (sc->nopen == 0)
		return 0;
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

	*rc = sc->it != NULL ? msg_iter_next(sc->it, &m) : ERR_NOTFOUND;
	if (*rc != 0) {
		*rc = *rc == ERR_NOTFOUND ? 0 : *rc;
		return false;
	}
	while (sc->at < sc->nopen && sc->uid[sc->at] < m.uid)
		sc->at++; /* expunged meanwhile */
	if (sc->at < sc->nopen && sc->uid[sc->at] == m.uid)
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
