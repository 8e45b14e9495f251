/*
 * sasl.h - Cyrus SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-1 and their -PLUS.
 * What it offers is in auth.h (auth_sasl_*); sasl.c alone knows the library.
 */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include "lib/base/err.h"

/*
 * Brings up the library, once per process, whoever calls first; later calls
 * say the same.  Before other threads use it.  ERR_UNSUPPORTED: mechanisms are
 * not installed.
 */
PH_MUSTUSE int sasl_setup(struct err *e);

#endif
