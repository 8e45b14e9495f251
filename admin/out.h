/*
 * out.h - what a command says: text for people, JSON for programs.
 *
 * Rows are jansson objects; one table of columns serves both forms.  JSON
 * listings are arrays of objects with every key of the table, always.
 */
#ifndef ADMIN_OUT_H
#define ADMIN_OUT_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/buf.h"

enum out_stream { OUT_STDOUT = 1, OUT_STDERR = 2 };

enum out_kind {
	OUT_TEXT,
	OUT_NUM,
	OUT_BYTES,       /* JSON: number; text: 12.3M */
	OUT_LIMIT,       /* the same; 0 is "none" */
	OUT_COUNT_LIMIT, /* a number; 0 is "none" */
	OUT_SPAN,        /* seconds; text: 45s, 12m, 3h, 2d */
	OUT_TIME,        /* JSON: "2024-05-01T12:00:00Z" or null */
	OUT_BOOL,        /* text: yes, no */
	OUT_LIST         /* of texts; text: separated by blanks */
};

struct out_col {
	const char *key;
	const char *title; /* NULL: in JSON only */
	enum out_kind kind;
};

struct out {
	bool json;
	/* Takes the bytes away; on the same thread. */
	void (*sink)(void *arg, enum out_stream stream, struct slice bytes);
	void *arg;
	bool said;     /* something went to standard output */
	char why[300]; /* the first line that went to standard error */
	/* private */
	struct buf text;
	const struct out_col *cols;
	size_t ncols;
	char ***rows; /* texts of cells, until the widths are known */
	size_t nrows, rows_cap;
};

void out_init(struct out *o,
    void (*sink)(void *arg, enum out_stream stream, struct slice bytes),
    void *arg);
/* Flushes and frees. */
void out_fini(struct out *o);
void out_flush(struct out *o);

/* To standard output. */
void out_printf(struct out *o, const char *fmt, ...) PH_PRINTF(2, 3);
void out_bytes(struct out *o, struct slice s);
/* To standard error, at once. */
void out_error(struct out *o, const char *fmt, ...) PH_PRINTF(2, 3);

/* A listing: rows are taken over. */
void out_begin(struct out *o, const struct out_col *cols, size_t n);
void out_row(struct out *o, json_t *row);
void out_end(struct out *o);
/* One thing: "Title: value" lines or one object.  Takes it over. */
void out_record(
    struct out *o, const struct out_col *cols, size_t n, json_t *row);

/* Values for rows.  Bytes that are no UTF-8 become '?'. */
json_t *out_str(struct slice s);
json_t *out_time(int64_t sec); /* 0: null */

/* "2024-05-01T12:00:00Z". */
void out_time_text(int64_t sec, char to[32]);

#endif
