/*
 * msgid.h - message ids in Message-ID, In-Reply-To and References.
 */
#ifndef LIB_MAIL_MSGID_H
#define LIB_MAIL_MSGID_H

#include <stdbool.h>

#include "lib/base/buf.h"

/*
 * Takes the next id from the front of *rest (a folded field value).  *id is
 * what stands between '<' and '>', trimmed, never empty and without blanks
 * inside; phrases, comments and broken ids between are skipped.  False at the
 * end.
 */
bool msgid_next(struct slice *rest, struct slice *id);

/*
 * Appends the id in the form that is compared (RFC 5256 REFERENCES): quotes
 * and backslashes that RFC 5322 does not need are dropped, so that
 * "abc"@example is abc@example.
 */
void msgid_norm(struct buf *out, struct slice id);

#endif
