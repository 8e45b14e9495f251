/*
 * settings.h - the help page of one account: what to type into a mail
 * program, in German or English.
 */
#ifndef ADMIN_SETTINGS_H
#define ADMIN_SETTINGS_H

#include <jansson.h>

#include "lib/base/buf.h"
#include "lib/base/conf.h"

/* Whose page. */
struct settings_who {
	const char *account; /* "web100p1" */
	const char *domain;  /* the server's name for them */
	const char *address; /* an address of theirs, or "" */
	const char *lang;    /* "de" or "en" */
};

/* The real ports come from conf; doors that are closed are left out. */
void settings_text(
    const struct conf *conf, const struct settings_who *who, struct buf *out);
/* The same for programs; the caller's. */
json_t *settings_json(const struct conf *conf, const struct settings_who *who);

/* The port of the first address of a door ("imaps"); 0: it is closed. */
unsigned settings_port(const struct conf *conf, const char *door);

#endif
