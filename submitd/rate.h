/*
 * rate.h - how often somebody comes: connections, mails and errors a minute,
 * of an address and of its network (/24, /64).  Thread-safe; in memory, as
 * large as is set at first, whoever comes.
 */
#ifndef SUBMITD_RATE_H
#define SUBMITD_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rates;

enum rate_kind {
	RATE_CONNECTIONS,
	RATE_MAILS,
	RATE_ERRORS,
	RATE_RECORDS, /* of refusals (refusal.h) */
	RATE_RECORDS_ALL
};

enum { RATE_NETWORK_FACTOR = 4 }; /* a network may so much more */

struct rates *rate_new(size_t sources_max);
void rate_free(struct rates **r);

/* Counts n more; false: that, or what was counted before, is over max for the
 * address or over its network's share.  max 0: no limit, nothing is counted.
 * ip "": a Unix socket, never limited. */
bool rate_take(struct rates *r, enum rate_kind kind, const char *ip, unsigned n,
    uint64_t max, uint64_t now_ms);

#endif
