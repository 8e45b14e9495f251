/*
 * db_swift.h - two inner loops of Berkeley DB, faster; for lib/db only.
 *
 * The library sums log records and pages byte by byte, each step waiting for
 * the one before (of a delivery, which logs some kilobytes, that was a sixth),
 * and so it compares keys, most of which begin with the same eight bytes.  It
 * exports both loops and calls them through its own tables of addresses: what
 * the program has under their names takes their place, in every process that
 * is linked with lib/db.  The results are the same, so files are read by the
 * library's tools, too, and db_open() insists on the release that this was
 * written for.
 */
#ifndef LIB_DB_DB_SWIFT_H
#define LIB_DB_DB_SWIFT_H

#include <db.h>
#include <stdbool.h>
#include <stdint.h>

/* sum = sum * 33 + byte, over all of them, from 0. */
uint32_t db_swift_sum(DB *unused, const void *bytes, uint32_t n) __asm__(
    "__ham_func4") __attribute__((visibility("default")));

/* < 0, 0, > 0: by bytes, and of two that begin alike the shorter first. */
int db_swift_compare(DB *unused, const DBT *a, const DBT *b) __asm__(
    "__bam_defcmp") __attribute__((visibility("default")));

/* Have they taken their places? */
bool db_swift_in_place(void);

#endif
