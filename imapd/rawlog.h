/*
 * rawlog.h - what a session says and hears, line by line, in the log, for
 * those that the option imap-raw-log names (CLIENTS D, Outlook after a move).
 *
 * Without passwords, exchanges of AUTHENTICATE, and literals that are sent to
 * the peer or streamed in: messages stay out of it.  Costs nothing where it is
 * not asked for.  On the loop.
 */
#ifndef IMAPD_RAWLOG_H
#define IMAPD_RAWLOG_H

#include "lib/base/conf.h"
#include "lib/base/slice.h"

struct rawlog;

/* One for the session id (which outlives it) when the list names its account
 * ("": before login) or its address; else NULL. */
struct rawlog *rawlog_new(const struct conf_list *list, const char *id,
    const char *account, const char *ip);
void rawlog_free(struct rawlog **r);

/* What of a line from the peer may be shown. */
enum rawlog_how {
	RAWLOG_ALL,
	RAWLOG_EARLY, /* before login: only what is surely no password */
	RAWLOG_SECRET /* an answer in AUTHENTICATE: nothing */
};

/* r may be NULL.  A command, or as much of it as came.  Arguments of LOGIN and
 * AUTHENTICATE are never shown. */
void rawlog_in(struct rawlog *r, struct slice text, enum rawlog_how how);
/* Bytes on their way to the peer, in any pieces. */
void rawlog_out(struct rawlog *r, struct slice bytes);

#endif
