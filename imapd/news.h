/*
 * news.h - what is told without being asked for: in IDLE, and with NOTIFY.
 */
#ifndef IMAPD_NEWS_H
#define IMAPD_NEWS_H

#include "imapd/client.h"

/* On the loop: does this client want news right now? */
bool news_listens(const struct client *c);
/* On the loop, when it may run: tells what there is, in a job. */
void news_start(struct client *c);

#endif
