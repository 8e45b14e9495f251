/*
 * change.h - telling what a commit changed.  For storage/ only.
 */
#ifndef STORAGE_CHANGE_H
#define STORAGE_CHANGE_H

#include "storage/notify.h"

void change_begin(struct notify_event *ev, uint64_t account, uint64_t folder,
    uint64_t modseq_from, uint64_t modseq_to);
/* A message with this UID came, changed or went. */
void change_uid(struct notify_event *ev, uint32_t uid);
/* After the commit: to this process's images, and with the next flush to all
 * processes. */
void change_publish(struct store *s, struct notify_event *ev);
/* The rights in one of its folders are others. */
void change_rights(struct store *s, uint64_t account, uint64_t folder);
/* An annotation of the folder (0: of the account) is another one. */
void change_metadata(
    struct store *s, uint64_t account, uint64_t folder, struct slice entry);
/* The account's list of folders is another one. */
void change_folders(struct store *s, uint64_t account);

#endif
