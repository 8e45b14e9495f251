/*
 * Folders that are one thing under two names (CLIENTS U2).
 */
#include "admin/cmds.h"
#include "admin/opt.h"
#include "storage/doubles.h"

enum { PAGE = 100 };

static const struct out_col cols[] = {
	{ "account", "ACCOUNT", OUT_TEXT },
	{ "role", "ROLE", OUT_TEXT },
	{ "folder", "FOLDER", OUT_TEXT },
	{ "into", "BELONGS INTO", OUT_TEXT },
	{ "messages", "MESSAGES", OUT_NUM },
	{ "bytes", "SIZE", OUT_BYTES },
	{ "subscribed", NULL, OUT_BOOL },
	{ "result", "RESULT", OUT_TEXT },
};

static const char *
role_word(enum folder_use use)
{
	switch (use) {
	case USE_ARCHIVE: return "archive";
	case USE_DRAFTS: return "drafts";
	case USE_JUNK: return "junk";
	case USE_SENT: return "sent";
	case USE_TRASH: return "trash";
	case USE_NONE: break;
	}
	return "none";
}

/* What was found, in a word. */
static const char *
look(const struct double_folder *d)
{
	if (d->id == d->into_id)
		return "nobody has the role";
	return d->shared ? "shared" : "double";
}

/* And what became of it; NULL: *rc_out says why not. */
static const char *
merge(struct cmd *c, const struct account *ac, const struct double_folder *d,
    int *rc_out)
{
	int rc = doubles_merge(c->store, ac->id, d);

	*rc_out = 0;
	switch (rc) {
	case 0: return d->id == d->into_id ? "has the role" : "merged";
	case ERR_DENIED: return "shared: not merged";
	case ERR_CONFLICT: return "kept: folders below it are there already";
	case ERR_BUSY: return "kept: mail comes in too fast";
	case ERR_NOTFOUND: return "gone meanwhile";
	}
	*rc_out = rc;
	return NULL;
}

static int
one_account(struct cmd *c, const struct account *ac)
{
	bool merges = args_has(&c->args, "merge");
	struct double_folder *v;
	struct arena a;
	size_t n;
	int rc;

	arena_init(&a);
	rc = doubles_find(c->store, ac->id, &a, &v, &n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const char *word =
		    merges ? merge(c, ac, &v[i], &rc) : look(&v[i]);

		if (word == NULL)
			break;
		out_row(
		    &c->out, json_pack("{s:o,s:s,s:o,s:o,s:I,s:I,s:b,s:s}",
				 "account", out_str(ac->name), "role",
				 role_word(v[i].use), "folder",
				 out_str(v[i].name), "into", out_str(v[i].into),
				 "messages", (json_int_t)v[i].messages, "bytes",
				 (json_int_t)v[i].bytes, "subscribed",
				 (int)v[i].subscribed, "result", word));
	}
	arena_clear(&a);
	return rc;
}

static int
all_accounts(struct cmd *c)
{
	struct slice after = SLICE("");
	struct account *page = arena_alloc(&c->arena, PAGE * sizeof(*page));
	size_t n = PAGE;
	int rc = 0;

	while (rc == 0 && n == PAGE) {
		rc = account_list(c->store, after, &c->arena, page, PAGE, &n);
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = one_account(c, &page[i]);
		if (n != 0)
			after = page[n - 1].name;
	}
	return rc;
}

int
cmd_folder_doubles(struct cmd *c)
{
	bool all = args_has(&c->args, "all");
	struct account ac;
	int rc, status;

	if (all == (c->args.nwords == 1)) {
		out_error(&c->out,
		    "posthof: folder doubles: name an account, or --all\n");
		return CMD_USAGE;
	}
	if (!all &&
	    (status = opt_account(c, c->args.words[0], &ac)) != CMD_DONE)
		return status;
	out_begin(&c->out, cols, PH_LEN(cols));
	rc = all ? all_accounts(c) : one_account(c, &ac);
	out_end(&c->out);
	if (rc != 0)
		return cmd_refuse(c, rc, "folder doubles");
	return args_has(&c->args, "merge") ? cmd_sync(c) : CMD_DONE;
}
