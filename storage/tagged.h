/*
 * tagged.h - structs as tagged values (FORMAT), field by field from a table.
 * For storage/ only.
 *
 * A field that is zero or empty is not written and reads back as such.
 */
#ifndef STORAGE_TAGGED_H
#define STORAGE_TAGGED_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"

enum tagged_type {
	TAGGED_U64, /* and int64_t */
	TAGGED_U32, /* and enums */
	TAGGED_BOOL,
	TAGGED_TEXT /* struct slice */
};

struct tagged_field {
	uint8_t tag;
	enum tagged_type type;
	size_t offset; /* of the member */
};

struct tagged_def {
	const struct tagged_field *fields;
	size_t n;
};

/* Appends the fields; `unknown` goes behind them as it came. */
void tagged_encode(struct buf *b, const struct tagged_def *def, const void *obj,
    struct slice unknown);

/*
 * Reads fields into *obj, which the caller has zeroed; texts are copied into
 * the arena.  Fields of no row in the table go into *unknown_out as they are
 * (arena), so that what a later version wrote survives; unknown_out may be
 * NULL.  ERR_CORRUPT.
 */
PH_MUSTUSE int tagged_decode(struct slice fields, const struct tagged_def *def,
    struct arena *a, void *obj, struct slice *unknown_out);

#endif
