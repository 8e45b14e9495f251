/*
 * sent_again.h - a mail program files what it has just sent: if the server has
 * done so itself, that copy is the answer (FORMAT, table sent).
 */
#ifndef STORAGE_SENT_AGAIN_H
#define STORAGE_SENT_AGAIN_H

#include "storage/deliver.h"

/*
 * As deliver(), for one message with one target (else it is deliver()).  A
 * message whose Message-ID is that of a copy made here in the last hour or two
 * is not stored again: the target gets the copy's place, and the copy the
 * flags it lacks.  That it has other line ends, or fewer attachments, does not
 * matter; but when it has a Bcc and the copy has none, both are kept.
 */
PH_MUSTUSE int sent_again(struct store *s, struct deliver *d, struct err *e);

#endif
