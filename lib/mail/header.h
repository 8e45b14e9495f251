/*
 * header.h - walking over a header block, RFC 5322 2.2 and 3.6.8.
 *
 * Pure functions on borrowed bytes.  Any bytes are accepted: lines may end in
 * CRLF or LF (APPEND stores what it gets), a line that is no field is handed
 * out with an empty name, and nothing is lost: the raw slices of all fields
 * lie side by side.  Linear time.
 */
#ifndef LIB_MAIL_HEADER_H
#define LIB_MAIL_HEADER_H

#include <stdbool.h>

#include "lib/base/buf.h"

struct header {
	struct slice name;  /* empty: the line is no field */
	struct slice value; /* behind the colon, folds and blanks included,
				 * without the last line end */
	struct slice raw;   /* the whole field with its line end */
};

/*
 * Takes the next field from the front of *rest.  False at the empty line
 * that ends the header, or at the end of the bytes; *rest is then the body
 * (perhaps empty) behind that line.
 */
bool header_next(struct slice *rest, struct header *out);

/* Offset of the body: behind the first empty line; msg.n without one. */
size_t header_end(struct slice msg);

/* Value of the first field of this name, trimmed but folded; {NULL, 0} when
 * there is none.  An empty field gives a slice of length 0 with p set. */
struct slice header_find(struct slice headers, struct slice name);

/*
 * Appends the value in one line: CR, LF and NUL are dropped, other bytes kept
 * (RFC 5322 2.2.3: unfolding removes the CRLF only), blanks at both ends
 * trimmed.
 */
void header_unfold(struct buf *out, struct slice value);

/*
 * RFC 9051 6.4.5.1 HEADER.FIELDS (invert == false) and HEADER.FIELDS.NOT: the
 * raw fields whose name is (not) among names, in their order, and the empty
 * line.  That line is left out only when the header itself has none.
 */
void header_fields(struct buf *out, struct slice headers,
    const struct slice *names, size_t n, bool not );

#endif
