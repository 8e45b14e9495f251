/*
 * spool.h - a message on its way in: memory first, a scratch file beyond.
 *
 * spool_add() only copies memory; when spool_wants_spill() says so the owner
 * stops reading its peer and has a worker run spool_spill().  The scratch file
 * has no name (O_TMPFILE), so nothing is left after a crash.
 */
#ifndef STORAGE_SPOOL_H
#define STORAGE_SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

struct spool;
struct store;

/* memory_bytes: kept in memory; max_bytes: the limit of the message. */
struct spool *spool_new(
    struct store *s, uint64_t memory_bytes, uint64_t max_bytes);
void spool_free(struct spool **sp);

/* ERR_TOOBIG past max_bytes (sticky; later bytes are dropped).  Never blocks;
 * the caller must spill when asked to or memory grows. */
PH_MUSTUSE int spool_add(struct spool *sp, struct slice bytes);
bool spool_wants_spill(const struct spool *sp);
/* Writes what is in memory to the file; blocks; ERR_NOSPACE, ERR_IO sticky. */
PH_MUSTUSE int spool_spill(struct spool *sp);

uint64_t spool_size(const struct spool *sp);
/* The first failure of add or spill, or 0. */
int spool_status(const struct spool *sp);

/* All bytes as one slice, borrowed until spool_free; maps the file, so it may
 * block.  No more spool_add after. */
PH_MUSTUSE int spool_bytes(struct spool *sp, struct slice *bytes_out);

#endif
