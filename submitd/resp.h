/*
 * resp.h - every byte of a reply: code, enhanced code (RFC 3463), text.
 */
#ifndef SUBMITD_RESP_H
#define SUBMITD_RESP_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

/* One line: "250 2.1.0 text".  head is "250 2.1.0 " or "354 ". */
void resp_line(struct buf *out, const char *head, const char *fmt, ...)
    PH_PRINTF(3, 4);
/* Several lines: each of the NULL-ended texts behind the codes of head ("530
 * 5.7.0 "), dashes as RFC 5321 4.2.1 has them. */
void resp_lines(struct buf *out, const char *head, const char *const *texts);
/* A reply to an error kind: RFC 3463 codes and words. */
struct resp_fail_row {
	const char *head, *en, *de;
};
struct resp_fail_row resp_fail_of(int kind);

/* The reply that belongs to an error kind; text "" for the kind's own. */
void resp_fail(struct buf *out, int kind, const char *text);
/* "334 " base64 CRLF, RFC 4954 4. */
void resp_challenge(struct buf *out, struct slice bytes);

#endif
