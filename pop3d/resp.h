/*
 * resp.h - every byte to the peer: +OK, -ERR and their response codes
 * (RFC 2449 8, RFC 3206).
 */
#ifndef POP3D_RESP_H
#define POP3D_RESP_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

void resp_ok(struct buf *out, const char *fmt, ...) PH_PRINTF(2, 3);
void resp_err(struct buf *out, const char *fmt, ...) PH_PRINTF(2, 3);
/* -ERR with the code that belongs to the kind; text may be "" for the kind's
 * own words. */
void resp_fail(struct buf *out, int kind, const char *text);
/* "+ " base64 CRLF, RFC 5034 4. */
void resp_challenge(struct buf *out, struct slice bytes);

#endif
