#include "imapd/cmd.h"

#include "imapd/mailbox.h"
#include "imapd/mboxname.h"
#include "imapd/parse_args.h"
#include "storage/account_own.h"

enum { UNIT = 1024 }; /* of STORAGE, RFC 9208 5.1 */

/* A quota root: the account, by its name, or its package, by that one's. */
struct root {
	struct slice name;
	struct usage used;
	uint64_t bytes_max, messages_max; /* 0: no limit */
	uint64_t folders, folders_max;
};

static int
account_root(struct client *c, uint64_t account, struct root *out)
{
	struct usage_limits max;
	struct folder_info *v;
	struct account ac;
	size_t n;
	int rc;

	*out = (struct root){ 0 };
	rc = account_get_id(client_store(c), account, &c->arena, &ac);
	if (rc == 0)
		rc = account_usage(client_store(c), account, &out->used);
	if (rc == 0)
		rc = folder_list(
		    client_store(c), account, false, &c->arena, &v, &n);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		out->folders += v[i].id != 0;
	max = account_limits(&ac);
	out->name = ac.name;
	out->bytes_max = max.bytes_max;
	out->messages_max = max.messages_max;
	out->folders_max = account_folders_max(&ac);
	return 0;
}

/* Another's root is told to who may read a folder of it. */
static int
others_root(struct client *c, struct slice name, struct root *out)
{
	struct acl_user u = mailbox_user(c);
	struct folder_info *v;
	uint64_t account;
	size_t n;
	int rc = acl_owner(client_store(c), &u, name, &account);

	if (rc == 0)
		rc = acl_list(client_store(c), &u, false, &c->arena, &v, &n);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (v[i].account == account && v[i].rights & RIGHT_READ)
			return account_root(c, account, out);
	return ERR_NOTFOUND;
}

static int
package_root(struct client *c, struct root *out)
{
	struct slice name = slice_str(c->who.package);
	struct package p;
	int rc;

	*out = (struct root){ .name = name };
	rc = package_get(client_store(c), name, &c->arena, &p);
	if (rc == 0)
		rc = package_usage(client_store(c), name, &out->used);
	if (rc != 0)
		return rc;
	out->bytes_max = p.bytes_max;
	out->messages_max = p.messages_max;
	return 0;
}

static void
resource(
    struct buf *out, const char *name, uint64_t used, uint64_t max, bool *first)
{
	if (max == 0)
		return;
	if (!*first)
		buf_add_char(out, ' ');
	*first = false;
	buf_add_str(out, name);
	buf_add_char(out, ' ');
	buf_add_u64(out, used);
	buf_add_char(out, ' ');
	buf_add_u64(out, max);
}

/* RFC 9208 4.2.1: what has no limit is not named. */
static void
write_quota(struct client *c, const struct root *r)
{
	bool first = true;

	buf_add_str(&c->out, "* QUOTA ");
	resp_string(&c->out, r->name);
	buf_add_str(&c->out, " (");
	resource(&c->out, "STORAGE", (r->used.bytes + UNIT - 1) / UNIT,
	    (r->bytes_max + UNIT - 1) / UNIT, &first);
	resource(&c->out, "MESSAGE", r->used.messages, r->messages_max, &first);
	resource(&c->out, "MAILBOX", r->folders, r->folders_max, &first);
	buf_add_str(&c->out, ")\r\n");
}

/* RFC 9208 4.1.1 */
enum step
cmd_getquota(struct client *c)
{
	const struct args_name *a = c->cmd.args;
	struct root r;
	int rc;

	if (slice_eq(a->name, slice_str(c->who.name)))
		rc = account_root(c, c->who.account, &r);
	else if (slice_eq(a->name, slice_str(c->who.package)))
		rc = package_root(c, &r);
	else
		rc = others_root(c, a->name, &r);
	if (rc == ERR_NOTFOUND)
		return cmd_no(c, "NONEXISTENT", "no such quota root");
	if (rc != 0)
		return cmd_fail(c, rc, NULL);
	write_quota(c, &r);
	return cmd_ok(c, "that is its quota");
}

/* RFC 9208 4.1.2; a folder of one's own need not exist, another's must be
 * readable (6). */
enum step
cmd_getquotaroot(struct client *c)
{
	const struct args_name *a = c->cmd.args;
	uint64_t account = c->who.account;
	struct root own, package;
	struct slice owner, rest;
	struct folder_info info;
	int rc = 0;

	if (acl_is_others(a->name, &owner, &rest)) {
		rc = mailbox_find(c, a->name, RIGHT_READ, &info);
		account = info.account;
	}
	if (rc == 0)
		rc = account_root(c, account, &own);
	if (rc == 0)
		rc = package_root(c, &package);
	if (rc != 0)
		return cmd_fail(c, rc, NULL);
	buf_add_str(&c->out, "* QUOTAROOT ");
	mboxname_write(&c->out, a->name, client_utf8(c));
	buf_add_char(&c->out, ' ');
	resp_string(&c->out, own.name);
	buf_add_char(&c->out, ' ');
	resp_string(&c->out, package.name);
	buf_add(&c->out, "\r\n", 2);
	write_quota(c, &own);
	write_quota(c, &package);
	return cmd_ok(c, "those are its quotas");
}

/* RFC 9208 4.1.3: an account may bind itself, within what the operator
 * allows; other roots are his alone. */
enum step
cmd_setquota(struct client *c)
{
	const struct args_setquota *a = c->cmd.args;
	struct account ac;
	struct root r;
	int rc;

	if (!slice_eq(a->root, slice_str(c->who.name)))
		return cmd_no(
		    c, "NOPERM", "the limits of that are the operator's");
	if (a->unknown)
		return cmd_no(c, "CANNOT", "no such resource is limited here");
	rc = account_set_own(
	    client_store(c), c->who.account, &a->own, &c->arena, &ac);
	if (rc == 0)
		rc = account_root(c, c->who.account, &r);
	if (rc != 0)
		return cmd_fail(c, rc, NULL);
	c->job.durable = true;
	write_quota(c, &r);
	return cmd_ok(c, "limits set");
}
