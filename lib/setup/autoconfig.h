/*
 * autoconfig.h - Mozilla's config-v1.1.xml, which Thunderbird, K-9, Evolution,
 * KMail and others read.
 */
#ifndef LIB_SETUP_AUTOCONFIG_H
#define LIB_SETUP_AUTOCONFIG_H

#include "lib/setup/setup.h"

/* domain: the address's, A-labels.  s->login "": the program puts the address
 * it was given in its place. */
void autoconfig_write(
    const struct setup *s, const char *domain, struct buf *out);

#endif
