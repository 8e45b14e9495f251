/*
 * notify.h - "something changed", from the process that committed it to all.
 *
 * Each process that wants to know binds a datagram socket under RUN/notify/.
 * The flusher sends what was committed once it is durable.  Loss is harmless:
 * whoever looks at a folder compares MODSEQ anyway.
 */
#ifndef STORAGE_NOTIFY_H
#define STORAGE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

struct store;

enum notify_kind {
	NOTIFY_FOLDER = 1,    /* messages came, changed or went */
	NOTIFY_FOLDERS = 2,   /* an account's folder list changed */
	NOTIFY_QUEUE = 4,     /* new or changed queue rows (id, or 0: many) */
	NOTIFY_ACCOUNT = 8,   /* secrets, state or rights changed: forget
				 * what was cached; kick == end sessions */
	NOTIFY_KICK = 16,     /* end all sessions of the account, or (account 0)
				 * the one whose number is in folder */
	NOTIFY_METADATA = 32, /* an annotation of a folder, or (0) of the
			       * account; entry says which.  A private one
			       * is told to the account that has it */
	NOTIFY_RIGHTS = 64,   /* who may do what in the account's folder */
	NOTIFY_ROUTES = 128,  /* addresses or domains: where mail leads */
	NOTIFY_LAST = NOTIFY_ROUTES
};

enum { NOTIFY_RUNS_MAX = 24, NOTIFY_ENTRY_MAX = 204 };

struct notify_event {
	enum notify_kind kind;
	uint64_t account; /* or the queue id for NOTIFY_QUEUE; 0: events
				 * of this kind were lost, look at everything */
	uint64_t folder;  /* or the row's account for NOTIFY_QUEUE */
	uint64_t modseq_from, modseq_to; /* folder's before and after */
	bool kick;
	/* Which runs of 32 changed (uid / 32); nruns == 0: not told. */
	uint32_t nruns;
	union {
		uint32_t runs[NOTIFY_RUNS_MAX];
		/* NOTIFY_METADATA: its name */
		char entry[NOTIFY_ENTRY_MAX];
	};
};

/* Binds this process's socket; kinds: a sum of notify_kind.  Returns a
 * non-blocking descriptor to poll, owned by the store; negative on error. */
PH_MUSTUSE int notify_listen(struct store *s, unsigned kinds);

/* This process looks at the folder, or (folder 0) at all of the account's, from
 * here on (by 1) or no longer (-1).  NOTIFY_FOLDER events that nobody in the
 * process wants may not come; a folder whose image is in memory is wanted. */
void notify_want(struct store *s, uint64_t account, uint64_t folder, int by);

/* Reads and decodes one datagram into events[cap] and tells the images
 * (image.c) which runs went stale.  Never blocks: may run on a loop.  Returns
 * how many events, 0 when nothing waits: call until then, since what does not
 * fit into events[] waits for the next call without a sign on the socket. */
size_t notify_read(struct store *s, struct notify_event *events, size_t cap);

/* For storage/ only, after a commit: counts the generation of the folder or
 * account on (generation.h); to be sent with the next flush. */
void notify_add(struct store *s, const struct notify_event *ev);
/* The same, when the change that rc tells of has come about; returns rc. */
PH_MUSTUSE int notify_routes(struct store *s, int rc);

#endif
