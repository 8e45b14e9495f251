/*
 * parse.h - the words of IMAP's grammar, RFC 3501 9 and RFC 9051 9; no I/O.
 *
 * Reads a complete command as the framer collected it: literals are "{n}"
 * CRLF and their bytes.  What comes out are slices of that text, or of the
 * command's arena where bytes had to change.  All rules return false with
 * p->c failed; p->code then may hold a response code, and p->no says that the
 * command is refused (NO) rather than malformed (BAD).
 */
#ifndef IMAPD_PARSE_H
#define IMAPD_PARSE_H

#include "imapd/seqset.h"
#include "lib/base/arena.h"
#include "lib/base/cur.h"

struct parse {
	struct cur c;
	struct arena *a;
	bool utf8;       /* names come as UTF-8: RFC 6855, RFC 9051 5.1 */
	bool no_charset; /* RFC 6855 3: SEARCH may not name one */
	bool uid_only;   /* RFC 9586: no message numbers */
	const char *code;
	bool no;
};

void parse_init(struct parse *p, struct slice text, struct arena *a, bool utf8);

/* Fails as NO with a response code (static strings; code without brackets). */
bool parse_refuse(struct parse *p, const char *code, const char *why);

/* The same as BAD. */
bool parse_bad(struct parse *p, const char *code, const char *why);

bool parse_sp(struct parse *p);
/* tag = 1*<any ASTRING-CHAR except "+"> */
bool parse_tag(struct parse *p, struct slice *out);
bool parse_atom(struct parse *p, struct slice *out);
/* string = quoted / literal; a literal8 means the same */
bool parse_string(struct parse *p, struct slice *out);
bool parse_astring(struct parse *p, struct slice *out);
/* out->p == NULL for NIL */
bool parse_nstring(struct parse *p, struct slice *out);
bool parse_u32(struct parse *p, uint32_t *out);
bool parse_nz_u32(struct parse *p, uint32_t *out);
/* number64; MODSEQ values (RFC 7162 7) are capped at 63 bits */
bool parse_u63(struct parse *p, uint64_t *out);
bool parse_set(struct parse *p, struct seqset *out);
/* A folder's name, in UTF-8; one separator at its end is dropped. */
bool parse_mailbox(struct parse *p, struct slice *out);
/* list-mailbox: a pattern, in UTF-8. */
bool parse_pattern(struct parse *p, struct slice *out);
/* date and date-time, RFC 9051 9; the day's start and the instant, UTC */
bool parse_date(struct parse *p, int64_t *out);
bool parse_date_time(struct parse *p, int64_t *out);
bool parse_end(struct parse *p);

struct parse_flags {
	uint32_t flags; /* enum msg_flag */
	struct slice *keywords;
	size_t n;
};

/* flag-list, without its parentheses too when bare_ok (STORE). \Recent is
 * read and dropped: nobody can set it, and some clients try. */
bool parse_flag_list(struct parse *p, bool bare_ok, struct parse_flags *out);

/* Without quotes and backslashes: is this an astring as it stands? */
bool parse_is_astring(struct slice s);

#endif
