#include "admin/cmds.h"

#include <stdlib.h>
#include <string.h>

#include "admin/opt.h"
#include "auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/num.h"

static const struct {
	const char *name;
	unsigned bit;
} scopes[] = {
	{ "imap", SCOPE_IMAP },
	{ "pop3", SCOPE_POP3 },
	{ "smtp", SCOPE_SMTP },
};

static const struct out_col cols[] = {
	{ "id", "ID", OUT_NUM },
	{ "label", "LABEL", OUT_TEXT },
	{ "scope", "SCOPE", OUT_LIST },
	{ "created_at", "CREATED", OUT_TIME },
	{ "used_at", "LAST USED", OUT_TIME },
	{ "expires_at", "EXPIRES", OUT_TIME },
};

static const struct out_col made_cols[] = {
	{ "account", "Account", OUT_TEXT },
	{ "id", "Id", OUT_NUM },
	{ "label", "Label", OUT_TEXT },
	{ "password", "Password", OUT_TEXT },
};

/* "imap,smtp"; 0 when a word is none. */
static unsigned
parse_scope(const char *text)
{
	struct slice rest = slice_str(text), word;
	unsigned all = 0;

	while (slice_split(&rest, ',', &word)) {
		unsigned bit = 0;

		for (size_t i = 0; i < PH_LEN(scopes); i++)
			if (slice_ieq_str(slice_trim(word), scopes[i].name))
				bit = scopes[i].bit;
		if (bit == 0)
			return 0;
		all |= bit;
	}
	return all;
}

static uint32_t
next_id(const struct account *ac)
{
	uint32_t id = AUTH_MAIN_SECRET;

	for (size_t i = 0; i < ac->nsecrets; i++)
		if (ac->secrets[i].id > id)
			id = ac->secrets[i].id;
	return id + 1;
}

/* --expires: after "90d". */
static int
take_expires(struct cmd *c, struct secret *s)
{
	const char *text = args_get(&c->args, "expires");
	uint64_t ms;

	if (text == NULL)
		return CMD_DONE;
	if (!num_parse_duration(slice_str(text), &ms) || ms < 1000) {
		out_error(&c->out,
		    "posthof: --expires %s: a time like 90d or 12h\n", text);
		return CMD_USAGE;
	}
	s->expires_at = clock_wall_sec() + (int64_t)(ms / 1000);
	return CMD_DONE;
}

int
cmd_app_add(struct cmd *c)
{
	const char *label = args_get(&c->args, "label");
	const char *scope = args_get(&c->args, "scope"), *password;
	struct secret *s;
	struct account ac;
	int rc, status;

	if (label == NULL || label[0] == '\0') {
		out_error(&c->out, "posthof: app-password add: for which "
				   "program?  Add --label L\n");
		return CMD_USAGE;
	}
	if ((status = opt_account(c, c->args.words[0], &ac)) != CMD_DONE)
		return status;
	if (ac.nsecrets == ACCOUNT_SECRETS_MAX) {
		(void)err_set(&c->err, ERR_LIMIT,
		    "it has %d passwords; revoke one first",
		    ACCOUNT_SECRETS_MAX);
		return cmd_refuse(c, ERR_LIMIT, "app-password add");
	}
	s = &ac.secrets[ac.nsecrets];
	*s = (struct secret){ .id = next_id(&ac),
		.label = slice_str(label),
		.scope = scope != NULL ? parse_scope(scope) : SCOPE_ALL,
		.created_at = clock_wall_sec() };
	if (s->scope == 0) {
		out_error(&c->out,
		    "posthof: --scope is a list of imap, pop3, smtp\n");
		return CMD_USAGE;
	}
	if ((status = take_expires(c, s)) != CMD_DONE)
		return status;
	password = opt_random_password(&c->arena);
	if ((status = opt_scram(c, slice_str(password), &ac, s)) != CMD_DONE)
		return status;
	ac.nsecrets++;
	if ((rc = account_set(c->store, &ac, NULL, false, &c->err)) != 0)
		return cmd_refuse(c, rc, "app-password add");
	if ((status = cmd_sync(c)) == CMD_DONE)
		out_record(&c->out, made_cols, PH_LEN(made_cols),
		    json_pack("{s:o,s:I,s:o,s:s}", "account", out_str(ac.name),
			"id", (json_int_t)s->id, "label", out_str(s->label),
			"password", password));
	return status;
}

static json_t *
row_of(const struct secret *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < PH_LEN(scopes); i++)
		if ((s->scope & scopes[i].bit) != 0)
			(void)json_array_append_new(
			    list, json_string(scopes[i].name));
	return json_pack("{s:I,s:o,s:o,s:o,s:o,s:o}", "id", (json_int_t)s->id,
	    "label", out_str(s->label), "scope", list, "created_at",
	    out_time(s->created_at), "used_at", out_time(s->used_at),
	    "expires_at", out_time(s->expires_at));
}

int
cmd_app_list(struct cmd *c)
{
	struct account ac;
	int status = opt_account(c, c->args.words[0], &ac);

	if (status != CMD_DONE)
		return status;
	out_begin(&c->out, cols, PH_LEN(cols));
	for (size_t i = 0; i < ac.nsecrets; i++)
		if (ac.secrets[i].id != AUTH_MAIN_SECRET)
			out_row(&c->out, row_of(&ac.secrets[i]));
	out_end(&c->out);
	return CMD_DONE;
}

int
cmd_app_revoke(struct cmd *c)
{
	struct account ac;
	uint64_t id;
	size_t kept = 0;
	int rc, status;

	if (!num_parse(slice_str(c->args.words[1]), UINT32_MAX, &id) ||
	    id == AUTH_MAIN_SECRET) {
		out_error(&c->out,
		    "posthof: %s is no id of an app password; "
		    "see `posthof app-password list`\n",
		    c->args.words[1]);
		return CMD_REFUSED;
	}
	if ((status = opt_account(c, c->args.words[0], &ac)) != CMD_DONE)
		return status;
	for (size_t i = 0; i < ac.nsecrets; i++)
		if (ac.secrets[i].id != id)
			ac.secrets[kept++] = ac.secrets[i];
	if (kept == ac.nsecrets)
		return cmd_refuse(
		    c, ERR_NOTFOUND, "app password %s", c->args.words[1]);
	ac.nsecrets = kept;
	rc = account_set(c->store, &ac, NULL, true, &c->err);
	return rc == 0 ? cmd_sync(c) : cmd_refuse(c, rc, "app-password revoke");
}
