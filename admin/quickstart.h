/*
 * quickstart.h - the files of a new host: configuration, CA, certificate.
 */
#ifndef ADMIN_QUICKSTART_H
#define ADMIN_QUICKSTART_H

#include "admin/user.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

enum { QUICKSTART_OFFSET_MAX = 64000 };

/* What quickstart was asked for. */
struct quickstart {
	char *dir;          /* absolute */
	const char *domain; /* folded */
	const char *user;   /* who the daemons run as; "": unknown */
	unsigned port_offset;
	bool v6;
};

/* The text of posthof.conf. */
void quickstart_conf(const struct quickstart *q, struct buf *out);

/* Makes what is missing in q->dir: posthof.conf, tls/; what is there stays.
 * The certificate is made again when it does not cover the domain. */
PH_MUSTUSE int quickstart_files(const struct quickstart *q, struct err *e);

/* As root, opens q->dir to the user's group where it is closed.  What stands
 * above need not be open: all paths are relative to it. */
PH_MUSTUSE int quickstart_open_dir(
    const struct quickstart *q, const struct user *user, struct err *e);

#endif
