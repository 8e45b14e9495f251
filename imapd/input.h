/*
 * input.h - from the bytes that have come to commands, literals and lines.
 */
#ifndef IMAPD_INPUT_H
#define IMAPD_INPUT_H

#include "imapd/client.h"

/* Takes one thing off the input; false when more bytes are needed. */
bool input_next(struct client *c);
/* The limits that fit the client's state; between commands. */
void input_limits(struct client *c);

#endif
