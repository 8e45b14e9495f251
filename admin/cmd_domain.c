#include "admin/cmds.h"
#include "admin/opt.h"
#include "admin/settings.h"
#include "lib/base/clock.h"

enum { PAGE = 64 };

static const struct out_col cols[] = {
	{ "domain", "DOMAIN", OUT_TEXT },
	{ "package", "PACKAGE", OUT_TEXT },
	{ "created_at", "CREATED", OUT_TIME },
};

static json_t *
row_of(const struct domain *d)
{
	return json_pack("{s:o,s:o,s:o}", "domain", out_str(d->name), "package",
	    out_str(d->package), "created_at", out_time(d->created_at));
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
cmd_domain_show(struct cmd *c)
{
	struct domain d;
	int status = find(c, &d);

	if (status == CMD_DONE)
		out_record(&c->out, cols, PH_LEN(cols), row_of(&d));
	return status;
}

/* Services of RFC 6186 3 and RFC 8314 5.1, the wanted one with the lowest
 * priority. */
static const struct {
	const char *service, *door;
	int priority;
} records[] = {
	{ "_submissions", "submissions", 0 },
	{ "_submission", "submission", 10 },
	{ "_imaps", "imaps", 0 },
	{ "_imap", "imap", 10 },
	{ "_pop3s", "pop3s", 20 },
	{ "_pop3", "pop3", 30 },
};

/* Lines for the domain's zone.  A closed door has the target "." (RFC 6186
 * 3.4). */
int
cmd_domain_dns(struct cmd *c)
{
	struct domain d;
	int n, status = find(c, &d);

	if (status != CMD_DONE)
		return status;
	n = (int)d.name.n;
	out_printf(&c->out, "%.*s. IN MX 10 %s.\n", n, d.name.p,
	    c->conf->hostname[0] != '\0' ? c->conf->hostname : "HOSTNAME");
	out_printf(&c->out, "%.*s. IN TXT \"v=spf1 mx -all\"\n", n, d.name.p);
	for (size_t i = 0; i < PH_LEN(records); i++) {
		unsigned port = settings_port(c->conf, records[i].door);

		if (port != 0)
			out_printf(&c->out,
			    "%s._tcp.%.*s. IN SRV %d 1 %u %.*s.\n",
			    records[i].service, n, d.name.p,
			    records[i].priority, port, n, d.name.p);
		else
			out_printf(&c->out, "%s._tcp.%.*s. IN SRV 0 0 0 .\n",
			    records[i].service, n, d.name.p);
	}
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
				out_row(&c->out, row_of(&page[i]));
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
	return rc == 0 ? cmd_sync(c) : cmd_refuse(c, rc, "domain del");
}
