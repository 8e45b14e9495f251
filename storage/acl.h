/*
 * acl.h - folders shared between the accounts of a package (RFC 4314).
 *
 * An account's folders are its own; to others it may give rights, by account
 * name or to "anyone", which is every account of the package.  The owner has
 * all rights for ever.  Somebody's rights are those of all entries that mean
 * him, without those of all negative entries ("-web100p2") that do.  Others
 * see a shared folder as "Other Users/OWNER/NAME" (RFC 2342 6).
 */
#ifndef STORAGE_ACL_H
#define STORAGE_ACL_H

#include "storage/folder.h"
#include "storage/rights.h"

/* The namespace; no account may have a folder of its own with this name. */
#define ACL_OTHERS "Other Users"

enum {
	ACL_ENTRIES_MAX = 200, /* of a folder */
	ACL_SHARED_MAX = 20000 /* folders somebody sees of others */
};

struct acl_user {
	uint64_t account;
	struct slice name, package;
};

/* Is the name in the namespace of others?  Then owner and rest are its
 * parts; both empty for "Other Users" alone. */
bool acl_is_others(
    struct slice name, struct slice *owner_out, struct slice *rest_out);

/* A folder by its name in that namespace, with the rights the user has in it
 * (perhaps none).  info_out->name is the caller's slice.  ERR_NOTFOUND: no
 * such folder, or no such account in the package. */
PH_MUSTUSE int acl_find(struct store *s, const struct acl_user *u,
    struct slice name, struct folder_info *info_out);
/* The account a name in that namespace is about.  ERR_NOTFOUND. */
PH_MUSTUSE int acl_owner(struct store *s, const struct acl_user *u,
    struct slice owner, uint64_t *account_out);
/* The user's rights in another's folder. */
PH_MUSTUSE int acl_rights(struct store *s, const struct acl_user *u,
    uint64_t folder, unsigned *rights_out);
/* Somebody's rights changed: for notify.c and change.c. */
void acl_changed(struct store *s);
/* What others let the user look up, in name order; memory from the arena. */
PH_MUSTUSE int acl_list(struct store *s, const struct acl_user *u,
    bool with_status, struct arena *a, struct folder_info **v_out,
    size_t *n_out);

struct acl_entry {
	struct slice who; /* an account's name, "anyone", or "-" and these */
	unsigned rights;
};
PH_MUSTUSE int acl_get(struct store *s, uint64_t folder, struct arena *a,
    struct acl_entry **v_out, size_t *n_out);

enum acl_op { ACL_SET, ACL_ADD, ACL_TAKE };
/* Changes one entry; without rights left it goes.  who may also be an address
 * that leads to one account.  ERR_NOTFOUND: no such folder (any more);
 * ERR_INVALID: nobody of the package; ERR_DENIED: the owner has all rights for
 * ever; ERR_LIMIT. */
PH_MUSTUSE int acl_set(struct store *s, struct slice package, uint64_t account,
    uint64_t folder, struct slice who, enum acl_op op, unsigned rights,
    struct err *e);
/* Takes an account that ends out of all entries of its package, so that a
 * later one of that name does not inherit.  For storage/ only. */
PH_MUSTUSE int acl_purge(
    struct store *s, struct slice package, struct slice name);
/* Whom does an identifier mean?  *who_out (arena) is how it is stored.
 * ERR_INVALID: nobody. */
PH_MUSTUSE int acl_who(struct store *s, struct slice package, struct slice who,
    struct arena *a, struct slice *who_out);

#endif
