/*
 * cset.h - byte classes, made once from the ABNF and asked by table.
 *
 * Tables for the classes shared by several grammars live here; a grammar's own
 * classes are static initialisers beside it, built from CSET_BIT.
 */
#ifndef LIB_BASE_CSET_H
#define LIB_BASE_CSET_H

#include <stdbool.h>
#include <stdint.h>

struct cset {
	uint64_t w[4]; /* bit c%64 of w[c/64]: byte c is in the class */
};

/* Bit patterns for the four words, for static initialisers. */
#define CSET_CTL0 UINT64_C(0x00000000ffffffff) /* 0x00-0x1f, word 0 */
#define CSET_DEL1 (UINT64_C(1) << 63)          /* 0x7f, word 1 */
#define CSET_BIT(c) (UINT64_C(1) << ((c)&63))

static inline bool
cset_has(const struct cset *s, char c)
{
	unsigned char u = (unsigned char)c;

	return (s->w[u >> 6] >> (u & 63)) & 1;
}

extern const struct cset cset_digit; /* RFC 5234 B.1 DIGIT */
extern const struct cset cset_alpha; /* ALPHA */
extern const struct cset cset_alnum; /* ALPHA / DIGIT */
extern const struct cset cset_hex;   /* HEXDIG, both cases */
extern const struct cset cset_vchar; /* %x21-7E */
extern const struct cset cset_ctl;   /* %x00-1F / %x7F */
extern const struct cset cset_wsp;   /* SP / HTAB */
extern const struct cset cset_8bit;  /* %x80-FF */
extern const struct cset cset_atext; /* RFC 5322 3.2.3 atext */

#endif
