/*
 * parse_search.h - SEARCH programs as a tree, RFC 3501 6.4.4 and extensions.
 */
#ifndef IMAPD_PARSE_SEARCH_H
#define IMAPD_PARSE_SEARCH_H

#include "imapd/partial.h"

enum search_op {
	SK_ALL,
	SK_AND, /* of the list at `sub` */
	SK_OR,  /* likewise */
	SK_NOT, /* of the one at `sub` */
	/* from the view */
	SK_FLAGS, /* (flags & mask) == want */
	SK_RECENT,
	SK_KEYWORD,
	SK_SEQ,
	SK_UID,
	SK_MODSEQ, /* at least n */
	/* from the index */
	SK_SIZE, /* lo <= size <= hi */
	SK_DATE, /* lo <= internal date < hi, seconds */
	SK_SAVED,
	SK_EMAILID,
	SK_THREADID,
	/* from the header */
	SK_SENT, /* lo <= Date field's day < hi */
	SK_HEADER,
	/* from the message */
	SK_BODY,
	SK_TEXT
};

struct search_key {
	struct search_key *next; /* in its list */
	enum search_op op;
	struct search_key *sub;
	uint32_t mask, want;
	int64_t lo, hi;
	uint64_t n;
	struct slice name; /* of a field or keyword */
	struct slice text; /* UTF-8 as typed */
	struct seqset set;
	struct ranges ranges; /* of set, for whoever runs it */
	uint64_t bit;         /* of a keyword, likewise */
	unsigned field;       /* enum digest_field of name, likewise */
	void *needle;         /* of text, likewise */
};

/* RETURN, RFC 4731 3.1, RFC 5182 2, RFC 9394 3.1 */
enum search_return {
	SR_MIN = 1,
	SR_MAX = 2,
	SR_ALL = 4,
	SR_COUNT = 8,
	SR_SAVE = 16,
	SR_PARTIAL = 32
};

struct args_search {
	bool extended; /* RETURN was there */
	unsigned ret;  /* sum of search_return */
	struct partial partial;
	bool has_modseq;
	struct search_key *key; /* SK_AND */
};
bool parse_search(struct parse *p, void **args_out);

/* For SORT and THREAD: RETURN (...) SP, if it is there; the keys up to the
 * end. */
bool parse_search_return(struct parse *p, struct args_search *a);
bool parse_search_program(
    struct parse *p, struct slice charset, struct args_search *a);

#endif
