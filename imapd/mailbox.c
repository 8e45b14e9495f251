#include "imapd/mailbox.h"

#include "imapd/mboxname.h"

struct acl_user
mailbox_user(const struct client *c)
{
	return (struct acl_user){ .account = c->who.account,
		.name = slice_str(c->who.name),
		.package = slice_str(c->who.package) };
}

static int
find_others(
    struct client *c, struct slice name, unsigned need, struct folder_info *out)
{
	struct acl_user u = mailbox_user(c);
	int rc = acl_find(client_store(c), &u, name, out);

	if (rc != 0 || out->rights & need)
		return rc;
	return out->rights & RIGHT_LOOKUP ? ERR_DENIED : ERR_NOTFOUND;
}

int
mailbox_find(
    struct client *c, struct slice name, unsigned need, struct folder_info *out)
{
	struct slice owner, rest;
	int rc;

	if (acl_is_others(name, &owner, &rest))
		rc = find_others(c, name, need, out);
	else
		rc = folder_find(client_store(c), c->who.account, name, out);
	if (rc == ERR_INVALID)
		rc = ERR_NOTFOUND;
	return rc == 0 && out->id == 0 ? ERR_NOTFOUND : rc;
}

/* The nearest folder above the name decides. */
static int
may_create(struct client *c, struct slice name)
{
	struct folder_info info;
	int rc = ERR_NOTFOUND;

	while (rc == ERR_NOTFOUND) {
		size_t at = slice_rchr(name, '/');
		struct slice owner, rest;

		if (at == name.n)
			return ERR_DENIED;
		name = slice_sub(name, 0, at);
		if (!acl_is_others(name, &owner, &rest) || rest.n == 0)
			return ERR_DENIED;
		rc = find_others(c, name, RIGHT_CREATE, &info);
	}
	return rc;
}

int
mailbox_place(struct client *c, struct slice name, struct mailbox_place *out)
{
	struct acl_user u = mailbox_user(c);
	struct slice owner, rest;
	int rc;

	*out = (struct mailbox_place){ c->who.account, name };
	if (!acl_is_others(name, &owner, &rest))
		return 0;
	if (rest.n == 0)
		return ERR_DENIED;
	rc = acl_owner(client_store(c), &u, owner, &out->account);
	if (rc != 0)
		return rc;
	out->name = rest;
	return out->account == u.account ? 0 : may_create(c, name);
}

struct slice
mailbox_local(struct slice name)
{
	struct slice owner, rest;

	return acl_is_others(name, &owner, &rest) ? rest : name;
}

void
mailbox_write_rights(
    struct client *c, const char *word, struct slice name, unsigned rights)
{
	struct buf *out = &c->out;
	size_t at;

	buf_printf(out, "* %s ", word);
	mboxname_write(out, name, client_utf8(c));
	buf_add_char(out, ' ');
	at = buf_len(out);
	rights_write(out, rights);
	if (buf_len(out) == at)
		buf_add_str(out, "\"\"");
	buf_add(out, "\r\n", 2);
}
