/*
 * parse_acl.h - arguments of SETACL, DELETEACL, LISTRIGHTS (RFC 4314 7).
 * GETACL and MYRIGHTS have a name alone: parse_name().
 */
#ifndef IMAPD_PARSE_ACL_H
#define IMAPD_PARSE_ACL_H

#include "imapd/parse.h"
#include "storage/acl.h"

struct args_acl {
	struct slice name;
	struct slice who;     /* in lower case, as logins are */
	struct slice as_said; /* the same as it came */
	enum acl_op op;       /* SETACL */
	unsigned rights;
};
bool parse_setacl(struct parse *p, void **args_out);
bool parse_identifier(struct parse *p, void **args_out);

#endif
