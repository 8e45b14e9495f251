#include "admin/confman.h"

/* A headline or an option; name NULL: a headline. */
static const struct {
	const char *type, *name, *def, *help;
} rows[] = {
#define SECTION(title) { NULL, NULL, NULL, title },
#define OPT(t, f, n, d, lo, hi, h) { #t, n, d, h },
#include "lib/base/opts.def"
#undef OPT
};

static const struct {
	const char *type, *words;
} types[] = {
	{ "STR", "text" },
	{ "LIST", "list" },
	{ "NUM", "number" },
	{ "SIZE", "size" },
	{ "TIME", "time" },
	{ "BOOL", "true or false" },
};

static const char *
type_words(const char *type)
{
	for (size_t i = 0; i < PH_LEN(types); i++)
		if (slice_eq(slice_str(types[i].type), slice_str(type)))
			return types[i].words;
	return "text";
}

/* For man(7): '-' is a hyphen unless escaped, '.' at a line's start is a
 * request, '\' escapes. */
static void
put(struct buf *out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '-' || *p == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, *p);
	}
}

void
confman(struct buf *out)
{
	for (size_t i = 0; i < PH_LEN(rows); i++) {
		if (rows[i].name == NULL) {
			buf_add_str(out, ".SS ");
			put(out, rows[i].help);
			buf_add_char(out, '\n');
			continue;
		}
		buf_add_str(out, ".TP\n.BR ");
		put(out, rows[i].name);
		buf_printf(out, " \" (%s", type_words(rows[i].type));
		if (rows[i].def[0] != '\0') {
			buf_add_str(out, ", ");
			put(out, rows[i].def);
		}
		buf_add_str(out, ")\"\n");
		put(out, rows[i].help);
		buf_add_char(out, '\n');
	}
}
