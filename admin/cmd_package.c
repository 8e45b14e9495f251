#include "admin/cmds.h"
#include "admin/opt.h"
#include "admin/policy.h"
#include "lib/base/clock.h"

enum { PAGE = 64 };

static const struct out_col cols[] = {
	{ "package", "PACKAGE", OUT_TEXT },
	{ "suspended", "SUSPENDED", OUT_BOOL },
	{ "bytes_used", "USED", OUT_BYTES },
	{ "bytes_max", "QUOTA", OUT_LIMIT },
	{ "messages_used", "MESSAGES", OUT_NUM },
	{ "messages_max", "OF", OUT_COUNT_LIMIT },
	{ "accounts", "ACCOUNTS", OUT_NUM },
	{ "accounts_max", "OF", OUT_COUNT_LIMIT },
	{ "domains", "DOMAINS", OUT_NUM },
	{ "domains_max", "OF", OUT_COUNT_LIMIT },
	{ "sends_per_hour", "SENDS/H", OUT_COUNT_LIMIT },
	{ "created_at", "CREATED", OUT_TIME },
	{ "sending", "SENDING", OUT_TEXT },
	{ "refuses_mail", NULL, OUT_BOOL },
};

static json_t *
row_of(struct cmd *c, const struct package *p)
{
	struct usage use = { 0 };
	json_t *row;

	if (package_usage(c->store, p->name, &use) != 0)
		use = (struct usage){ 0 };
	row = json_pack("{s:o,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:I,s:I,s:b}",
	    "package", out_str(p->name), "suspended", p->suspended,
	    "bytes_used", (json_int_t)use.bytes, "bytes_max",
	    (json_int_t)p->bytes_max, "messages_used", (json_int_t)use.messages,
	    "messages_max", (json_int_t)p->messages_max, "accounts_max",
	    (json_int_t)p->accounts_max, "domains_max",
	    (json_int_t)p->domains_max, "sends_per_hour",
	    (json_int_t)p->sends_per_hour, "created_at",
	    out_time(p->created_at), "accounts", (json_int_t)p->accounts,
	    "domains", (json_int_t)p->domains, "refuses_mail", p->refuses_mail);
	policy_show(c, POLICY_PACKAGE, p->name, row);
	return row;
}

static int
take_limits(struct cmd *c, struct package *p)
{
	int status;

	if ((status = opt_size(c, "quota", &p->bytes_max)) == CMD_DONE &&
	    (status = opt_num(c, "messages", UINT32_MAX, &p->messages_max)) ==
		CMD_DONE &&
	    (status = opt_num(c, "accounts-max", UINT32_MAX,
		 &p->accounts_max)) == CMD_DONE &&
	    (status = opt_num(c, "domains-max", UINT32_MAX, &p->domains_max)) ==
		CMD_DONE)
		status = opt_num(
		    c, "sends-per-hour", UINT32_MAX, &p->sends_per_hour);
	return status;
}

static int
find(struct cmd *c, struct package *p)
{
	struct slice name;
	int rc, status;

	status = opt_name(c, c->args.words[0], ident_fold_package, &name);
	if (status != CMD_DONE)
		return status;
	rc = package_get(c->store, name, &c->arena, p);
	if (rc == ERR_NOTFOUND)
		(void)err_set(
		    &c->err, rc, "no such package; see `posthof package list`");
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "%s", c->args.words[0]);
}

static int
finish(struct cmd *c, struct slice name)
{
	int status = policy_take(c, POLICY_PACKAGE, name);

	return status == CMD_DONE ? cmd_sync(c) : status;
}

int
cmd_package_add(struct cmd *c)
{
	struct package p = { .created_at = clock_wall_sec() };
	int rc, status;

	status = opt_name(c, c->args.words[0], ident_fold_package, &p.name);
	if (status != CMD_DONE || (status = take_limits(c, &p)) != CMD_DONE)
		return status;
	rc = package_add(c->store, &p, &c->err);
	if (rc == ERR_EXISTS && c->batch)
		return cmd_package_set(c);
	return rc == 0 ? finish(c, p.name) : cmd_refuse(c, rc, "package add");
}

int
cmd_package_set(struct cmd *c)
{
	struct package p;
	int rc, status;

	if ((status = find(c, &p)) != CMD_DONE ||
	    (status = take_limits(c, &p)) != CMD_DONE)
		return status;
	rc = package_set(c->store, &p, &c->err);
	return rc == 0 ? finish(c, p.name) : cmd_refuse(c, rc, "package set");
}

static int
set_suspended(struct cmd *c, bool suspended)
{
	struct package p;
	int rc, status;

	if ((status = find(c, &p)) != CMD_DONE)
		return status;
	p.suspended = suspended;
	if ((status = opt_mail(c, &p.refuses_mail)) != CMD_DONE)
		return status;
	if (!suspended)
		p.refuses_mail = false;
	rc = package_set(c->store, &p, &c->err);
	return rc == 0 ? cmd_sync(c) : cmd_refuse(c, rc, "%s", c->row->name);
}

int
cmd_package_suspend(struct cmd *c)
{
	return set_suspended(c, true);
}

int
cmd_package_resume(struct cmd *c)
{
	return set_suspended(c, false);
}

int
cmd_package_show(struct cmd *c)
{
	struct package p;
	int status = find(c, &p);

	if (status == CMD_DONE)
		out_record(&c->out, cols, PH_LEN(cols), row_of(c, &p));
	return status;
}

int
cmd_package_list(struct cmd *c)
{
	struct package page[PAGE];
	struct slice after = SLICE("");
	size_t n = PAGE;
	int rc = 0;

	out_begin(&c->out, cols, PH_LEN(cols));
	while (n == PAGE && (rc = package_list(c->store, after, &c->arena, page,
				 PAGE, &n)) == 0) {
		for (size_t i = 0; i < n; i++)
			out_row(&c->out, row_of(c, &page[i]));
		if (n != 0)
			after = page[n - 1].name;
	}
	out_end(&c->out);
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "package list");
}

int
cmd_package_del(struct cmd *c)
{
	struct package p;
	int rc, status;

	if ((status = find(c, &p)) != CMD_DONE)
		return status;
	rc = package_del(c->store, p.name, &c->err);
	if (rc == 0)
		rc = policy_set(
		    c->store, POLICY_PACKAGE, p.name, &(struct policy){ 0 });
	return rc == 0 ? cmd_sync(c) : cmd_refuse(c, rc, "package del");
}
