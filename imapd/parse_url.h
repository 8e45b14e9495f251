/*
 * parse_url.h - IMAP URLs that name a message or a part of one on this
 * server, RFC 5092 11; pure.
 *
 * Only relative ones are read: what has a scheme, a server, a search or an
 * authorization is none of ours (RFC 4469 3).
 */
#ifndef IMAPD_PARSE_URL_H
#define IMAPD_PARSE_URL_H

#include "imapd/parse_fetch.h"

struct imap_url {
	bool absolute;        /* begins with "/": the mailbox's whole name */
	struct slice mailbox; /* UTF-8; empty: the selected one */
	uint32_t uidvalidity; /* 0: not said */
	uint32_t uid;
	struct fetch_section *section; /* NULL: the whole message */
	bool partial;
	uint64_t off, len; /* len 0: to the end */
};

bool url_parse(struct arena *a, struct slice text, struct imap_url *out);

#endif
