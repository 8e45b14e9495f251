/*
 * policy.h - options of account, domain and package that say what may be sent
 * (storage/policy.h).
 */
#ifndef ADMIN_POLICY_H
#define ADMIN_POLICY_H

#include "admin/cmd.h"
#include "storage/policy.h"

#define POLICY_OPTS                                                        \
	" messages-per-hour= recipients-per-hour= recipients-per-message=" \
	" new-recipients-per-day="
#define POLICY_USAGE                                         \
	" [--messages-per-hour N] [--recipients-per-hour N]" \
	" [--recipients-per-message N] [--new-recipients-per-day N]"
#define POLICY_ACCOUNT_OPTS POLICY_OPTS " sent-copy= outbox= undo= send-as=*"
#define POLICY_ACCOUNT_USAGE                                                \
	POLICY_USAGE " [--sent-copy on|off] [--outbox on|off] [--undo 10s]" \
		     " [--send-as ADDRESS|@DOMAIN|none]..."

/* Is what was given good?  Writes nothing; name may be of what is yet to be
 * made.  CMD_DONE, or says what is wrong. */
PH_MUSTUSE int policy_look(struct cmd *c, char kind, struct slice name);
/* Writes what was given, if anything was; at once and for every process.
 * CMD_DONE, or says what is wrong. */
PH_MUSTUSE int policy_take(struct cmd *c, char kind, struct slice name);
/* Adds "sending" to a row: what was sent and what may be; of accounts also
 * "sent_copy", "outbox", "undo_sec" and "send_as". */
void policy_show(struct cmd *c, char kind, struct slice name, json_t *row);

#endif
