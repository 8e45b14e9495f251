/*
 * verify.h - do the tables hold what FORMAT promises?
 */
#ifndef STORAGE_VERIFY_H
#define STORAGE_VERIFY_H

#include "lib/base/buf.h"
#include "lib/base/ph.h"

struct store;

/*
 * Checks invariants 1 to 11 over the whole store; a line for each breach goes
 * to report (as far as it has room).  0: all hold; ERR_CORRUPT: some do not;
 * other errors: it could not look.  Holds about 32 bytes of memory for each
 * message in a folder.  For hosts at rest: what changes during the walk is
 * taken for a breach.
 */
PH_MUSTUSE int store_verify(struct store *s, struct buf *report);

#endif
