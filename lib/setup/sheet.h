/*
 * sheet.h - the help page as plain text.
 */
#ifndef LIB_SETUP_SHEET_H
#define LIB_SETUP_SHEET_H

#include "lib/setup/setup.h"

void sheet_write(const struct setup *s, struct buf *out);

#endif
