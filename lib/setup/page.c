#include "lib/setup/page.h"

#include "lib/base/cset.h"
#include "lib/setup/words.h"

/* Colours have a contrast of 7 and more on their ground (WCAG 2.1 1.4.6);
 * a click on a value marks all of it, for copying. */
static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c2430;--soft:#4a5566;"
    "--ground:#f4f6f9;--card:#fff;--line:#d5dbe5;--mark:#0b4a8f}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#b6c0ce;"
    "--ground:#12161c;--card:#1c222b;--line:#39424f;--mark:#9cc7ff}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--ground);color:var(--ink);"
    "font:1.0625rem/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,"
    "\"Noto Sans\",sans-serif}"
    "main{max-width:46rem;margin:0 auto;padding:2rem 1.25rem 3rem}"
    "header p{margin:0;color:var(--soft)}"
    "h1{margin:.1em 0 .3em;font-size:1.9rem;line-height:1.2}"
    "h2{margin:0 0 .6rem;font-size:1.2rem;line-height:1.3}"
    "header .who{margin:0 0 .4rem;font-size:1.15rem;font-weight:600;"
    "color:var(--ink);overflow-wrap:anywhere}"
    "section,form{margin:1.25rem 0;padding:1.1rem 1.25rem;"
    "background:var(--card);border:1px solid var(--line);"
    "border-radius:.6rem}"
    "section.plain{background:none;border:0;padding:.4rem 0}"
    "section p{margin:.5rem 0}"
    "table{width:100%;border-collapse:collapse}"
    "th,td{padding:.4rem 0;text-align:left;vertical-align:top;"
    "border-top:1px solid var(--line)}"
    "tr:first-child>*{border-top:0}"
    "th{width:13rem;padding-right:1rem;font-weight:400;color:var(--soft)}"
    "td{font-weight:600;overflow-wrap:anywhere}"
    "td small{font-size:1em;font-weight:400;color:var(--soft)}"
    "kbd{font:600 1em ui-monospace,SFMono-Regular,Menlo,Consolas,"
    "\"DejaVu Sans Mono\",monospace;user-select:all}"
    "a{color:var(--mark)}"
    "label{display:block;margin-bottom:.3rem;font-weight:600}"
    "input,button{font:inherit;padding:.5rem .75rem;border-radius:.4rem}"
    "input{width:100%;max-width:24rem;background:var(--card);"
    "color:inherit;border:1px solid var(--soft)}"
    "button{margin-top:.6rem;background:var(--mark);color:var(--card);"
    "border:1px solid var(--mark);cursor:pointer;font-weight:600}"
    ":focus-visible{outline:3px solid var(--mark);outline-offset:2px}"
    "@media(max-width:34rem){th,td{display:block;width:auto;padding:.2rem 0}"
    "td{border-top:0;padding-bottom:.5rem}}"
    "@media print{:root{color-scheme:light;--ink:#000;--soft:#333;"
    "--ground:#fff;--card:#fff;--line:#999;--mark:#000}"
    "body{font-size:10.5pt}main{max-width:none;padding:0}"
    "form,.links{display:none}section{break-inside:avoid;margin:.6rem 0;"
    "padding:.5rem .8rem}section.plain{padding:0}}";

static void
put(struct buf *out, const char *text)
{
	setup_escape(out, slice_str(text));
}

static void
tag(struct buf *out, const char *open, const char *text, const char *close)
{
	buf_add_str(out, open);
	put(out, text);
	buf_add_str(out, close);
}

/* Percent-encoded for a query (RFC 3986 2.3). */
static void
put_query(struct buf *out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (cset_has(&cset_alnum, *p) || *p == '.' || *p == '-' ||
		    *p == '_' || *p == '@')
			buf_add_char(out, *p);
		else
			buf_printf(out, "%%%02X", (unsigned char)*p);
}

static void
row(struct buf *out, const char *label, const char *value)
{
	tag(out, "<tr><th scope=\"row\">", label, "</th><td>");
	tag(out, "<kbd>", value, "</kbd></td></tr>\n");
}

static void
port_row(struct buf *out, const char *label, const struct setup_door *d)
{
	tag(out, "<tr><th scope=\"row\">", label, "</th><td><kbd>");
	buf_printf(out, "%u</kbd> <small>%s</small></td></tr>\n", d->port,
	    setup_security(d));
}

static void
put_service(
    const struct setup *s, const struct words *w, size_t i, struct buf *out)
{
	const struct setup_service *v = &s->services[i];

	if (v->ndoors == 0)
		return;
	buf_printf(out, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">",
	    v->key, v->key);
	tag(out, "", w->services[i], "</h2>\n<table>\n");
	row(out, w->server, s->server);
	for (size_t k = 0; k < v->ndoors; k++)
		port_row(out, k == 0 ? w->port : w->or_port, &v->doors[k]);
	row(out, w->user, s->account[0] != '\0' ? s->account : s->login);
	if (s->account[0] != '\0' && s->address[0] != '\0')
		row(out, w->or_user, s->address);
	tag(out, "<tr><th scope=\"row\">", w->password, "</th><td>");
	tag(out, "<small>", w->your_password, "</small></td></tr>\n");
	if (i == SETUP_SMTP) {
		tag(out, "<tr><th scope=\"row\">", w->auth, "</th><td>");
		tag(out, "", w->auth_yes, "</td></tr>\n");
	}
	buf_add_str(out, "</table>\n");
	if (i == SETUP_SMTP)
		tag(out, "<p>", w->auth_where, "</p>\n");
	buf_add_str(out, "</section>\n");
}

static void
put_sections(const struct words *w, struct buf *out)
{
	for (size_t i = 0; i < w->nsections; i++) {
		const struct words_section *sec = &w->sections[i];

		tag(out, "<section class=\"plain\">\n<h2>", sec->title,
		    "</h2>\n");
		for (size_t k = 0;
		     k < WORDS_PARAGRAPHS && sec->paragraphs[k] != NULL; k++)
			tag(out, "<p>", sec->paragraphs[k], "</p>\n");
		buf_add_str(out, "</section>\n");
	}
}

static void
put_form(const struct setup *s, const struct words *w, struct buf *out)
{
	tag(out, "<form method=\"get\" action=\"settings\">\n<p>", w->ask,
	    "</p>\n<label for=\"a\">");
	tag(out, "", w->ask_address, "</label>\n");
	tag(out,
	    "<input id=\"a\" name=\"emailaddress\" type=\"email\" required "
	    "autocomplete=\"email\" maxlength=\"320\" value=\"",
	    s->address, "\">\n");
	buf_printf(out, "<input type=\"hidden\" name=\"lang\" value=\"%s\">\n",
	    w->lang);
	tag(out, "<button>", w->ask_button, "</button>\n</form>\n");
}

static void
put_links(const struct setup *s, const struct words *w, enum page_kind kind,
    struct buf *out)
{
	const struct words *other;

	buf_add_str(out, "<p class=\"links\">");
	if (kind == PAGE_WEB) {
		buf_add_str(out, "<a href=\"mail.mobileconfig?emailaddress=");
		put_query(out, s->address);
		tag(out, "\">", w->profile, "</a> – ");
		tag(out, "", w->profile_why, "<br>\n");
	}
	for (size_t i = 0; (other = words_at(i)) != NULL; i++) {
		if (other == w)
			continue;
		buf_printf(out, "<a lang=\"%s\" hreflang=\"%s\" href=\"",
		    other->lang, other->lang);
		buf_printf(out, "settings?lang=%s", other->lang);
		if (s->address[0] != '\0') {
			buf_add_str(out, "&amp;emailaddress=");
			put_query(out, s->address);
		}
		tag(out, "\">", other->name, "</a>");
	}
	buf_add_str(out, "</p>\n");
}

static void
put_head(const struct setup *s, const struct words *w, struct buf *out)
{
	const char *who = s->account[0] != '\0' ? s->account : s->address;

	buf_printf(out,
	    "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n"
	    "<meta name=\"robots\" content=\"noindex\">\n",
	    w->lang);
	tag(out, "<title>", who[0] != '\0' ? w->title_for : w->title, "");
	tag(out, who[0] != '\0' ? " " : "", who, "</title>\n<style>");
	buf_add_str(out, style);
	tag(out, "</style>\n</head>\n<body>\n<main>\n<header>\n<p>",
	    s->provider, "</p>\n");
	tag(out, "<h1>", w->title, "</h1>\n");
	if (who[0] != '\0') {
		tag(out, "<p class=\"who\">", who, "");
		if (who != s->address && s->address[0] != '\0')
			tag(out, " · ", s->address, "");
		buf_add_str(out, "</p>\n");
	}
}

void
page_write(const struct setup *s, enum page_kind kind, struct buf *out)
{
	const struct words *w = words_for(s->lang);
	bool full = kind == PAGE_FILE || kind == PAGE_WEB;

	put_head(s, w, out);
	if (full)
		tag(out, "<p>", w->intro, "</p>\n");
	if (kind == PAGE_NOT_OURS)
		tag(out, "<p role=\"alert\">", w->not_ours, "</p>\n");
	buf_add_str(out, "</header>\n");
	if (!full)
		put_form(s, w, out);
	for (size_t i = 0; full && i < SETUP_SERVICES; i++)
		put_service(s, w, i, out);
	if (full)
		put_sections(w, out);
	if (kind == PAGE_WEB)
		put_form(s, w, out);
	if (kind != PAGE_FILE)
		put_links(s, w, kind, out);
	buf_add_str(out, "</main>\n</body>\n</html>\n");
}
