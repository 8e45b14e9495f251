/*
 * scram.h - the last step of SCRAM against any of an account's secrets.
 *
 * The library knows one set of keys per exchange.  Secrets that share its salt
 * and rounds can be proved by the same exchange, so that app passwords work
 * with SCRAM too; which of them it was, only the proof tells.
 */
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/crypt/crypt.h"

/* What was said, RFC 5802 7; binding is the channel's data, or empty. */
struct scram_said {
	struct slice client_first, server_first, client_final, binding;
};

/*
 * Does the client's proof make these keys (of the salt and rounds that
 * server_first named)?  Then *final_out is the server's last message.  All
 * else about the messages is checked too; one with an authorization identity
 * or a "y" is never good here.
 */
bool scram_proves(const struct scram_said *said, const struct scram_keys *keys,
    struct buf *final_out);

#endif
