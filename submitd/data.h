/*
 * data.h - the bytes behind DATA, on their way into the spool.
 */
#ifndef SUBMITD_DATA_H
#define SUBMITD_DATA_H

#include "submitd/client.h"

/* session_ops.data: unstuffs, counts, spills; at CRLF.CRLF hands over to
 * accept.c. */
size_t data_input(struct session *s, struct slice in);

#endif
