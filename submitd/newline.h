/*
 * newline.h - data whose lines may end in a bare LF or CR (option
 * submission-fix-lines): line ends are put right before the end of the data is
 * looked for, so nobody behind us sees another end than we did.
 */
#ifndef SUBMITD_NEWLINE_H
#define SUBMITD_NEWLINE_H

#include "lib/mail/dotted.h"

/* As dotted_feed(), at most twice in.n + 2 bytes; a CR at the very end of in
 * is left for the next call. */
size_t newline_feed(struct dotted *d, struct slice in, struct buf *out);

/* The same for chunks, which know no dots: at most twice in.n bytes.  *last: 0
 * at first; the chunks of a message may be cut anywhere. */
void newline_chunk(char *last, struct slice in, struct buf *out);

#endif
