/*
 * sasl_lib.h - Cyrus SASL as it is set up, once, for the process.
 */
#ifndef AUTH_SASL_LIB_H
#define AUTH_SASL_LIB_H

#include "lib/base/err.h"

/* Every callback has another type; the library calls it by its id. */
#define SASL_PROC(fn) ((int (*)(void))(void (*)(void))(fn))

/*
 * Brings up the library, once per process, whoever calls first; later calls
 * say the same.  Before other threads use it.  ERR_UNSUPPORTED: mechanisms are
 * not installed.
 */
PH_MUSTUSE int sasl_lib_setup(struct err *e);

#endif
