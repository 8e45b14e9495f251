/*
 * generation.h - has anything changed since?  Counters in memory that all
 * processes share (RUN/generations), one for many folders and accounts
 * by their hash.  Whoever commits a change counts on, before anybody is told
 * of it; so what was read behind generation_of() is the present state as long
 * as that is the same.  Another folder's change may look like one of a folder
 * or an account: never the other way round.
 *
 * Never blocks; may be asked on a loop.
 */
#ifndef STORAGE_GENERATION_H
#define STORAGE_GENERATION_H

#include <stdint.h>

#include "lib/base/err.h"

struct store;

/* Of what any account, address, domain, package or policy says. */
#define GENERATION_ACCOUNTS UINT64_MAX

/* Of a folder, an account, or 0: what is common to accounts. */
uint64_t generation_of(const struct store *s, uint64_t id);

/* For storage/ only: after each commit. */
void generation_bump(struct store *s, uint64_t id);

/* Part of struct store; dir is there. */
struct generations;
PH_MUSTUSE int generations_open(
    const char *dir, struct generations **g_out, struct err *e);
void generations_close(struct generations **g);

#endif
