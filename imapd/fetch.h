/*
 * fetch.h - a FETCH under way: which messages, which of them is being
 * written, how far it has got.  Shared by cmd_fetch.c, fetch_item.c,
 * fetch_section.c and fetch_stream.c; in jobs.
 */
#ifndef IMAPD_FETCH_H
#define IMAPD_FETCH_H

#include "imapd/msgset.h"
#include "imapd/parse_fetch.h"
#include "lib/mail/decode.h"
#include "storage/msg.h"

enum { FETCH_BATCH = 256, FETCH_FIELDS_MAX = 16 << 20 };

/* Bytes on their way into an announced literal. */
struct fetch_stream {
	uint64_t off, left; /* of the message, still to be read */
	uint64_t owed;      /* bytes of the literal not written yet */
	bool decoding;      /* BINARY: through the decoder */
	uint64_t skip;      /* decoded bytes before a partial */
	struct decoder decoder;
};

struct fetch_run {
	struct client *c;
	uint64_t folder;
	const struct args_fetch *a;
	struct ranges seqs;
	uint32_t last;   /* number taken into a batch last */
	bool need_index; /* some item is not in the view */
	unsigned want;   /* of msg_iter_open() */
	/* the batch */
	uint32_t seq[FETCH_BATCH], uid[FETCH_BATCH];
	struct view_msg msg[FETCH_BATCH];
	size_t n, at;
	struct msg_iter *it;
	bool ahead; /* meta is of a message still to come */
	struct msg_meta meta;
	/* the message being written */
	bool open; /* its "(" has been */
	bool first;
	uint32_t at_seq;
	struct view_msg m;
	const struct fetch_section *section; /* next, or being streamed */
	struct fetch_stream stream;
	struct arena scratch; /* of this message */
	struct mime_part *root;
	struct slice whole; /* read because the index lacks something */
	struct buf picked;  /* header fields, on their way */
	/* UIDs that got \Seen by this command: their FLAGS are told */
	uint32_t *seen;
	size_t nseen, at_seen;
	const char *no_code, *no_text; /* what went wrong with some */
};

/* cmd_fetch.c */

/* For these messages (memory: as long as the run); a: sets, CHANGEDSINCE and
 * \Seen are the caller's business. */
struct fetch_run *fetch_new(
    struct client *c, const struct args_fetch *a, struct ranges seqs);
void fetch_free(struct fetch_run **r);
/* Writes on; true: that was all. */
bool fetch_go(struct fetch_run *r);

/* A blank before every item but the first. */
void fetch_sep(struct fetch_run *r);
/* Something of this message cannot be had; the command ends with NO. */
void fetch_trouble(struct fetch_run *r, int kind);

/* fetch_item.c: all items but sections. */
void fetch_items(struct fetch_run *r);
/* BODY out of BODYSTRUCTURE: extension data dropped, RFC 9051 7.5.2.  False:
 * it is none. */
bool fetch_body_of(struct buf *out, struct slice extended);
/* The whole message, when the index does not keep what is asked for.  False:
 * cannot be read. */
bool fetch_whole(struct fetch_run *r);

/* fetch_stream.c */

/* "{n}" CRLF */
void fetch_literal(struct fetch_run *r, uint64_t n);
/* A literal has no NUL (RFC 9051 4.3): 0x80 in its place, as POP3 does. */
void fetch_hide_nuls(struct buf *out, size_t from);
/* Announces bytes of the message and begins with them; true when that was all.
 * fetch_go_on(): the same with what comes next. */
bool fetch_start(struct fetch_run *r, uint64_t off, uint64_t len);
bool fetch_go_on(struct fetch_run *r);
/* The same decoded: `size` bytes of it behind `skip`. */
bool fetch_start_binary(struct fetch_run *r, enum decode_kind kind,
    uint64_t off, uint64_t len, uint64_t skip, uint64_t size);
/* How long these bytes are when decoded.  False: cannot be read. */
bool fetch_decoded_size(struct fetch_run *r, enum decode_kind kind,
    uint64_t off, uint64_t len, uint64_t *size_out);

/* fetch_section.c */

/* Where the section lies in the message; false: there is none.  Not for
 * HEADER.FIELDS: its bytes are put together by fetch_fields(). */
bool fetch_locate(struct fetch_run *r, const struct fetch_section *s,
    uint64_t *off_out, uint64_t *len_out);
bool fetch_fields(
    struct fetch_run *r, const struct fetch_section *s, struct buf *out);

/* Writes r->section, or as much of it as is good at a time;
 * true when it is complete. */
bool fetch_section(struct fetch_run *r);

#endif
