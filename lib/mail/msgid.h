/*
 * msgid.h - message ids in Message-ID, In-Reply-To and References.
 */
#ifndef LIB_MAIL_MSGID_H
#define LIB_MAIL_MSGID_H

#include <stdbool.h>

#include "lib/base/slice.h"

/*
 * Takes the next id from the front of *rest (a folded field value).  *id is
 * what stands between '<' and '>', trimmed, never empty and without blanks
 * inside; phrases, comments and broken ids between are skipped.  False at the
 * end.
 */
bool msgid_next(struct slice *rest, struct slice *id);

#endif
