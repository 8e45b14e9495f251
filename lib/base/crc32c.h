/*
 * crc32c.h - CRC-32C (Castagnoli), by the processor where it can.
 */
#ifndef LIB_BASE_CRC32C_H
#define LIB_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue from `crc` (0 to start) over n more bytes. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

/* The same without the processor's help; what crc32c() falls back to. */
uint32_t crc32c_plain(uint32_t crc, const void *bytes, size_t n);

#endif
