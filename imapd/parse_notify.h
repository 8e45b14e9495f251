/*
 * parse_notify.h - the arguments of NOTIFY, RFC 5465 8.
 */
#ifndef IMAPD_PARSE_NOTIFY_H
#define IMAPD_PARSE_NOTIFY_H

#include "imapd/parse_fetch.h"

/* RFC 5465 5 */
enum notify_what {
	EV_NEW = 1,
	EV_EXPUNGE = 2,
	EV_FLAGS = 4,
	EV_MESSAGES = EV_NEW | EV_EXPUNGE | EV_FLAGS,
	EV_NAME = 8,
	EV_SUBSCRIPTION = 16,
	EV_METADATA = 32,
	EV_SERVER_METADATA = 64
};

/* RFC 5465 6 */
enum notify_who {
	WHO_SELECTED,
	WHO_DELAYED,
	WHO_INBOXES,
	WHO_PERSONAL,
	WHO_SUBSCRIBED,
	WHO_SUBTREE,
	WHO_MAILBOXES
};

struct notify_group {
	enum notify_who who;
	struct slice *names; /* of the last two */
	size_t nnames;
	unsigned events;          /* sum of notify_what; 0: NONE */
	struct args_fetch *fetch; /* of new messages, or NULL */
};

struct args_notify {
	bool set;    /* or NONE */
	bool status; /* the STATUS indicator */
	struct notify_group *v;
	size_t n;
};
bool parse_notify(struct parse *p, void **args_out);

#endif
