/*
 * host_key.h - a random key of this host, made at first use and kept with the
 * index: what must look the same in every process and after a restart.
 */
#ifndef STORAGE_HOST_KEY_H
#define STORAGE_HOST_KEY_H

#include <stdint.h>

#include "lib/base/err.h"

struct store;

enum { HOST_KEY_LEN = 32 };

/* The key behind the made-up secrets of unknown logins.  May block. */
PH_MUSTUSE int host_key_get(struct store *s, uint8_t out[HOST_KEY_LEN]);
/* The key of return addresses of forwarded mail (submitd/srs.h). */
PH_MUSTUSE int host_key_srs(struct store *s, uint8_t out[HOST_KEY_LEN]);

#endif
