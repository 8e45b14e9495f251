/*
 * hot.h - the hot table: flags and MODSEQ of up to 32 messages in one record
 * (FORMAT 3).  For storage/ only.
 *
 * A run holds the messages with one UID / HOT_RUN, packed as on disk and in
 * UID order.
 */
#ifndef STORAGE_HOT_H
#define STORAGE_HOT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/num.h"
#include "lib/db/db.h"

struct db_edit; /* lib/db/db_many.h */

enum {
	HOT_RUN = 32,
	HOT_ENTRY = 20, /* bytes */
	HOT_RUN_BYTES = HOT_RUN * HOT_ENTRY,
	HOT_KEY = 12
};

struct hot_entry {
	uint32_t uid;
	uint32_t flags;    /* enum msg_flag */
	uint64_t keywords; /* 48 bits */
	uint64_t modseq;
};

struct hot_run {
	uint32_t n;
	uint8_t bytes[HOT_RUN_BYTES];
};

static inline uint32_t
hot_run_of(uint32_t uid)
{
	return uid / HOT_RUN;
}

void hot_key(uint8_t key[HOT_KEY], uint64_t folder, uint32_t run);
/* Entry i of packed bytes. */
static inline void
hot_get(const uint8_t *bytes, uint32_t i, struct hot_entry *out)
{
	const uint8_t *p = bytes + (size_t)i * HOT_ENTRY;

	out->uid = num_get32(p);
	out->flags = num_get16(p + 4);
	out->keywords = (uint64_t)num_get16(p + 6) << 32 | num_get32(p + 8);
	out->modseq = num_get64(p + 12);
}
static inline void
hot_set(uint8_t *bytes, uint32_t i, const struct hot_entry *e)
{
	uint8_t *p = bytes + (size_t)i * HOT_ENTRY;

	num_put32(p, e->uid);
	num_put16(p + 4, (uint16_t)e->flags);
	num_put16(p + 6, (uint16_t)(e->keywords >> 32));
	num_put32(p + 8, (uint32_t)e->keywords);
	num_put64(p + 12, e->modseq);
}

/* Of entry i alone: what walks over whole folders asks for. */
static inline uint32_t
hot_uid(const uint8_t *bytes, uint32_t i)
{
	return num_get32(bytes + (size_t)i * HOT_ENTRY);
}

/* The system flags: the low byte. */
static inline uint32_t
hot_flags(const uint8_t *bytes, uint32_t i)
{
	return bytes[(size_t)i * HOT_ENTRY + 5];
}

/* The first of n entries whose UID is >= uid, or n. */
uint32_t hot_lower(const uint8_t *bytes, uint32_t n, uint32_t uid);

/* Checks a record and takes its format byte off: ERR_CORRUPT unless it is
 * rising UIDs of this run. */
PH_MUSTUSE int hot_decode(
    struct slice value, uint32_t run, struct slice *packed_out);

/* In a transaction.  A run that is not there has n == 0.  rmw: it will be
 * written. */
PH_MUSTUSE int hot_load(struct db_txn *t, uint64_t folder, uint32_t run,
    bool rmw, struct hot_run *out);
/* Writes; an empty run is removed. */
PH_MUSTUSE int hot_save(
    struct db_txn *t, uint64_t folder, uint32_t run, const struct hot_run *r);
/* The same of many, runs rising, e is of T_HOT: hot_resave() writes the one
 * loaded last, if it was there. */
PH_MUSTUSE int hot_load_at(
    struct db_edit *e, uint64_t folder, uint32_t run, struct hot_run *out);
PH_MUSTUSE int hot_resave(struct db_edit *e, const struct hot_run *r);
/* Adds rising entries behind all that are there; _at: folders rising. */
PH_MUSTUSE int hot_append(
    struct db_txn *t, uint64_t folder, const struct hot_entry *e, size_t n);
PH_MUSTUSE int hot_append_at(
    struct db_edit *at, uint64_t folder, const struct hot_entry *e, size_t n);

#endif
