/*
 * saslprep.h - passwords in the one form both ends agree on, RFC 4013.  Pure.
 */
#ifndef AUTH_SASLPREP_H
#define AUTH_SASLPREP_H

#include "lib/base/err.h"
#include "lib/base/slice.h"

enum {
	PASSWORD_MAX = 1024, /* bytes as typed; more is refused */
	SASLPREP_MAX = 2 * PASSWORD_MAX
};

/* Holds a secret: saslprep_wipe(). */
struct prepared {
	char p[SASLPREP_MAX];
	size_t n;
};

/* ERR_INVALID: it is empty, too long, not UTF-8, or has a character no
 * password may have.  *out is then empty. */
PH_MUSTUSE int saslprep(struct slice password, struct prepared *out);
struct slice saslprep_slice(const struct prepared *p);
void saslprep_wipe(struct prepared *p);

#endif
