/*
 * search_text.h - BODY and TEXT keys against the message itself.
 *
 * Goes once through the text of a message, part by part and decoded, for all
 * keys together; holds some 100 KiB whatever its size.
 */
#ifndef IMAPD_SEARCH_TEXT_H
#define IMAPD_SEARCH_TEXT_H

#include "storage/msg.h"

struct text_key {
	struct slice needle; /* folded, not empty */
	bool header;         /* TEXT: the header counts, too */
	bool hit;            /* result */
};

struct text_hunt; /* buffers, kept from message to message */

struct text_hunt *text_hunt_new(
    struct store *s, struct text_key *keys, size_t n);
void text_hunt_free(struct text_hunt **h);

/* Sets `hit` of each key; m with MSG_WANT_META.  Stops when all are hit. */
PH_MUSTUSE int text_hunt_run(struct text_hunt *h, const struct msg_meta *m);

#endif
