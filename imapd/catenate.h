/*
 * catenate.h - messages of APPEND and REPLACE put together out of literals
 * and of messages that are here already (RFC 4469).
 *
 * In jobs.  The literals are in c->append's spool; where there are URLs, all
 * goes into a new one, a piece at a time.
 */
#ifndef IMAPD_CATENATE_H
#define IMAPD_CATENATE_H

#include "imapd/client.h"
#include "imapd/parse_append.h"

struct catenate;

/* STEP_DONE: all messages lie one after the other in c->append->spool, ends by
 * message; or the command has its result (*failed_out).  *cat: the caller's,
 * NULL at first, to be freed. */
enum step catenate_step(struct client *c, const struct args_append *a,
    struct catenate **cat, bool *failed_out);
void catenate_free(struct catenate **cat);

#endif
