#include "admin/cmds.h"

#include <stdlib.h>

#include "admin/opt.h"
#include "lib/base/clock.h"

enum { PAGE = 64, OF_ACCOUNT_MAX = 1000 };

static const struct out_col cols[] = {
	{ "address", "ADDRESS", OUT_TEXT },
	{ "targets", "LEADS TO", OUT_LIST },
	{ "created_at", NULL, OUT_TIME },
};

static json_t *
row_of(const struct address *ad)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ad->ntargets; i++)
		(void)json_array_append_new(list, out_str(ad->targets[i]));
	return json_pack("{s:o,s:o,s:o}", "address", out_str(ad->addr),
	    "targets", list, "created_at", out_time(ad->created_at));
}

/* A target: an account's name, or an address here or elsewhere. */
static int
take_target(struct cmd *c, const char *word, struct address *ad)
{
	struct slice s = slice_str(word);
	bool is_address = slice_chr(s, '@') != s.n;

	if (ad->ntargets == ADDRESS_TARGETS_MAX) {
		out_error(&c->out,
		    "posthof: an address leads to %d targets "
		    "at most\n",
		    ADDRESS_TARGETS_MAX);
		return CMD_REFUSED;
	}
	return opt_name(c, word,
	    is_address ? ident_fold_address : ident_fold_account,
	    &ad->targets[ad->ntargets++]);
}

/* --to A --to B, or --to A B. */
static int
take_address(struct cmd *c, struct address *ad)
{
	const char *word;
	size_t at = 0;
	int status =
	    opt_name(c, c->args.words[0], ident_fold_address, &ad->addr);

	while (status == CMD_DONE &&
	       (word = args_next(&c->args, "to", &at)) != NULL)
		status = take_target(c, word, ad);
	for (size_t i = 1; status == CMD_DONE && i < c->args.nwords; i++)
		status = take_target(c, c->args.words[i], ad);
	if (status == CMD_DONE && !args_has(&c->args, "to")) {
		out_error(&c->out,
		    "posthof: %s: where does it lead?  Add "
		    "--to ACCOUNT or --to ADDRESS\n",
		    c->row->name);
		status = CMD_USAGE;
	}
	return status;
}

static int
find(struct cmd *c, struct address *ad)
{
	struct slice name;
	int rc, status;

	status = opt_name(c, c->args.words[0], ident_fold_address, &name);
	if (status != CMD_DONE)
		return status;
	rc = address_get(c->store, name, &c->arena, ad);
	if (rc == ERR_NOTFOUND)
		(void)err_set(
		    &c->err, rc, "no such address; see `posthof address list`");
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "%s", c->args.words[0]);
}

int
cmd_address_add(struct cmd *c)
{
	struct address ad = { .created_at = clock_wall_sec() };
	int rc, status = take_address(c, &ad);

	if (status != CMD_DONE)
		return status;
	rc = address_add(c->store, &ad, &c->err);
	if (rc == ERR_EXISTS && c->batch)
		return cmd_address_set(c);
	return rc == 0 ? cmd_sync(c)
		       : cmd_refuse(c, rc, "address add %s", c->args.words[0]);
}

int
cmd_address_set(struct cmd *c)
{
	struct address have, ad = { 0 };
	int rc, status;

	if ((status = find(c, &have)) != CMD_DONE ||
	    (status = take_address(c, &ad)) != CMD_DONE)
		return status;
	ad.created_at = have.created_at;
	ad.keep_copy = have.keep_copy;
	rc = address_set(c->store, &ad, &c->err);
	return rc == 0 ? cmd_sync(c)
		       : cmd_refuse(c, rc, "address set %s", c->args.words[0]);
}

int
cmd_address_show(struct cmd *c)
{
	struct address ad;
	int status = find(c, &ad);

	if (status == CMD_DONE)
		out_record(&c->out, cols, PH_LEN(cols), row_of(&ad));
	return status;
}

static bool
is_at(struct slice addr, struct slice domain)
{
	return domain.p == NULL ||
	       slice_eq(slice_from(addr, slice_rchr(addr, '@') + 1), domain);
}

static int
list_all(struct cmd *c, struct slice domain)
{
	struct address *page = arena_alloc(&c->arena, PAGE * sizeof(*page));
	struct slice after = SLICE("");
	size_t n = PAGE;
	int rc = 0;

	while (n == PAGE && (rc = address_list(c->store, after, &c->arena, page,
				 PAGE, &n)) == 0) {
		for (size_t i = 0; i < n; i++)
			if (is_at(page[i].addr, domain))
				out_row(&c->out, row_of(&page[i]));
		if (n != 0)
			after = page[n - 1].addr;
	}
	return rc;
}

static int
list_of_account(struct cmd *c, struct slice account, struct slice domain)
{
	struct slice *v = arena_alloc(&c->arena, OF_ACCOUNT_MAX * sizeof(*v));
	struct address ad;
	size_t n = 0;
	int rc = address_of_account(
	    c->store, account, &c->arena, v, OF_ACCOUNT_MAX, &n);

	for (size_t i = 0; i < n && rc == 0; i++)
		if (is_at(v[i], domain) &&
		    address_get(c->store, v[i], &c->arena, &ad) == 0)
			out_row(&c->out, row_of(&ad));
	return rc;
}

int
cmd_address_list(struct cmd *c)
{
	struct slice domain, account;
	int rc, status;

	if ((status = opt_named(c, "domain", ident_fold_domain, &domain)) !=
		CMD_DONE ||
	    (status = opt_named(c, "account", ident_fold_account, &account)) !=
		CMD_DONE)
		return status;
	out_begin(&c->out, cols, PH_LEN(cols));
	rc = account.p != NULL ? list_of_account(c, account, domain)
			       : list_all(c, domain);
	out_end(&c->out);
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "address list");
}

int
cmd_address_del(struct cmd *c)
{
	struct address ad;
	int rc, status;

	if ((status = find(c, &ad)) != CMD_DONE)
		return status;
	rc = address_del(c->store, ad.addr, &c->err);
	return rc == 0 ? cmd_sync(c) : cmd_refuse(c, rc, "address del");
}
