/*
 * data.h - the bytes behind DATA (RFC 5321 4.1.1.4) and BDAT (RFC 3030 2), on
 * their way into the spool.
 */
#ifndef SUBMITD_DATA_H
#define SUBMITD_DATA_H

#include "submitd/client.h"

/* session_ops.data: unstuffs (DATA), counts, spills; at the end of the message
 * hands over to accept.c. */
size_t data_input(struct session *s, struct slice in);

#endif
