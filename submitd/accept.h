/*
 * accept.h - a message has come whole: judge it, make it real, answer.
 */
#ifndef SUBMITD_ACCEPT_H
#define SUBMITD_ACCEPT_H

#include "submitd/client.h"

/* Starts the job; its end answers the client: once, or for LMTP once a
 * recipient (RFC 2033 4.2), and only when all is durable. */
void accept_start(struct client *c);

#endif
