/*
 * parse_fetch.h - what a FETCH asks for, RFC 3501 6.4.5 and RFC 9051 6.4.5.
 */
#ifndef IMAPD_PARSE_FETCH_H
#define IMAPD_PARSE_FETCH_H

#include "imapd/partial.h"
#include "lib/mail/mime_index.h"

enum fetch_item {
	FI_FLAGS = 1,
	FI_UID = 2,
	FI_INTERNALDATE = 4,
	FI_SIZE = 8,
	FI_ENVELOPE = 16,
	FI_BODY = 32, /* BODY without section */
	FI_BODYSTRUCTURE = 64,
	FI_MODSEQ = 128,  /* RFC 7162 3.1.5 */
	FI_PREVIEW = 256, /* RFC 8970 */
	FI_EMAILID = 512, /* RFC 8474 5.1, 5.2 */
	FI_THREADID = 1024,
	FI_SAVEDATE = 2048 /* RFC 8514 4.3 */
};

enum fetch_form {
	FORM_BODY,       /* BODY[...] */
	FORM_RFC822,     /* RFC822, RFC822.HEADER, RFC822.TEXT: their name in
			  * place of BODY[...] */
	FORM_BINARY,     /* BINARY[...], RFC 3516 */
	FORM_BINARY_SIZE /* BINARY.SIZE[...] */
};

enum fetch_fields { FIELDS_ALL, FIELDS_ONLY, FIELDS_NOT };

struct fetch_section {
	struct fetch_section *next;
	enum fetch_form form;
	struct slice label; /* as it stands in the response, without <n> */
	uint32_t *path;
	size_t npath;
	enum mime_what what;
	enum fetch_fields fields; /* of MIME_HEADER */
	struct slice *names;
	size_t nnames;
	bool kept; /* the index has all of them: msg_cached_header() */
	bool peek, partial;
	uint64_t off, len; /* of a partial */
};

struct args_fetch {
	struct seqset set;
	unsigned items;
	struct fetch_section *sections; /* in the order asked for */
	bool sets_seen;                 /* a section without PEEK */
	bool has_since, vanished;       /* RFC 7162 3.1.4, 3.2.6 */
	uint64_t since;
	struct partial partial; /* RFC 9394 3.3 */
};
bool parse_fetch(struct parse *p, void **args_out);
/* "[" [section-spec] "]", of BODY */
bool parse_fetch_section(struct parse *p, struct fetch_section *s);
/* "(" fetch-att *(SP fetch-att) ")", for NOTIFY */
bool parse_fetch_list(struct parse *p, struct args_fetch *a);

#endif
