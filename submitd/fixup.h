/*
 * fixup.h - what a message gets and loses on its way in: Received for all;
 * on submission also Date, Message-ID and From when missing, and no Bcc
 * (RFC 6409 8).
 */
#ifndef SUBMITD_FIXUP_H
#define SUBMITD_FIXUP_H

#include "submitd/client.h"

struct fixup {
	struct arena arena;
	struct buf head;     /* Received and what was missing */
	struct slice *parts; /* the message, for deliver() */
	size_t nparts, cap;
	struct slice msgid, header, body; /* as they came */
	bool made_msgid;                  /* but for this one, made here */
};

/* bytes: the message as it came, borrowed until fixup_fini().  ERR_DENIED:
 * e says what is wrong with it.  Runs in a job. */
PH_MUSTUSE int fixup_make(
    struct fixup *f, struct client *c, struct slice bytes, struct err *e);
void fixup_fini(struct fixup *f);

#endif
