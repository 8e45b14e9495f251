#include "imapd/cmd.h"

#include "imapd/mailbox.h"
#include "imapd/mboxname.h"
#include "imapd/parse_acl.h"
#include "imapd/parse_args.h"
#include "storage/account.h"

/* The owner's name, in the arena. */
static int
owner_name(struct client *c, uint64_t account, struct slice *out)
{
	struct account ac;
	int rc;

	*out = slice_str(c->who.name);
	if (account == c->who.account)
		return 0;
	rc = account_get_id(client_store(c), account, &c->arena, &ac);
	*out = ac.name;
	return rc;
}

static enum step
change(struct client *c, const struct args_acl *a, enum acl_op op,
    unsigned rights, const char *text)
{
	struct slice package = slice_str(c->who.package);
	struct folder_info info;
	struct err e = { 0 };
	int rc = mailbox_find(c, a->name, RIGHT_ADMIN, &info);

	if (rc == 0)
		rc = acl_set(client_store(c), package, info.account, info.id,
		    a->who, op, rights, &e);
	if (rc != 0)
		return cmd_fail(c, rc, e.text);
	c->job.durable = true;
	return cmd_ok(c, text);
}

/* RFC 4314 3.1 */
enum step
cmd_setacl(struct client *c)
{
	const struct args_acl *a = c->cmd.args;

	return change(c, a, a->op, a->rights, "rights set");
}

/* RFC 4314 3.2 */
enum step
cmd_deleteacl(struct client *c)
{
	return change(c, c->cmd.args, ACL_SET, 0, "rights deleted");
}

static void
write_pair(struct client *c, struct slice who, unsigned rights)
{
	buf_add_char(&c->out, ' ');
	resp_string(&c->out, who);
	buf_add_char(&c->out, ' ');
	rights_write(&c->out, rights);
}

/* RFC 4314 3.3; the owner's entry comes first. */
enum step
cmd_getacl(struct client *c)
{
	const struct args_name *a = c->cmd.args;
	struct folder_info info;
	struct acl_entry *v;
	struct slice owner;
	size_t n;
	int rc = mailbox_find(c, a->name, RIGHT_ADMIN, &info);

	if (rc == 0)
		rc = owner_name(c, info.account, &owner);
	if (rc == 0)
		rc = acl_get(client_store(c), info.id, &c->arena, &v, &n);
	if (rc != 0)
		return cmd_fail(c, rc, NULL);
	buf_add_str(&c->out, "* ACL ");
	mboxname_write(&c->out, a->name, client_utf8(c));
	write_pair(c, owner, RIGHTS_ALL);
	for (size_t i = 0; i < n; i++)
		write_pair(c, v[i].who, v[i].rights);
	buf_add(&c->out, "\r\n", 2);
	return cmd_ok(c, "those are the rights");
}

/* RFC 4314 3.4: nothing is tied, and only the owner has rights for ever. */
enum step
cmd_listrights(struct client *c)
{
	const struct args_acl *a = c->cmd.args;
	struct slice owner, who;
	struct folder_info info;
	int rc = mailbox_find(c, a->name, RIGHT_ADMIN, &info);

	if (rc == 0)
		rc = owner_name(c, info.account, &owner);
	if (rc == 0)
		rc = acl_who(client_store(c), slice_str(c->who.package), a->who,
		    &c->arena, &who);
	if (rc == ERR_INVALID)
		return cmd_no(
		    c, "CANNOT", "no account of this package has that name");
	if (rc != 0)
		return cmd_fail(c, rc, NULL);
	buf_add_str(&c->out, "* LISTRIGHTS ");
	mboxname_write(&c->out, a->name, client_utf8(c));
	buf_add_char(&c->out, ' ');
	resp_string(&c->out, a->as_said);
	buf_add_char(&c->out, ' ');
	if (slice_eq(who, owner))
		rights_write(&c->out, RIGHTS_ALL);
	else
		buf_add_str(&c->out, "\"\" l r s w i p k x t e c d a");
	buf_add(&c->out, "\r\n", 2);
	return cmd_ok(c, "those can be given");
}

/* RFC 4314 3.5 and 4 */
enum step
cmd_myrights(struct client *c)
{
	const struct args_name *a = c->cmd.args;
	struct folder_info info;
	int rc = mailbox_find(c, a->name,
	    RIGHT_LOOKUP | RIGHT_READ | RIGHT_INSERT | RIGHT_CREATE |
		RIGHT_REMOVE | RIGHT_ADMIN,
	    &info);

	if (rc != 0)
		return cmd_fail(c, rc, NULL);
	mailbox_write_rights(c, "MYRIGHTS", a->name, info.rights);
	return cmd_ok(c, "those are your rights");
}
