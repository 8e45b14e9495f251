/*
 * parse_metadata.h - arguments of GETMETADATA and SETMETADATA (RFC 5464 5),
 * and the METADATA return option of LIST (RFC 9590).
 */
#ifndef IMAPD_PARSE_METADATA_H
#define IMAPD_PARSE_METADATA_H

#include "imapd/parse.h"
#include "storage/metadata.h"

enum { METADATA_DEPTH_ALL = 1000 };

struct args_getmetadata {
	struct slice name; /* empty: the server */
	bool has_maxsize;
	uint32_t maxsize;
	unsigned depth;
	struct slice *entries;
	size_t n;
};
bool parse_getmetadata(struct parse *p, void **args_out);

struct args_setmetadata {
	struct slice name;
	struct metadata *v;
	size_t n;
};
bool parse_setmetadata(struct parse *p, void **args_out);

/* "(" entry *(SP entry) ")" */
bool parse_entries(struct parse *p, struct slice **v_out, size_t *n_out);
/* Is this the head of a SETMETADATA? */
bool parse_setmetadata_begun(struct slice text, struct arena *a);

#endif
