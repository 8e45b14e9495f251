/*
 * words.h - replies that people get to read: on submission in German and
 * English, the reader's language first (W7); elsewhere for programs, in
 * English.
 */
#ifndef SUBMITD_WORDS_H
#define SUBMITD_WORDS_H

#include "submitd/client.h"

/* head: "553 5.7.1 " (RFC 3463).  Texts of one line each, ASCII; de may be
 * "". */
void words_say(
    struct client *c, const char *head, const char *en, const char *de);
/* The same when German is known for the text (german.h). */
void words_tell(struct client *c, const char *head, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The reply that belongs to an error kind, as resp_fail(); en and de may be
 * "". */
void words_fail(struct client *c, int kind, const char *en, const char *de);

/* Why a message is not accepted, for the reply that is made when the job is
 * over: into e and c.  Returns kind. */
int words_refuse(struct client *c, struct err *e, int kind, const char *head,
    const char *en, const char *de);

#endif
