#include "admin/cmds.h"
#include "admin/opt.h"
#include "admin/policy.h"
#include "lib/base/clock.h"
#include "lib/setup/srv.h"

enum { PAGE = 64, DNS_MAX = 64 << 10 };

static const struct out_col cols[] = {
	{ "domain", "DOMAIN", OUT_TEXT },
	{ "package", "PACKAGE", OUT_TEXT },
	{ "created_at", "CREATED", OUT_TIME },
	{ "sending", "SENDING", OUT_TEXT },
};

static json_t *
row_of(struct cmd *c, const struct domain *d)
{
	json_t *row =
	    json_pack("{s:o,s:o,s:o}", "domain", out_str(d->name), "package",
		out_str(d->package), "created_at", out_time(d->created_at));

	policy_show(c, POLICY_DOMAIN, d->name, row);
	return row;
}

static int
find(struct cmd *c, struct domain *d)
{
	struct slice name;
	int rc, status;

	status = opt_name(c, c->args.words[0], ident_fold_domain, &name);
	if (status != CMD_DONE)
		return status;
	rc = domain_get(c->store, name, &c->arena, d);
	if (rc == ERR_NOTFOUND)
		(void)err_set(&c->err, rc,
		    "not a domain of this host; see `posthof domain list`");
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "%s", c->args.words[0]);
}

/* In a batch a domain that is there already is fine if it is theirs. */
static int
compare(struct cmd *c, const struct domain *want)
{
	struct domain have;
	int rc = domain_get(c->store, want->name, &c->arena, &have);

	if (rc == 0 && slice_eq(have.package, want->package))
		return CMD_DONE;
	if (rc == 0)
		rc = err_set(&c->err, ERR_EXISTS, "it belongs to %.*s",
		    (int)have.package.n, have.package.p);
	return cmd_refuse(c, rc, "domain add %s", c->args.words[0]);
}

int
cmd_domain_add(struct cmd *c)
{
	struct domain d = { .created_at = clock_wall_sec() };
	int rc, status;

	if ((status = opt_named(
		 c, "package", ident_fold_package, &d.package)) != CMD_DONE)
		return status;
	if (d.package.p == NULL) {
		out_error(&c->out, "posthof: domain add: whose?  Add "
				   "--package webNNN\n");
		return CMD_USAGE;
	}
	status = opt_name(c, c->args.words[0], ident_fold_domain, &d.name);
	if (status != CMD_DONE)
		return status;
	rc = domain_add(c->store, &d, &c->err);
	if (rc == ERR_EXISTS && c->batch)
		return compare(c, &d);
	return rc == 0 ? cmd_sync(c) : cmd_refuse(c, rc, "domain add");
}

int
cmd_domain_set(struct cmd *c)
{
	struct domain d;
	int status = find(c, &d);

	if (status == CMD_DONE)
		status = policy_take(c, POLICY_DOMAIN, d.name);
	return status == CMD_DONE ? cmd_sync(c) : status;
}

int
cmd_domain_show(struct cmd *c)
{
	struct domain d;
	int status = find(c, &d);

	if (status == CMD_DONE)
		out_record(&c->out, cols, PH_LEN(cols), row_of(c, &d));
	return status;
}

/* Lines for the domain's zone. */
int
cmd_domain_dns(struct cmd *c)
{
	struct domain d;
	char server[SETUP_NAME_MAX + 1];
	struct buf lines;
	const char *name;
	int status = find(c, &d);

	if (status != CMD_DONE)
		return status;
	if (!setup_server(c->conf, d.name, server))
		return cmd_refuse(c, ERR_TOOBIG, "settings-server");
	name = arena_str(&c->arena, d.name);
	buf_init(&lines, DNS_MAX);
	buf_printf(&lines, "%s. IN MX 10 %s.\n%s. IN TXT \"v=spf1 mx -all\"\n",
	    name, c->conf->hostname[0] != '\0' ? c->conf->hostname : "HOSTNAME",
	    name);
	srv_write(c->conf, name, server, &lines);
	out_bytes(&c->out, buf_slice(&lines));
	buf_fini(&lines);
	return CMD_DONE;
}

int
cmd_domain_list(struct cmd *c)
{
	struct domain page[PAGE];
	struct slice after = SLICE(""), only;
	size_t n = PAGE;
	int rc = 0, status;

	if ((status = opt_named(c, "package", ident_fold_package, &only)) !=
	    CMD_DONE)
		return status;
	out_begin(&c->out, cols, PH_LEN(cols));
	while (n == PAGE && (rc = domain_list(c->store, after, &c->arena, page,
				 PAGE, &n)) == 0) {
		for (size_t i = 0; i < n; i++)
			if (only.p == NULL || slice_eq(only, page[i].package))
				out_row(&c->out, row_of(c, &page[i]));
		if (n != 0)
			after = page[n - 1].name;
	}
	out_end(&c->out);
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "domain list");
}

int
cmd_domain_del(struct cmd *c)
{
	struct domain d;
	int rc, status;

	if ((status = find(c, &d)) != CMD_DONE)
		return status;
	rc = domain_del(c->store, d.name, &c->err);
	if (rc == 0)
		rc = policy_set(
		    c->store, POLICY_DOMAIN, d.name, &(struct policy){ 0 });
	return rc == 0 ? cmd_sync(c) : cmd_refuse(c, rc, "domain del");
}
