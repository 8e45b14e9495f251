/*
 * profsign.h - the key that signs Apple profiles: read as root, handed on as
 * a sealed memory file (lib/crypt/bundle.h, one entry or none).
 */
#ifndef ADMIN_PROFSIGN_H
#define ADMIN_PROFSIGN_H

#include "lib/base/conf.h"

/* Reads profile-cert and profile-key and tries them; the sealed file, empty
 * when there are none.  A mistake is a line in errors. */
PH_MUSTUSE int profsign_load(
    const struct conf *conf, int *fd_out, struct buf *errors);

/* Signs the profile in *io with what the file holds; nothing happens when
 * conf names no key.  fd may be -1: then a key that is named is missing. */
PH_MUSTUSE int profsign(
    const struct conf *conf, int fd, struct buf *io, struct err *e);

#endif
