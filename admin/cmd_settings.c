#include "admin/cmds.h"

#include <string.h>

#include "admin/opt.h"
#include "admin/settings.h"

enum { SHEET_MAX = 64 << 10, PAGE = 64 };

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

/* The address to show, and the domain that is their server's name. */
static int
choose(struct cmd *c, const struct account *ac, struct settings_who *who)
{
	struct slice word = slice_str(c->args.words[0]), addr = SLICE("");
	struct slice domain = slice_str(c->conf->hostname), v[2];
	char folded[IDENT_MAX + 1];
	size_t n = 0, at;
	int rc = 0;

	if (slice_chr(word, '@') != word.n &&
	    ident_fold_address(word, folded, NULL) == 0)
		addr = slice_str(folded);
	else
		rc = address_of_account(
		    c->store, ac->name, &c->arena, v, PH_LEN(v), &n);
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
	who->address =
	    arena_str(&c->arena, at == 0 ? SLICE("") : addr); /* catch-all */
	who->domain = arena_str(&c->arena, domain);
	return rc;
}

static const char *
language(struct cmd *c, const struct account *ac)
{
	const char *lang = args_get(&c->args, "lang");

	if (lang != NULL)
		return lang;
	return ac->lang.n != 0 ? arena_str(&c->arena, ac->lang) : c->conf->lang;
}

int
cmd_settings(struct cmd *c)
{
	const char *format = args_get(&c->args, "format");
	struct settings_who who;
	struct account ac;
	struct buf sheet;
	int rc, status;

	if ((status = opt_account(c, c->args.words[0], &ac)) != CMD_DONE)
		return status;
	if (format != NULL && strcmp(format, "text") != 0 &&
	    strcmp(format, "json") != 0) {
		out_error(
		    &c->out, "posthof: settings: --format is text or json\n");
		return CMD_USAGE;
	}
	who.account = arena_str(&c->arena, ac.name);
	who.lang = language(c, &ac);
	if (strcmp(who.lang, "de") != 0 && strcmp(who.lang, "en") != 0) {
		out_error(&c->out, "posthof: settings: --lang is de or en\n");
		return CMD_USAGE;
	}
	if ((rc = choose(c, &ac, &who)) != 0)
		return cmd_refuse(c, rc, "settings");
	if (c->out.json || (format != NULL && strcmp(format, "json") == 0)) {
		c->out.json = true;
		out_record(&c->out, NULL, 0, settings_json(c->conf, &who));
		return CMD_DONE;
	}
	buf_init(&sheet, SHEET_MAX);
	settings_text(c->conf, &who, &sheet);
	out_bytes(&c->out, buf_slice(&sheet));
	buf_fini(&sheet);
	return CMD_DONE;
}
