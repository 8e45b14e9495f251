/*
 * own.h - whose addresses are they?  (RFC 6409 6.1, O11)  In a job.
 */
#ifndef SUBMITD_OWN_H
#define SUBMITD_OWN_H

#include "submitd/client.h"

/* May who has logged in send as this address: one that leads to him, or on his
 * list of exceptions?  0, ERR_DENIED, or the store's error. */
PH_MUSTUSE int own_address(struct client *c, struct slice addr);

/* Is it, as far as is known?  Never reads the store, so on loops too. */
bool own_address_known(const struct client *c, struct slice addr);

#endif
