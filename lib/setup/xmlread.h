/*
 * xmlread.h - a pull reader for small XML documents from strangers.
 *
 * Knows elements, text, character references, CDATA, comments and processing
 * instructions; prefixes of names are dropped, attributes skipped.  A DTD is
 * refused (so there are no entities to blow up), and so are bytes that are no
 * UTF-8, nesting past XMLREAD_DEPTH and text past XMLREAD_TEXT of an element.
 * Time is linear in the bytes.
 */
#ifndef LIB_SETUP_XMLREAD_H
#define LIB_SETUP_XMLREAD_H

#include "lib/base/buf.h"
#include "lib/base/cur.h"

enum { XMLREAD_DEPTH = 16, XMLREAD_TEXT = 1024 };

enum xmlread_event {
	XMLREAD_OPEN,
	XMLREAD_CLOSE, /* still there for xmlread_at() and xmlread_text() */
	XMLREAD_END,   /* all was well-formed */
	XMLREAD_BAD
};

struct xmlread {
	struct cur c;
	struct slice names[XMLREAD_DEPTH]; /* whole, with prefixes */
	size_t depth;
	struct buf text; /* of the innermost element, since it opened */
	bool pop, empty; /* pending: leave this one; it was <a/> */
	bool seen_root;
};

/* Borrows the bytes. */
void xmlread_init(struct xmlread *x, struct slice xml);
void xmlread_fini(struct xmlread *x);
enum xmlread_event xmlread_next(struct xmlread *x);
/* Are the open elements, without prefixes, just these ("a/b/c")? */
bool xmlread_at(const struct xmlread *x, const char *path);
/* The text since the last tag, references resolved. */
struct slice xmlread_text(const struct xmlread *x);

#endif
