/*
 * guard.h - what the sessions of all loops know of each other: who logged in
 * when (LOGIN-DELAY), and which maildrops are in use (IN-USE).
 *
 * In memory: pop3d is one process, and after its end nobody is in.  Every call
 * takes one lock, shortly; any thread.
 */
#ifndef POP3D_GUARD_H
#define POP3D_GUARD_H

#include <stdbool.h>
#include <stdint.h>

struct guard;

struct guard *guard_new(void);
void guard_free(struct guard **g);

/* A good login of the account: 0 when the last one is delay_ms ago, and then
 * this is the last one; else how many ms are missing. */
uint64_t guard_login(
    struct guard *g, uint64_t account, uint64_t delay_ms, uint64_t now_ms);

/* Takes the folder (0: all of the account's) for one session; false: another
 * has it, or one of them, or all. */
bool guard_enter(struct guard *g, uint64_t account, uint64_t folder);
void guard_leave(struct guard *g, uint64_t account, uint64_t folder);

#endif
