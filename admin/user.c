#include "admin/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

int
user_lookup(const char *name, struct user *out, struct err *e)
{
	struct passwd pw, *found = NULL;
	char texts[16384];

	*out = (struct user){ .uid = geteuid(), .gid = getegid() };
	if (out->uid != 0)
		return 0;
	if (getpwnam_r(name, &pw, texts, sizeof(texts), &found) != 0 ||
	    found == NULL)
		return err_set(e, ERR_NOTFOUND,
		    "there is no user %s for the daemons; make one with "
		    "`adduser --system --group --no-create-home %s` or set "
		    "`user` in the configuration",
		    name, name);
	if (pw.pw_uid == 0)
		return err_set(e, ERR_INVALID,
		    "user = %s: the daemons never run as root; set `user` to "
		    "another one",
		    name);
	out->drop = true;
	out->uid = pw.pw_uid;
	out->gid = pw.pw_gid;
	out->ngroups = USER_GROUPS_MAX;
	if (getgrouplist(name, pw.pw_gid, out->groups, &out->ngroups) < 0)
		out->ngroups = USER_GROUPS_MAX;
	return 0;
}

int
user_become(const struct user *u)
{
	if (!u->drop)
		return 0;
	if (setgroups((size_t)u->ngroups, u->groups) != 0 ||
	    setgid(u->gid) != 0 || setuid(u->uid) != 0)
		return err_from_errno(errno);
	/* For good: root must be out of reach now. */
	return setuid(0) == 0 ? ERR_INTERNAL : 0;
}

int
user_give(const struct user *u, const char *path, struct err *e)
{
	int rc;

	if (!u->drop || lchown(path, u->uid, u->gid) == 0)
		return 0;
	rc = err_from_errno(errno);
	return err_set(e, rc, "cannot give %s to the daemons' user: %s", path,
	    strerror(errno));
}
