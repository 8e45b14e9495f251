/*
 * rights.h - what somebody may do in a folder: RFC 4314's letters as bits.
 */
#ifndef STORAGE_RIGHTS_H
#define STORAGE_RIGHTS_H

#include "lib/base/buf.h"

/* RFC 4314 2.1 */
enum right {
	RIGHT_LOOKUP = 1,    /* l */
	RIGHT_READ = 2,      /* r */
	RIGHT_SEEN = 4,      /* s */
	RIGHT_WRITE = 8,     /* w: other flags */
	RIGHT_INSERT = 16,   /* i */
	RIGHT_POST = 32,     /* p: not IMAP's to enforce */
	RIGHT_CREATE = 64,   /* k: folders below */
	RIGHT_REMOVE = 128,  /* x: the folder */
	RIGHT_DELETE = 256,  /* t: \Deleted */
	RIGHT_EXPUNGE = 512, /* e */
	RIGHT_ADMIN = 1024,  /* a */
	RIGHTS_ALL = 2047
};

/* Letters to bits; the virtual "c" is kx, "d" is te (RFC 4314 2.1.1).  False:
 * a letter that is none. */
bool rights_parse(struct slice letters, unsigned *out);
/* The letters, "c" and "d" where they belong; nothing for none. */
void rights_write(struct buf *out, unsigned rights);

/* Flags (enum msg_flag) that somebody with these rights may set and clear;
 * keywords go with RIGHT_WRITE (RFC 4314 4). */
unsigned rights_flags(unsigned rights);

#endif
