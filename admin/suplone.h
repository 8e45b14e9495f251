/*
 * suplone.h - a child that never opens the store: it falls and is started
 * again alone, and lives on while the others recover.
 */
#ifndef ADMIN_SUPLONE_H
#define ADMIN_SUPLONE_H

#include "admin/supervise.h"

/* It ended and should not have: to be started again after 1 s, 2 s, 4 s, ...
 * 60 s, small again when it had run for a minute. */
void suplone_failed(struct supervisor *s, struct child *c, const char *why);
/* Starts whose time has come, kills who is as good as dead, hands on what the
 * keeper has sent. */
void suplone_step(struct supervisor *s, uint64_t now_ms);
/* At the very end: who is left when the others were killed. */
void suplone_end(struct supervisor *s);

#endif
