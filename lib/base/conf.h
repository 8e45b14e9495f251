/*
 * conf.h - posthof.conf as a struct; one field for each row of opts.def.
 *
 * Owned by whoever loaded it; all texts live as long as the struct.  Read
 * only after loading, so threads share it freely.
 */
#ifndef LIB_BASE_CONF_H
#define LIB_BASE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct conf_list {
	const char *const *v;
	size_t n;
};

#define CONF_FIELD_STR(f) const char *f;
#define CONF_FIELD_LIST(f) struct conf_list f;
#define CONF_FIELD_NUM(f) uint64_t f;
#define CONF_FIELD_SIZE(f) uint64_t f;
#define CONF_FIELD_TIME(f) uint64_t f;
#define CONF_FIELD_BOOL(f) bool f;

struct conf {
#define OPT(type, field, name, def, min, max, help) CONF_FIELD_##type(field)
#include "lib/base/opts.def"
#undef OPT
	struct conf_mem *mem; /* what the texts live in; private to conf.c */
};

/*
 * Parses the file's text.  Every mistake becomes a line "file:line: what" in
 * errors (a buffer with a ceiling).  0, or ERR_INVALID when there was one.
 * Whatever was not set has its default.
 */
PH_MUSTUSE int conf_parse(const char *file, struct slice text,
    struct conf **conf_out, struct buf *errors);

/* The same from a path; ERR_IO and others when it cannot be read. */
PH_MUSTUSE int conf_load(
    const char *path, struct conf **conf_out, struct buf *errors);

/* The same of a text that the supervisor passed; the first mistake in e. */
PH_MUSTUSE int conf_passed(int fd, struct conf **conf_out, struct err *e);

void conf_free(struct conf **conf);

/* A commented sample file with every option and its default. */
void conf_sample(struct buf *out);

#endif
