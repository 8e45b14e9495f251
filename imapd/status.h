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

/* The same of what is in info alone: no RECENT, no DELETED-STORAGE; enables
 * nothing. */
void status_line(
    struct client *c, const struct folder_info *info, unsigned items);

/* For IMAP4rev2 (RFC 9051 6.3.2, 6.3.4): "* LIST" of a folder that was named
 * so, with OLDNAME when it is kept under another name. */
void status_list_line(
    struct client *c, struct slice named, const struct folder_info *info);

#endif
