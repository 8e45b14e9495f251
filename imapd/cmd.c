#include "imapd/cmd.h"

#include <inttypes.h>
#include <stdlib.h>

#include "imapd/append.h"
#include "imapd/capability.h"
#include "imapd/parse_acl.h"
#include "imapd/parse_append.h"
#include "imapd/parse_args.h"
#include "imapd/parse_fetch.h"
#include "imapd/parse_metadata.h"
#include "imapd/parse_notify.h"
#include "imapd/parse_search.h"
#include "imapd/parse_sort.h"
#include "imapd/watch_inbox.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

static const struct cmd_row rows[] = {
	/* name, runs in, how, arguments, handler; RFC 9051 6 unless said */
	{ "CAPABILITY", IS_NOAUTH | IS_LOGIN, CMD_LOOP, parse_nothing,
	    cmd_capability },
	{ "NOOP", IS_NOAUTH | IS_LOGIN, CMD_LOOP, parse_nothing, cmd_noop },
	{ "LOGOUT", IS_NOAUTH | IS_LOGIN, CMD_LOOP | CMD_QUIET, parse_nothing,
	    cmd_logout },
	{ "ID", IS_NOAUTH | IS_LOGIN, CMD_LOOP, parse_id, cmd_id }, /* 2971 */
	{ "STARTTLS", IS_NOAUTH, CMD_LOOP, parse_nothing, cmd_starttls },
	{ "LOGIN", IS_NOAUTH, CMD_LOOP, parse_login, cmd_login },
	{ "AUTHENTICATE", IS_NOAUTH, CMD_LOOP, parse_authenticate,
	    cmd_authenticate },
	{ "ENABLE", IS_LOGIN, CMD_LOOP, parse_enable, cmd_enable },
	{ "COMPRESS", IS_LOGIN, CMD_LOOP, parse_compress, cmd_compress },
	{ "NAMESPACE", IS_LOGIN, CMD_LOOP, parse_nothing, cmd_namespace },
	{ "IDLE", IS_LOGIN, CMD_LOOP, parse_nothing, cmd_idle },
	{ "SELECT", IS_LOGIN, CMD_QUIET, parse_select, cmd_select },
	{ "EXAMINE", IS_LOGIN, CMD_QUIET, parse_select, cmd_examine },
	{ "CREATE", IS_LOGIN, 0, parse_create, cmd_create },
	{ "DELETE", IS_LOGIN, 0, parse_name, cmd_delete },
	{ "RENAME", IS_LOGIN, 0, parse_rename, cmd_rename },
	{ "SUBSCRIBE", IS_LOGIN, 0, parse_name, cmd_subscribe },
	{ "UNSUBSCRIBE", IS_LOGIN, 0, parse_name, cmd_unsubscribe },
	{ "LIST", IS_LOGIN, 0, parse_list, cmd_list },
	{ "LSUB", IS_LOGIN, 0, parse_lsub, cmd_lsub },   /* RFC 3501 6.3.9 */
	{ "XLIST", IS_LOGIN, 0, parse_lsub, cmd_xlist }, /* CLIENTS D */
	{ "STATUS", IS_LOGIN, 0, parse_status, cmd_status },
	{ "NOTIFY", IS_LOGIN, 0, parse_notify, cmd_notify },   /* 5465 */
	{ "GETQUOTA", IS_LOGIN, 0, parse_root, cmd_getquota }, /* 9208 */
	{ "GETQUOTAROOT", IS_LOGIN, 0, parse_name, cmd_getquotaroot },
	{ "SETQUOTA", IS_LOGIN, 0, parse_setquota, cmd_setquota },
	{ "SETACL", IS_LOGIN, 0, parse_setacl, cmd_setacl }, /* 4314 */
	{ "DELETEACL", IS_LOGIN, 0, parse_identifier, cmd_deleteacl },
	{ "GETACL", IS_LOGIN, 0, parse_name, cmd_getacl },
	{ "LISTRIGHTS", IS_LOGIN, 0, parse_identifier, cmd_listrights },
	{ "MYRIGHTS", IS_LOGIN, 0, parse_name, cmd_myrights },
	{ "GETMETADATA", IS_LOGIN, 0, parse_getmetadata,
	    cmd_getmetadata }, /* 5464 */
	{ "SETMETADATA", IS_LOGIN, 0, parse_setmetadata, cmd_setmetadata },
	{ "APPEND", IS_LOGIN, 0, parse_append, cmd_append },
	{ "CHECK", IS_SELECTED, CMD_LOOP, parse_nothing, cmd_noop },
	{ "CLOSE", IS_SELECTED, CMD_QUIET, parse_nothing, cmd_close },
	{ "UNSELECT", IS_SELECTED, CMD_QUIET, parse_nothing, cmd_unselect },
	{ "EXPUNGE", IS_SELECTED, 0, parse_nothing, cmd_expunge },
	{ "EXPUNGE", IS_SELECTED, CMD_UIDONLY, parse_only_set,
	    cmd_uid_expunge }, /* RFC 4315 2.1 */
	{ "SEARCH", IS_SELECTED, CMD_UID | CMD_NUMBERS, parse_search,
	    cmd_search },
	{ "SORT", IS_SELECTED, CMD_UID | CMD_NUMBERS, parse_sort, cmd_sort },
	{ "THREAD", IS_SELECTED, CMD_UID | CMD_NUMBERS, parse_thread,
	    cmd_thread },
	{ "FETCH", IS_SELECTED, CMD_UID | CMD_NUMBERS, parse_fetch, cmd_fetch },
	{ "STORE", IS_SELECTED, CMD_UID | CMD_NUMBERS, parse_store, cmd_store },
	{ "COPY", IS_SELECTED, CMD_UID, parse_copy, cmd_copy },
	{ "REPLACE", IS_SELECTED, CMD_UID, parse_replace,
	    cmd_replace },                                      /* RFC 8508 3 */
	{ "MOVE", IS_SELECTED, CMD_UID, parse_copy, cmd_move }, /* 6851 */
};

/* Which of those that run in jobs need none now and then: a job costs more
 * than what they do. */
static const struct {
	enum step (*run)(struct client *c);
	bool (*at_once)(struct client *c);
} quick[] = {
	{ cmd_select, cmd_select_at_once },
	{ cmd_examine, cmd_examine_at_once },
	{ cmd_fetch, cmd_fetch_at_once },
	{ cmd_search, cmd_search_at_once },
};

const struct cmd_row *
cmd_find(struct slice name, bool uid)
{
	for (size_t i = 0; i < PH_LEN(rows); i++) {
		unsigned how = rows[i].how;

		if (!slice_ieq_str(name, rows[i].name))
			continue;
		if (uid ? how & (CMD_UID | CMD_UIDONLY) : !(how & CMD_UIDONLY))
			return &rows[i];
	}
	return NULL;
}

/* ---- results ---- */

static enum step
result(
    struct client *c, enum resp_kind kind, const char *code, const char *text)
{
	c->cmd.kind = kind;
	c->cmd.code = code;
	c->cmd.text = text;
	return STEP_DONE;
}

enum step
cmd_ok(struct client *c, const char *text)
{
	return result(c, RESP_OK, NULL, text);
}

enum step
cmd_ok_code(struct client *c, const char *code, const char *text)
{
	return result(c, RESP_OK, code, text);
}

enum step
cmd_no(struct client *c, const char *code, const char *text)
{
	return result(c, RESP_NO, code, text);
}

enum step
cmd_bad(struct client *c, const char *text)
{
	return result(c, RESP_BAD, NULL, text);
}

enum step
cmd_fail(struct client *c, int kind, const char *text)
{
	struct resp_fail say = resp_fail(kind);

	if (kind == ERR_INTERNAL || kind == ERR_IO || kind == ERR_CORRUPT ||
	    kind == ERR_NOSPACE)
		log_error(c->id, "command", "name=%s account=%s error=%s",
		    c->cmd.row->name, c->who.name, err_name(kind));
	if (text != NULL && text[0] != '\0')
		say.text = arena_str(&c->arena, slice_str(text));
	return result(c, RESP_NO, say.code, say.text);
}

/* ---- running ---- */

/* Frees what the command had; the client is ready for the next. */
void
cmd_drop(struct client *c)
{
	if (c->cmd.end != NULL)
		c->cmd.end(c);
	c->cmd = (struct command){ 0 };
	arena_clear(&c->arena);
	frame_reset(&c->frame);
	if (c->mode == MODE_COMMAND) {
		free(c->held_tag);
		c->held_tag = NULL;
	}
}

void
cmd_hold(struct client *c, enum client_mode mode)
{
	if (c->held_tag == NULL)
		c->held_tag = slice_dup(c->cmd.tag);
	c->cmd.tag = slice_str(c->held_tag);
	c->mode = mode;
	frame_reset(&c->frame);
	frame_plain(&c->frame, true);
	client_set_timeout(c);
}

void
cmd_release(struct client *c)
{
	c->mode = MODE_COMMAND;
	frame_plain(&c->frame, false);
	client_set_timeout(c);
}

static bool
may_expunge(const struct client *c)
{
	return c->cmd.uid || !(c->cmd.row->how & CMD_NUMBERS);
}

/* RFC 7162 3.2.7: what was expunged raised it. */
static void
add_modseq(struct client *c)
{
	if (!c->cmd.tells_modseq || !(c->enabled & EN_QRESYNC) ||
	    c->cmd.kind != RESP_OK || c->cmd.code != NULL || c->sel == NULL ||
	    c->sel->view == NULL)
		return;
	c->cmd.code = arena_printf(
	    &c->arena, "HIGHESTMODSEQ %" PRIu64, view_modseq(c->sel->view));
}

static void
say_result(struct client *c)
{
	add_modseq(c);
	c->cmd.tag_at = buf_len(&c->out);
	resp_tagged(&c->out, c->cmd.tag, c->cmd.kind, c->cmd.code, c->cmd.text);
	if (c->cmd.kind == RESP_BAD)
		c->bad_commands++;
	else if (c->state != IS_NOAUTH)
		c->bad_commands = 0;
}

/* On the loop: the tagged line is in out. */
static void
over(struct client *c)
{
	append_drop(c);
	cmd_drop(c);
	/* What the command held back or did itself. */
	if (c->watch != NULL && (sync_wanted(c) || watch_wanted(c)))
		c->news = true;
	if (c->bad_commands >= client_conf(c)->bad_commands_max)
		client_bye(c, "bad-commands", NULL, "too many bad commands");
}

/* RFC 9585 4: a sign of life, when there was none for so long. */
static void
tell_progress(struct client *c)
{
	uint64_t now = clock_steady_ms();

	if (c->cmd.told_ms == 0 || c->cmd.goal == 0 || buf_len(&c->out) != 0) {
		c->cmd.told_ms = now;
	} else if (now - c->cmd.told_ms >= client_conf(c)->imap_progress) {
		resp_progress(&c->out, c->cmd.tag, c->cmd.at, c->cmd.goal);
		c->cmd.told_ms = now;
	}
}

static void
work(struct sjob *j)
{
	struct client *c = client_of_job(j);
	struct command *cmd = &c->cmd;

	if (!cmd->ran) {
		if (cmd->run == NULL)
			sync_rights(c);
		c->step = c->bye_text != NULL ? cmd_no(c, "NOPERM", c->bye_text)
					      : cmd->row->run(c);
		if (c->step == STEP_AGAIN) {
			tell_progress(c);
			return;
		}
		cmd->ran = true;
	}
	c->step = STEP_DONE;
	if (!(cmd->row->how & CMD_QUIET))
		c->step = sync_step(c, may_expunge(c), cmd->uid);
	if (c->step == STEP_DONE)
		say_result(c);
}

/* What was to be on disk is not: whatever was going to be said. */
static void
not_durable(struct client *c)
{
	log_error(c->id, "sync", "name=%s error=%s", c->cmd.row->name,
	    err_name(c->job.rc));
	if (c->step == STEP_AGAIN) {
		c->bye_code = "UNAVAILABLE";
		c->bye_text = "temporary trouble with the disk";
		return;
	}
	buf_truncate(&c->out, c->cmd.tag_at);
	(void)cmd_fail(c, c->job.rc, NULL);
	say_result(c);
}

static void
done(struct sjob *j)
{
	struct client *c = client_of_job(j);

	if (!client_back(c))
		return;
	if (j->rc != 0)
		not_durable(c);
	client_flush(c);
	if (conn_closing(&c->conn))
		return;
	if (c->step == STEP_DONE)
		over(c);
	else if (conn_broken(&c->conn))
		client_close(c, "broken");
	else if (conn_full(&c->conn))
		c->waiting = true;
	else if (c->bye_text == NULL && !c->stopping && !c->kicked) {
		client_job(c, false, work, done);
		return;
	}
	client_run(c);
}

void
cmd_resume(struct client *c)
{
	c->waiting = false;
	if (c->bye_text != NULL || c->stopping || c->kicked)
		client_run(c);
	else if (c->cmd.row == NULL || c->mode == MODE_IDLE)
		client_run(c);
	else
		client_job(c, false, work, done);
}

void
cmd_finish(struct client *c)
{
	c->cmd.ran = true;
	if (!(c->cmd.row->how & CMD_QUIET) && sync_wanted(c)) {
		client_job(c, false, work, done);
		return;
	}
	say_result(c);
	over(c);
}

/* ---- a new command ---- */

static void
bad(struct client *c, const char *text)
{
	(void)result(c, RESP_BAD, c->cmd.code, text);
	say_result(c);
	over(c);
}

static bool
parse_head(struct client *c, struct parse *p, struct slice *name)
{
	struct command *cmd = &c->cmd;

	if (!parse_tag(p, &cmd->tag) || !parse_sp(p)) {
		cmd->tag = SLICE("");
		return false;
	}
	if (!parse_atom(p, name))
		return false;
	if (!slice_ieq(*name, SLICE("UID")))
		return true;
	cmd->uid = true;
	return parse_sp(p) && parse_atom(p, name);
}

static void
refused(struct client *c, const struct parse *p)
{
	const char *why = p->c.why != NULL ? p->c.why : "bad syntax";

	if (p->no) {
		(void)cmd_no(c, p->code, why);
		say_result(c);
		over(c);
	} else {
		c->cmd.code = p->code;
		bad(c,
		    arena_printf(&c->arena, "%s: %s", c->cmd.row->name, why));
	}
}

/* RFC 9586: such commands speak of message numbers. */
static void
uid_required(struct client *c)
{
	c->cmd.code = "UIDREQUIRED";
	bad(c, "with UIDONLY, use the UID command");
}

/* Another's folder is none of them: rights are asked for there. */
static bool
is_quick(struct client *c)
{
	if (c->sel != NULL && c->sel->view != NULL && c->sel->shared)
		return false;
	for (size_t i = 0; i < PH_LEN(quick); i++)
		if (quick[i].run == c->cmd.row->run)
			return quick[i].at_once(c);
	return false;
}

static void
run(struct client *c)
{
	const struct cmd_row *row = c->cmd.row;
	enum step step;

	if (!(row->how & CMD_LOOP) && !is_quick(c)) {
		client_job(c, false, work, done);
		return;
	}
	step = row->run(c);
	if (step == STEP_DONE)
		cmd_finish(c);
	else if (step == STEP_AGAIN) /* more than that to say */
		client_job(c, false, work, done);
}

void
cmd_take(struct client *c)
{
	struct command *cmd = &c->cmd;
	struct slice name;
	struct parse p;

	if (frame_text(&c->frame).n == 0 && c->state != IS_NOAUTH) {
		cmd_drop(c); /* a stray empty line: nothing was said */
		return;
	}
	parse_init(&p, frame_text(&c->frame), &c->arena, client_utf8(c));
	p.no_charset = (c->enabled & EN_UTF8) != 0;
	p.uid_only = (c->enabled & EN_UIDONLY) != 0;
	if (!parse_head(c, &p, &name)) {
		bad(c, "a command is a tag, a space and a word");
		return;
	}
	cmd->row = cmd_find(name, cmd->uid);
	if (cmd->row == NULL || !caps_allow(c, cmd->row->name))
		bad(c, "no such command");
	else if (!(cmd->row->states & c->state))
		bad(c, c->state == IS_NOAUTH ? "log in first"
		       : c->state == IS_AUTH && cmd->row->states == IS_SELECTED
			   ? "select a folder first"
			   : "not now");
	else if (p.uid_only && cmd->row->how & CMD_UID && !cmd->uid)
		uid_required(c);
	else if (!cmd->row->parse(&p, &cmd->args))
		refused(c, &p);
	else
		run(c);
}
