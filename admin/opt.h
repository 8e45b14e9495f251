/*
 * opt.h - values of options that several commands share.
 *
 * Each returns CMD_DONE, or says what is wrong and returns CMD_USAGE or
 * CMD_REFUSED.  An option that was not given leaves the value as it is.
 */
#ifndef ADMIN_OPT_H
#define ADMIN_OPT_H

#include "admin/cmd.h"
#include "auth/ident.h"
#include "storage/account.h"

/* "2G", "500M", "0". */
PH_MUSTUSE int opt_size(struct cmd *c, const char *name, uint64_t *out);
PH_MUSTUSE int opt_num(
    struct cmd *c, const char *name, uint64_t max, uint64_t *out);
/* A word folded by one of auth/ident.h's; the slice is in the command's
 * arena. */
PH_MUSTUSE int opt_name(struct cmd *c, const char *word,
    int (*fold)(struct slice s, char *out, struct err *e), struct slice *out);
/* The same of an option's value; NULL stays {NULL, 0}. */
PH_MUSTUSE int opt_named(struct cmd *c, const char *name,
    int (*fold)(struct slice s, char *out, struct err *e), struct slice *out);

/* --mail accept|refuse, of a suspension. */
PH_MUSTUSE int opt_mail(struct cmd *c, bool *refuses_out);

/* An account by its name, or by an address that leads to it alone. */
PH_MUSTUSE int opt_account(
    struct cmd *c, const char *word, struct account *out);

/*
 * --password-stdin, --password-hash, or, with neither and `make`, a password
 * made here: *made_out (arena) is to be shown once, else NULL.  Kind and value
 * of the secret are set; *given_out: there was one.  like: whose it is, so that
 * all its secrets share a salt (auth/scram.h), or NULL.
 */
PH_MUSTUSE int opt_secret(struct cmd *c, bool make, const struct account *like,
    struct secret *secret, bool *given_out, const char **made_out);
/* The secret for a password, value in the arena. */
PH_MUSTUSE int opt_scram(struct cmd *c, struct slice password,
    const struct account *like, struct secret *secret);
/* 16 characters that cannot be mistaken for one another, in the arena. */
const char *opt_random_password(struct arena *a);

#endif
