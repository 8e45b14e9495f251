/*
 * mime.h - a message's structure: RFC 2045, 2046, 2183, 2231, 3282, 2557.
 *
 * mime_parse() goes once over a complete message in memory (or mapped) and
 * makes a tree of parts in an arena.  Any bytes are a message.  Time is
 * linear in the message whatever it holds; what is over a limit stays opaque
 * and `truncated` says so.  Slices in the tree point into the message or the
 * arena and are unfolded.
 */
#ifndef LIB_MAIL_MIME_H
#define LIB_MAIL_MIME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"

/* Limits; a field of 0 means the default. */
struct mime_limits {
	uint32_t depth;        /* nested parts; default 100, at most 250 */
	uint32_t parts;        /* in the whole message; default 10,000 */
	uint32_t params;       /* in the whole message; default 20,000 */
	uint32_t header_bytes; /* looked at for each part; default 1 MiB */
};

enum mime_kind {
	MIME_LEAF,      /* all else, and what is opaque */
	MIME_MULTIPART, /* parts in child; at least one */
	MIME_MESSAGE    /* message/rfc822, message/global: message set */
};

/* Content-Transfer-Encoding, RFC 2045 6. */
enum mime_cte {
	MIME_7BIT, /* also when the field is missing */
	MIME_8BIT,
	MIME_BINARY,
	MIME_QP,
	MIME_BASE64,
	MIME_OTHER /* anything else: cannot be decoded */
};

/* A parameter as written; RFC 2231 forms ("name*0*") are not joined. */
struct mime_param {
	struct mime_param *next;
	struct slice name;
	struct slice value; /* unquoted */
};

/* A Content-Language tag. */
struct mime_lang {
	struct mime_lang *next;
	struct slice tag;
};

struct mime_part {
	struct mime_part *parent;
	struct mime_part *child;   /* MIME_MULTIPART: the first part */
	struct mime_part *next;    /* the next part of the same parent */
	struct mime_part *message; /* MIME_MESSAGE: what it encapsulates */

	/* Offsets in the message given to mime_parse(). */
	uint64_t head_off; /* the header; it ends at body_off */
	uint64_t body_off; /* behind the empty line */
	uint64_t body_len; /* without the line end before a boundary */
	uint64_t lines;    /* line ends (LF) within the body */

	enum mime_kind kind;
	enum mime_cte cte;
	bool is_text;   /* text, of any subtype */
	bool is_html;   /* text/html */
	bool has_nul;   /* a NUL in header or body; root and leaves */
	bool opaque;    /* would have parts, but is over a limit, or is a
			 * message that is encoded (RFC 2046 5.2.1) */
	bool truncated; /* root only: some limit was met */

	/* What follows is not in the serialised form; p == NULL: no such field.
	 * type and subtype have their defaults when mime_parse() or
	 * mime_read_header() set them. */
	struct slice type, subtype;
	struct mime_param *params;
	struct slice id, description, encoding, md5, location;
	struct slice disposition;
	struct mime_param *disp_params;
	struct mime_lang *langs;
};

/* Never NULL.  limits may be NULL. */
struct mime_part *mime_parse(
    struct arena *a, struct slice msg, const struct mime_limits *limits);

/*
 * Reads the header of one part that came from mime_load() (mime_index.h) and
 * sets the fields that are not serialised.  False when the offsets are not
 * within msg.
 */
bool mime_read_header(struct arena *a, struct slice msg, struct mime_part *part,
    const struct mime_limits *limits);

/* The first value of this name as written, or {NULL, 0}. */
struct slice mime_param_find(
    const struct mime_param *params, struct slice name);

#endif
