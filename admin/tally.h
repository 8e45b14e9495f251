/*
 * tally.h - the keeper's figures, and the list of domains for webd.
 */
#ifndef ADMIN_TALLY_H
#define ADMIN_TALLY_H

#include "lib/base/buf.h"
#include "lib/base/figures.h"
#include "storage/store.h"

struct tally {
	struct store *store;
	struct figures *figures;
	int control;          /* where lists of domains go */
	uint64_t counted_ms;  /* the queue */
	uint64_t measured_ms; /* the disk */
	uint64_t cache_hit, cache_miss, deadlocks; /* told so far */
	struct buf domains;                        /* as told */
	bool told;
};

void tally_init(
    struct tally *t, struct store *store, struct figures *figures, int control);
void tally_fini(struct tally *t);
/* Once a second or so; may block.  changed: domains may have. */
void tally_round(struct tally *t, const char *state_dir, bool changed);

/* Disk space of the store's two parts, and when the last backup was complete
 * (STATE/last-backup, touched by who makes backups); 0: never. */
uint64_t tally_mail_bytes(const char *state_dir);
uint64_t tally_index_bytes(const char *state_dir);
int64_t tally_last_backup(const char *state_dir);

#endif
