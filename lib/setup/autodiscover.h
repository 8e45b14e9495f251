/*
 * autodiscover.h - what Outlook asks and is told: Microsoft's "plain old XML"
 * form ([MS-OXDSCLI]), the one for hosts that are no Exchange.
 */
#ifndef LIB_SETUP_AUTODISCOVER_H
#define LIB_SETUP_AUTODISCOVER_H

#include "lib/setup/setup.h"

enum { AUTODISCOVER_ADDRESS_MAX = 320, AUTODISCOVER_SCHEMA_MAX = 200 };

struct autodiscover {
	char address[AUTODISCOVER_ADDRESS_MAX + 1]; /* as it came; not empty */
	bool outlook; /* wants the answer that autodiscover_write() gives */
};

/* Reads a request; false: it is none. */
bool autodiscover_read(struct slice xml, struct autodiscover *out);

void autodiscover_write(const struct setup *s, struct buf *out);

/* An answer that says no: [MS-OXDSCLI] 600 is a request that is none, 601 one
 * for a service that is not here, 500 an address that is not ours. */
void autodiscover_error(unsigned code, const char *text, struct buf *out);

#endif
