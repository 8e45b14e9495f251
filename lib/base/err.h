/*
 * err.h - what went wrong, for the caller, the peer and the log.
 *
 * Functions that can fail return 0 or a negative enum ph_err.  Those whose
 * failure needs words also fill a struct err: `text` is fit for the peer,
 * `detail` (paths, errno, library texts) is for the log only.
 */
#ifndef LIB_BASE_ERR_H
#define LIB_BASE_ERR_H

#include "lib/base/ph.h"

enum ph_err {
	ERR_INTERNAL = -1,     /* our own fault */
	ERR_IO = -2,           /* a system call failed; temporary to the peer */
	ERR_NOSPACE = -3,      /* disk full; temporary to the peer */
	ERR_CORRUPT = -4,      /* stored bytes are damaged */
	ERR_NOTFOUND = -5,     /* no such thing */
	ERR_EXISTS = -6,       /* there is one already */
	ERR_INVALID = -7,      /* bad argument or syntax */
	ERR_TOOBIG = -8,       /* over a size limit; permanent */
	ERR_QUOTA = -9,        /* the account or package is full */
	ERR_DENIED = -10,      /* known who you are, but not allowed */
	ERR_AUTH = -11,        /* credentials are wrong */
	ERR_BUSY = -12,        /* in use, try again later */
	ERR_CLOSED = -13,      /* the other side is gone */
	ERR_TIMEOUT = -14,     /* took too long; temporary */
	ERR_LIMIT = -15,       /* a rate or count limit; temporary */
	ERR_UNSUPPORTED = -16, /* we do not do this */
	ERR_CONFLICT = -17,    /* changed meanwhile, a condition failed */
	ERR_TLS = -18,         /* handshake or certificate trouble */
	ERR_DNS = -19          /* resolver failed; temporary */
};

#define ERR_COUNT 20

struct err {
	int kind;         /* 0 or enum ph_err */
	char text[200];   /* for the peer; plain ASCII, no CR LF */
	char detail[300]; /* for the log */
};

/* "corrupt", "quota", ...: the word for the log; "ok" for 0. */
const char *err_name(int kind);

/* Sets kind and text, clears detail; e may be NULL.  Returns kind.  Bytes
 * other than printable ASCII become '?', in text and detail. */
int err_set(struct err *e, int kind, const char *fmt, ...) PH_PRINTF(3, 4);

/* Sets the detail for the log; e may be NULL. */
void err_detail(struct err *e, const char *fmt, ...) PH_PRINTF(2, 3);

/* ERR_NOSPACE for ENOSPC and EDQUOT, ERR_NOTFOUND for ENOENT, ERR_EXISTS for
 * EEXIST, ERR_DENIED for EACCES and EPERM, ERR_IO for the rest. */
int err_from_errno(int errnum);

#endif
