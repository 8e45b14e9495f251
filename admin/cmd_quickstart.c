#include "admin/cmds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/host.h"
#include "admin/listen.h"
#include "admin/opt.h"
#include "admin/quickstart.h"
#include "admin/run.h"
#include "auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/setup/sheet.h"

enum {
	ACCOUNTS_DEFAULT = 2,
	ACCOUNTS_MAX = 100000,
	PASSWORDS_MAX = 16 << 20,
	ERRORS_MAX = 64 << 10,
	WORD_MAX = 64
};

static const char package[] = "web100";
static const char default_domain[] = "posthof.test";

/* The run of one quickstart. */
struct start {
	struct cmd *c;
	struct quickstart q;
	struct material m;
	uint64_t accounts;
	struct buf passwords; /* the file's text */
	int new_passwords;    /* the file to be made, or -1 */
	json_t *made;         /* accounts, with passwords that were set */
	size_t set;           /* how many were */
};

/* Who the daemons will be: ourselves, or for root the system's users for
 * daemons, best first. */
static const char *
find_user(struct arena *a)
{
	static const char *const names[] = { "posthof", "nobody" };
	const struct passwd *me;

	if (geteuid() != 0) {
		me = getpwuid(geteuid());
		return me != NULL ? arena_str(a, slice_str(me->pw_name)) : "";
	}
	for (size_t i = 0; i < PH_LEN(names); i++)
		if (getpwnam(names[i]) != NULL)
			return names[i];
	return "";
}

static int
take_options(struct start *s)
{
	struct cmd *c = s->c;
	const char *domain = args_get(&c->args, "domain");
	struct slice folded;
	uint64_t offset = 0;
	int status;

	s->accounts = ACCOUNTS_DEFAULT;
	if ((status = opt_num(c, "accounts", ACCOUNTS_MAX, &s->accounts)) !=
		CMD_DONE ||
	    (status = opt_num(c, "port-offset", QUICKSTART_OFFSET_MAX,
		 &offset)) != CMD_DONE ||
	    (status = opt_name(c, domain != NULL ? domain : default_domain,
		 ident_fold_domain, &folded)) != CMD_DONE)
		return status;
	s->q.domain = arena_str(&c->arena, folded);
	s->q.port_offset = (unsigned)offset;
	s->q.user = find_user(&c->arena);
	s->q.v6 = listen_has_v6();
	return CMD_DONE;
}

/*
 * A file that is there gives passwords: "NAME:PASSWORD" or "NAME PASSWORD"
 * lines, or, without a name in front, one password a line in order.  One that
 * is not there is made, and gets those made here.
 */
static int
open_passwords(struct start *s)
{
	const char *path = args_get(&s->c->args, "password-file");
	int rc = 0;

	if (path == NULL)
		return 0;
	s->new_passwords = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->new_passwords < 0 && errno == EEXIST)
		rc = file_read(path, &s->passwords, &s->c->err);
	else if (s->new_passwords < 0)
		rc = err_set(
		    &s->c->err, err_from_errno(errno), "%s", strerror(errno));
	return rc;
}

static struct slice
named_password(struct slice line, struct slice name)
{
	struct slice rest = slice_from(line, name.n);

	if (!slice_starts(line, name) || rest.n < 2 ||
	    (rest.p[0] != ':' && rest.p[0] != ' ' && rest.p[0] != '\t'))
		return slice_of(NULL, 0);
	return slice_from(rest, 1);
}

/* The n-th account's password in the file; p NULL: none. */
static struct slice
file_password(const struct start *s, struct slice name, uint64_t n)
{
	struct slice rest = buf_slice(&s->passwords), line, found;
	struct slice prefix = slice_str(package);
	uint64_t i = 0;

	while (slice_split(&rest, '\n', &line)) {
		line = slice_trim(line);
		if (line.n == 0)
			continue;
		found = named_password(line, name);
		if (found.p != NULL)
			return found;
		/* A line for another account names nobody else's. */
		if (++i == n && !(slice_starts(line, prefix) &&
				    slice_chr(line, 'p') == prefix.n))
			return line;
	}
	return slice_of(NULL, 0);
}

static int
ok_or_exists(int rc)
{
	return rc == ERR_EXISTS ? 0 : rc;
}

static int
add_address(struct start *s, const char *local, struct slice account)
{
	struct address ad = { .created_at = clock_wall_sec(), .ntargets = 1 };

	ad.addr =
	    slice_str(arena_printf(&s->c->arena, "%s@%s", local, s->q.domain));
	ad.targets[0] = account;
	return ok_or_exists(address_add(s->c->store, &ad, &s->c->err));
}

static int
add_addresses(struct start *s, struct slice account, uint64_t n)
{
	struct arena *a = &s->c->arena;
	int rc = add_address(s, arena_str(a, account), account);

	if (rc != 0)
		return rc;
	return add_address(s,
	    n == 1 ? "info"
		   : arena_printf(a, "user%llu", (unsigned long long)n),
	    account);
}

static void
note_password(struct start *s, struct slice name, struct slice password)
{
	json_t *row = json_pack("{s:o,s:o}", "account", out_str(name),
	    "password", password.p != NULL ? out_str(password) : json_null());
	char *line;

	(void)json_array_append_new(s->made, row);
	s->set += password.p != NULL;
	if (s->new_passwords < 0 || password.p == NULL)
		return;
	line = xasprintf(
	    "%.*s:%.*s\n", (int)name.n, name.p, (int)password.n, password.p);
	(void)!file_write_all(s->new_passwords, line, slice_str(line).n);
	mem_wipe(line, slice_str(line).n);
	free(line);
}

static int
put_account(
    struct start *s, struct account *ac, bool exists, struct slice password)
{
	struct secret secret = { .id = AUTH_MAIN_SECRET,
		.scope = SCOPE_ALL,
		.created_at = clock_wall_sec() };
	struct account made;

	if (opt_scram(s->c, password, NULL, &secret) != CMD_DONE)
		return ERR_INVALID;
	ac->secrets[0] = secret;
	ac->nsecrets = ac->nsecrets != 0 ? ac->nsecrets : 1;
	if (exists)
		return account_set(s->c->store, ac, NULL, true, &s->c->err);
	return account_add(
	    s->c->store, ac, NULL, &s->c->arena, &made, &s->c->err);
}

/* An account that is there keeps its password, unless the file has one. */
static int
make_account(struct start *s, uint64_t n)
{
	struct arena *a = &s->c->arena;
	struct account ac = { .created_at = clock_wall_sec() };
	struct slice name = slice_str(
	    arena_printf(a, "%sp%llu", package, (unsigned long long)n));
	struct slice password = file_password(s, name, n);
	int rc = account_get(s->c->store, name, a, &ac);
	bool exists = rc == 0;

	if (rc == ERR_NOTFOUND) {
		ac = (struct account){ .name = name,
			.package = slice_str(package),
			.created_at = clock_wall_sec() };
		rc = 0;
		if (password.p == NULL)
			password = slice_str(opt_random_password(a));
	}
	if (rc == 0 && password.p != NULL)
		rc = put_account(s, &ac, exists, password);
	if (rc == 0)
		rc = add_addresses(s, name, n);
	if (rc == 0)
		note_password(s, name, password);
	return rc;
}

static int
fill_store(struct start *s)
{
	struct package p = { .name = slice_str(package),
		.created_at = clock_wall_sec() };
	struct domain d = { .name = slice_str(s->q.domain),
		.package = slice_str(package),
		.created_at = clock_wall_sec() };
	struct store *store = s->c->store;
	int rc;

	if ((rc = ok_or_exists(package_add(store, &p, &s->c->err))) != 0 ||
	    (rc = ok_or_exists(domain_add(store, &d, &s->c->err))) != 0)
		return rc;
	for (uint64_t n = 1; n <= s->accounts && rc == 0; n++)
		rc = make_account(s, n);
	return rc != 0 ? rc : store_sync_now(store);
}

static void
print_accounts(struct start *s)
{
	static const struct out_col cols[] = {
		{ "account", "ACCOUNT", OUT_TEXT },
		{ "password", "PASSWORD (shown this once)", OUT_TEXT },
	};
	json_t *row;
	size_t i;

	out_begin(&s->c->out, cols, PH_LEN(cols));
	for (i = 0; i < json_array_size(s->made); i++) {
		row = json_array_get(s->made, i);
		if (!json_is_null(json_object_get(row, "password")))
			out_row(&s->c->out, json_incref(row));
	}
	out_end(&s->c->out);
}

static void
print_sheet(struct start *s)
{
	struct setup setup;
	char server[SETUP_NAME_MAX + 1];
	struct buf sheet;

	if (!setup_server(s->m.conf, slice_str(s->q.domain), server))
		return;
	setup_init(&setup, s->m.conf);
	setup.server = server;
	setup.account = setup.login = "web100p1";
	setup.address = arena_printf(&s->c->arena, "info@%s", s->q.domain);
	buf_init(&sheet, ERRORS_MAX);
	sheet_write(&setup, &sheet);
	out_bytes(&s->c->out, buf_slice(&sheet));
	buf_fini(&sheet);
}

static void
print_result(struct start *s)
{
	struct out *o = &s->c->out;

	if (o->json) {
		out_record(o, NULL, 0,
		    json_pack("{s:s,s:s,s:s,s:I,s:O}", "dir", s->q.dir,
			"domain", s->q.domain, "hostname", s->m.conf->hostname,
			"port_offset", (json_int_t)s->q.port_offset, "accounts",
			s->made));
		return;
	}
	out_printf(o, "A host for %s is in %s.\n\n", s->q.domain, s->q.dir);
	if (s->set != 0) {
		print_sheet(s);
		out_printf(o, "\n");
		print_accounts(s);
	}
	out_printf(o,
	    "\nStart it:   posthof -c %s/posthof.conf serve\n"
	    "Help page:  http://127.0.0.1:%u/settings\n"
	    "Trust it:   import %s/tls/ca.pem as a CA\n",
	    s->q.dir, setup_port(s->m.conf, "http"), s->q.dir);
}

static int
make_dir(struct start *s)
{
	const char *given = s->c->args.words[0];
	char path[PATH_MAX];
	struct err why = { 0 };
	int rc = file_mkdirs(given, 0755, &why);

	if (rc != 0)
		return err_set(&s->c->err, rc, "cannot make it: %s", why.text);
	if (realpath(given, path) == NULL)
		return err_set(
		    &s->c->err, err_from_errno(errno), "%s", strerror(errno));
	for (const char *p = path; *p != '\0'; p++)
		if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ' ||
		    *p == '$')
			return err_set(&s->c->err, ERR_INVALID,
			    "choose a path without \", \\ and $");
	s->q.dir = xstrdup(path);
	return 0;
}

/* Everything that needs our own rights, then the store with the user's. */
static int
build(struct start *s)
{
	struct err *e = &s->c->err;
	struct buf errors;
	struct user user;
	char *conf;
	int rc, lock = -1;

	buf_init(&errors, ERRORS_MAX);
	if ((rc = make_dir(s)) != 0 || (rc = quickstart_files(&s->q, e)) != 0 ||
	    (rc = open_passwords(s)) != 0)
		goto out;
	if (chdir(s->q.dir) != 0) {
		rc = err_set(e, err_from_errno(errno), "%s", strerror(errno));
		goto out;
	}
	conf = xasprintf("%s/posthof.conf", s->q.dir);
	if ((rc = material_conf(conf, &s->m, &errors)) != 0)
		(void)err_set(e, rc, "%.*s", (int)buf_len(&errors),
		    errors.p != NULL ? errors.p : "");
	free(conf);
	if (rc != 0 || (rc = user_lookup(s->m.conf->user, &user, e)) != 0 ||
	    (rc = quickstart_open_dir(&s->q, &user, e)) != 0 ||
	    (rc = host_make_dirs(s->m.conf, &user, e)) != 0 ||
	    (rc = host_lock(s->m.conf, &user, 0, &lock, e)) != 0 ||
	    (rc = run_open_store(&s->m, &user, &s->c->store, e)) != 0)
		goto out;
	s->c->conf = s->m.conf;
	rc = fill_store(s);
out:
	store_close(&s->c->store);
	if (lock >= 0)
		close(lock);
	buf_fini(&errors);
	return rc;
}

int
cmd_quickstart(struct cmd *c)
{
	struct start s = { .c = c,
		.m = { .conf_fd = -1, .tls_fd = -1 },
		.new_passwords = -1,
		.made = json_array() };
	int rc, status;

	(void)setenv("POSTHOF_QUIET", "1", 1);
	buf_init(&s.passwords, PASSWORDS_MAX);
	if ((status = take_options(&s)) == CMD_DONE) {
		if ((rc = build(&s)) == 0)
			print_result(&s);
		else
			status = cmd_refuse(
			    c, rc, "quickstart %s", c->args.words[0]);
	}
	c->conf = NULL;
	json_decref(s.made);
	if (s.new_passwords >= 0)
		close(s.new_passwords);
	if (s.passwords.p != NULL)
		mem_wipe(s.passwords.p, s.passwords.cap);
	buf_fini(&s.passwords);
	material_fini(&s.m);
	free(s.q.dir);
	return status;
}
