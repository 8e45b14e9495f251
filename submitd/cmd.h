/*
 * cmd.h - the command table, and the handlers behind it.
 */
#ifndef SUBMITD_CMD_H
#define SUBMITD_CMD_H

#include "submitd/client.h"

struct smtp_cmd {
	const char *verb;
	const char *args; /* for HELP */
	unsigned roles;   /* sum of enum smtp_role */
	/* Would it wait for the store?  Then it joins its neighbours in a job;
	 * NULL: never. */
	bool (*waits)(struct client *c, struct slice rest);
	void (*run)(struct client *c, struct slice rest);
};

/* NULL when there is none. */
const struct smtp_cmd *cmd_find(struct slice verb);
/* All of them, one after the other: from NULL to NULL. */
const struct smtp_cmd *cmd_next(const struct smtp_cmd *at);

/* cmd_session.c */
void smtp_helo(struct client *c, struct slice rest);
void smtp_ehlo(struct client *c, struct slice rest);
void smtp_noop(struct client *c, struct slice rest);
void smtp_rset(struct client *c, struct slice rest);
void smtp_help(struct client *c, struct slice rest);
void smtp_vrfy(struct client *c, struct slice rest);
void smtp_quit(struct client *c, struct slice rest);
void smtp_starttls(struct client *c, struct slice rest);

/* cmd_xclient.c */
void smtp_xclient(struct client *c, struct slice rest);
/* May this peer say it? */
bool smtp_xclient_ok(const struct client *c);

/* cmd_auth.c */
void smtp_auth(struct client *c, struct slice rest);
/* A line of an AUTH exchange. */
void smtp_auth_line(struct client *c, struct slice line);

/* cmd_mail.c */
bool smtp_mail_waits(struct client *c, struct slice rest);
void smtp_mail(struct client *c, struct slice rest);
bool smtp_rcpt_waits(struct client *c, struct slice rest);
void smtp_rcpt(struct client *c, struct slice rest);

/* data.c */
void smtp_data(struct client *c, struct slice rest);
void smtp_bdat(struct client *c, struct slice rest);

#endif
