/*
 * scan.h - what bytes that come without dots (BDAT) hold.  Pure and
 * streaming: every split of the input gives the same result.
 */
#ifndef SUBMITD_SCAN_H
#define SUBMITD_SCAN_H

#include "lib/base/slice.h"

struct scan {
	unsigned flags; /* DOTTED_BARE_CR, _BARE_LF, _NUL, _8BIT */
	char last;      /* private: the byte before */
};

void scan_feed(struct scan *s, struct slice in);
/* There is no more: a CR at the very end is a bare one. */
void scan_end(struct scan *s);

#endif
