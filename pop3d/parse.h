/*
 * parse.h - a POP3 command line (RFC 1939 3, RFC 2449 4).  Pure.
 */
#ifndef POP3D_PARSE_H
#define POP3D_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/slice.h"

struct pop3_line {
	struct slice name;   /* the keyword as it came */
	struct slice rest;   /* behind its first blank, spaces kept; p is
				 * NULL when there was none */
	struct slice arg[2]; /* rest, by single blanks */
	unsigned nargs;      /* more than 2 counts as 3 */
};

/* line: without CRLF.  False: not "keyword [SP args]" of printable bytes. */
bool pop3_parse(struct slice line, struct pop3_line *out);

/* A message number or a line count: 1*DIGIT, in range of 32 bits. */
bool pop3_number(struct slice s, uint32_t *out);

#endif
