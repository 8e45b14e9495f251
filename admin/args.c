#include "admin/args.h"

/* The specification's word for this option: "" a flag, "=" or "=*"; p NULL
 * when there is none. */
static struct slice
find_spec(const char *spec, struct slice name)
{
	struct slice rest = slice_str(spec), word;

	while (slice_split(&rest, ' ', &word)) {
		size_t eq = slice_chr(word, '=');

		if (word.n != 0 && slice_eq(slice_sub(word, 0, eq), name))
			return slice_from(word, eq);
	}
	return slice_of(NULL, 0);
}

static bool
has(const struct args *a, struct slice name)
{
	for (size_t i = 0; i < a->nopts; i++)
		if (slice_eq(a->opts[i].name, name))
			return true;
	return false;
}

/* One "--name" word; *used_next_out: the next word was its value. */
static int
take_option(struct args *a, const char *spec, const char *word,
    const char *next, bool *used_next_out, struct err *e)
{
	struct slice s = slice_from(slice_str(word), 2), kind;
	size_t eq = slice_chr(s, '=');
	struct slice name = slice_sub(s, 0, eq);
	const char *value = "";

	kind = find_spec(spec, name);
	if (kind.p == NULL)
		return err_set(e, ERR_INVALID, "unknown option %s", word);
	if (kind.n == 0 && eq != s.n)
		return err_set(e, ERR_INVALID, "--%.*s takes no value",
		    (int)name.n, name.p);
	if (kind.n != 0 && eq != s.n) {
		value = s.p + eq + 1;
	} else if (kind.n != 0) {
		if (next == NULL)
			return err_set(
			    e, ERR_INVALID, "%s needs a value", word);
		value = next;
		*used_next_out = true;
	}
	if (kind.n < 2 && has(a, name))
		return err_set(e, ERR_INVALID, "--%.*s is given twice",
		    (int)name.n, name.p);
	if (a->nopts == ARGS_OPTS_MAX)
		return err_set(e, ERR_INVALID, "too many options");
	a->opts[a->nopts].name = name;
	a->opts[a->nopts++].value = value;
	return 0;
}

int
args_parse(struct args *a, const char *spec, size_t argc,
    const char *const *argv, struct err *e)
{
	bool only_words = false;
	int rc;

	a->nwords = a->nopts = 0;
	for (size_t i = 0; i < argc; i++) {
		struct slice s = slice_str(argv[i]);
		bool used_next = false;

		if (!only_words && slice_eq(s, SLICE("--"))) {
			only_words = true;
		} else if (!only_words && slice_starts(s, SLICE("--"))) {
			rc = take_option(a, spec, argv[i],
			    i + 1 < argc ? argv[i + 1] : NULL, &used_next, e);
			if (rc != 0)
				return rc;
			i += used_next;
		} else if (!only_words && s.n > 1 && s.p[0] == '-') {
			return err_set(
			    e, ERR_INVALID, "unknown option %s", argv[i]);
		} else if (a->nwords == ARGS_WORDS_MAX) {
			return err_set(e, ERR_INVALID, "too many words");
		} else {
			a->words[a->nwords++] = argv[i];
		}
	}
	return 0;
}

const char *
args_next(const struct args *a, const char *name, size_t *at)
{
	struct slice want = slice_str(name);

	while (*at < a->nopts) {
		const struct args_opt *o = &a->opts[(*at)++];

		if (slice_eq(o->name, want))
			return o->value;
	}
	return NULL;
}

const char *
args_get(const struct args *a, const char *name)
{
	size_t at = 0;

	return args_next(a, name, &at);
}

bool
args_has(const struct args *a, const char *name)
{
	return args_get(a, name) != NULL;
}
