/*
 * cmd.h - the command table, and the handlers behind it.
 */
#ifndef POP3D_CMD_H
#define POP3D_CMD_H

#include "pop3d/client.h"
#include "pop3d/parse.h"

enum {
	CMD_LOOP = 0,  /* answers at once, on the loop */
	CMD_STORE = 1, /* runs in a job; may share one with its neighbours */
	CMD_QUICK = 2, /* at once; but behind a job's commands, in that job */
	CMD_STAT = 3,  /* quick while nothing is marked deleted */
	CMD_RETR = 4,  /* quick when its reply is made already */
	CMD_STARTS = 5 /* starts a job or handshake of its own and answers
			 * when that ends; nothing behind it runs before */
};

struct pop3_cmd {
	const char *name;
	unsigned states; /* sum of enum pop3_state */
	unsigned how;
	void (*run)(struct client *c, const struct pop3_line *l);
	bool utf8; /* of RFC 6856: only with the option */
};

/* NULL when there is none of this name. */
const struct pop3_cmd *cmd_find(struct slice name);

/* The message that an argument names: in range and not deleted; else that is
 * answered. */
bool cmd_want_msg(struct client *c, struct slice arg, uint32_t *seq_out);
/* Is RETR's reply made already? */
bool cmd_retr_ready(struct client *c, const struct pop3_line *l);
/* Answers why a message cannot be had. */
void cmd_fail_msg(struct client *c, int rc);

/* cmd_auth.c */
void pop3_user(struct client *c, const struct pop3_line *l);
void pop3_pass(struct client *c, const struct pop3_line *l);
void pop3_auth(struct client *c, const struct pop3_line *l);
void pop3_stls(struct client *c, const struct pop3_line *l);
/* A line of a SASL exchange. */
void pop3_auth_line(struct client *c, struct slice line);

/* cmd_trans.c */
void pop3_stat(struct client *c, const struct pop3_line *l);
void pop3_retr(struct client *c, const struct pop3_line *l);
void pop3_top(struct client *c, const struct pop3_line *l);
void pop3_dele(struct client *c, const struct pop3_line *l);
void pop3_rset(struct client *c, const struct pop3_line *l);

/* cmd_list.c */
void pop3_list(struct client *c, const struct pop3_line *l);
void pop3_uidl(struct client *c, const struct pop3_line *l);

/* cmd_any.c */
void pop3_capa(struct client *c, const struct pop3_line *l);
void pop3_noop(struct client *c, const struct pop3_line *l);
void pop3_quit(struct client *c, const struct pop3_line *l);
void pop3_utf8(struct client *c, const struct pop3_line *l);
void pop3_lang(struct client *c, const struct pop3_line *l);

#endif
