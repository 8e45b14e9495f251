/*
 * parse_append.h - the arguments of APPEND and REPLACE: RFC 9051 6.3.12, RFC
 * 3502, RFC 4469, RFC 8508.
 */
#ifndef IMAPD_PARSE_APPEND_H
#define IMAPD_PARSE_APPEND_H

#include "imapd/parse.h"

/* A piece of a message: a literal that was streamed, or bytes of a message
 * that is here already (RFC 4469). */
struct append_part {
	bool is_url, binary;
	uint64_t size; /* of a literal */
	struct slice url;
};

struct append_msg {
	struct parse_flags flags;
	bool has_date, utf8, catenate;
	int64_t date;
	struct append_part *parts;
	size_t nparts;
};

struct args_append {
	struct slice name;
	struct append_msg *v;
	size_t n;
	/* in all messages */
	size_t nliterals, nurls;
	/* REPLACE: the message that goes, a number or UID */
	struct num_or_star goes;
};

/* Messages are announced in the text but not in it: they were streamed. */
bool parse_append(struct parse *p, void **args_out);
bool parse_replace(struct parse *p, void **args_out);
/* Is this the beginning of one of them, up to an announced literal that
 * belongs to a message (and not to a name or URL)? */
bool parse_append_begun(struct slice text, struct arena *a);

#endif
