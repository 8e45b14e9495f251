/*
 * rewrite.h - header edits for submission, RFC 6409 8, without copying.
 *
 * The outcome is bytes to put in front and ranges to leave out.  The caller's
 * own trace fields (Received) go before `add`.
 */
#ifndef LIB_MAIL_REWRITE_H
#define LIB_MAIL_REWRITE_H

#include <stdbool.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"

struct rewrite_opts {
	int64_t now_sec; /* for a missing Date */
	int tz_min;
	struct slice msgid;       /* for a missing Message-ID, without <>;
				 * empty: none is added */
	struct slice sender;      /* "a@b" for a Sender field in place of those
				 * there, RFC 6409 8.1; empty: left alone */
	const struct slice *drop; /* fields to leave out */
	size_t ndrop;
};

/* Bcc, Resent-Bcc and Return-Path (RFC 5321 4.4): the usual list to drop. */
extern const struct slice rewrite_drop_usual[];
extern const size_t rewrite_drop_usual_n;

struct rewrite_cut {
	uint64_t off, len; /* never empty, rising, apart */
};

struct rewrite {
	struct slice add; /* complete fields, perhaps none; when the
				 * message has no header at all, the empty line
				 * too */
	struct rewrite_cut *cuts;
	size_t ncuts;
	uint64_t body_off;                      /* of the message as it came */
	uint64_t size;                          /* of add and what is kept */
	uint32_t nfrom, nsender, ndate, nmsgid; /* fields there were */
	struct slice from; /* value of the first From, folded, or p NULL */
};

/*
 * Fills *rw; memory from a.  0, or ERR_TOOBIG when there are more than 1,000
 * fields to drop.  Linear in the header.
 */
PH_MUSTUSE int rewrite_submission(struct arena *a, struct slice msg,
    const struct rewrite_opts *opts, struct rewrite *rw);

/*
 * Walks over the new message in pieces (add first): *at starts at 0 and is
 * private.  False when there is no more.
 */
bool rewrite_next(const struct rewrite *rw, struct slice msg, size_t *at,
    struct slice *piece_out);

#endif
