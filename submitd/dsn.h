/*
 * dsn.h - tells a sender what became of the mail: RFC 3464 reports that a
 * person can read, German and English.
 */
#ifndef SUBMITD_DSN_H
#define SUBMITD_DSN_H

#include "storage/deliver.h"
#include "submitd/errand.h"

enum { DSN_ORIGINAL_MAX = 64 << 10 }; /* of the message that is sent back */

struct dsn {
	bool has_msg;           /* there is something to tell, and somebody */
	struct deliver_msg msg; /* for deliver(): here or away */
	/* private */
	struct arena arena;
	struct buf text;
	struct slice part;
	struct slice sender; /* of e */
	const char *action;
	char id[24]; /* in the log */
};

/*
 * Makes the report of this round's outcomes: failed, delayed (when late), and
 * relayed or delivered where the sender asked to know.  Never to the null
 * sender.  In a job: reads the message's header and the sender's language.  0
 * or the store's error; dsn_fini() in each case.
 */
PH_MUSTUSE int dsn_make(
    struct dsn *d, const struct errand *e, struct server *srv, bool late);
void dsn_fini(struct dsn *d);
/* It is in the store: the log's words.  of: what it tells about. */
void dsn_log(const struct dsn *d, const char *of);

/* "5.1.1" out of a reply ("550 5.1.1 ..."), or what its code allows. */
void dsn_status(struct slice reply, bool failed, char out[16]);

#endif
