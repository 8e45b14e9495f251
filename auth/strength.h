/*
 * strength.h - which passwords people may choose.  For passwords that come in
 * readable form; hashes and made-up ones are not asked.
 */
#ifndef AUTH_STRENGTH_H
#define AUTH_STRENGTH_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

struct strength {
	uint64_t min;        /* characters */
	struct slice denied; /* lines; CRLF will do */
};

/* 0, or ERR_INVALID with a text that says why.  name: the account's, which is
 * no password. */
PH_MUSTUSE int strength_check(const struct strength *p, struct slice password,
    struct slice name, struct err *e);

#endif
