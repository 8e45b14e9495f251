/*
 * ask.h - questions to the DNS, one after the other, for commands.
 *
 * The daemons ask by lib/net/dns.h on their loop; a command has none.  The
 * same library and the same resolver, so that what `posthof doctor` sees is
 * what the relay sees.
 */
#ifndef ADMIN_ASK_H
#define ADMIN_ASK_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum {
	ASK_A = 1,
	ASK_PTR = 12,
	ASK_MX = 15,
	ASK_TXT = 16,
	ASK_AAAA = 28,
	ASK_RECORDS = 32,
	ASK_TEXT_MAX = 4096,
	ASK_WAIT_MS = 10000
};

struct ask;

/* Records as texts, in the arena: an address, a host name (lower case, no dot
 * at the end; "" is the root), the strings of a TXT joined. */
struct ask_answer {
	int rc; /* 0 (also with n == 0: no such record); ERR_NOTFOUND: no
		 * such name; ERR_DNS: no answer */
	size_t n;
	const char *v[ASK_RECORDS];
};

/* resolver: option of that name. */
PH_MUSTUSE int ask_new(
    const char *resolver, struct ask **ask_out, struct err *e);
void ask_free(struct ask **ask);
/* Blocks, for ASK_WAIT_MS at most. */
void ask_for(struct ask *q, const char *name, int type, struct arena *a,
    struct ask_answer *out);

/* A record's bytes as text; false: they are none. */
bool ask_read(int type, struct slice rdata, char out[ASK_TEXT_MAX]);
/* The name whose PTR belongs to an address (RFC 1035 3.5, RFC 3596 2.5). */
bool ask_reverse(const char *address, char out[80]);

#endif
