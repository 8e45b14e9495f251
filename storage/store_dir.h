/*
 * store_dir.h - the state directory: is it ours, is it fit?  For storage/
 * only.
 */
#ifndef STORAGE_STORE_DIR_H
#define STORAGE_STORE_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

/* VERSION is there and says what this build writes. */
PH_MUSTUSE int store_dir_check(const char *state_dir, struct err *e);

/* RUN/env.lock, shared or exclusive; waits up to wait_ms, then ERR_BUSY.  The
 * lock lives as long as the descriptor. */
PH_MUSTUSE int store_dir_lock(const char *run_dir, bool exclusive,
    uint64_t wait_ms, int *fd_out, struct err *e);

#endif
