/*
 * esearch.h - what SEARCH and SORT say and keep with RETURN: RFC 4731, RFC
 * 5182, RFC 5267 3, RFC 9394 3.
 *
 * In jobs.  Results are message numbers in the order of the command.
 */
#ifndef IMAPD_ESEARCH_H
#define IMAPD_ESEARCH_H

#include "imapd/parse_search.h"
#include "imapd/sync.h"

struct esearch {
	/* to be filled in */
	const struct args_search *a;
	unsigned ret;
	const uint32_t *v; /* message numbers, n of them */
	size_t n;
	/* found by esearch_begin(): */
	size_t from, count; /* the window of PARTIAL, or all */
	uint64_t modseq;    /* the highest of those spoken of */
	/* on its way */
	bool said_head;
	size_t said;
};

/* Finds the MODSEQ where one is asked for, and keeps "$" for SAVE. */
void esearch_begin(struct client *c, struct esearch *e);
/* Writes; false: there is more, call again. */
bool esearch_write(struct client *c, struct esearch *e);

#endif
