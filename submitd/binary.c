#include "submitd/binary.h"

#include "submitd/downgrade.h"
#include "submitd/words.h"

int
binary_fix(struct client *c, struct slice *bytes, struct err *e)
{
	struct buf *out = &c->env.lines;

	if (!c->env.binary)
		return 0;
	/* base64 makes 78 bytes of 57; headers are small beside that. */
	buf_init(out, bytes->n + bytes->n / 2 + (64 << 10));
	if (!downgrade_binary(*bytes, out))
		return words_refuse(c, e, ERR_DENIED, "554 5.6.1 ",
		    "binary data in a header or a signed part; encode it",
		    "Binaerdaten in Kopf oder signiertem Teil");
	*bytes = buf_slice(out);
	return 0;
}
