/*
 * subject.h - the base subject, RFC 5256 2.1.
 */
#ifndef LIB_MAIL_SUBJECT_H
#define LIB_MAIL_SUBJECT_H

#include <stdbool.h>

#include "lib/base/buf.h"

/*
 * Appends the base subject of a decoded subject (decode_words() of the
 * unfolded field).  *is_reply: something that says reply or forward was
 * removed ("Re:", "(fwd)", "[fwd: ]").  Case is kept; comparing folds it.
 */
void subject_base(struct buf *out, struct slice decoded_utf8, bool *is_reply);

#endif
