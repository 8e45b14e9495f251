/*
 * resp.h - every byte to the peer: tagged and untagged responses, response
 * codes (RFC 3501 7, RFC 5530), strings.
 */
#ifndef IMAPD_RESP_H
#define IMAPD_RESP_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "storage/folder.h"

enum resp_kind { RESP_OK, RESP_NO, RESP_BAD };

/* "tag OK [CODE] text" CRLF; code may be NULL; an empty tag is "*". */
void resp_tagged(struct buf *out, struct slice tag, enum resp_kind kind,
    const char *code, const char *text);
/* "* BYE [CODE] text" */
void resp_bye(struct buf *out, const char *code, const char *text);
/* "* OK [CODE] text", code as given with printf */
void resp_ok_code(struct buf *out, const char *text, const char *fmt, ...)
    PH_PRINTF(3, 4);
/* "+ text" */
void resp_continue(struct buf *out, const char *text);
/* "+ " base64 */
void resp_challenge(struct buf *out, struct slice bytes);
/* "* OK [INPROGRESS ("tag" 5 100)]", RFC 9585 5 */
void resp_progress(
    struct buf *out, struct slice tag, uint64_t at, uint64_t goal);
/* "* 5 EXISTS" */
void resp_number(struct buf *out, uint64_t n, const char *word);

/* string: quoted where it can be, else a literal; NULs are dropped. */
void resp_string(struct buf *out, struct slice s);
void resp_nstring(struct buf *out, struct slice s);

/* "\Seen \Flagged word", without parentheses; names by bit. */
void resp_flag_words(struct buf *out, uint32_t flags, bool recent,
    uint64_t keywords, const struct slice *names);

/* "\Sent" or NULL. */
const char *resp_use(enum folder_use use);

/* What the peer is told about an error of this kind. */
struct resp_fail {
	const char *code; /* or NULL */
	const char *text;
};
struct resp_fail resp_fail(int kind);

#endif
