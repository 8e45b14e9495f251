#include "storage/tagged.h"

#include <string.h>

#include "lib/base/err.h"
#include "storage/rec.h"

static void
encode(struct buf *b, const struct tagged_field *f, const void *obj)
{
	const char *at = (const char *)obj + f->offset;
	struct slice text;
	uint64_t v64;
	uint32_t v32;
	bool on;

	switch (f->type) {
	case TAGGED_U64:
		memcpy(&v64, at, sizeof(v64));
		rec_add_u64(b, f->tag, v64);
		break;
	case TAGGED_U32:
		memcpy(&v32, at, sizeof(v32));
		rec_add_u64(b, f->tag, v32);
		break;
	case TAGGED_BOOL:
		memcpy(&on, at, sizeof(on));
		rec_add_u64(b, f->tag, on);
		break;
	case TAGGED_TEXT:
		memcpy(&text, at, sizeof(text));
		if (text.n != 0)
			rec_add(b, f->tag, text);
		break;
	}
}

void
tagged_encode(struct buf *b, const struct tagged_def *def, const void *obj,
    struct slice unknown)
{
	for (size_t i = 0; i < def->n; i++)
		encode(b, &def->fields[i], obj);
	buf_add_slice(b, unknown);
}

static int
decode(const struct tagged_field *f, struct slice bytes, struct arena *a,
    void *obj)
{
	char *at = (char *)obj + f->offset;
	uint64_t v64 = rec_u64(bytes);
	uint32_t v32 = (uint32_t)v64;
	struct slice text;
	bool on = v64 != 0;

	if (f->type != TAGGED_TEXT && bytes.n != 8)
		return ERR_CORRUPT;
	switch (f->type) {
	case TAGGED_U64: memcpy(at, &v64, sizeof(v64)); break;
	case TAGGED_U32:
		if (v64 > UINT32_MAX)
			return ERR_CORRUPT;
		memcpy(at, &v32, sizeof(v32));
		break;
	case TAGGED_BOOL: memcpy(at, &on, sizeof(on)); break;
	case TAGGED_TEXT:
		text = arena_copy(a, bytes);
		memcpy(at, &text, sizeof(text));
		break;
	}
	return 0;
}

static const struct tagged_field *
find(const struct tagged_def *def, uint8_t tag)
{
	for (size_t i = 0; i < def->n; i++)
		if (def->fields[i].tag == tag)
			return &def->fields[i];
	return NULL;
}

/* Adds one field, its tag and length included, to what is kept as it came. */
static void
keep(struct arena *a, struct slice *unknown, const char *from, const char *to)
{
	size_t n = (size_t)(to - from);
	char *p = arena_bytes(a, unknown->n + n);

	if (unknown->n != 0)
		memcpy(p, unknown->p, unknown->n);
	memcpy(p + unknown->n, from, n);
	*unknown = slice_of(p, unknown->n + n);
}

int
tagged_decode(struct slice fields, const struct tagged_def *def,
    struct arena *a, void *obj, struct slice *unknown_out)
{
	const struct tagged_field *f;
	struct slice bytes, unknown = SLICE("");
	const char *from = fields.p;
	uint8_t tag;
	bool bad;
	int rc;

	while (rec_next(&fields, &tag, &bytes, &bad)) {
		f = find(def, tag);
		if (f != NULL && (rc = decode(f, bytes, a, obj)) != 0)
			return rc;
		if (f == NULL && unknown_out != NULL)
			keep(a, &unknown, from, bytes.p + bytes.n);
		from = bytes.p + bytes.n;
	}
	if (unknown_out != NULL)
		*unknown_out = unknown;
	return bad ? ERR_CORRUPT : 0;
}
