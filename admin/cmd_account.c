#include "admin/cmds.h"

#include <string.h>

#include "admin/opt.h"
#include "admin/policy.h"
#include "auth/network.h"
#include "auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "storage/fetched.h"
#include "storage/uidl.h"

_Static_assert((int)ACCOUNT_BIND_MAX >= (int)ARGS_OPTS_MAX, "account.h");

enum { PAGE = 64, ADDRESSES_MAX = 1000, NAME_MAX_BYTES = 200 };

static const struct out_col cols[] = {
	{ "account", "ACCOUNT", OUT_TEXT },
	{ "package", "PACKAGE", OUT_TEXT },
	{ "suspended", "SUSPENDED", OUT_BOOL },
	{ "bytes_used", "USED", OUT_BYTES },
	{ "bytes_max", "QUOTA", OUT_LIMIT },
	{ "messages_used", "MESSAGES", OUT_NUM },
	{ "messages_max", "OF", OUT_COUNT_LIMIT },
	{ "lang", "LANG", OUT_TEXT },
	{ "created_at", "CREATED", OUT_TIME },
	{ "name", "NAME", OUT_TEXT },
	{ "id", NULL, OUT_NUM },
	{ "refuses_mail", NULL, OUT_BOOL },
	{ "networks", NULL, OUT_TEXT },
	{ "deleted_at", NULL, OUT_TIME },
	{ "purge_at", NULL, OUT_TIME },
};

static const struct out_col show_cols[] = {
	{ "account", "Account", OUT_TEXT },
	{ "id", "Id", OUT_NUM },
	{ "package", "Package", OUT_TEXT },
	{ "name", "Name", OUT_TEXT },
	{ "suspended", "Suspended", OUT_BOOL },
	{ "refuses_mail", "Refuses mail", OUT_BOOL },
	{ "networks", "Only from", OUT_TEXT },
	{ "addresses", "Addresses", OUT_LIST },
	{ "bytes_used", "Used", OUT_BYTES },
	{ "bytes_max", "Quota", OUT_LIMIT },
	{ "messages_used", "Messages", OUT_NUM },
	{ "messages_max", "Messages max", OUT_COUNT_LIMIT },
	{ "folders_max", "Folders max", OUT_COUNT_LIMIT },
	{ "lang", "Language", OUT_TEXT },
	{ "pop3_remove_after", "Remove fetched mail after", OUT_TEXT },
	{ "pop3_login_delay", "Time between POP3 logins", OUT_TEXT },
	{ "junk", "Junk goes to", OUT_TEXT },
	{ "uidl", "POP3 unique-ids", OUT_TEXT },
	{ "fetched_messages", "Fetched by POP3", OUT_NUM },
	{ "fetched_bytes", "Fetched size", OUT_BYTES },
	{ "sending", "Sending", OUT_TEXT },
	{ "sent_copy", "Server files sent mail", OUT_BOOL },
	{ "outbox", "Outbox", OUT_BOOL },
	{ "undo_sec", "Undo, seconds", OUT_NUM },
	{ "send_as", "May also send as", OUT_TEXT },
	{ "app_passwords", "App passwords", OUT_NUM },
	{ "created_at", "Created", OUT_TIME },
};

static const struct out_col made_cols[] = {
	{ "account", "Account", OUT_TEXT },
	{ "password", "Password", OUT_TEXT },
};

static json_t *
row_of(struct cmd *c, const struct account *ac)
{
	struct usage use = { 0 };

	if (account_usage(c->store, ac->id, &use) != 0)
		use = (struct usage){ 0 };
	return json_pack("{s:o,s:I,s:o,s:o,s:b,s:o,s:I,s:I,s:I,s:I,s:I,s:o,"
			 "s:b,s:o,s:o,s:o}",
	    "account", out_str(ac->name), "id", (json_int_t)ac->id, "package",
	    out_str(ac->package), "name", out_str(ac->full_name), "suspended",
	    ac->suspended, "lang", out_str(ac->lang), "bytes_used",
	    (json_int_t)use.bytes, "bytes_max", (json_int_t)ac->bytes_max,
	    "messages_used", (json_int_t)use.messages, "messages_max",
	    (json_int_t)ac->messages_max, "folders_max",
	    (json_int_t)ac->folders_max, "created_at", out_time(ac->created_at),
	    "refuses_mail", ac->refuses_mail, "networks", out_str(ac->networks),
	    "deleted_at", out_time(ac->deleted_at), "purge_at",
	    out_time(ac->purge_at));
}

/* --pop3-remove-after: "30d", or "never". */
static int
take_remove_after(struct cmd *c, struct account *ac)
{
	const char *text = args_get(&c->args, "pop3-remove-after");
	uint64_t ms = 0, least = c->conf->pop3_remove_min;

	if (text == NULL)
		return CMD_DONE;
	if (strcmp(text, "never") != 0 &&
	    (!num_parse_duration(slice_str(text), &ms) || ms < 1000)) {
		out_error(&c->out,
		    "posthof: --pop3-remove-after %s: 30d, or never\n", text);
		return CMD_USAGE;
	}
	if (ms != 0 && ms < least) {
		out_error(&c->out,
		    "posthof: --pop3-remove-after %s: pop3-remove-min is %llu "
		    "seconds\n",
		    text, (unsigned long long)least / 1000);
		return CMD_REFUSED;
	}
	ac->pop3_remove_sec = ms / 1000;
	return CMD_DONE;
}

/* --pop3-login-delay: "15m", or "default". */
static int
take_login_delay(struct cmd *c, struct account *ac)
{
	const char *text = args_get(&c->args, "pop3-login-delay");
	uint64_t ms = 0, most = c->conf->pop3_login_delay_max;

	if (text == NULL)
		return CMD_DONE;
	if (strcmp(text, "default") != 0 &&
	    (!num_parse_duration(slice_str(text), &ms) || ms < 1000)) {
		out_error(&c->out,
		    "posthof: --pop3-login-delay %s: 15m, or default\n", text);
		return CMD_USAGE;
	}
	if (ms > most) {
		out_error(&c->out,
		    "posthof: --pop3-login-delay %s: pop3-login-delay-max is "
		    "%llu seconds\n",
		    text, (unsigned long long)most / 1000);
		return CMD_REFUSED;
	}
	ac->pop3_delay_sec = ms / 1000;
	return CMD_DONE;
}

/* --junk: inbox or folder. */
static int
take_junk(struct cmd *c, struct account *ac)
{
	const char *word = args_get(&c->args, "junk");

	if (word == NULL)
		return CMD_DONE;
	if (strcmp(word, "inbox") != 0 && strcmp(word, "folder") != 0) {
		out_error(
		    &c->out, "posthof: --junk %s: inbox or folder\n", word);
		return CMD_USAGE;
	}
	ac->junk_in_inbox = strcmp(word, "inbox") == 0;
	return CMD_DONE;
}

/* --uidl: a format, or nothing for the usual one. */
static int
take_uidl(struct cmd *c, struct account *ac)
{
	const char *text = args_get(&c->args, "uidl");

	if (text == NULL)
		return CMD_DONE;
	if (text[0] != '\0' && !uidl_format_ok(slice_str(text))) {
		out_error(&c->out,
		    "posthof: --uidl %s: %%u the UID and %%v the UIDVALIDITY, "
		    "as in %%08Xu%%08Xv\n",
		    text);
		return CMD_USAGE;
	}
	ac->uidl_format = slice_str(text);
	return CMD_DONE;
}

/* "30d", "36h"; 0: the word. */
static json_t *
time_text(uint64_t sec, const char *word)
{
	static const struct {
		uint64_t sec;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	char text[32];
	size_t i = 0;

	if (sec == 0)
		return json_string(word);
	while (sec % units[i].sec != 0)
		i++;
	(void)snprintf(text, sizeof(text), "%llu%c",
	    (unsigned long long)(sec / units[i].sec), units[i].unit);
	return json_string(text);
}

/* --networks: see auth/network.h, or "any". */
static int
take_networks(struct cmd *c, struct account *ac)
{
	const char *text = args_get(&c->args, "networks");
	struct buf b;
	int rc;

	if (text == NULL)
		return CMD_DONE;
	buf_init(&b, ACCOUNT_NETWORKS_MAX);
	rc = strcmp(text, "any") == 0
		 ? 0
		 : network_fold(slice_str(text), &b, &c->err);
	if (rc == 0)
		ac->networks = arena_copy(&c->arena, buf_slice(&b));
	buf_fini(&b);
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "--networks");
}

/* --quota, --messages, --lang, --name, --pop3-remove-after, --junk, --uidl. */
static int
take_fields(struct cmd *c, struct account *ac)
{
	const char *lang = args_get(&c->args, "lang");
	const char *name = args_get(&c->args, "name");
	int status;

	if (lang != NULL && lang[0] != '\0' && strcmp(lang, "de") != 0 &&
	    strcmp(lang, "en") != 0) {
		out_error(&c->out, "posthof: --lang %s: de or en\n", lang);
		return CMD_USAGE;
	}
	if (name != NULL && slice_str(name).n > NAME_MAX_BYTES) {
		out_error(&c->out, "posthof: --name: at most %d bytes\n",
		    NAME_MAX_BYTES);
		return CMD_REFUSED;
	}
	if (lang != NULL)
		ac->lang = slice_str(lang);
	if (name != NULL)
		ac->full_name = slice_str(name);
	if ((status = opt_size(c, "quota", &ac->bytes_max)) == CMD_DONE)
		status = opt_num(c, "messages", UINT32_MAX, &ac->messages_max);
	if (status == CMD_DONE)
		status = opt_num(
		    c, "folders", FOLDERS_PER_ACCOUNT_MAX, &ac->folders_max);
	if (status == CMD_DONE)
		status = take_networks(c, ac);
	if (status == CMD_DONE)
		status = take_remove_after(c, ac);
	if (status == CMD_DONE)
		status = take_login_delay(c, ac);
	if (status == CMD_DONE)
		status = take_junk(c, ac);
	return status == CMD_DONE ? take_uidl(c, ac) : status;
}

/* The main password replaces the old one or comes first. */
static void
put_secret(struct account *ac, const struct secret *fresh)
{
	struct secret *to = NULL;

	for (size_t i = 0; i < ac->nsecrets && to == NULL; i++)
		if (ac->secrets[i].id == AUTH_MAIN_SECRET)
			to = &ac->secrets[i];
	if (to == NULL && ac->nsecrets < ACCOUNT_SECRETS_MAX)
		to = &ac->secrets[ac->nsecrets++];
	if (to == NULL)
		return;
	*to = *fresh;
	to->id = AUTH_MAIN_SECRET;
	to->scope = SCOPE_ALL;
	to->created_at = clock_wall_sec();
	to->used_at = to->expires_at = 0;
}

/* --address, as often as it comes. */
static int
take_addresses(struct cmd *c, struct account_bind *bind)
{
	const char *word;
	size_t at = 0;
	int status = CMD_DONE;

	bind->n = 0;
	while (status == CMD_DONE &&
	       (word = args_next(&c->args, "address", &at)) != NULL)
		status = opt_name(
		    c, word, ident_fold_address, &bind->addrs[bind->n++]);
	return status;
}

static int
finish(struct cmd *c, const struct account *ac, const char *made)
{
	int status = cmd_sync(c);

	if (status != CMD_DONE || (made == NULL && !c->out.json))
		return status;
	out_record(&c->out, made_cols, PH_LEN(made_cols),
	    json_pack(
		"{s:o,s:s?}", "account", out_str(ac->name), "password", made));
	return CMD_DONE;
}

/* "web100p1", or "web100" for its next free number. */
static int
take_name(struct cmd *c, struct account *ac)
{
	size_t package_len = 0;
	char name[IDENT_MAX + 1];
	struct slice s;
	int status;

	if (ident_fold_package(slice_str(c->args.words[0]), name, NULL) == 0) {
		ac->package = arena_copy(&c->arena, slice_str(name));
		return CMD_DONE;
	}
	status = opt_name(c, c->args.words[0], ident_fold_account, &s);
	if (status != CMD_DONE)
		return status;
	(void)ident_is_account(s, &package_len);
	ac->name = s;
	ac->package = slice_sub(s, 0, package_len);
	return CMD_DONE;
}

int
cmd_account_add(struct cmd *c)
{
	struct account ac = { .created_at = clock_wall_sec() }, made;
	struct account have;
	struct account_bind bind;
	struct secret secret = { 0 };
	const char *password;
	bool given;
	int rc, status;

	if ((status = take_name(c, &ac)) != CMD_DONE ||
	    (status = take_addresses(c, &bind)) != CMD_DONE ||
	    (status = policy_look(c, POLICY_ACCOUNT, ac.name)) != CMD_DONE ||
	    (status = take_fields(c, &ac)) != CMD_DONE)
		return status;
	/* Before a password is derived for nothing. */
	if (c->batch && ac.name.n != 0 &&
	    account_get(c->store, ac.name, &c->arena, &have) == 0)
		return cmd_account_set(c);
	if ((status = opt_secret(c, true, &ac, &secret, &given, &password)) !=
	    CMD_DONE)
		return status;
	put_secret(&ac, &secret);
	rc = account_add(c->store, &ac, &bind, &c->arena, &made, &c->err);
	if (rc != 0)
		return cmd_refuse(c, rc, "account add %s", c->args.words[0]);
	if ((status = policy_take(c, POLICY_ACCOUNT, made.name)) != CMD_DONE)
		return status;
	if (ac.name.n == 0 && password == NULL && !c->out.json)
		out_printf(&c->out, "%.*s\n", (int)made.name.n, made.name.p);
	return finish(c, &made, password);
}

static int
find(struct cmd *c, struct account *ac)
{
	return opt_account(c, c->args.words[0], ac);
}

int
cmd_account_set(struct cmd *c)
{
	struct account ac;
	struct account_bind bind;
	struct secret secret = { 0 };
	const char *password;
	bool given;
	int rc, status;

	if ((status = find(c, &ac)) != CMD_DONE ||
	    (status = policy_look(c, POLICY_ACCOUNT, ac.name)) != CMD_DONE ||
	    (status = take_addresses(c, &bind)) != CMD_DONE ||
	    (status = take_fields(c, &ac)) != CMD_DONE ||
	    (status = opt_secret(c, false, &ac, &secret, &given, &password)) !=
		CMD_DONE)
		return status;
	if (given)
		put_secret(&ac, &secret);
	rc = account_set(c->store, &ac, &bind, given, &c->err);
	if (rc != 0)
		return cmd_refuse(c, rc, "account set %s", c->args.words[0]);
	if ((status = policy_take(c, POLICY_ACCOUNT, ac.name)) != CMD_DONE)
		return status;
	return cmd_sync(c);
}

int
cmd_account_passwd(struct cmd *c)
{
	struct account ac;
	struct secret secret = { 0 };
	const char *password;
	bool given;
	int rc, status;

	if ((status = find(c, &ac)) != CMD_DONE ||
	    (status = opt_secret(c, true, &ac, &secret, &given, &password)) !=
		CMD_DONE)
		return status;
	put_secret(&ac, &secret);
	rc = account_set(c->store, &ac, NULL, true, &c->err);
	if (rc != 0)
		return cmd_refuse(c, rc, "account passwd");
	return finish(c, &ac, password);
}

static int
set_suspended(struct cmd *c, bool suspended)
{
	struct account ac;
	int rc, status;

	if ((status = find(c, &ac)) != CMD_DONE)
		return status;
	ac.suspended = suspended;
	if ((status = opt_mail(c, &ac.refuses_mail)) != CMD_DONE)
		return status;
	if (!suspended)
		ac.refuses_mail = false;
	rc = account_set(c->store, &ac, NULL, suspended, &c->err);
	return rc == 0 ? cmd_sync(c) : cmd_refuse(c, rc, "%s", c->row->name);
}

int
cmd_account_suspend(struct cmd *c)
{
	return set_suspended(c, true);
}

int
cmd_account_resume(struct cmd *c)
{
	return set_suspended(c, false);
}

/* What POP3 programs have fetched and left here. */
static void
add_fetched(struct cmd *c, const struct account *ac, json_t *row)
{
	uint64_t messages, bytes;

	if (fetched_share(c->store, ac->id, &messages, &bytes) != 0)
		messages = bytes = 0;
	(void)json_object_set_new(
	    row, "pop3_remove_after", time_text(ac->pop3_remove_sec, "never"));
	(void)json_object_set_new(
	    row, "pop3_login_delay", time_text(ac->pop3_delay_sec, "default"));
	(void)json_object_set_new(
	    row, "junk", json_string(ac->junk_in_inbox ? "inbox" : "folder"));
	(void)json_object_set_new(row, "uidl",
	    out_str(ac->uidl_format.n != 0 ? ac->uidl_format : SLICE("%v.%u")));
	(void)json_object_set_new(
	    row, "fetched_messages", json_integer((json_int_t)messages));
	(void)json_object_set_new(
	    row, "fetched_bytes", json_integer((json_int_t)bytes));
}

int
cmd_account_show(struct cmd *c)
{
	struct slice *v;
	struct account ac;
	json_t *row, *list;
	size_t n = 0, apps = 0;
	int rc, status;

	if ((status = find(c, &ac)) != CMD_DONE)
		return status;
	v = arena_alloc(&c->arena, ADDRESSES_MAX * sizeof(*v));
	rc = address_of_account(
	    c->store, ac.name, &c->arena, v, ADDRESSES_MAX, &n);
	if (rc != 0)
		return cmd_refuse(c, rc, "account show");
	row = row_of(c, &ac);
	list = json_array();
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, out_str(v[i]));
	for (size_t i = 0; i < ac.nsecrets; i++)
		apps += ac.secrets[i].id != AUTH_MAIN_SECRET;
	(void)json_object_set_new(row, "addresses", list);
	policy_show(c, POLICY_ACCOUNT, ac.name, row);
	add_fetched(c, &ac, row);
	(void)json_object_set_new(
	    row, "app_passwords", json_integer((json_int_t)apps));
	out_record(&c->out, show_cols, PH_LEN(show_cols), row);
	return CMD_DONE;
}

static const struct out_col deleted_cols[] = {
	{ "account", "ACCOUNT", OUT_TEXT },
	{ "package", "PACKAGE", OUT_TEXT },
	{ "bytes_used", "USED", OUT_BYTES },
	{ "messages_used", "MESSAGES", OUT_NUM },
	{ "deleted_at", "DELETED", OUT_TIME },
	{ "purge_at", "ENDS", OUT_TIME },
	{ "name", "NAME", OUT_TEXT },
};

int
cmd_account_list(struct cmd *c)
{
	bool deleted = args_has(&c->args, "deleted");
	struct account *page;
	struct slice after = SLICE(""), only;
	size_t n = PAGE;
	int rc = 0, status;

	if ((status = opt_named(c, "package", ident_fold_package, &only)) !=
	    CMD_DONE)
		return status;
	page = arena_alloc(&c->arena, PAGE * sizeof(*page));
	if (deleted)
		out_begin(&c->out, deleted_cols, PH_LEN(deleted_cols));
	else
		out_begin(&c->out, cols, PH_LEN(cols));
	while (n == PAGE) {
		rc = deleted ? account_list_binned(
				   c->store, after, &c->arena, page, PAGE, &n)
			     : account_list(
				   c->store, after, &c->arena, page, PAGE, &n);
		if (rc != 0)
			break;
		for (size_t i = 0; i < n; i++)
			if (only.p == NULL || slice_eq(only, page[i].package))
				out_row(&c->out, row_of(c, &page[i]));
		if (n != 0)
			after = page[n - 1].name;
	}
	out_end(&c->out);
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "account list");
}

/* Into the bin, and out of the host when its time has come; or --now, one in
 * the bin too. */
int
cmd_account_del(struct cmd *c)
{
	int64_t keep_sec = (int64_t)(c->conf->undelete_time / 1000);
	struct account ac;
	struct slice name;
	int rc, status;

	if (args_has(&c->args, "now") || keep_sec == 0) {
		status =
		    opt_name(c, c->args.words[0], ident_fold_account, &name);
		if (status != CMD_DONE)
			return status;
		rc = account_del(c->store, name, &c->err);
	} else {
		if ((status = find(c, &ac)) != CMD_DONE)
			return status;
		rc = account_bin(
		    c->store, ac.name, clock_wall_sec() + keep_sec, &c->err);
	}
	return rc == 0 ? cmd_sync(c)
		       : cmd_refuse(c, rc, "account del %s", c->args.words[0]);
}

int
cmd_account_undelete(struct cmd *c)
{
	struct slice name;
	int rc, status;

	status = opt_name(c, c->args.words[0], ident_fold_account, &name);
	if (status != CMD_DONE)
		return status;
	rc = account_undelete(c->store, name, &c->err);
	return rc == 0
		   ? cmd_sync(c)
		   : cmd_refuse(c, rc, "account undelete %s", c->args.words[0]);
}
