/*
 * xclient.h - what XCLIENT tells of a client (Postfix's XCLIENT_README).  Pure.
 *
 *	XCLIENT ADDR=192.0.2.1 PORT=25 HELO=mx.example.net
 *
 * Values are xtext; "[UNAVAILABLE]" and the like say nothing.
 */
#ifndef SUBMITD_XCLIENT_H
#define SUBMITD_XCLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/slice.h"

struct xclient {
	char ip[46];
	uint64_t port;
	bool has_ip;
	char helo[256];
};

/* rest: behind the verb.  False: an attribute is unknown or its value bad. */
bool xclient_parse(struct slice rest, struct xclient *out);

#endif
