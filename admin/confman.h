/*
 * confman.h - the options' part of posthof.conf(5), from opts.def.
 */
#ifndef ADMIN_CONFMAN_H
#define ADMIN_CONFMAN_H

#include "lib/base/buf.h"

/* man(7) source: a .SS for each section, a .TP for each option. */
void confman(struct buf *out);

#endif
