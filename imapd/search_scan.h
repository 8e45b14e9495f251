/*
 * search_scan.h - which messages of the folder match, a while at a time; for
 * SEARCH, SORT and THREAD.
 */
#ifndef IMAPD_SEARCH_SCAN_H
#define IMAPD_SEARCH_SCAN_H

#include "imapd/search.h"

enum { SCAN_BATCH = 512 };

struct search_scan {
	struct client *c;
	struct search s;
	struct digests *digests; /* NULL: of no help here */
	uint32_t count, last;    /* messages there are; looked at */
	/* the batch */
	uint32_t first;                            /* its first message */
	uint32_t n;                                /* how many */
	bool yes[SCAN_BATCH];                      /* by distance from first */
	uint32_t seq[SCAN_BATCH], uid[SCAN_BATCH]; /* to be looked up */
	size_t nopen;
	struct msg_iter *it;
	size_t at; /* of nopen */
	/* the result: message numbers, rising */
	uint32_t *found;
	size_t nfound, cap;
};

/* In a job.  False: a message number that is not there. */
bool scan_init(
    struct search_scan *sc, struct client *c, struct search_key *key);
void scan_fini(struct search_scan *sc);
/* Looks on for a while.  False: done, or failed (*rc). */
bool scan_go(struct search_scan *sc, int *rc);

#endif
