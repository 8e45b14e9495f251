/*
 * status.h - "* STATUS name (...)", for STATUS and LIST RETURN (STATUS ...).
 */
#ifndef IMAPD_STATUS_H
#define IMAPD_STATUS_H

#include "imapd/client.h"

/* items: a sum of status_item; info: with its status.  Jobs only.  0 or an
 * enum ph_err; nothing is written then. */
PH_MUSTUSE int status_write(
    struct client *c, const struct folder_info *info, unsigned items);

#endif
