/*
 * ahead.h - what a client that fetches one message after the other will ask
 * for next.
 *
 * Of the messages behind the last one the index is read for many at once; and
 * where the client waits for each reply, some of the next replies are made
 * together, so that RETR needs no job.  Both are good for AHEAD_MS: who
 * expunges a message meanwhile, it was still there when it was read.  Of one
 * session; embedded in the client.
 */
#ifndef POP3D_AHEAD_H
#define POP3D_AHEAD_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "pop3d/drop.h"
#include "storage/msg.h"
#include "storage/segment.h"

enum {
	AHEAD_MS = 250,
	AHEAD_METAS = 32,
	AHEAD_FIRST = 4,          /* replies at first, */
	AHEAD_REPLIES = 32,       /* and at most */
	AHEAD_BYTES = 192 << 10,  /* of replies */
	AHEAD_MESSAGE = 16 << 10, /* larger ones are not made */
	AHEAD_LEAST = 4           /* so many in a row are a pattern */
};

struct ahead {
	uint32_t last; /* the number asked for last */
	unsigned row;  /* so many came one after the other */
	/* the index: of numbers from.. */
	struct msg_meta *metas; /* NULL: none; uid 0: not known */
	uint32_t from, nmetas;
	struct arena arena; /* their prefixes */
	uint64_t metas_until;
	struct segment_ahead bodies; /* read along with those before them */
	/* replies: numbers next.. */
	struct buf bytes;
	size_t sizes[AHEAD_REPLIES];
	uint32_t next;
	unsigned at, nreplies;
	unsigned goal; /* so many of them, as the client is quick */
	uint64_t replies_until;
};

void ahead_init(struct ahead *a);
/* Forgets all of it; may be used again. */
void ahead_clear(struct ahead *a);

/* This number is asked for. */
void ahead_ask(struct ahead *a, uint32_t seq);

/* What the index knows of it, or NULL: look yourself.  Reads for the numbers
 * behind it as well when that pays; in jobs.  Good until the next call. */
const struct msg_meta *ahead_meta(
    struct ahead *a, struct drop *d, uint32_t seq, uint64_t now_ms);

/* Gives the bodies read along back; in jobs. */
void ahead_rest(struct ahead *a);

/* Is the reply made?  Loop. */
bool ahead_has(const struct ahead *a, uint32_t seq, uint64_t now_ms);
/* Appends it, when it is.  Loop, or in jobs. */
bool ahead_take(
    struct ahead *a, uint32_t seq, uint64_t now_ms, struct buf *out);

/* Should the reply for seq be made now?  In jobs, when the client has asked for
 * nothing else yet: the answer is no after enough of them, when the message is
 * too large, or marked deleted. */
bool ahead_wants(
    struct ahead *a, struct drop *d, uint32_t seq, uint64_t now_ms);
/* Here it is: what was appended to a->bytes. */
void ahead_made(struct ahead *a, uint32_t seq, size_t n, uint64_t now_ms);

#endif
