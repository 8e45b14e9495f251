/*
 * resp.h - every byte to the peer: +OK, -ERR and their response codes
 * (RFC 2449 8, RFC 3206).
 *
 * Texts are English in the source, and said in the session's language (RFC
 * 6856 3); text.c has the others.
 */
#ifndef POP3D_RESP_H
#define POP3D_RESP_H

#include "lib/base/err.h"
#include "lib/base/slice.h"

struct client;

void resp_ok(struct client *c, const char *fmt, ...) PH_PRINTF(2, 3);
void resp_err(struct client *c, const char *fmt, ...) PH_PRINTF(2, 3);
/* -ERR with a response code, e.g. "IN-USE". */
void resp_code(struct client *c, const char *code, const char *fmt, ...)
    PH_PRINTF(3, 4);
/* -ERR with the code that belongs to the kind; text may be "" for the kind's
 * own words. */
void resp_fail(struct client *c, int kind, const char *text);
/* "+ " base64 CRLF, RFC 5034 4. */
void resp_challenge(struct client *c, struct slice bytes);
/* A line of a multi-line reply, and the end of one. */
void resp_line(struct client *c, const char *fmt, ...) PH_PRINTF(2, 3);
void resp_dot(struct client *c);

#endif
