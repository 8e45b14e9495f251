/*
 * mime_imap.h - what IMAP says of a message: ENVELOPE and BODYSTRUCTURE.
 *
 * Pure; appended to out, whose ceiling the caller chose.  Text leaves as
 * quoted strings when it is printable ASCII, else as literals; never a CR, LF
 * or NUL in either.
 */
#ifndef LIB_MAIL_MIME_IMAP_H
#define LIB_MAIL_MIME_IMAP_H

#include "lib/base/buf.h"
#include "lib/mail/mime.h"

/* nstring, RFC 9051 9: NIL for p == NULL, else quoted, else "{n}\r\n...".
 * NUL bytes are dropped. */
void mime_string(struct buf *out, struct slice s);

/*
 * The envelope of this header block, RFC 9051 7.5.2, parentheses included.
 * Several From, To, ... fields are joined; of the others the first counts.
 * At most 10,000 addresses.
 */
void mime_envelope(struct buf *out, struct slice headers);

/*
 * BODYSTRUCTURE (extended) or BODY of a tree made by mime_parse() from this
 * msg, RFC 9051 7.5.2, parentheses included, item name not.
 */
void mime_bodystructure(struct buf *out, const struct mime_part *root,
    struct slice msg, bool extended);

#endif
