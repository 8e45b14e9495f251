/*
 * known.h - what RCPT asks again and again, remembered: where an address
 * leads, that a domain is none of ours, and that an account has plenty of room.
 *
 * Good until an account or address changes anywhere on the host
 * (generation.h); room also for two seconds only, as deliveries take of it.
 * Never waits for the store: may be asked on a loop.  The questions for others
 * are in account.h (address_route_known, domain_away_known) and deliver.h
 * (deliver_fits_known).
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

/* begun: GENERATION_ACCOUNTS, before the store was asked. */
void known_route(struct store *s, uint64_t begun, struct slice addr,
    const struct route *route);
void known_away(struct store *s, uint64_t begun, struct slice domain);
void known_room(struct store *s, uint64_t begun, uint64_t account,
    uint64_t bytes, uint64_t messages);

#endif
