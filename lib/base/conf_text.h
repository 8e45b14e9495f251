/*
 * conf_text.h - the text of posthof.conf before libconfuse sees it.  Pure.
 */
#ifndef LIB_BASE_CONF_TEXT_H
#define LIB_BASE_CONF_TEXT_H

#include "lib/base/slice.h"

/*
 * Comments become blanks and stay as many lines: the library counts lines of
 * comments twice.  A string ends on its line, so that a forgotten quote is
 * told where it was forgotten; what stands behind it becomes blanks as well.
 */
void conf_text_strip(
    char *text, size_t n, void (*unclosed)(void *arg, int line), void *arg);

/* Does a line start with NAME = or NAME += ? */
bool conf_text_starts(struct slice line);

#endif
