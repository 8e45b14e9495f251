#include "admin/cmds.h"

#include <string.h>

#include "admin/opt.h"
#include "admin/profsign.h"
#include "lib/setup/autoconfig.h"
#include "lib/setup/autodiscover.h"
#include "lib/setup/page.h"
#include "lib/setup/profile.h"
#include "lib/setup/sheet.h"
#include "lib/setup/srv.h"

enum { SHEET_MAX = 256 << 10, PAGE = 64 };

/* What one run knows. */
struct sheet {
	struct cmd *c;
	struct setup setup;
	const char *domain;
	char server[SETUP_NAME_MAX + 1];
	struct buf text;
};

/* The package's first domain, for accounts without an address. */
static int
package_domain(struct cmd *c, struct slice package, struct slice *out)
{
	struct domain page[PAGE];
	struct slice after = SLICE("");
	size_t n = PAGE;
	int rc = 0;

	while (n == PAGE && (rc = domain_list(c->store, after, &c->arena, page,
				 PAGE, &n)) == 0) {
		for (size_t i = 0; i < n; i++)
			if (slice_eq(page[i].package, package)) {
				*out = page[i].name;
				return 0;
			}
		if (n != 0)
			after = page[n - 1].name;
	}
	return rc;
}

/* The address to show, its domain, and what to log in with: the word that
 * was asked with. */
static int
choose(struct sheet *sh, const struct account *ac)
{
	struct cmd *c = sh->c;
	struct slice word = slice_str(c->args.words[0]), addr = SLICE("");
	struct slice domain = slice_str(c->conf->hostname), v[2];
	char folded[IDENT_MAX + 1];
	size_t n = 0, at;
	int rc = 0;

	sh->setup.account = arena_str(&c->arena, ac->name);
	sh->setup.login = sh->setup.account;
	if (slice_chr(word, '@') != word.n &&
	    ident_fold_address(word, folded, NULL) == 0) {
		addr = slice_str(folded);
		sh->setup.login = arena_str(&c->arena, addr);
	} else {
		rc = address_of_account(
		    c->store, ac->name, &c->arena, v, PH_LEN(v), &n);
	}
	if (n != 0)
		addr = v[0];
	/* Its own name with a domain tells people nothing new. */
	if (n > 1 && slice_starts(v[0], ac->name) &&
	    slice_chr(v[0], '@') == ac->name.n)
		addr = v[1];
	at = slice_rchr(addr, '@');
	if (at != addr.n)
		domain = slice_from(addr, at + 1);
	else if (rc == 0)
		rc = package_domain(c, ac->package, &domain);
	sh->setup.address =
	    arena_str(&c->arena, at == 0 ? SLICE("") : addr); /* catch-all */
	sh->domain = arena_str(&c->arena, domain);
	return rc;
}

static int
as_text(struct sheet *sh)
{
	sheet_write(&sh->setup, &sh->text);
	return 0;
}

static int
as_html(struct sheet *sh)
{
	page_write(&sh->setup, PAGE_FILE, &sh->text);
	return 0;
}

static json_t *
service_json(const struct setup *s, const struct setup_service *v)
{
	json_t *ports = json_array();

	for (size_t k = 0; k < v->ndoors; k++)
		(void)json_array_append_new(
		    ports, json_pack("{s:i,s:s}", "port", (int)v->doors[k].port,
			       "security", setup_security(&v->doors[k])));
	return json_pack("{s:s,s:o,s:b}", "server", s->server, "ports", ports,
	    "authentication", 1);
}

static int
as_json(struct sheet *sh)
{
	const struct setup *s = &sh->setup;
	json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s}", "account", s->account,
	    "user", s->account, "address", s->address, "lang", s->lang,
	    "provider", s->provider);

	for (size_t i = 0; i < SETUP_SERVICES; i++)
		(void)json_object_set_new(
		    j, s->services[i].key, service_json(s, &s->services[i]));
	sh->c->out.json = true;
	out_record(&sh->c->out, NULL, 0, j);
	return 0;
}

static int
as_autoconfig(struct sheet *sh)
{
	autoconfig_write(&sh->setup, sh->domain, &sh->text);
	return 0;
}

static int
as_autodiscover(struct sheet *sh)
{
	autodiscover_write(&sh->setup, &sh->text);
	return 0;
}

static int
as_mobileconfig(struct sheet *sh)
{
	struct cmd *c = sh->c;

	if (!profile_write(&sh->setup, &sh->text))
		return err_set(&c->err, ERR_UNSUPPORTED,
		    "this host has neither IMAP nor POP3");
	return profsign(c->conf, c->profile_fd, &sh->text, &c->err);
}

static int
as_srv(struct sheet *sh)
{
	srv_write(sh->c->conf, sh->domain, sh->setup.server, &sh->text);
	return 0;
}

static const struct {
	const char *name;
	int (*write)(struct sheet *sh);
} formats[] = {
	{ "text", as_text },
	{ "html", as_html },
	{ "json", as_json },
	{ "autoconfig", as_autoconfig },
	{ "autodiscover", as_autodiscover },
	{ "mobileconfig", as_mobileconfig },
	{ "srv", as_srv },
};

static int
write_as(struct sheet *sh, const char *format)
{
	for (size_t i = 0; i < PH_LEN(formats); i++) {
		int rc;

		if (strcmp(formats[i].name, format) != 0)
			continue;
		if ((rc = formats[i].write(sh)) == 0 && buf_failed(&sh->text))
			rc = ERR_TOOBIG;
		if (rc != 0)
			return cmd_refuse(sh->c, rc, "settings");
		out_bytes(&sh->c->out, buf_slice(&sh->text));
		return CMD_DONE;
	}
	out_error(&sh->c->out,
	    "posthof: settings: --format is text, html, json, autoconfig, "
	    "autodiscover, mobileconfig or srv\n");
	return CMD_USAGE;
}

int
cmd_settings(struct cmd *c)
{
	const char *format = args_get(&c->args, "format");
	const char *lang = args_get(&c->args, "lang");
	struct sheet sh = { .c = c };
	struct account ac;
	int rc, status;

	if ((status = opt_account(c, c->args.words[0], &ac)) != CMD_DONE)
		return status;
	if (format == NULL)
		format = c->out.json ? "json" : "text";
	setup_init(&sh.setup, c->conf);
	sh.setup.server = sh.server;
	if (lang == NULL && ac.lang.n != 0)
		lang = arena_str(&c->arena, ac.lang);
	if (lang != NULL)
		sh.setup.lang = lang;
	if (strcmp(sh.setup.lang, "de") != 0 &&
	    strcmp(sh.setup.lang, "en") != 0) {
		out_error(&c->out, "posthof: settings: --lang is de or en\n");
		return CMD_USAGE;
	}
	if ((rc = choose(&sh, &ac)) != 0)
		return cmd_refuse(c, rc, "settings");
	if (!setup_server(c->conf, slice_str(sh.domain), sh.server))
		return cmd_refuse(c, ERR_TOOBIG, "settings-server");
	buf_init(&sh.text, SHEET_MAX);
	status = write_as(&sh, format);
	buf_fini(&sh.text);
	return status;
}
