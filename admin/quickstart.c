#include "admin/quickstart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/selfcert.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

enum { PEM_MAX = 64 << 10, CONF_MAX = 64 << 10 };

/* Doors of a new host and their standard ports. */
static const struct {
	const char *option;
	unsigned port;
} doors[] = {
	{ "listen-imap", 143 },
	{ "listen-imaps", 993 },
	{ "listen-pop3", 110 },
	{ "listen-pop3s", 995 },
	{ "listen-submission", 587 },
	{ "listen-submissions", 465 },
	{ "listen-smtp", 25 },
	{ "listen-http", 880 }, /* these two have none */
	{ "listen-metrics", 943 },
};

void
quickstart_conf(const struct quickstart *q, struct buf *out)
{
	buf_printf(out,
	    "# Made by `posthof quickstart`.  All options, with help:\n"
	    "# posthof sample-config, posthof.conf(5)\n"
	    "config-version = 1\n"
	    "hostname = \"mail.%s\"\n"
	    "state-dir = \"state\"\n"
	    "run-dir = \"run\"\n",
	    q->domain);
	if (q->user[0] != '\0')
		buf_printf(out, "user = \"%s\"\n", q->user);
	buf_printf(out,
	    "tls-cert = \"tls/cert.pem\"\n"
	    "tls-key = \"tls/key.pem\"\n"
	    "# Small pieces for a small host; delete the line for a large "
	    "one.\n"
	    "segment-size = 16M\n\n");
	for (size_t i = 0; i < PH_LEN(doors); i++) {
		unsigned port = doors[i].port + q->port_offset;

		buf_printf(
		    out, "%s = {\"127.0.0.1:%u\"", doors[i].option, port);
		if (q->v6)
			buf_printf(out, ", \"[::1]:%u\"", port);
		buf_add_str(out, "}\n");
	}
}

static int
write_file(const struct quickstart *q, const char *name, const struct buf *b,
    mode_t mode, struct err *e)
{
	char *path = xasprintf("%s/%s", q->dir, name);
	struct err why = { 0 };
	int rc = buf_failed(b) ? ERR_TOOBIG
			       : file_replace(path, buf_slice(b), mode, &why);

	if (rc != 0)
		(void)err_set(e, rc, "cannot write %s: %s", path, why.text);
	free(path);
	return rc;
}

/* True and the bytes when the file is there. */
static bool
read_own(const struct quickstart *q, const char *name, struct buf *to)
{
	char *path = xasprintf("%s/%s", q->dir, name);
	bool ok = file_read(path, to, NULL) == 0 && buf_len(to) != 0;

	free(path);
	return ok;
}

static int
make_ca(const struct quickstart *q, struct buf *cert, struct buf *key,
    struct err *e)
{
	char *name;
	int rc;

	if (read_own(q, "tls/ca.pem", cert) && read_own(q, "tls/ca.key", key))
		return 0;
	buf_clear(cert);
	buf_clear(key);
	name = xasprintf("Posthof CA of %s", q->domain);
	/* X.520: a common name has 64 characters at most. */
	if (slice_str(name).n > 64)
		name[64] = '\0';
	if ((rc = selfcert_ca(name, cert, key, e)) == 0 &&
	    (rc = write_file(q, "tls/ca.key", key, 0600, e)) == 0)
		rc = write_file(q, "tls/ca.pem", cert, 0644, e);
	free(name);
	return rc;
}

static bool
cert_is_good(const struct quickstart *q)
{
	struct selfcert_look look = { 0 };
	struct buf cert, key;
	bool good;

	buf_init(&cert, PEM_MAX);
	buf_init(&key, PEM_MAX);
	good = read_own(q, "tls/cert.pem", &cert) &&
	       read_own(q, "tls/key.pem", &key) &&
	       selfcert_check(buf_slice(&cert), buf_slice(&key), q->domain,
		   &look, NULL) == 0 &&
	       look.covers;
	if (key.p != NULL)
		mem_wipe(key.p, key.cap);
	buf_fini(&cert);
	buf_fini(&key);
	return good;
}

static int
make_cert(const struct quickstart *q, struct slice ca, struct slice ca_key,
    struct err *e)
{
	char *mail = xasprintf("mail.%s", q->domain);
	const char *names[] = { q->domain, mail, "localhost", "127.0.0.1",
		"::1" };
	struct buf cert, key;
	int rc;

	buf_init(&cert, PEM_MAX);
	buf_init(&key, PEM_MAX);
	rc = selfcert_issue(ca, ca_key, names, PH_LEN(names), &cert, &key, e);
	buf_add_slice(&cert, ca); /* the chain */
	if (rc == 0 && (rc = write_file(q, "tls/key.pem", &key, 0600, e)) == 0)
		rc = write_file(q, "tls/cert.pem", &cert, 0644, e);
	if (key.p != NULL)
		mem_wipe(key.p, key.cap);
	buf_fini(&cert);
	buf_fini(&key);
	free(mail);
	return rc;
}

static int
make_tls(const struct quickstart *q, struct err *e)
{
	struct buf ca, ca_key;
	int rc;

	buf_init(&ca, PEM_MAX);
	buf_init(&ca_key, PEM_MAX);
	rc = make_ca(q, &ca, &ca_key, e);
	if (rc == 0 && !cert_is_good(q))
		rc = make_cert(q, buf_slice(&ca), buf_slice(&ca_key), e);
	if (ca_key.p != NULL)
		mem_wipe(ca_key.p, ca_key.cap);
	buf_fini(&ca);
	buf_fini(&ca_key);
	return rc;
}

int
quickstart_files(const struct quickstart *q, struct err *e)
{
	char *tls = xasprintf("%s/tls", q->dir);
	char *conf = xasprintf("%s/posthof.conf", q->dir);
	struct err why = { 0 };
	struct buf text;
	int rc;

	buf_init(&text, CONF_MAX);
	if ((rc = file_mkdirs(tls, 0755, &why)) != 0)
		(void)err_set(e, rc, "cannot make %s: %s", tls, why.text);
	else if ((rc = make_tls(q, e)) == 0 && access(conf, F_OK) != 0) {
		quickstart_conf(q, &text);
		rc = write_file(q, "posthof.conf", &text, 0644, e);
	}
	buf_fini(&text);
	free(conf);
	free(tls);
	return rc;
}

static bool
may_pass(const struct stat *st, const struct user *u)
{
	if (st->st_uid == u->uid)
		return (st->st_mode & S_IXUSR) != 0;
	for (int i = 0; i < u->ngroups; i++)
		if (st->st_gid == u->groups[i])
			return (st->st_mode & S_IXGRP) != 0;
	if (st->st_gid == u->gid)
		return (st->st_mode & S_IXGRP) != 0;
	return (st->st_mode & S_IXOTH) != 0;
}

/* Our own directory may be opened; its owner is who typed quickstart. */
static int
open_own(const char *dir, const struct stat *st, const struct user *user,
    struct err *e)
{
	if (chown(dir, (uid_t)-1, user->gid) == 0 &&
	    chmod(dir, (st->st_mode & 07777) | S_IXGRP) == 0)
		return 0;
	return err_set(e, err_from_errno(errno),
	    "cannot open %s to the daemons' user: %s", dir, strerror(errno));
}

int
quickstart_open_dir(
    const struct quickstart *q, const struct user *user, struct err *e)
{
	struct stat st;

	if (!user->drop)
		return 0;
	if (stat(q->dir, &st) != 0)
		return err_set(e, err_from_errno(errno), "%s: %s", q->dir,
		    strerror(errno));
	return may_pass(&st, user) ? 0 : open_own(q->dir, &st, user, e);
}
