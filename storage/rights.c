#include "storage/rights.h"

#include "storage/view.h"

/* In the order in which they are written. */
static const struct {
	char letter;
	unsigned bits;
} letters[] = {
	{ 'l', RIGHT_LOOKUP },
	{ 'r', RIGHT_READ },
	{ 's', RIGHT_SEEN },
	{ 'w', RIGHT_WRITE },
	{ 'i', RIGHT_INSERT },
	{ 'p', RIGHT_POST },
	{ 'k', RIGHT_CREATE },
	{ 'x', RIGHT_REMOVE },
	{ 't', RIGHT_DELETE },
	{ 'e', RIGHT_EXPUNGE },
	/* RFC 4314 2.1.1, the way of its examples and of most servers */
	{ 'c', RIGHT_CREATE | RIGHT_REMOVE },
	{ 'd', RIGHT_DELETE | RIGHT_EXPUNGE },
	{ 'a', RIGHT_ADMIN },
};

static unsigned
bits_of(char letter)
{
	for (size_t i = 0; i < PH_LEN(letters); i++)
		if (letters[i].letter == letter)
			return letters[i].bits;
	return 0;
}

bool
rights_parse(struct slice text, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < text.n; i++) {
		unsigned bits = bits_of(text.p[i]);

		if (bits == 0)
			return false;
		*out |= bits;
	}
	return true;
}

void
rights_write(struct buf *out, unsigned rights)
{
	for (size_t i = 0; i < PH_LEN(letters); i++)
		if (rights & letters[i].bits)
			buf_add_char(out, letters[i].letter);
}

unsigned
rights_flags(unsigned rights)
{
	unsigned flags = 0;

	if (rights & RIGHT_SEEN)
		flags |= MSG_SEEN;
	if (rights & RIGHT_DELETE)
		flags |= MSG_DELETED;
	if (rights & RIGHT_WRITE)
		flags |= MSG_ANSWERED | MSG_FLAGGED | MSG_DRAFT;
	return flags;
}
