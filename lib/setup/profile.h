/*
 * profile.h - Apple's configuration profile (.mobileconfig) for one mailbox.
 */
#ifndef LIB_SETUP_PROFILE_H
#define LIB_SETUP_PROFILE_H

#include "lib/setup/setup.h"

/* An unsigned profile, an XML property list; lib/crypt/cms.h signs it.  The
 * same address has the same identifiers, so a newer one takes the place of an
 * older.  IMAP, or POP3 where the host has no IMAP; false: neither. */
bool profile_write(const struct setup *s, struct buf *out);

#endif
