/*
 * frame.h - takes IMAP commands off the input, whole, literals included.
 *
 * Pure: the owner feeds the bytes that have come and asks what is there.  A
 * command is collected into one buffer: lines with the CRLF before a literal,
 * and literals behind them; only the last CRLF is left out.  A literal is
 * announced first (RFC 9051 4.3, RFC 7888): the owner keeps it, streams it
 * (then its bytes are not in the buffer) or refuses it.  A refused command is
 * drained to its end, so that nothing of it is ever read as a command.
 */
#ifndef IMAPD_FRAME_H
#define IMAPD_FRAME_H

#include "lib/base/buf.h"

enum frame_event {
	FRAME_MORE,    /* needs more bytes */
	FRAME_COMMAND, /* frame_text() is complete; frame_reset() after */
	FRAME_LITERAL, /* f->literal is announced: answer by frame_keep(),
			* frame_stream() or frame_refuse() */
	FRAME_STREAM,  /* *bytes_out is part of the streamed literal */
	FRAME_STREAM_END,
	FRAME_BAD /* the command is over, f->bad says why; frame_reset() */
};

enum frame_bad {
	FRAME_GOOD,
	FRAME_REFUSED,   /* by frame_refuse() */
	FRAME_LONG_LINE, /* over line_max */
	FRAME_BARE,      /* bare CR or LF */
	FRAME_NUL        /* NUL in a line */
};

struct frame_literal {
	uint64_t size; /* UINT64_MAX: a number beyond all bounds */
	bool sync;     /* the client waits for "+" */
	bool binary;   /* literal8, RFC 3516 4.4 */
};

struct frame {
	struct buf text;
	struct frame_literal literal; /* the last one announced */
	enum frame_bad bad;
	size_t line_max;
	/* private */
	size_t scanned; /* bytes of the input known to hold no LF */
	uint64_t left;  /* of a literal being read */
	uint8_t state;
	bool plain;
	bool skipping; /* the line is over line_max: only its end counts, */
	char tail[32]; /* because it may announce a literal */
	uint8_t ntail;
};

/* total_max: ceiling of a command in memory. */
void frame_init(struct frame *f, size_t line_max, size_t total_max);
void frame_fini(struct frame *f);
void frame_limits(struct frame *f, size_t line_max, size_t total_max);
/* Lines that are no commands (SASL, DONE): braces at their end mean nothing.
 * Only between commands. */
void frame_plain(struct frame *f, bool on);

/* What is next in `in`; *used_out bytes of it are to be consumed.  bytes_out
 * (FRAME_STREAM) points into `in`. */
enum frame_event frame_next(struct frame *f, struct slice in, size_t *used_out,
    struct slice *bytes_out);

/* Answers to FRAME_LITERAL.  frame_keep() is false, and has refused, when the
 * command would get over its ceiling. */
PH_MUSTUSE bool frame_keep(struct frame *f);
void frame_stream(struct frame *f);
void frame_refuse(struct frame *f);

/* Collected so far: with FRAME_LITERAL it ends in "{n}" CRLF; with FRAME_BAD
 * perhaps only its beginning. */
struct slice frame_text(const struct frame *f);
/* Ready for the next command. */
void frame_reset(struct frame *f);
/* Between commands: gives memory back. */
void frame_idle(struct frame *f);
/* Nothing of a command has come. */
bool frame_empty(const struct frame *f);

#endif
