/*
 * keep.h - the keeper's memory between its rounds (store_keep).  For
 * storage/ only.
 */
#ifndef STORAGE_KEEP_H
#define STORAGE_KEEP_H

struct keep;
struct keep *keep_new(void);
void keep_free(struct keep **k);

#endif
