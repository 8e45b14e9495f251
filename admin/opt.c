#include "admin/opt.h"

#include <string.h>

#include "auth/auth.h"
#include "auth/strength.h"
#include "auth/secret.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/crypt/crypt.h"

enum { PASSWORD_CHARS = 16, SECRET_MAX = 400, DENIED_MAX = 64 << 20 };

int
opt_size(struct cmd *c, const char *name, uint64_t *out)
{
	const char *text = args_get(&c->args, name);

	if (text == NULL || num_parse_size(slice_str(text), out))
		return CMD_DONE;
	out_error(
	    &c->out, "posthof: --%s %s: a size is 500M, 2G or 0\n", name, text);
	return CMD_USAGE;
}

int
opt_num(struct cmd *c, const char *name, uint64_t max, uint64_t *out)
{
	const char *text = args_get(&c->args, name);

	if (text == NULL || num_parse(slice_str(text), max, out))
		return CMD_DONE;
	out_error(&c->out, "posthof: --%s %s: a number from 0 to %llu\n", name,
	    text, (unsigned long long)max);
	return CMD_USAGE;
}

int
opt_name(struct cmd *c, const char *word,
    int (*fold)(struct slice s, char *out, struct err *e), struct slice *out)
{
	char name[IDENT_MAX + 1];
	int rc = fold(slice_str(word), name, &c->err);

	if (rc != 0)
		return cmd_refuse(c, rc, "%s", word);
	*out = arena_copy(&c->arena, slice_str(name));
	return CMD_DONE;
}

int
opt_named(struct cmd *c, const char *name,
    int (*fold)(struct slice s, char *out, struct err *e), struct slice *out)
{
	const char *text = args_get(&c->args, name);

	*out = slice_of(NULL, 0);
	return text != NULL ? opt_name(c, text, fold, out) : CMD_DONE;
}

int
opt_mail(struct cmd *c, bool *refuses_out)
{
	const char *word = args_get(&c->args, "mail");

	if (word == NULL)
		return CMD_DONE;
	if (strcmp(word, "accept") != 0 && strcmp(word, "refuse") != 0) {
		out_error(
		    &c->out, "posthof: --mail %s: accept or refuse\n", word);
		return CMD_USAGE;
	}
	*refuses_out = strcmp(word, "refuse") == 0;
	return CMD_DONE;
}

static int
account_by_address(struct cmd *c, const char *word, struct account *out)
{
	char addr[IDENT_MAX + 1];
	struct route route;
	int rc;

	if ((rc = ident_fold_address(slice_str(word), addr, &c->err)) != 0)
		return rc;
	rc = address_route(c->store, slice_str(addr), &c->arena, &route);
	if (rc == ERR_DENIED)
		return err_set(&c->err, rc,
		    "it is suspended; name the account (webNNNpM) instead");
	if (rc != 0)
		return rc;
	if (route.naccounts != 1 || route.nremote != 0)
		return err_set(&c->err, ERR_INVALID,
		    "it does not lead to exactly one account; see `posthof "
		    "address show`");
	return account_get(c->store, route.account_names[0], &c->arena, out);
}

int
opt_account(struct cmd *c, const char *word, struct account *out)
{
	struct slice s = slice_str(word);
	char name[IDENT_MAX + 1];
	int rc;

	if (slice_chr(s, '@') != s.n)
		rc = account_by_address(c, word, out);
	else if ((rc = ident_fold_account(s, name, &c->err)) == 0)
		rc = account_get(c->store, slice_str(name), &c->arena, out);
	if (rc == ERR_NOTFOUND)
		(void)err_set(
		    &c->err, rc, "no such account; see `posthof account list`");
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "%s", word);
}

/* No l, 1, I, 0, O: people read it to each other over the telephone. */
const char *
opt_random_password(struct arena *a)
{
	static const char set[] = "abcdefghijkmnopqrstuvwxyz"
				  "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	char *out = arena_bytes(a, PASSWORD_CHARS + 1);
	size_t n = 0;
	uint8_t byte;

	while (n < PASSWORD_CHARS) {
		crypt_random(&byte, 1);
		/* Every character equally often. */
		if (byte < 256 / (sizeof(set) - 1) * (sizeof(set) - 1))
			out[n++] = set[byte % (sizeof(set) - 1)];
	}
	out[n] = '\0';
	return out;
}

int
opt_scram(struct cmd *c, struct slice password, const struct account *like,
    struct secret *secret)
{
	struct buf value, sha1;
	int rc;

	buf_init(&value, SECRET_MAX);
	buf_init(&sha1, SECRET_SHA1_MAX);
	rc = auth_make_secret(password, (uint32_t)c->conf->scram_iterations,
	    like, &value, c->conf->scram_sha_1 ? &sha1 : NULL, &c->err);
	if (rc == 0) {
		secret->kind = SECRET_SCRAM_SHA256;
		secret->value = arena_copy(&c->arena, buf_slice(&value));
		secret->sha1 = arena_copy(&c->arena, buf_slice(&sha1));
	}
	buf_fini(&value);
	buf_fini(&sha1);
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "password");
}

static int
take_hash(struct cmd *c, const char *hash, struct secret *secret)
{
	struct slice s = slice_str(hash);

	/* What no login could ever match is refused here. */
	if (s.n > SECRET_MAX || !secret_import(s, &c->arena, secret)) {
		out_error(&c->out,
		    "posthof: --password-hash: not a hash of crypt(3) "
		    "($6$..., $2y$...), $argon2id$... nor {SSHA}...; or one "
		    "that would cost too much; quote it, a shell eats $\n");
		return CMD_REFUSED;
	}
	return CMD_DONE;
}

/* The host's rules for passwords that people choose. */
static int
opt_strength(struct cmd *c, struct slice password, const struct account *like)
{
	struct buf denied;
	struct strength p = { .min = c->conf->password_min };
	int rc = 0;

	buf_init(&denied, DENIED_MAX);
	if (c->conf->password_denied[0] != '\0')
		rc = file_read(c->conf->password_denied, &denied, &c->err);
	if (rc != 0)
		(void)err_set(&c->err, rc, "password-denied cannot be read");
	p.denied = buf_slice(&denied);
	if (rc == 0)
		rc = strength_check(&p, password,
		    like != NULL ? like->name : SLICE(""), &c->err);
	buf_fini(&denied);
	return rc == 0 ? CMD_DONE : cmd_refuse(c, rc, "password");
}

static int
take_stdin(struct cmd *c, const struct account *like, struct secret *secret)
{
	struct slice line = slice_sub(c->input, 0, slice_chr(c->input, '\n'));

	if (line.n != 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n != 0 && line.n <= PASSWORD_MAX)
		return opt_strength(c, line, like) != CMD_DONE
			   ? CMD_REFUSED
			   : opt_scram(c, line, like, secret);
	out_error(&c->out,
	    "posthof: --password-stdin: the first line of standard input "
	    "must be the password, 1 to %d bytes\n",
	    PASSWORD_MAX);
	return CMD_REFUSED;
}

int
opt_secret(struct cmd *c, bool make, const struct account *like,
    struct secret *secret, bool *given_out, const char **made_out)
{
	const char *hash = args_get(&c->args, "password-hash");
	bool in = args_has(&c->args, "password-stdin");

	*made_out = NULL;
	*given_out = in || hash != NULL || make;
	if (in && hash != NULL) {
		out_error(&c->out, "posthof: --password-stdin and "
				   "--password-hash exclude each other\n");
		return CMD_USAGE;
	}
	if (in)
		return take_stdin(c, like, secret);
	if (hash != NULL)
		return take_hash(c, hash, secret);
	if (!make)
		return CMD_DONE;
	*made_out = opt_random_password(&c->arena);
	return opt_scram(c, slice_str(*made_out), like, secret);
}
