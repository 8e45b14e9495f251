/*
 * append.h - messages of an APPEND on their way into a spool.
 *
 * All messages of one command (RFC 3502) share a spool; it remembers where
 * each ends.  On the loop, but for what cmd_append() does in its job.
 */
#ifndef IMAPD_APPEND_H
#define IMAPD_APPEND_H

#include "imapd/client.h"
#include "storage/spool.h"

enum { APPEND_TOTAL_TIMES = 4 }; /* of message-max, in one command */

struct append_in {
	struct spool *spool;
	uint64_t *ends; /* offset behind each literal */
	size_t n, cap;
	uint64_t total; /* announced so far */
	bool eight;     /* the one coming in may hold NULs */
	bool has_nul;   /* one that may not, does */
	bool failed;    /* spool_status() says why */
};

/* A message is announced; false when it is too much in all. */
bool append_begin(struct client *c, uint64_t size, bool binary);
void append_bytes(struct client *c, struct slice bytes);
/* After append_bytes(): starts a job when memory has to go to the file. */
void append_spill(struct client *c);
void append_end(struct client *c);
/* Taken over: another spool with n messages in the place of what came in. */
void append_replace(
    struct client *c, struct spool *spool, uint64_t *ends, size_t n);
void append_drop(struct client *c);

#endif
