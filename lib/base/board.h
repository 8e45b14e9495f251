/*
 * board.h - who is logged in: a file of slots, one per session, that a daemon
 * maps and writes and that `posthof session list` reads.
 *
 * No call waits for the reader, and a reader never sees half a slot.  The file
 * grows by whole pages that are really there, so that a full disk costs the
 * listing and not the daemon.  Thread-safe.
 */
#ifndef LIB_BASE_BOARD_H
#define LIB_BASE_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/slice.h"

struct board;

/* Texts end in NUL, cut where they are too long. */
struct board_slot {
	uint64_t number; /* of the session; unique on the host */
	uint64_t account;
	int64_t since_sec;
	uint32_t secret_id;
	char id[24]; /* in the log */
	char name[64], package[32];
	char ip[48];
	char door[16];
	char tls[40], mech[24];
	char client[80]; /* what it calls itself, or "" */
};

enum { BOARD_NONE = -1 };

/* A new, empty file in place of an old one.  NULL when it cannot be made:
 * then nothing is shown. */
struct board *board_new(const char *path, uint32_t max);
/* The file goes too. */
void board_free(struct board **b);

/* The slot's index, or BOARD_NONE.  b may be NULL in these. */
int32_t board_enter(struct board *b, const struct board_slot *s);
void board_leave(struct board *b, int32_t at);
void board_client(struct board *b, int32_t at, struct slice client);

/* "i5f-3a2", as in the log, as a number; false: that is no id. */
bool board_number(struct slice id, uint64_t *number_out);

/* Calls fn for every session in the file; false when there is no such file. */
bool board_read(const char *path,
    void (*fn)(const struct board_slot *s, void *arg), void *arg);

#endif
