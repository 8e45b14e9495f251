/*
 * mime_index.h - section numbers, and the compact form of the tree that
 * answers them without the message.
 */
#ifndef LIB_MAIL_MIME_INDEX_H
#define LIB_MAIL_MIME_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/mail/mime.h"

/*
 * Section numbers, RFC 9051 6.4.5.1: the part that path[0..n) names; n == 0
 * is the root.  False (and NULL) when there is no such part.
 */
bool mime_section(const struct mime_part *root, const uint32_t *path, size_t n,
    const struct mime_part **part_out);

enum mime_what {
	MIME_BODY,   /* BODY[1.2]; without path BODY[] */
	MIME_HEADER, /* BODY[HEADER], BODY[4.HEADER] */
	MIME_TEXT,   /* BODY[TEXT], BODY[4.TEXT] */
	MIME_MIME    /* BODY[1.2.MIME] */
};

/*
 * The byte range of BODY[path.what].  HEADER.FIELDS takes the range of
 * MIME_HEADER to header_fields().  False when there is none: no such part, or
 * HEADER/TEXT of a part that is no message, or MIME without path; the answer
 * to the client is NIL then.
 */
bool mime_range(const struct mime_part *root, const uint32_t *path, size_t n,
    enum mime_what what, uint64_t *off_out, uint64_t *len_out);

/*
 * The compact form: a version byte, then offsets, lengths, kind, encoding and
 * nesting as varints; about 7 bytes a part.  False when out overflowed.
 */
bool mime_serialize(const struct mime_part *root, struct buf *out);
/*
 * Reads it.  False (*root_out NULL) when the bytes are damaged.  What is true
 * of the result: ranges are nested within the root's, and the root ends at
 * mime_end(), which the caller compares with the size of the message.
 */
bool mime_load(
    struct slice bytes, struct arena *a, struct mime_part **root_out);
/* body_off + body_len. */
uint64_t mime_end(const struct mime_part *part);

#endif
