/*
 * binary.h - BODY=BINARYMIME (RFC 3030 3): taken as it is, kept as lines, so
 * that every IMAP and POP3 program and every other host can have it.
 */
#ifndef SUBMITD_BINARY_H
#define SUBMITD_BINARY_H

#include "submitd/client.h"

/* In a job.  *bytes becomes the re-encoded message, which lives as long as the
 * envelope; ERR_DENIED: it cannot be put into lines. */
PH_MUSTUSE int binary_fix(struct client *c, struct slice *bytes, struct err *e);

#endif
