/*
 * args.h - words and options of a command.
 *
 * A specification is a text of option names: "json quota= address=*".
 * "name" is a flag, "name=" takes a value, "name=*" takes one and may come
 * several times.  Options may stand before, between and behind the other
 * words, as "--name value" or "--name=value"; "--" ends them.
 */
#ifndef ADMIN_ARGS_H
#define ADMIN_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/slice.h"

enum { ARGS_WORDS_MAX = 64, ARGS_OPTS_MAX = 64 };

/* Borrows all texts from argv and spec. */
struct args {
	const char *words[ARGS_WORDS_MAX];
	size_t nwords;
	struct args_opt {
		struct slice name;
		const char *value; /* "" for a flag */
	} opts[ARGS_OPTS_MAX];
	size_t nopts;
};

/* ERR_INVALID with a text that names the word. */
PH_MUSTUSE int args_parse(struct args *a, const char *spec, size_t argc,
    const char *const *argv, struct err *e);

bool args_has(const struct args *a, const char *name);
/* The value, or NULL when the option was not given. */
const char *args_get(const struct args *a, const char *name);
/* Values of a repeated option: *at starts as 0; NULL behind the last. */
const char *args_next(const struct args *a, const char *name, size_t *at);

#endif
