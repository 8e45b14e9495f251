/*
 * cmd.h - the command table, and how a command runs.
 */
#ifndef IMAPD_CMD_H
#define IMAPD_CMD_H

#include "imapd/client.h"
#include "imapd/parse.h"
#include "imapd/sync.h"

enum cmd_how {
	CMD_LOOP = 1,    /* runs on the loop: waits for nothing */
	CMD_NUMBERS = 2, /* uses message numbers: no EXPUNGE may be told (RFC
			  * 9051 7.5.1), unless it came with UID */
	CMD_QUIET = 4,   /* tells no news of the folder */
	CMD_UID = 8,     /* may have UID in front */
	CMD_UIDONLY = 16 /* must have */
};

struct cmd_row {
	const char *name;
	unsigned states; /* sum of imap_state */
	unsigned how;    /* sum of cmd_how */
	bool (*parse)(struct parse *p, void **args_out);
	enum step (*run)(struct client *c);
};

/* NULL when there is none. */
const struct cmd_row *cmd_find(struct slice name, bool uid);

/* A whole command is in the frame. */
void cmd_take(struct client *c);
/* A command that was STEP_PENDING has its result; also tells news. */
void cmd_finish(struct client *c);
/* Frees what the command had, without a word. */
void cmd_drop(struct client *c);
/* Output has drained: goes on with a command that was STEP_AGAIN. */
void cmd_resume(struct client *c);
/* Lines that are no commands follow (not MODE_COMMAND): the tag is kept. */
void cmd_hold(struct client *c, enum client_mode mode);
/* Back to commands; cmd_finish() may follow, with the tag that was kept. */
void cmd_release(struct client *c);

/* The result; text static or in the arena. */
enum step cmd_ok(struct client *c, const char *text);
enum step cmd_ok_code(struct client *c, const char *code, const char *text);
enum step cmd_no(struct client *c, const char *code, const char *text);
enum step cmd_bad(struct client *c, const char *text);
/* NO for an error kind; text may be NULL or "" for the kind's own words. */
enum step cmd_fail(struct client *c, int kind, const char *text);

/* cmd_any.c */
enum step cmd_capability(struct client *c);
enum step cmd_noop(struct client *c);
enum step cmd_logout(struct client *c);
enum step cmd_id(struct client *c);
enum step cmd_enable(struct client *c);
enum step cmd_compress(struct client *c);
enum step cmd_namespace(struct client *c);

/* cmd_auth.c */
enum step cmd_starttls(struct client *c);
enum step cmd_login(struct client *c);
enum step cmd_authenticate(struct client *c);
void cmd_auth_line(struct client *c, struct slice line);

/* cmd_folder.c */
enum step cmd_create(struct client *c);
enum step cmd_delete(struct client *c);
enum step cmd_rename(struct client *c);
enum step cmd_subscribe(struct client *c);
enum step cmd_unsubscribe(struct client *c);
enum step cmd_status(struct client *c);

/* cmd_quota.c */
enum step cmd_getquota(struct client *c);
enum step cmd_getquotaroot(struct client *c);
enum step cmd_setquota(struct client *c);

/* cmd_acl.c */
enum step cmd_setacl(struct client *c);
enum step cmd_deleteacl(struct client *c);
enum step cmd_getacl(struct client *c);
enum step cmd_listrights(struct client *c);
enum step cmd_myrights(struct client *c);

/* cmd_metadata.c */
enum step cmd_getmetadata(struct client *c);
enum step cmd_setmetadata(struct client *c);

/* cmd_list.c */
enum step cmd_list(struct client *c);
enum step cmd_lsub(struct client *c);
enum step cmd_xlist(struct client *c);

/* cmd_select.c */
enum step cmd_select(struct client *c);
enum step cmd_examine(struct client *c);
/* On the loop: is all in memory that the command wants, so that it can run
 * there this time?  The same of other commands below. */
bool cmd_select_at_once(struct client *c);
bool cmd_examine_at_once(struct client *c);
enum step cmd_close(struct client *c);
enum step cmd_unselect(struct client *c);
enum step cmd_expunge(struct client *c);
enum step cmd_uid_expunge(struct client *c);

/* cmd_append.c */
enum step cmd_append(struct client *c);
enum step cmd_replace(struct client *c);

/* cmd_fetch.c */
enum step cmd_fetch(struct client *c);
bool cmd_fetch_at_once(struct client *c);

/* cmd_store.c */
enum step cmd_store(struct client *c);

/* cmd_copy.c */
enum step cmd_copy(struct client *c);
enum step cmd_move(struct client *c);

/* cmd_search.c */
enum step cmd_search(struct client *c);
bool cmd_search_at_once(struct client *c);

/* cmd_sort.c */
enum step cmd_sort(struct client *c);
enum step cmd_thread(struct client *c);

/* cmd_idle.c */
enum step cmd_idle(struct client *c);
void cmd_idle_line(struct client *c, struct slice line);

/* cmd_notify.c */
enum step cmd_notify(struct client *c);

#endif
