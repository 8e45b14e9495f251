/*
 * alarm.h - the postmaster is told that somebody sends more than he may (O5):
 * a hacked mailbox shows so first.
 */
#ifndef SUBMITD_ALARM_H
#define SUBMITD_ALARM_H

#include "storage/sending.h"
#include "submitd/client.h"

/* In a job: at most one mail a counter and window.  What fails is logged. */
void alarm_limit(
    struct client *c, const struct sending *what, const char *words);

#endif
