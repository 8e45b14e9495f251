/*
 * siphash.h - SipHash-2-4 with a key of this process: a number that stands for
 * bytes.  Who does not know the key cannot make two texts of one number; it is
 * worth nothing in another process.
 */
#ifndef LIB_BASE_SIPHASH_H
#define LIB_BASE_SIPHASH_H

#include <stdint.h>

#include "lib/base/slice.h"

uint64_t siphash(struct slice s);
/* With this key; as in the paper's test vectors. */
uint64_t siphash_key(struct slice s, uint64_t k0, uint64_t k1);

#endif
