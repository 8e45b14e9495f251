/*
 * metadata_out.h - reading annotations and telling them: for GETMETADATA and
 * for LIST RETURN (METADATA ...).  Jobs only.
 */
#ifndef IMAPD_METADATA_OUT_H
#define IMAPD_METADATA_OUT_H

#include "imapd/client.h"
#include "imapd/parse_metadata.h"

/* What is left out because it is longer than MAXSIZE: the longest of it. */
struct metadata_ask {
	const struct slice *entries;
	size_t n;
	unsigned depth;
	bool has_maxsize;
	uint32_t maxsize;
	uint64_t longest; /* result; 0: nothing was left out */
};

/* "* METADATA name (entry value ...)" CRLF, or nothing.  info: the folder;
 * NULL: the server. */
PH_MUSTUSE int metadata_write(struct client *c, struct slice name,
    const struct folder_info *info, struct metadata_ask *ask);

/* RFC 5464 3.3 */
bool metadata_may_see(const struct folder_info *info);

#endif
