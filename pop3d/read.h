/*
 * read.h - a message on its way to the peer: RETR and TOP.
 *
 * In jobs; embedded in the client.
 */
#ifndef POP3D_READ_H
#define POP3D_READ_H

#include "lib/base/arena.h"
#include "lib/mail/dotted.h"
#include "storage/msg.h"

struct read {
	struct arena arena; /* the meta's slices */
	struct msg_meta meta;
	struct dotted_enc dots;
	uint64_t at;        /* bytes of the message already read */
	int64_t lines_left; /* of the body; -1: all */
	bool clipped;       /* TOP left something out */
	bool ascii;         /* of the header, only that; set after begin */
	unsigned tail;      /* the header's last bytes: enum in read.c */
};

/* Looks it up.  lines: of the body, -1 for all of it.  ERR_NOTFOUND: it was
 * expunged. */
PH_MUSTUSE int read_begin(struct read *r, struct store *s, uint64_t account,
    uint64_t folder, uint32_t uid, int64_t lines);
/* The same of one that is known (ahead.h): copies what it needs of m. */
void read_begin_known(struct read *r, const struct msg_meta *m, int64_t lines);
/* The next piece, dot-stuffed, into out; the end with its dot when *done_out.
 * On failure nothing was appended. */
PH_MUSTUSE int read_more(
    struct read *r, struct store *s, struct buf *out, bool *done_out);
/* Gives back what it holds; may be called at any time. */
void read_end(struct read *r);

#endif
