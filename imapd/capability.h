/*
 * capability.h - the words of CAPABILITY (RFC 9051 7.2.2), and who is not
 * offered which: option imap-withhold.
 */
#ifndef IMAPD_CAPABILITY_H
#define IMAPD_CAPABILITY_H

#include "imapd/client.h"

/* What this client may be told now, each with a blank in front. */
void caps_write(struct client *c, struct buf *out);
bool caps_offers(const struct client *c, const char *word);
/* Is the word that a command belongs to offered? */
bool caps_allow(const struct client *c, const char *command);
/* Who he says he is (ID); p == NULL: nothing yet.  True: other words than
 * before are withheld. */
bool caps_for_client(struct client *c, struct slice name);

#endif
