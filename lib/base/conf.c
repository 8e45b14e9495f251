#include "lib/base/conf.h"

#include <confuse.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/conf_text.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/prefix.h"

enum {
	FILE_MAX_BYTES = 16 << 20,
	ERRORS_MAX_BYTES = 4096,
	SHOW_BYTES = 32,
	WRAP = 76
};

enum type { T_STR, T_LIST, T_NUM, T_SIZE, T_TIME, T_BOOL };

static const char *const type_names[] = { "text", "list", "number", "size",
	"time", "true or false" };

struct row {
	const char *name;
	const char *def;
	const char *help;
	uint64_t min, max;
	enum type type;
	size_t at; /* offset in struct conf */
};

static const struct row rows[] = {
#define OPT(t, f, n, d, lo, hi, h) \
	{ n, d, h, lo, hi, T_##t, offsetof(struct conf, f) },
#include "lib/base/opts.def"
#undef OPT
};

/* The order of the sample file: headlines, and rows by their number. */
enum {
#define OPT(t, f, n, d, lo, hi, h) ROW_##f,
#include "lib/base/opts.def"
#undef OPT
};

static const struct {
	const char *title; /* or NULL */
	size_t row;
} layout[] = {
#define SECTION(title) { title, 0 },
#define OPT(t, f, n, d, lo, hi, h) { NULL, ROW_##f },
#include "lib/base/opts.def"
#undef OPT
};

/* Texts that are one of few words. */
static const struct {
	const char *name, *words;
} choices[] = {
	{ "log-level", "error warn info debug" },
	{ "lang", "de en" },
	{ "own-sender", "accept mark reject" },
	{ "own-from", "accept mark reject" },
};

struct conf_mem {
	struct arena arena;
};

/* One parse; the library finds it through a hidden first option. */
struct parse {
	struct conf *conf;
	const char *file;
	struct buf *errors;
	int first_line; /* of the statement the library is reading */
	bool failed;
};

static void
complain(struct parse *ps, int line, const char *name, const char *what)
{
	ps->failed = true;
	buf_printf(ps->errors, "%s:%d: %s%s%s\n", ps->file, line, name,
	    name[0] != '\0' ? ": " : "", what);
}

/* The value as a person would write it: 64K, 5m. */
static void
show(enum type type, uint64_t v, char out[SHOW_BYTES])
{
	static const struct {
		enum type type;
		uint64_t factor;
		const char *unit;
	} units[] = {
		{ T_SIZE, UINT64_C(1) << 40, "T" },
		{ T_SIZE, 1 << 30, "G" },
		{ T_SIZE, 1 << 20, "M" },
		{ T_SIZE, 1 << 10, "K" },
		{ T_TIME, 86400000, "d" },
		{ T_TIME, 3600000, "h" },
		{ T_TIME, 60000, "m" },
		{ T_TIME, 1000, "s" },
		{ T_TIME, 1, "ms" },
	};
	const char *unit = "";

	for (size_t i = 0; i < PH_LEN(units) && v != 0; i++)
		if (units[i].type == type && v % units[i].factor == 0) {
			v /= units[i].factor;
			unit = units[i].unit;
			break;
		}
	(void)snprintf(out, SHOW_BYTES, "%llu%s", (unsigned long long)v, unit);
}

static const char *
range_text(struct arena *a, const struct row *r)
{
	char lo[SHOW_BYTES], hi[SHOW_BYTES];

	show(r->type, r->min, lo);
	show(r->type, r->max, hi);
	return arena_printf(a, "%s to %s", lo, hi);
}

/* "host:port", "[v6]:port", "*:port": is there a host and a port? */
static bool
is_address(struct slice s)
{
	size_t colon = slice_rchr(s, ':');
	struct slice host = slice_sub(s, 0, colon);
	uint64_t port;

	if (colon == s.n || host.n == 0 ||
	    !num_parse(slice_from(s, colon + 1), 65535, &port))
		return false;
	return slice_chr(host, ':') == host.n ||
	       (host.p[0] == '[' && host.p[host.n - 1] == ']');
}

static const char *
check_text(struct arena *a, const struct row *r, struct slice v)
{
	if (v.n < r->min || v.n > r->max)
		return arena_printf(
		    a, "must have %s characters", range_text(a, r));
	for (size_t i = 0; i < PH_LEN(choices); i++) {
		struct slice words = slice_str(choices[i].words), word;
		bool hit = false;

		if (strcmp(choices[i].name, r->name) != 0)
			continue;
		while (slice_split(&words, ' ', &word))
			hit = hit || slice_eq(word, v);
		if (!hit)
			return arena_printf(
			    a, "must be one of: %s", choices[i].words);
	}
	return NULL;
}

static const char *
set_bool(const struct row *r, struct slice v, struct conf *conf)
{
	static const char *const yes[] = { "true", "yes", "on" };
	static const char *const no[] = { "false", "no", "off" };
	bool *to = (bool *)(void *)((char *)conf + r->at);

	for (size_t i = 0; i < PH_LEN(yes); i++) {
		if (slice_ieq_str(v, yes[i]))
			return *to = true, NULL;
		if (slice_ieq_str(v, no[i]))
			return *to = false, NULL;
	}
	return "must be true or false";
}

/* Sets one scalar field; what is wrong with the value, or NULL. */
static const char *
set_value(const struct row *r, const char *text, struct conf *conf)
{
	struct arena *a = &conf->mem->arena;
	void *to = (char *)conf + r->at;
	struct slice v = slice_trim(slice_str(text));
	const char *wrong;
	uint64_t n = 0;
	bool ok;

	if (r->type == T_BOOL)
		return set_bool(r, v, conf);
	if (r->type == T_STR) {
		if ((wrong = check_text(a, r, v)) == NULL)
			*(const char **)to = arena_str(a, v);
		return wrong;
	}
	if (r->type == T_SIZE)
		ok = num_parse_size(v, &n);
	else if (r->type == T_TIME)
		ok = num_parse_duration(v, &n);
	else
		ok = num_parse(v, UINT64_MAX, &n);
	if (!ok)
		return arena_printf(
		    a, "not a %s: %s", type_names[r->type], text);
	if (n < r->min || n > r->max)
		return arena_printf(
		    a, "must be %s, not %s", range_text(a, r), text);
	*(uint64_t *)to = n;
	return NULL;
}

static void
set_list(const struct row *r, const char *const *v, size_t n, struct conf *conf)
{
	struct arena *a = &conf->mem->arena;
	struct conf_list *to =
	    (struct conf_list *)(void *)((char *)conf + r->at);
	const char **copy = arena_alloc(a, (n + 1) * sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = arena_str(a, slice_trim(slice_str(v[i])));
	*to = (struct conf_list){ copy, n };
}

/* A default as it is written in the file. */
static void
put_default(struct buf *out, const struct row *r)
{
	struct slice rest = slice_str(r->def), word;
	const char *sep = "";

	if (r->type == T_STR) {
		buf_printf(out, "\"%s\"", r->def);
	} else if (r->type != T_LIST) {
		buf_add_str(out, r->def);
	} else {
		buf_add_char(out, '{');
		while (rest.n != 0 && slice_split(&rest, ',', &word)) {
			buf_printf(out, "%s\"%.*s\"", sep, (int)word.n, word.p);
			sep = ", ";
		}
		buf_add_char(out, '}');
	}
}

static struct parse *
parse_of(cfg_t *cfg)
{
	return (void *)cfg->opts[0].simple_value.ptr;
}

static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct parse *ps = parse_of(cfg);
	char what[256];

	(void)vsnprintf(what, sizeof(what), fmt, ap);
	complain(ps, ps->first_line + cfg->line - 1, "", what);
}

/* Lists hold addresses to listen at, or networks ("...-from"). */
static const char *
wrong_item(const struct row *r, struct slice value)
{
	struct slice name = slice_str(r->name);
	struct prefix net;

	if (name.n > 5 &&
	    slice_eq(slice_from(name, name.n - 5), SLICE("-from")))
		return prefix_parse(value, &net)
			   ? NULL
			   : "a network is \"192.0.2.1\", \"10.0.0.0/8\", "
			     "\"2001:db8::/32\" or \"unix\", in quotes";
	return !slice_starts(name, SLICE("listen-")) || is_address(value)
		   ? NULL
		   : "an address is \"HOST:PORT\", \"[IPV6]:PORT\" or "
		     "\"*:PORT\", in quotes";
}

/* The library calls this for every value; never fails, so that the rest of
 * the file is looked at too. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct parse *ps = parse_of(cfg);
	const struct row *r = &rows[opt - cfg->opts - 1];
	const char *wrong = NULL;

	if (r->type != T_LIST)
		wrong = set_value(r, value, ps->conf);
	else if ((wrong = wrong_item(r, slice_trim(slice_str(value)))) != NULL)
		;
	else if (opt->nvalues > r->max)
		wrong = "too many of them";
	if (wrong != NULL)
		complain(ps, ps->first_line + cfg->line - 1, r->name, wrong);
	*(const char **)result = value;
	return 0;
}

/* The library knows the defaults of lists, so that += adds to them. */
static char *
list_default(const struct row *r, struct arena *a)
{
	struct buf text;
	char *made;

	buf_init(&text, FILE_MAX_BYTES);
	put_default(&text, r);
	made = arena_str(a, buf_slice(&text));
	buf_fini(&text);
	return made;
}

/* Somebody wrote the hidden option's name. */
static int
on_hidden(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct parse *ps = parse_of(cfg);

	(void)opt, (void)value, (void)result;
	complain(ps, ps->first_line + cfg->line - 1, "", "no such option");
	return -1;
}

/* One library row per option, all of them text: ranges and units are ours. */
static cfg_t *
library_rows(struct parse *ps)
{
	struct arena *a = &ps->conf->mem->arena;
	cfg_opt_t *opts = xcalloc(PH_LEN(rows) + 2, sizeof(*opts));
	cfg_t *cfg;

	opts[0].name = "\001";
	opts[0].type = CFGT_PTR;
	opts[0].simple_value.ptr = (void *)ps;
	opts[0].parsecb = on_hidden;
	for (size_t i = 0; i < PH_LEN(rows); i++) {
		cfg_opt_t *o = &opts[i + 1];

		o->type = CFGT_STR;
		o->flags = CFGF_NODEFAULT;
		o->name = rows[i].name;
		o->parsecb = on_value;
		if (rows[i].type != T_LIST)
			continue;
		o->flags = CFGF_LIST;
		o->def.parsed = list_default(&rows[i], a);
	}
	cfg = cfg_init(opts, CFGF_NONE);
	ph_assert(cfg != NULL);
	(void)cfg_set_error_function(cfg, on_error);
	free(opts);
	return cfg;
}

static void
unclosed(void *arg, int line)
{
	complain(arg, line, "", "a quote is not closed");
}

/*
 * The library stops at its first mistake, so it gets the file statement by
 * statement: a mistake in one hides none in the next.
 */
static void
parse_statements(struct parse *ps, cfg_t *cfg, char *text, size_t n)
{
	struct slice rest = slice_of(text, n), line;
	char *from = text;
	int at = 1;

	ps->first_line = 1;
	for (; slice_split(&rest, '\n', &line); at++) {
		bool last = rest.p == NULL;
		size_t begin = (size_t)(line.p - text);

		if (conf_text_starts(line) && text + begin != from) {
			text[begin - 1] = '\0';
			(void)cfg_parse_buf(cfg, from);
			from = text + begin;
			ps->first_line = at;
		}
		if (last && from[0] != '\0')
			(void)cfg_parse_buf(cfg, from);
	}
}

static void
take_lists(cfg_t *cfg, struct conf *conf)
{
	for (size_t i = 0; i < PH_LEN(rows); i++) {
		const cfg_opt_t *o = &cfg->opts[i + 1];
		const char **v;

		if (rows[i].type != T_LIST)
			continue;
		v = xcalloc(o->nvalues + 1, sizeof(*v));
		for (unsigned j = 0; j < o->nvalues; j++)
			v[j] = o->values[j]->string;
		set_list(&rows[i], v, o->nvalues, conf);
		free(v);
	}
}

int
conf_parse(const char *file, struct slice text, struct conf **conf_out,
    struct buf *errors)
{
	struct conf *conf = xcalloc(1, sizeof(*conf));
	struct parse ps = { .conf = conf, .file = file, .errors = errors };
	char *work = slice_dup(text);
	cfg_t *cfg;

	*conf_out = NULL;
	conf->mem = xcalloc(1, sizeof(*conf->mem));
	arena_init(&conf->mem->arena);
	for (size_t i = 0; i < PH_LEN(rows); i++)
		if (rows[i].type != T_LIST)
			ph_assert(
			    set_value(&rows[i], rows[i].def, conf) == NULL);
	if (slice_chr(text, '\0') != text.n) {
		complain(&ps, 1, "", "a NUL byte: this is not a text file");
	} else {
		cfg = library_rows(&ps);
		conf_text_strip(work, text.n, unclosed, &ps);
		parse_statements(&ps, cfg, work, text.n);
		take_lists(cfg, conf);
		(void)cfg_free(cfg);
	}
	free(work);
	if (ps.failed) {
		conf_free(&conf);
		return ERR_INVALID;
	}
	*conf_out = conf;
	return 0;
}

int
conf_load(const char *path, struct conf **conf_out, struct buf *errors)
{
	struct buf text;
	struct err e = { 0 };
	int rc;

	*conf_out = NULL;
	buf_init(&text, FILE_MAX_BYTES);
	if ((rc = file_read(path, &text, &e)) == 0)
		rc = conf_parse(path, buf_slice(&text), conf_out, errors);
	else
		buf_printf(errors, "%s: %s\n", path, e.text);
	buf_fini(&text);
	return rc;
}

int
conf_passed(int fd, struct conf **conf_out, struct err *e)
{
	const char *name = getenv("POSTHOF_CONF_NAME");
	struct buf text, errors;
	struct slice all, first;
	int rc;

	*conf_out = NULL;
	buf_init(&text, FILE_MAX_BYTES);
	buf_init(&errors, ERRORS_MAX_BYTES);
	if (fd < 0)
		rc = err_set(e, ERR_INVALID, "no configuration was passed");
	else if ((rc = file_read_fd(fd, &text, e)) == 0 &&
		 (rc = conf_parse(name != NULL ? name : "posthof.conf",
		      buf_slice(&text), conf_out, &errors)) != 0) {
		all = buf_slice(&errors);
		(void)slice_split(&all, '\n', &first);
		(void)err_set(e, rc, "bad configuration: %.*s", (int)first.n,
		    first.p != NULL ? first.p : "");
	}
	buf_fini(&text);
	buf_fini(&errors);
	return rc;
}

void
conf_free(struct conf **conf)
{
	if (*conf == NULL)
		return;
	arena_clear(&(*conf)->mem->arena);
	free((*conf)->mem);
	free(*conf);
	*conf = NULL;
}

/* "# " and the text, broken at blanks. */
static void
sample_comment(struct buf *out, const char *text)
{
	struct slice rest = slice_str(text), word;
	size_t col = 0;

	while (slice_split(&rest, ' ', &word)) {
		if (col != 0 && col + 1 + word.n > WRAP) {
			buf_add_char(out, '\n');
			col = 0;
		}
		buf_add_str(out, col == 0 ? "# " : " ");
		buf_add_slice(out, word);
		col += word.n + 1;
	}
	buf_add_char(out, '\n');
}

static void
sample_row(struct buf *out, const struct row *r)
{
	char lo[SHOW_BYTES], hi[SHOW_BYTES];

	buf_add_char(out, '\n');
	sample_comment(out, r->help);
	if (r->type == T_NUM || r->type == T_SIZE || r->type == T_TIME) {
		show(r->type, r->min, lo);
		show(r->type, r->max, hi);
		buf_printf(
		    out, "# (%s, %s to %s)\n", type_names[r->type], lo, hi);
	}
	buf_printf(out, "#%s = ", r->name);
	put_default(out, r);
	buf_add_char(out, '\n');
}

void
conf_sample(struct buf *out)
{
	buf_add_str(out,
	    "# posthof.conf: every option with its default; take the # away "
	    "to set one.\n"
	    "# NAME = VALUE.  Sizes: 64K, 50M, 2G.  Times: 250ms, 30s, 5m, "
	    "4h, 10d.\n"
	    "# Texts stand in quotes, lists in braces.  Set twice, the last "
	    "one counts.\n");
	for (size_t i = 0; i < PH_LEN(layout); i++)
		if (layout[i].title != NULL)
			buf_printf(out, "\n### %s\n", layout[i].title);
		else
			sample_row(out, &rows[layout[i].row]);
}
