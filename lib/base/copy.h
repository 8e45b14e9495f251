/*
 * copy.h - whole files to another place; blocks.
 */
#ifndef LIB_BASE_COPY_H
#define LIB_BASE_COPY_H

#include "lib/base/err.h"

/* Copies up to the length the file has now, in pieces that are multiples of
 * 4096 bytes; runs of zeros become holes.  On disk when it returns.  `to` must
 * not be there: ERR_EXISTS. */
PH_MUSTUSE int copy_file(const char *from, const char *to, struct err *e);

/* The files of a directory whose names end in `tail` ("" for all; no
 * folders), into another that is there.  A file that goes meanwhile is left
 * out. */
PH_MUSTUSE int copy_files(
    const char *from, const char *to, const char *tail, struct err *e);

#endif
