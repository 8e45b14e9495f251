/*
 * known.h - what RCPT asks again and again, remembered: where an address
 * leads, and that an account has plenty of room.
 *
 * Forgotten whenever an account or address changes anywhere on the host, and
 * after two seconds in any case, as a notification may be lost.  Never waits
 * for the store: may be asked on a loop.  The questions for others are in
 * account.h (address_route_known) and deliver.h (deliver_fits_known).
 */
#ifndef STORAGE_KNOWN_H
#define STORAGE_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/slice.h"

struct known;
struct route;
struct store;

struct known *known_new(void);
void known_free(struct known **k);

/* Everything may have changed. */
void known_forget(struct store *s);

/* Before asking the store; what is learned under an older number than the
 * present one is not kept. */
uint64_t known_begin(struct store *s);
void known_route(struct store *s, uint64_t begun, struct slice addr,
    const struct route *route);
void known_room(struct store *s, uint64_t begun, uint64_t account,
    uint64_t bytes, uint64_t messages);

#endif
