/*
 * mboxname.h - folder names between the peer and us.
 *
 * Inside, names are UTF-8 with '/' between levels.  A peer speaks modified
 * UTF-7 (RFC 3501 5.1.3) until it enables UTF-8 (RFC 6855 3, RFC 9051 5.1).
 */
#ifndef IMAPD_MBOXNAME_H
#define IMAPD_MBOXNAME_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"

/*
 * A name or pattern from the peer.  UTF-8 in a quoted string is understood in
 * both modes (CLIENTS D, Thunderbird); a bad '&' sequence is false.  Memory
 * from the arena, or raw itself.
 */
bool mboxname_decode(
    struct arena *a, struct slice raw, bool utf8, struct slice *out);

/* One '/' at the end goes (CLIENTS D, Thunderbird). */
struct slice mboxname_trim(struct slice name);

/* The form in which it is stored: NFC, "INBOX" in capitals (RFC 9051 5.1). */
struct slice mboxname_normal(struct arena *a, struct slice name);

/* As a quoted string in the peer's form. */
void mboxname_write(struct buf *out, struct slice name, bool utf8);

#endif
