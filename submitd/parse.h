/*
 * parse.h - SMTP commands (RFC 5321 4.1) and their parameters.  Pure.
 */
#ifndef SUBMITD_PARSE_H
#define SUBMITD_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/slice.h"

struct smtp_line {
	struct slice verb; /* letters, as they came */
	struct slice rest; /* behind one blank, trimmed at the end */
};

/* False: does not start with a word of letters. */
bool smtp_parse_line(struct slice line, struct smtp_line *out);

enum { SMTP_PARAMS_MAX = 12 };

struct smtp_param {
	struct slice key, value; /* value.p == NULL: no '=' */
};

struct smtp_path {
	struct slice addr;          /* without <> and source route; empty: <> */
	struct slice local, domain; /* domain empty: no '@' */
	struct smtp_param params[SMTP_PARAMS_MAX];
	unsigned nparams;
};

/*
 * "FROM:<path> params" and "TO:<path> params", RFC 5321 4.1.2; word is "FROM"
 * or "TO".  lenient: blanks behind the colon (CLIENTS D: Outlook) and a path
 * without <>.  Bytes past ASCII are UTF-8 (RFC 6531 3.3).  False: *why_out is a
 * text for the peer.
 */
bool smtp_parse_path(struct slice rest, const char *word, bool lenient,
    struct smtp_path *out, const char **why_out);

/* "SIZE [LAST]", RFC 3030 2. */
bool smtp_parse_chunk(struct slice rest, uint64_t *n_out, bool *last_out);

/* "2026-12-24T18:00:00Z", RFC 4865 4 and RFC 3339 5.6: seconds. */
bool smtp_parse_time(struct slice s, int64_t *sec_out);

/* What EHLO and HELO may say: a Domain or an address literal; kept loose, as
 * RFC 5321 4.1.4 forbids refusing a mail for it. */
bool smtp_helo_ok(struct slice name);

/* RFC 3461 4: xtext into out; false: malformed, or it hides control bytes. */
bool smtp_xtext(struct buf *out, struct slice s);

/* RFC 3461 4.1: NEVER, or a list of SUCCESS, FAILURE, DELAY; a sum of
 * NOTIFY_ON_*. */
bool smtp_parse_notify(struct slice s, unsigned *out);

#endif
