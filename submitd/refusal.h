/*
 * refusal.h - what was refused to strangers is recorded (storage/event.h, of
 * account 0), for `posthof refused`; some a minute, so that who comes without
 * end fills no disk.
 */
#ifndef SUBMITD_REFUSAL_H
#define SUBMITD_REFUSAL_H

#include "submitd/client.h"

/* In a job: log line and record.  why: one word; to may be empty. */
void refusal_record(
    struct client *c, const char *why, struct slice from, struct slice to);

#endif
