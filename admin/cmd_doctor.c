#include "admin/cmds.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/certlook.h"
#include "admin/ctl.h"
#include "admin/findings.h"
#include "admin/hostlook.h"
#include "admin/run.h"
#include "admin/tally.h"
#include "admin/zonelook.h"
#include "lib/base/clock.h"
#include "lib/setup/setup.h"
#include "storage/account.h"

enum { PAGE = 64, FACTS_MAX = 64 << 20, ERRORS_MAX = 256 << 10 };

/* What a command of ours said. */
struct said {
	struct buf out, err;
	int status;
};

struct doctor {
	struct cmd *c;
	const struct conf *conf;
	struct findings f;
	struct certlook *certs;
	struct zonelook *zone; /* NULL: not asked for */
};

/* Who takes mail for postmaster@ (RFC 5321 4.5.1)? */
static const char *
postmaster_of(struct cmd *c, struct slice domain, struct arena *a)
{
	char *addr =
	    arena_printf(a, "postmaster@%.*s", (int)domain.n, domain.p);
	struct route r;
	int rc = address_route(c->store, slice_str(addr), a, &r);

	if (rc == 0)
		return "ok";
	return rc == ERR_DENIED ? "suspended" : "none";
}

static json_t *
domain_facts(struct cmd *c, const struct domain *d, struct arena *a)
{
	struct package p = { 0 };
	int rc = package_get(c->store, d->package, a, &p);

	return json_pack("{s:o,s:o,s:b,s:b,s:s}", "domain", out_str(d->name),
	    "package", out_str(d->package), "suspended",
	    (int)(rc == 0 && p.suspended), "refuses_mail",
	    (int)(rc == 0 && p.refuses_mail), "postmaster",
	    postmaster_of(c, d->name, a));
}

static int
collect_domains(struct cmd *c, json_t *list)
{
	char after[HOSTLOOK_NAME_MAX] = "";
	struct domain page[PAGE];
	struct arena a;
	size_t n = PAGE;
	int rc = 0;

	arena_init(&a);
	while (n == PAGE && (rc = domain_list(c->store, slice_str(after), &a,
				 page, PAGE, &n)) == 0) {
		for (size_t i = 0; i < n; i++)
			(void)json_array_append_new(
			    list, domain_facts(c, &page[i], &a));
		if (n != 0 &&
		    !slice_copy(page[n - 1].name, after, sizeof(after)))
			rc = ERR_CORRUPT;
		arena_clear(&a);
		if (rc != 0)
			break;
	}
	arena_clear(&a);
	return rc;
}

int
cmd_store_facts(struct cmd *c)
{
	json_t *domains = json_array(), *j;
	struct store_stats st;
	char *text;
	int rc;

	if ((rc = store_stats_get(c->store, &st)) != 0 ||
	    (rc = collect_domains(c, domains)) != 0) {
		json_decref(domains);
		return cmd_refuse(c, rc, "store facts");
	}
	j = json_pack("{s:I,s:b,s:I,s:I,s:o}", "free_bytes",
	    (json_int_t)st.free_bytes, "has_space",
	    (int)store_has_space(c->store), "last_checkpoint",
	    (json_int_t)st.last_checkpoint_sec, "last_backup",
	    (json_int_t)tally_last_backup(c->conf->state_dir), "domains",
	    domains);
	text = json_dumps(j, JSON_INDENT(2));
	out_bytes(&c->out, slice_str(text));
	out_bytes(&c->out, SLICE("\n"));
	free(text);
	json_decref(j);
	return CMD_DONE;
}

static void
hear(void *arg, enum out_stream stream, struct slice bytes)
{
	struct said *s = arg;

	buf_add_slice(stream == OUT_STDOUT ? &s->out : &s->err, bytes);
}

/* One of our own commands, as if somebody had typed it. */
static void
have_run(struct doctor *d, size_t argc, const char *const *argv, struct said *s)
{
	struct cmd sub;

	buf_init(&s->out, FACTS_MAX);
	buf_init(&s->err, ERRORS_MAX);
	s->status = cmd_init(&sub, argc, argv);
	sub.conf_path = d->c->conf_path;
	sub.out.sink = hear;
	sub.out.arg = s;
	if (s->status == CMD_DONE)
		s->status = sub.row->where == CMD_STORE
				? run_store_command(&sub, argc, argv)
				: cmd_run(&sub);
	cmd_fini(&sub);
}

static void
said_fini(struct said *s)
{
	buf_fini(&s->out);
	buf_fini(&s->err);
}

/* Each line of `posthof check-config`; certlook.c tells of certificates. */
static void
look_config(struct doctor *d)
{
	static const char *const words[] = { "check-config" };
	struct slice rest, line;
	unsigned before = d->f.errors + d->f.warnings;
	struct said s;

	have_run(d, PH_LEN(words), words, &s);
	rest = buf_slice(&s.err);
	while (slice_split(&rest, '\n', &line)) {
		bool warns = slice_find(line, SLICE(": warning: ")) != line.n;

		if (line.n != 0 && slice_find(line, SLICE(": tls: ")) == line.n)
			findings_add(&d->f,
			    warns ? FINDING_WARNING : FINDING_ERROR, "config",
			    "posthof.conf", "see posthof.conf(5)", "%.*s",
			    (int)line.n, line.p);
	}
	if (d->f.errors + d->f.warnings == before)
		findings_add(&d->f, FINDING_OK, "config", "posthof.conf", NULL,
		    "%s is good", d->c->conf_path);
	said_fini(&s);
}

static bool
is_running(const struct conf *conf)
{
	int fd;

	if (ctl_dial(conf->run_dir, &fd, NULL) != 0)
		return false;
	close(fd);
	return true;
}

/* NULL: told. */
static json_t *
ask_store(struct doctor *d)
{
	static const char *const words[] = { "store", "facts" };
	struct said s;
	json_t *facts = NULL;

	have_run(d, PH_LEN(words), words, &s);
	if (s.status == CMD_DONE && buf_len(&s.out) != 0)
		facts = json_loadb(s.out.p, buf_len(&s.out), 0, NULL);
	if (facts == NULL) {
		struct slice line = slice_trim(buf_slice(&s.err));

		line = slice_sub(line, 0, slice_chr(line, '\n'));
		findings_add(&d->f, FINDING_ERROR, "store", d->conf->state_dir,
		    "see the log; posthof fsck", "cannot be asked: %.*s",
		    (int)line.n, line.p);
	}
	said_fini(&s);
	return facts;
}

static void
look_people(struct doctor *d, const char *domain, json_t *facts)
{
	const char *package =
	    json_string_value(json_object_get(facts, "package"));
	const char *master =
	    json_string_value(json_object_get(facts, "postmaster"));
	char fix[2 * HOSTLOOK_NAME_MAX];

	if (json_is_true(json_object_get(facts, "suspended"))) {
		(void)snprintf(
		    fix, sizeof(fix), "posthof package resume %s", package);
		findings_add(&d->f, FINDING_WARNING, "suspended", domain, fix,
		    "its package %s is suspended; mail for it is %s", package,
		    json_is_true(json_object_get(facts, "refuses_mail"))
			? "refused"
			: "taken");
	}
	if (strcmp(master, "ok") == 0) {
		findings_add(&d->f, FINDING_OK, "postmaster", domain, NULL,
		    "postmaster@%s is read", domain);
		return;
	}
	(void)snprintf(fix, sizeof(fix),
	    "posthof address %s postmaster@%s --to ACCOUNT",
	    strcmp(master, "none") == 0 ? "add" : "set", domain);
	findings_add(&d->f, FINDING_ERROR, "postmaster", domain, fix,
	    "postmaster@%s %s (RFC 5321 4.5.1)", domain,
	    strcmp(master, "none") == 0 ? "leads nowhere"
					: "leads to somebody suspended");
}

static void
look_domain(struct doctor *d, json_t *facts)
{
	const char *domain =
	    json_string_value(json_object_get(facts, "domain"));
	char server[SETUP_NAME_MAX + 1];

	if (!setup_server(d->conf, slice_str(domain), server)) {
		findings_add(&d->f, FINDING_ERROR, "name", domain,
		    "a shorter settings-server",
		    "the server's name is too "
		    "long");
		return;
	}
	for (char *c = server; *c != '\0'; c++)
		*c = ascii_lower(*c);
	certlook_name(d->certs, &d->f, FINDING_ERROR, domain, server);
	/* People type their own domain, whatever they were told. */
	if (strcmp(server, domain) != 0)
		certlook_name(d->certs, &d->f, FINDING_WARNING, domain, domain);
	look_people(d, domain, facts);
	if (d->zone != NULL)
		zonelook_domain(d->zone, domain, server);
}

static void
look_store(struct doctor *d)
{
	bool runs = is_running(d->conf);
	json_t *facts = ask_store(d), *list;

	if (facts == NULL)
		return;
	hostlook_store(d->conf, &d->f, facts, runs, clock_wall_sec());
	list = json_object_get(facts, "domains");
	for (size_t i = 0; i < json_array_size(list); i++)
		look_domain(d, json_array_get(list, i));
	json_decref(facts);
}

/* Files first: on a stopped host we give root up to open the store. */
static void
look_all(struct doctor *d)
{
	char host[HOSTLOOK_NAME_MAX];
	bool is_name;

	look_config(d);
	is_name = hostlook_name(d->conf, &d->f, host);
	d->certs = certlook_load(d->conf, &d->f);
	if (is_name)
		certlook_name(d->certs, &d->f, FINDING_ERROR, host, host);
	hostlook_dirs(d->conf, &d->f);
	if (!args_has(&d->c->args, "dns"))
		findings_add(&d->f, FINDING_OK, "dns", host,
		    "posthof doctor --dns",
		    "MX, addresses, PTR, SPF, DKIM and DMARC were not looked "
		    "at");
	else if (is_name)
		d->zone = zonelook_new(d->conf, host, &d->f);
	look_store(d);
	zonelook_free(&d->zone);
	certlook_free(&d->certs);
}

int
cmd_doctor(struct cmd *c)
{
	struct doctor d = { .c = c };
	struct conf *conf = NULL;
	struct buf errors;

	findings_begin(&d.f, &c->out, args_has(&c->args, "quiet"));
	buf_init(&errors, ERRORS_MAX);
	if (conf_load(c->conf_path, &conf, &errors) != 0) {
		look_config(&d);
	} else {
		d.conf = conf;
		look_all(&d);
		conf_free(&conf);
	}
	buf_fini(&errors);
	findings_end(&d.f);
	return d.f.errors == 0 ? CMD_DONE : CMD_REFUSED;
}
