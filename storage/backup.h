/*
 * backup.h - a copy of the store while it is in use, and back.
 *
 * A backup is a state directory: index, mail, VERSION.  The index is copied
 * first and the segments after it, which only grow meanwhile: so they hold all
 * the index knows of.
 */
#ifndef STORAGE_BACKUP_H
#define STORAGE_BACKUP_H

#include "lib/base/buf.h"
#include "storage/store.h"

/* Into dir, which is made; ERR_EXISTS when something is there.  No segment is
 * removed meanwhile: for the keeper, or alone. */
PH_MUSTUSE int store_backup(struct store *s, const char *dir, struct err *e);

/* Is it good?  Recovers the index of the copy and verifies all of it; lines
 * for what is wrong go to report.  ERR_CORRUPT.  In a process of its own. */
PH_MUSTUSE int store_backup_check(
    const char *dir, struct buf *report, struct err *e);

/* Puts a copy in the place of the store, whose index and mail are set aside
 * ("index.before-SECONDS").  UIDs and MODSEQs go on behind a gap, since some
 * may have been given after the backup (RFC 9051 2.3.1.1); UIDVALIDITYs stay.
 * conf: with role STORE_RECOVER; alone. */
PH_MUSTUSE int store_restore(
    const struct store_conf *conf, const char *dir, struct err *e);

#endif
