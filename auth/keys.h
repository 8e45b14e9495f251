/*
 * keys.h - SCRAM keys as text: ours, and those that other hosts made.
 */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include "lib/base/buf.h"
#include "lib/crypt/crypt.h"

/* "iterations:b64salt$b64stored:b64server", the form of RFC 5803 without its
 * scheme. */
PH_MUSTUSE bool keys_parse(
    enum crypt_hash hash, struct slice value, struct scram_keys *keys_out);
void keys_print(const struct scram_keys *keys, struct buf *out);

/*
 * The salt of SCRAM-SHA-1 keys that stand beside SCRAM-SHA-256 keys with this
 * one.  Secrets that share the one share the other; and since it follows from
 * what everybody may see, it does not tell who has such keys and who has not.
 */
void keys_salt_sha1(const uint8_t salt[16], uint8_t salt_out[16]);

/*
 * Brought along from another host, in Dovecot's form:
 * "{SCRAM-SHA-1}iterations,b64salt,b64stored,b64server", or {SCRAM-SHA-256}.
 * Is it that, and no dearer than a login may be?
 */
bool keys_foreign_known(struct slice value);
/* password: prepared or not, as it shall be tried. */
bool keys_foreign_verify(struct slice value, struct slice password);
/* The same as keys that a mechanism can serve; false: none, or the salt has
 * not 16 bytes. */
PH_MUSTUSE bool keys_foreign_take(
    struct slice value, struct scram_keys *keys_out);

#endif
