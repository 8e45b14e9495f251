/*
 * msg_load.h - struct msg_meta from the rows; inside transactions.  For
 * storage/ only.
 */
#ifndef STORAGE_MSG_LOAD_H
#define STORAGE_MSG_LOAD_H

#include "storage/entries.h"
#include "storage/msg.h"

/* What the entry row tells, but the UIDL. */
void msg_load_brief(
    uint32_t uid, const struct entry_brief *e, struct msg_meta *m);
/* As shown; memory from the arena. */
struct slice msg_load_uidl(
    struct arena *a, uint32_t uidvalidity, uint32_t uid, const struct entry *e);
/* What the message record tells, and what is kept with its body; slices are
 * borrowed from it.  Damage leaves m->body at 0. */
PH_MUSTUSE int msg_load_record(
    struct db_txn *t, struct arena *a, struct slice record, struct msg_meta *m);
/* Reads the record of m->msgid.  A missing one is damage, too. */
PH_MUSTUSE int msg_load_message(
    struct db_txn *t, uint64_t account, struct arena *a, struct msg_meta *m);

#endif
