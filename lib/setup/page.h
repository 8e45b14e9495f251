/*
 * page.h - the help page as HTML: one file without scripts, pictures or
 * anything from elsewhere; for screens, screen readers and paper.
 */
#ifndef LIB_SETUP_PAGE_H
#define LIB_SETUP_PAGE_H

#include "lib/setup/setup.h"

enum page_kind {
	PAGE_FILE,    /* settings alone, to be kept or printed */
	PAGE_WEB,     /* settings, a form for another address, links */
	PAGE_ASK,     /* the form alone */
	PAGE_NOT_OURS /* the form, and why there is nothing else */
};

void page_write(const struct setup *s, enum page_kind kind, struct buf *out);

#endif
